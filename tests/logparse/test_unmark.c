// SPDX-License-Identifier: LGPL-2.1-or-later
/* The checker of the other tests: what is right passes, and each thing that can be wrong fails. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include "tests/logparse/unmark_help.h"

#define BODY(r)                                                                                    \
	"; for (;;) {\n1: (07) r1 += 3       ; R1_w=" r "\n2: (bf) r2 = r1\n3: (bf) r3 = r1\n"     \
	"4: (05) goto pc-4\n"
#define BODY_LONG(r) BODY(r) "mark_precise: frame0: regs=r1 stack= before 1: (07) r1 += 3\n"
#define FIVE(r)      BODY(r) BODY("2") BODY("3") BODY("4") BODY("5")
#define P            "regs=2 stack=0 before 8: (bf) r2 = r3\n"
#define H            "--- 5x of the following 5 lines ---\n"
#define O            "--- 3 identical iterations omitted ---\n"
#define E            "--- end repeat ---\n"

static struct kt_text text(const char *s)
{
	return (struct kt_text){s, strlen(s)};
}

static void good(const char *in, const char *out, size_t repeats)
{
	struct unmark u;

	if (!unmark_check(text(in), text(out), &u))
		fail_msg("%s", u.problem);
	assert_int_equal(u.repeats.len, repeats);
	assert_int_equal(u.shown + u.by_repeats + u.by_precision, u.in_lines);
	unmark_deinit(&u);
}

static void bad(const char *in, const char *out, const char *why)
{
	struct unmark u;

	assert_false(unmark_check(text(in), text(out), &u));
	if (!strstr(u.problem, why))
		fail_msg("\"%s\" is not because of \"%s\"", u.problem, why);
	unmark_deinit(&u);
}

static void test_plain(void **state)
{
	const char *in = "a\n" FIVE("1") "z\n";

	(void)state;
	good("", "", 0);
	good("a", "a", 0);
	good("a\n\nb\n", "a\n\nb\n", 0);
	good(in, in, 0);
	good(in, "a\n" H BODY("1") O BODY("5") E "z\n", 1);
	bad("a", "a\n", "newline");
	bad("a\n", "a", "newline");
	bad("a\r\n", "a\n", "verbatim");
	bad("a\nb\n", "a\n", "missing");
	bad("a\n", "a\nb\n", "no such line");
	bad("a\nb\n", "b\na\n", "verbatim");
	bad(in, "a\n" H BODY("1") O BODY("4") E "z\n", "verbatim");
	bad(in, "a\n" H BODY("1") O BODY("5") "z\n", "within a repeat");
	bad(in, "a\n" H BODY("1") O BODY("5") "z\n" E, "not 5..5");
	bad(in, "a\n" H BODY("1") BODY("5") E "z\n", "verbatim");
	bad(in, "a\n" H BODY("1") "--- 2 identical iterations omitted ---\n" BODY("5") E "z\n",
	    "2 iterations omitted of 5");
	bad(in, "a\n--- 5x of the following 6 lines ---\n" BODY("1") O BODY("5") E "z\n",
	    "first iteration has 5");
	bad(in, "a\n--- 2x of the following 5 lines ---\n" BODY("1") BODY("2") E, "fewer than 3");
	bad(in, "a\n" H BODY("1") O BODY("5") E, "missing");
	bad(in, "a\n" O BODY("5") E "z\n", "no first one");
	bad(in, "a\n" E, "no second part");
	bad("a\n" BODY("1") BODY("2") "x\n2: (bf) r2 = r1\n3: (bf) r3 = r1\n3: x\n4: y\n" BODY("4")
		    BODY("5") "z\n",
	    "a\n" H BODY("1") O BODY("5") E "z\n", "called identical");
}

static void test_similar(void **state)
{
	const char *in = FIVE("1") "z\n";
	const char *spread = BODY("1") BODY_LONG("2") BODY("3") BODY_LONG("4") BODY("5") "z\n";
	const char *mark = "--- 3 similar iterations omitted, 17 lines ---\n";
	char out[2000];

	(void)state;
	good(in, H BODY("1") "--- 3 similar iterations omitted, 15 lines ---\n" BODY("5") E "z\n",
	     1);
	snprintf(out, sizeof(out), "%s" BODY("1") "%s" BODY("5") E "z\n",
		 "--- 5x of the following 5..6 lines ---\n", mark);
	good(spread, out, 1);
	snprintf(out, sizeof(out), "%s" BODY("1") "%s" BODY("5") E "z\n",
		 "--- 5x of the following 5..7 lines ---\n", mark);
	good(spread, out, 1); /* 5 + 5 + 7 are 17 too */
	snprintf(out, sizeof(out), "%s" BODY("1") "%s" BODY("5") E "z\n",
		 "--- 5x of the following 5..8 lines ---\n", mark);
	bad(spread, out, "never 17");
	/* Iterations of 5, 5 and three that are 17 lines, one of them 4: 4 + 6 + 7. */
	snprintf(out, sizeof(out), "%s" BODY("1") "%s" BODY("5") E "z\n",
		 "--- 5x of the following 4..6 lines ---\n", mark);
	bad(spread, out, "never 17");
	snprintf(out, sizeof(out), "%s" BODY("1") "%s" BODY("5") E "z\n",
		 "--- 5x of the following 6..5 lines ---\n", mark);
	bad(spread, out, "a spread");
}

static void test_precision(void **state)
{
	(void)state;
	good("a\n" P P P P "b\n", "a\n--- 4 lines of precision tracking omitted ---\nb\n", 0);
	good("a\n" P P P P, "a\n--- 4 lines of precision tracking omitted ---\n", 0);
	bad("a\n" P P P "b\n", "a\n--- 3 lines of precision tracking omitted ---\nb\n", "shown");
	bad("a\n" P P P P "b\n", "a\n--- 5 lines of precision tracking omitted ---\n", "not prec");
	bad("a\n" P P P P "b\n", "a\n--- 6 lines of precision tracking omitted ---\n", "omits 6");
	bad("a\n" P P P P "b\n", "a\n--- 04 lines of precision tracking omitted ---\n", "verbatim");
}

static void test_nested(void **state)
{
	const char *in = "a\n" FIVE("1") "b\n" FIVE("1") "b\n" FIVE("1") "b\n";
	const char *inner = H BODY("1") O BODY("5") E "b\n";
	char out[2000];

	(void)state;
	snprintf(out, sizeof(out), "a\n%s%s%s%s%s", "--- 3x of the following 26 lines ---\n", inner,
		 "--- 1 identical iterations omitted ---\n", inner, E);
	good(in, out, 3);
	snprintf(out, sizeof(out), "a\n%s%s%s%s%s", "--- 3x of the following 17 lines ---\n", inner,
		 "--- 1 identical iterations omitted ---\n", inner, E);
	bad(in, out, "first iteration has 26");
}

/* Marks in the input are text, outside of every repeat. */
static void test_marks_as_input(void **state)
{
	(void)state;
	good(H O E "--- 9 lines of precision tracking omitted ---\n",
	     H O E "--- 9 lines of precision tracking omitted ---\n", 0);
	good(FIVE("1") E "z\n", H BODY("1") O BODY("5") E E "z\n", 1);
	good(E FIVE("1"), E H BODY("1") O BODY("5") E, 1);
	bad(E FIVE("1") E, E H BODY("1") O BODY("5") E, "missing");
	assert_true(unmark_is_mark(KT_TEXT("--- end repeat ---")));
	assert_true(unmark_is_mark(KT_TEXT("--- 31x of the following 1..2 lines ---")));
	assert_false(unmark_is_mark(KT_TEXT("--- x of the following 1..2 lines ---")));
	assert_false(unmark_is_mark(KT_TEXT("--- end repeat ---\r")));
	assert_false(unmark_is_mark(KT_TEXT("")));
}

/* No final newline: the line that lost its place at the end gets one. */
static void test_no_final_newline(void **state)
{
	const char *in = FIVE("1") "5: (95) exit";
	char cut[2000];

	(void)state;
	good(in, H BODY("1") O BODY("5") E "5: (95) exit", 1);
	bad(in, H BODY("1") O BODY("5") E "5: (95) exit\n", "newline");
	snprintf(cut, sizeof(cut), "%s", FIVE("1"));
	cut[strlen(cut) - 1] = 0;
	good(cut, H BODY("1") O BODY("5") E, 1);
}

static void test_unseen(void **state)
{
	struct unmark u;
	const char *in = FIVE("1") "z\n";
	const char *odd = BODY("1") BODY("2") "; for (;;) {\n1: (07) r1 += 3\n9: (bf) r2 = r9\n"
					      "R1 invalid\nR3 !read_ok\n" BODY("4") BODY("5") "z\n";
	const char *out = H BODY("1") "--- 3 similar iterations omitted, 15 lines ---\n" BODY("5") E
		"z\n";

	(void)state;
	assert_true(unmark_check(text(in), text(out), &u));
	assert_int_equal(u.unseen_insns + u.unseen_text, 0);
	unmark_deinit(&u);
	assert_true(unmark_check(text(odd), text(out), &u));
	assert_int_equal(u.unseen_insns, 1);
	unmark_deinit(&u);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),          cmocka_unit_test(test_similar),
		cmocka_unit_test(test_precision),      cmocka_unit_test(test_nested),
		cmocka_unit_test(test_marks_as_input), cmocka_unit_test(test_no_final_newline),
		cmocka_unit_test(test_unseen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
