// SPDX-License-Identifier: LGPL-2.1-or-later
/* Roles of lines. Logs are cut from those of Linux 6.12 and 7.3. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
/* cmocka.h needs those before it. */
#include <unistd.h>

#include <cmocka.h>

#include "logparse/role.h"

static const char letters[] = {
	[KT_ROLE_PLAIN] = '.', [KT_ROLE_MARK] = 'm',    [KT_ROLE_SOURCE] = 's',
	[KT_ROLE_ASIDE] = 'a', [KT_ROLE_HEADING] = 'h', [KT_ROLE_ERROR] = 'E',
};

/* A letter for each line of text, whose last line has a newline or not. */
static void roles_are(const char *text, bool bare, const char *wanted)
{
	struct kt_text rest = {text, strlen(text)}, line;
	struct kt_roles roles;
	char got[64] = "";
	size_t n = 0, known = 0;

	kt_roles_init(&roles, bare);
	while (kt_text_next_line(&rest, &line)) {
		bool last = !rest.len && line.data[line.len] != '\n';
		struct kt_role role = kt_roles_next(&roles, line, last);

		assert_true(n < sizeof(got) - 1);
		if (!role.undecided) {
			memset(got + known, letters[role.before], n - known);
			got[n] = letters[role.role];
			known = n + 1;
		}
		n++;
	}
	memset(got + known, letters[kt_roles_end(&roles)], n - known);
	assert_string_equal(got, wanted);
}

#define STATS "processed 3 insns (limit 1000000) max_states_per_insn 0 total_states 0\n"

static void test_log(void **state)
{
	(void)state;
	roles_are("func#0 @0\n"
		  "0: R1=ctx() R10=fp0\n"
		  "; int x = *p; @ bad.bpf.c:7\n"
		  "0: (61) r0 = *(u32 *)(r1 +0)          ; R0_w=scalar()\n"
		  "mark_precise: frame0: last_idx 8 first_idx 0 subseq_idx -1\n"
		  "R1 invalid mem access 'scalar'\n" STATS,
		  true, "..s.aEh");
	roles_are("0: (b7) r0 = 0\n"
		  "--- 8x of the following 10 lines ---\n"
		  "8: (ad) if r3 < r2 goto pc-3 BPF program is too large. Processed 1000001 insn\n",
		  true, ".mE");
}

/* Text is the error right before the statistics, and at the end of a log. */
static void test_undecided(void **state)
{
	(void)state;
	roles_are("some text\n0: (b7) r0 = 0\nmore\n\ntext\n" STATS, true, "..EEEh");
	roles_are("0: (b7) r0 = 0\nthe error\n", true, ".E");
	roles_are("0: (b7) r0 = 0\nthe error, cut o", true, ".E");
	roles_are("no log at all\nreally\n", true, "..");
	/* What is behind a log is not of it; another log may be. */
	roles_are("0: (b7) r0 = 0\nthe error\n" STATS "Caused by:\n  it", true, ".Eh..");
	roles_are("0: (b7) r0 = 0\n" STATS "more\n0: (b7) r0 = 0\nthe error\n" STATS, true,
		  ".h..Eh");
	roles_are("0: (b7) r0 = 0\nthe error\nstack depth max 0\n"
		  "subprog 0 (p) main insns_self 14 insns_total 14 stack 8\n" STATS,
		  true, ".Ehhh");
}

static void test_blocks(void **state)
{
	(void)state;
	roles_are("libbpf: prog 'x': BPF program load failed: -22\n"
		  "libbpf: prog 'x': -- BEGIN PROG LOAD LOG --\n"
		  "0: (b7) r0 = 0\n"
		  "the error\n" STATS "-- END PROG LOAD LOG --\n" STATS "; no source\n",
		  false, "...Eh...");
	roles_are("-- BEGIN PROG LOAD LOG --\nthe error\n-- END PROG LOAD LOG --\n", false, ".E.");
}

static const char explained[] = "0: (79) r0 = *(u64 *)(r1 +8)\n"
				"Verification failed: bounds: out of bounds\n"
				"Reason:\n"
				"  the index\n"
				"  >>> 53 |   v[i] = 1;\n"
				"         |     ^-- error: too large\n" STATS;

static void test_explanation(void **state)
{
	struct kt_text rest = {explained, strlen(explained)}, line;
	char got[16] = "";
	size_t n = 0;

	(void)state;
	roles_are(explained, true, ".Eh.hEh");
	while (kt_text_next_line(&rest, &line)) {
		got[n] = letters[kt_last_line_role(line, n == 0)];
		n++;
	}
	assert_string_equal(got, "hEh.hEh");
	assert_int_equal(kt_last_line_role(KT_TEXT("    ; x = 1;"), false), KT_ROLE_SOURCE);
	assert_int_equal(kt_last_line_role(KT_TEXT("  --- and 3 more ---"), false), KT_ROLE_MARK);
}

/* Of a line too long to be held, the beginning has to do. */
static void test_part(void **state)
{
	struct kt_roles roles;

	(void)state;
	kt_roles_init(&roles, true);
	assert_true(kt_roles_next(&roles, KT_TEXT("text"), false).undecided);
	assert_int_equal(kt_roles_next_part(&roles, KT_TEXT("; int x")), KT_ROLE_SOURCE);
	assert_false(kt_roles_next(&roles, KT_TEXT(""), false).undecided);
	kt_roles_init(&roles, false);
	assert_int_equal(kt_roles_next_part(&roles, KT_TEXT("; int x")), KT_ROLE_PLAIN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_log),    cmocka_unit_test(test_undecided),
		cmocka_unit_test(test_blocks), cmocka_unit_test(test_explanation),
		cmocka_unit_test(test_part),
	};

	return cmocka_run_group_tests_name("logparse: roles of lines", tests, NULL, NULL);
}
