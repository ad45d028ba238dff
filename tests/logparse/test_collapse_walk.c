// SPDX-License-Identifier: LGPL-2.1-or-later
/* Logs of random programs, which no corpus has: proven, and short where the programs loop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include "logparse/line.h"
#include "tests/logparse/unmark_help.h"
#include "tests/logparse/walk.h"

#define SEEDS 250

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Lines but for precision tracking that differ from each other once normalised. */
static size_t count_distinct(struct kt_text log)
{
	KT_VEC(char *) lines = {0};
	struct kt_text line;
	size_t n = 0;

	while (kt_text_next_line(&log, &line)) {
		struct kt_buf out = KT_BUF_INIT;

		if (kt_text_starts_with(line, KT_TEXT("mark_precise: ")))
			continue;
		kt_normalize_verifier_line(line, &out);
		kt_buf_appendc(&out, 0);
		assert_true(kt_vec_push(&lines, kt_buf_steal(&out)));
	}
	qsort(lines.data, lines.len, sizeof(*lines.data), by_text);
	for (size_t i = 0; i < lines.len; i++)
		n += i == 0 || strcmp(lines.data[i], lines.data[i - 1]) != 0;
	kt_vec_for_each (&lines, s)
		free(*s);
	kt_vec_free(&lines);
	return n;
}

/*
 * 300 lines or 1 %. A random program is rather larger than its log is long, so three times the
 * different lines that it has may do, too: a loop is shown twice, in its first and its last
 * iteration, and so is what is in it. One program in twenty may need more.
 */
static size_t bar(struct kt_text log, size_t lines)
{
	size_t most = lines / 100 > 300 ? lines / 100 : 300, distinct = count_distinct(log);

	return 3 * distinct > most ? 3 * distinct : most;
}

static void test_programs(void **state)
{
	size_t in_lines = 0, out_lines = 0, above = 0, n = 0, unseen = 0;

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
			size_t most = bar(text_of(&log), u.in_lines);

			if (u.out_lines > most)
				print_message("# %s: %zu -> %zu lines, above %zu\n", name,
					      u.in_lines, u.out_lines, most);
			above += u.out_lines > most;
			in_lines += u.in_lines;
			out_lines += u.out_lines;
			n++;
		}
		if (u.unseen_text)
			print_message("# %s: nothing shown is like \"%s\"\n", name,
				      u.unseen_example);
		unseen += u.unseen_text;
		unmark_deinit(&u);
		free((void *)out.data);
		kt_buf_deinit(&log);
	}
	print_message("# %zu programs: %zu -> %zu lines, %zu above the bar\n", n, in_lines,
		      out_lines, above);
	assert_true(n > 50);
	assert_true(above * 20 <= n);
	assert_int_equal(unseen, 0);
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
