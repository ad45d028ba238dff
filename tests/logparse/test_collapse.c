// SPDX-License-Identifier: LGPL-2.1-or-later
/* The collapser on small logs whose collapsed form was written by hand, and on rubbish. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include <glob.h>

#include "tests/logparse/unmark_help.h"
#include "tests/memory/rng.h"
#include "util/cleanup.h"

#define GOLDEN "tests/logparse/golden/"

/* To be freed with kt_buf_deinit(). */
static struct kt_buf read_file(const char *path)
{
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	struct kt_buf buf = KT_BUF_INIT;
	char block[4096];
	size_t n;

	if (!f)
		fail_msg("%s: run from the top of the sources", path);
	while ((n = fread(block, 1, sizeof(block), f)) > 0)
		kt_buf_append(&buf, block, n);
	return buf;
}

/* True when out is want; false after showing the first line that is not. */
static bool is_expected(const char *name, struct kt_text out, struct kt_text want)
{
	struct kt_text a = {0}, b = {0};
	size_t line = 0;

	for (;; line++) {
		bool more_out = kt_text_next_line(&out, &a);
		bool more_want = kt_text_next_line(&want, &b);

		if (!more_out && !more_want)
			return true;
		if (more_out != more_want || a.len != b.len || memcmp(a.data, b.data, a.len) != 0)
			break;
	}
	print_message("# %s, line %zu:\n# is   %.*s\n# not  %.*s\n", name, line + 1, (int)a.len,
		      a.data, (int)b.len, b.data);
	return false;
}

/* golden/NAME.log becomes golden/NAME.expected. */
static void test_golden(void **state)
{
	glob_t found;
	size_t wrong = 0;

	(void)state;
	assert_int_equal(glob(GOLDEN "*.log", 0, NULL, &found), 0);
	assert_true(found.gl_pathc >= 13);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		struct kt_buf in = read_file(found.gl_pathv[i]), want;
		char path[300];
		struct kt_text out;
		struct unmark u;

		snprintf(path, sizeof(path), "%.*s.expected", (int)strlen(found.gl_pathv[i]) - 4,
			 found.gl_pathv[i]);
		want = read_file(path);
		/* What was written by hand is right by the checker's standard, too. */
		if (!unmark_check(text_of(&in), text_of(&want), &u))
			fail_msg("%s: %s", path, u.problem);
		unmark_deinit(&u);
		out = collapse_checked(text_of(&in), NULL, found.gl_pathv[i], &u);
		unmark_deinit(&u);
		wrong += !is_expected(found.gl_pathv[i], out, text_of(&want));
		free((void *)out.data);
		kt_buf_deinit(&in);
		kt_buf_deinit(&want);
	}
	globfree(&found);
	assert_int_equal(wrong, 0);
}

/* The hand-made logs in other spellings: the text of a log may end anywhere. */
static void test_golden_cut(void **state)
{
	glob_t found;

	(void)state;
	assert_int_equal(glob(GOLDEN "*.log", 0, NULL, &found), 0);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		struct kt_buf in = read_file(found.gl_pathv[i]);

		for (size_t n = 0; n <= in.len; n += 11) {
			collapse_and_check((struct kt_text){in.data, n}, found.gl_pathv[i]);
			collapse_and_check((struct kt_text){in.data + n, in.len - n},
					   found.gl_pathv[i]);
		}
		kt_buf_deinit(&in);
	}
	globfree(&found);
}

/* What the fuzzer starts from, and what it once found; and the result collapsed again, twice. */
static void test_fuzz_seeds(void **state)
{
	glob_t found;

	(void)state;
	assert_int_equal(glob("fuzz/seeds/collapse/*", 0, NULL, &found), 0);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		struct kt_buf in = read_file(found.gl_pathv[i]);

		for (int round = 0; round < 3; round++) {
			struct unmark u;
			struct kt_text out = collapse_checked(text_of(&in), NULL, found.gl_pathv[i],
							      &u);

			unmark_deinit(&u);
			kt_buf_deinit(&in);
			kt_buf_append(&in, out.data, out.len);
			free((void *)out.data);
		}
		kt_buf_deinit(&in);
	}
	globfree(&found);
}

/* Nothing to collapse: byte for byte. */
static void test_unchanged(void **state)
{
	static const struct kt_text texts[] = {
		KT_TEXT(""),
		KT_TEXT("\n"),
		KT_TEXT("\n\n\n"),
		KT_TEXT("\r\n\r\n"),
		KT_TEXT("\0"),
		KT_TEXT("\0\n\0\0\n\0"),
		KT_TEXT("a"),
		KT_TEXT("a\nb"),
		KT_TEXT("0: (95) exit"),
		KT_TEXT("--- end repeat ---\n"),
		KT_TEXT("--- 3x of the following 5 lines ---"),
		KT_TEXT("--- 17 lines of precision tracking omitted ---\n"),
		KT_TEXT("regs=2 stack=0 before 8: (bf) r2 = r3\n"),
		KT_TEXT("from 1 to 2:\n1:\n:\n1: (\n; \nfrom\n"),
		KT_TEXT("99999999999999999999: (07) r1 += 3\nfrom 99999999999999999999 to 1: R1=1\n"),
		KT_TEXT("Caused by:\n    0: x\n    1: x\n    2: x\n    3: x\n    4: x\n    5: x\n"
			"    6: x\n    7: x\n    8: x\n    9: x\n"),
		KT_TEXT("\xff\xfe\n\x1b[31mred\x1b[0m\n"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct unmark u;
		struct kt_text out = collapse_checked(texts[i], NULL, "unchanged", &u);

		assert_int_equal(u.marks, 0);
		assert_int_equal(out.len, texts[i].len);
		assert_memory_equal(out.data, texts[i].data, out.len);
		assert_int_equal(out.data[out.len], 0);
		unmark_deinit(&u);
		free((void *)out.data);
	}
}

#define STATS                                                                                      \
	"processed 9 insns (limit 1000000) max_states_per_insn 1 total_states 1 peak_states 1\n"

/* What ends a log stands behind its repeats, and what is around it is as it was. */
static void test_around(void **state)
{
	static const char *const ends[] = {
		"R1 invalid mem access 'scalar'\n" STATS,
		"infinite loop detected at insn 3\ncur state: R0=0 R10=fp0\nold state: R0=0 R10=fp0\n"
		"verification time 12 usec\nstack depth 8\n" STATS,
		"an error that nobody knows\n",
		"7: (05) goto pc-5 BPF program is too large. Processed 1000001 insn\n" STATS,
		STATS
		"\nstack backtrace:\n   0: a::b\n   1: a::b\n   2: a::b\n   3: a::b\n   4: a::b\n"
		"   5: a::b\n   6: a::b\n   7: a::b\n   8: a::b\n   9: a::b\n",
	};
	static const char before[] =
		"Caused by:\n    0: x\n    1: x\n    2: x\n    3: x\n    4: x\n"
		"    5: x\n    6: x\n    7: x\n    8: x\n    9: x\n";
	struct kt_buf in = KT_BUF_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		size_t len = strlen(ends[i]), head = sizeof(before) - 1;
		struct kt_text out;
		struct unmark u;

		in.len = 0;
		kt_buf_appends(&in, before);
		kt_buf_appends(&in, "0: R1=ctx() R10=fp0\n");
		for (unsigned int n = 0; n < 60; n++)
			kt_buf_printf(&in,
				      "from 7 to 2: R1=%u R10=fp0\n2: (07) r1 += 1\n"
				      "3: (07) r2 += %s ; R2=%u\n5: (07) r3 += 1\n"
				      "6: (07) r4 += 1\n7: (05) goto pc-5\n",
				      n, n % 3 ? "1" : "2", n);
		kt_buf_appends(&in, "2: (07) r1 += 1\n");
		kt_buf_appends(&in, ends[i]);
		out = collapse_checked(text_of(&in), NULL, ends[i], &u);
		assert_true(u.marks > 0);
		assert_memory_equal(out.data, before, head);
		assert_true(out.len > len + head);
		assert_memory_equal(out.data + out.len - len, ends[i], len);
		unmark_deinit(&u);
		free((void *)out.data);
	}
	kt_buf_deinit(&in);
}

/*
 * A line of another program within what the kernel lists (level 2) or explains (7.3) is shown,
 * though the lines around it are left out.
 */
static void test_strange_lines(void **state)
{
	static const char strange[] = "\nlibbpf: failed to load object 'x.bpf.o'\n";
	struct kt_buf in = KT_BUF_INIT;

	(void)state;
	for (unsigned int kind = 0; kind < 2; kind++) {
		struct kt_text out;
		struct unmark u;

		in.len = 0;
		kt_buf_appends(&in, kind ? "0: (95) exit\nR0 !read_ok\nVerification failed: R0\n\n"
					 : "Live regs before insn:\n");
		for (unsigned int n = 0; n < 60; n++) {
			if (kind)
				kt_buf_printf(&in, "  f @ a.bpf.c:%u:2\n", n % 2);
			if (n == 30)
				kt_buf_appends(&in, strange + 1);
			if (kind)
				kt_buf_printf(&in, "  Source context:\n      %u | x();\n\n", n);
			else
				kt_buf_printf(&in, "%7u: .1........ (bf) r6 = r1\n", n);
		}
		kt_buf_appends(&in, kind ? STATS : "0: (95) exit\n" STATS);
		out = collapse_checked(text_of(&in), NULL, strange, &u);
		assert_true(u.marks > 0);
		assert_non_null(memmem(out.data, out.len, strange, sizeof(strange) - 1));
		unmark_deinit(&u);
		free((void *)out.data);
	}
	kt_buf_deinit(&in);
}

/* All lines equal: 5 at a time, and never none. */
static void test_equal_lines(void **state)
{
	static const char *const lines[] = {"\n",
					    "a\n",
					    "; x\n",
					    "1: (95) exit\n",
					    "1: safe\n",
					    "regs=2 stack=0 before 8: (bf) r2 = r3\n",
					    "\r\n",
					    "from 1 to 2: R1=1\n",
					    "--- end repeat ---\n"};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct kt_buf in = KT_BUF_INIT;

		for (size_t n = 0; n < 150; n++) {
			collapse_and_check(text_of(&in), lines[i]);
			collapse_and_check((struct kt_text){in.data, in.len - (n > 0)}, lines[i]);
			kt_buf_appends(&in, lines[i]);
		}
		kt_buf_deinit(&in);
	}
}

static void test_random_bytes(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 3000; seed++) {
		uint64_t rng = rng_mix(seed), bits = 1 + rng_below(&rng, 8);
		struct kt_buf in = KT_BUF_INIT;

		/* Few different bytes, newlines among them, make many equal lines. */
		for (size_t n = rng_below(&rng, 3000); n; n--)
			kt_buf_appendc(&in, (char)(rng_below(&rng, 1ull << bits) + '\n'));
		collapse_and_check(text_of(&in), "random bytes");
		kt_buf_deinit(&in);
	}
}

/* Of these, any order is some path of a verifier. */
static const char *const vocabulary[] = {
	"1: (07) r1 += 3                       ; R1_w=3\n",
	"2: (bf) r2 = r3                       ; R2_w=0 R3_w=0\n",
	"3: (15) if r1 == 0x12c goto pc+1\n",
	"4: (05) goto pc-4\n",
	"; for (u32 i = 0; i < 100; i++) { @ good.bpf.c:37\n",
	"\n",
	"from 3 to 5: R1=3 R10=fp0\n",
	"5: R1=3 R10=fp0\n",
	"5: safe\n",
	"from 3 to 5: safe\n",
	"mark_precise: frame0: last_idx 9 first_idx 0 subseq_idx -1 \n",
	"mark_precise: frame0: regs=r1 stack= before 8: (bf) r2 = r3\n",
	"regs=2 stack=0 before 7: (07) r1 += 3\n",
	"caller:\n",
	" R10=fp0\n",
	"5: (95) exit\n",
	"R1 !read_ok\n",
	"--- end repeat ---\n",
	"--- 3x of the following 5 lines ---\n",
	"--- 1 identical iterations omitted ---\n",
	"--- 2 similar iterations omitted, 20 lines ---\n",
	"--- 4 lines of precision tracking omitted ---\n",
	"frame 0: propagating r1\n",
	"processed 3 insns (limit 1000000)\n",
};

#define N_VOCABULARY (sizeof(vocabulary) / sizeof(vocabulary[0]))

static void test_random_lines(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 3000; seed++) {
		uint64_t rng = rng_mix(seed), some = 1 + rng_below(&rng, 8);
		const char *words[8];
		struct kt_buf in = KT_BUF_INIT;

		for (size_t i = 0; i < some; i++)
			words[i] = vocabulary[rng_below(&rng, N_VOCABULARY)];
		for (size_t n = rng_below(&rng, 300); n; n--)
			kt_buf_appends(&in, words[rng_below(&rng, some)]);
		if (in.len && rng_below(&rng, 3) == 0)
			in.len--;
		collapse_and_check(text_of(&in), "random lines");
		kt_buf_deinit(&in);
	}
}

/* Repeats of repeats of random lines, with some lines lost and some too many. */
static void test_random_repeats(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 2000; seed++) {
		uint64_t rng = rng_mix(seed), depth = 1 + rng_below(&rng, 4);
		struct kt_buf in = KT_BUF_INIT;

		for (uint64_t level = 0; level < depth && in.len < 40000; level++) {
			size_t times = 1 + rng_below(&rng, 9), len;

			for (size_t n = 1 + rng_below(&rng, 8); n; n--)
				kt_buf_appends(&in, vocabulary[rng_below(&rng, N_VOCABULARY)]);
			len = in.len;
			while (--times) {
				char *copy = malloc(len);

				assert_non_null(copy);
				memcpy(copy, in.data, len);
				kt_buf_append(&in, copy, len);
				free(copy);
				if (rng_below(&rng, 4) == 0)
					kt_buf_appends(&in,
						       vocabulary[rng_below(&rng, N_VOCABULARY)]);
			}
		}
		collapse_and_check(text_of(&in), "random repeats");
		kt_buf_deinit(&in);
	}
}

/* The same log gives the same text, at whatever address it is. */
static void test_deterministic(void **state)
{
	struct kt_buf in = read_file(GOLDEN "nested_similar.log");
	struct unmark u;
	struct kt_text a = collapse_checked(text_of(&in), NULL, "first", &u), b;

	(void)state;
	unmark_deinit(&u);
	for (int i = 0; i < 20; i++) {
		void *hole = malloc((size_t)(1 + i * 1000));

		b = collapse_checked(text_of(&in), NULL, "again", &u);
		unmark_deinit(&u);
		assert_int_equal(a.len, b.len);
		assert_memory_equal(a.data, b.data, a.len);
		free((void *)b.data);
		free(hole);
	}
	free((void *)a.data);
	kt_buf_deinit(&in);
}

static struct kt_error *stop(void *arg, struct kt_text piece)
{
	size_t *left = arg;

	(void)piece;
	if (*left == 0)
		return kt_error_new(KT_ERROR_CLOSED, "the reader went away");
	--*left;
	return NULL;
}

/* What the sink says ends the work, after whichever piece. */
static void test_sink_fails(void **state)
{
	struct kt_buf in = read_file(GOLDEN "nested_similar.log");
	struct kt_error *err = NULL;
	size_t pieces;

	(void)state;
	for (pieces = 0; pieces < 100000; pieces++) {
		size_t left = pieces;

		err = kt_collapse_cycles_to(text_of(&in), NULL, stop, &left);
		if (!err)
			break;
		assert_int_equal(left, 0);
		assert_int_equal(kt_error_code(err), KT_ERROR_CLOSED);
		assert_string_equal(kt_error_message(err), "the reader went away");
		kt_error_destroy(err);
	}
	assert_null(err);
	assert_true(pieces > 0);
	kt_buf_deinit(&in);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden),        cmocka_unit_test(test_golden_cut),
		cmocka_unit_test(test_fuzz_seeds),    cmocka_unit_test(test_unchanged),
		cmocka_unit_test(test_around),        cmocka_unit_test(test_strange_lines),
		cmocka_unit_test(test_equal_lines),   cmocka_unit_test(test_random_bytes),
		cmocka_unit_test(test_random_lines),  cmocka_unit_test(test_random_repeats),
		cmocka_unit_test(test_deterministic), cmocka_unit_test(test_sink_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
