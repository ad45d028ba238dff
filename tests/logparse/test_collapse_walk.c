// SPDX-License-Identifier: LGPL-2.1-or-later
/* Logs of random programs, which no corpus has: proven, and short where the programs loop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include "tests/logparse/unmark_help.h"
#include "tests/logparse/walk.h"

#define SEEDS 250

/* The k-th largest of n. */
static int descending(const void *a, const void *b)
{
	size_t x = *(const size_t *)a, y = *(const size_t *)b;

	return (x < y) - (x > y);
}

static void test_programs(void **state)
{
	static size_t left[SEEDS];
	size_t in_lines = 0, out_lines = 0, above = 0, n = 0;

	(void)state;
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		struct kt_buf log = KT_BUF_INIT;
		struct kt_text out;
		struct unmark u;
		char name[40];

		walk_log(seed, 20000, &log);
		snprintf(name, sizeof(name), "program %llu", (unsigned long long)seed);
		out = collapse_checked(text_of(&log), NULL, name, &u);
		if (u.in_lines > 1000) {
			size_t bar = u.in_lines / 100 > 300 ? u.in_lines / 100 : 300;

			left[n++] = u.out_lines;
			above += u.out_lines > bar;
			in_lines += u.in_lines;
			out_lines += u.out_lines;
			if (u.out_lines > bar)
				print_message("# %s: %zu -> %zu lines\n", name, u.in_lines,
					      u.out_lines);
		}
		if (u.unseen_text)
			fail_msg("%s: nothing shown is like \"%s\"", name, u.unseen_example);
		unmark_deinit(&u);
		free((void *)out.data);
		kt_buf_deinit(&log);
	}
	assert_true(n > 0);
	qsort(left, n, sizeof(left[0]), descending);
	print_message("# %zu programs: %zu -> %zu lines, %zu above the bar, largest %zu, median "
		      "%zu\n",
		      n, in_lines, out_lines, above, left[0], left[n / 2]);
	/* Random programs are worse than what people write: one in ten may be above the bar. */
	assert_true(above * 10 <= n);
}

static void test_cut(void **state)
{
	(void)state;
	for (uint64_t seed = 1000; seed < 1000 + SEEDS; seed++) {
		struct kt_buf log = KT_BUF_INIT;
		uint64_t rng = rng_mix(seed);
		size_t from, to;

		walk_log(seed, 2000, &log);
		from = (size_t)rng_below(&rng, log.len);
		to = from + (size_t)rng_below(&rng, log.len - from + 1);
		collapse_and_check((struct kt_text){log.data + from, to - from}, "a cut log");
		/* And some bytes of it changed. */
		for (int i = 0; i < 20; i++)
			log.data[rng_below(&rng, log.len)] = "\n\r\0 :;-x"[rng_below(&rng, 8)];
		collapse_and_check(text_of(&log), "a damaged log");
		kt_buf_deinit(&log);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_programs),
		cmocka_unit_test(test_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
