// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Logs of real kernels (collapse_logs/, named by kernel and program, all but the smallest at
 * log_level 2), collapsed: proven by the checker, and short enough to be read.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include <zstd.h>

#include "logparse/line.h"
#include "logparse/unwrap.h"
#include "tests/logparse/unmark_help.h"
#include "util/cleanup.h"

#define DIR     "tests/logparse/collapse_logs/"
#define LOG_MAX (16 << 20)

enum {
	FREE,   /* no loop: only proven */
	LOOPS,  /* 300 lines or 1 % */
	SIMPLE, /* one loop without branches in it: 60 lines */
};

static const struct log {
	const char *name;
	int bar;
} logs[] = {
	{"6.1_tp_loop1", SIMPLE},
	{"6.12_tp_loop1", SIMPLE},
	{"7.3_tp_loop1", SIMPLE},
	{"7.3_big_loop", SIMPLE},
	{"6.1_raw_nested", LOOPS},
	{"6.12_raw_nested", LOOPS},
	{"6.1_fe_subprog", LOOPS},
	{"7.2_fe_subprog", LOOPS},
	{"6.1_xdp_parse", LOOPS},
	{"6.12_xdp_parse", LOOPS},
	{"7.3_xdp_parse", LOOPS},
	{"6.1_kp_bpf_loop", LOOPS},
	{"7.3_kp_bpf_loop", LOOPS},
	{"6.12_mod_for", LOOPS},
	{"6.12_mod_for_seq", LOOPS},
	{"7.3_mod_for_seq", LOOPS},
	{"6.12_mod_for_sub", LOOPS},
	{"7.3_mod_for_sub", LOOPS},
	{"6.16_scx_fix.fix_enqueue", LOOPS},
	{"7.2_scx_fix.fix_enqueue", LOOPS},
	{"6.18_scx_bad.bad_enqueue", LOOPS},
	{"7.3_scx_bad.bad_enqueue", LOOPS},
	{"6.12_big_straight", LOOPS},
	{"6.1_bad_jumps", FREE},
	{"7.2_fx_global", FREE},
	{"7.3_big_paths", FREE},
	{"6.1_bad_stack", FREE},
	{"7.3_bad_stack", FREE},
	{"7.3_bad_bounds", FREE},
	{"7.3_bad_leak", FREE},
	{"6.12_bad_counter_escapes", FREE},
};

#define N_LOGS (sizeof(logs) / sizeof(logs[0]))

/* To be freed. */
static struct kt_text read_log(const char *name)
{
	static char packed[1 << 20];
	_cleanup_fclose_ FILE *f = NULL;
	char path[200], *data = malloc(LOG_MAX);
	size_t n, len;

	snprintf(path, sizeof(path), DIR "%s.log.zst", name);
	f = fopen(path, "re");
	if (!f)
		fail_msg("%s: run from the top of the sources", path);
	n = fread(packed, 1, sizeof(packed), f);
	assert_non_null(data);
	len = ZSTD_decompress(data, LOG_MAX, packed, n);
	assert_false(ZSTD_isError(len));
	data = realloc(data, len);
	assert_non_null(data);
	return (struct kt_text){data, len};
}

static size_t bar(const struct log *log, size_t lines)
{
	if (log->bar == FREE)
		return SIZE_MAX;
	if (log->bar == SIMPLE)
		return 60;
	return lines / 100 > 300 ? lines / 100 : 300;
}

static void test_bar(void **state)
{
	size_t too_many = 0, unseen = 0;

	(void)state;
	for (size_t i = 0; i < N_LOGS; i++) {
		struct kt_text log = read_log(logs[i].name), out;
		struct unmark u;

		out = collapse_checked(log, NULL, logs[i].name, &u);
		print_message("# %-26s %6zu -> %4zu lines, %zu instructions not shown%s\n",
			      logs[i].name, u.in_lines, u.out_lines, u.unseen_insns,
			      u.out_lines > bar(&logs[i], u.in_lines) ? ", TOO MANY" : "");
		too_many += u.out_lines > bar(&logs[i], u.in_lines);
		/* What no iteration that is shown has is no part of a loop. */
		if (u.unseen_text)
			print_message("# nothing shown is like \"%s\"\n", u.unseen_example);
		unseen += u.unseen_text;
		unmark_deinit(&u);
		free((void *)out.data);
		free((void *)log.data);
	}
	assert_int_equal(too_many, 0);
	assert_int_equal(unseen, 0);
}

/* A log as the kernel printed it has nothing around its lines. */
static void test_not_wrapped(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_LOGS; i++) {
		struct kt_text log = read_log(logs[i].name);
		struct kt_unwrapped *unwrapped;

		assert_null(kt_unwrap(log, &unwrapped));
		if (unwrapped)
			fail_msg("%s: something was taken off", logs[i].name);
		free((void *)log.data);
	}
}

/* Asked for, precision tracking is there wherever an iteration is. */
static void test_keep_precision(void **state)
{
	struct kt_collapse_options keep = {.keep_precision = true};

	(void)state;
	for (size_t i = 0; i < N_LOGS; i++) {
		struct kt_text log = read_log(logs[i].name), out;
		struct unmark u;

		out = collapse_checked(log, &keep, logs[i].name, &u);
		assert_int_equal(u.by_precision, 0);
		unmark_deinit(&u);
		free((void *)out.data);
		free((void *)log.data);
	}
}

/* The head of a log (6.1 keeps that when the buffer is full), cut anywhere. */
static void test_heads(void **state)
{
	static const char *const names[] = {"6.1_kp_bpf_loop", "6.12_mod_for", "7.3_bad_leak"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct kt_text log = read_log(names[i]);

		for (size_t n = 0; n <= log.len; n += 97)
			collapse_and_check((struct kt_text){log.data, n}, names[i]);
		free((void *)log.data);
	}
}

/* Its tail (6.4 and later), from mid-line on; and a piece of a long log. */
static void test_tails(void **state)
{
	struct kt_text log = read_log("7.3_kp_bpf_loop");

	(void)state;
	for (size_t n = 0; n <= log.len; n += 97)
		collapse_and_check((struct kt_text){log.data + n, log.len - n}, "a tail");
	free((void *)log.data);
	log = read_log("6.1_tp_loop1");
	for (size_t n = 0; n + 30000 <= log.len; n += 97 * 23)
		collapse_and_check((struct kt_text){log.data + n, 30000}, "a piece");
	free((void *)log.data);
}

/* A log with a carriage return before each newline is the same log. */
static void test_crlf(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_LOGS; i++) {
		struct kt_text log = read_log(logs[i].name), out, rest = log, line;
		struct kt_buf crlf = KT_BUF_INIT;
		struct unmark a, b;

		while (kt_text_next_line(&rest, &line)) {
			kt_buf_append(&crlf, line.data, line.len);
			kt_buf_appends(&crlf, "\r\n");
		}
		out = collapse_checked(log, NULL, logs[i].name, &a);
		free((void *)out.data);
		out = collapse_checked(text_of(&crlf), NULL, logs[i].name, &b);
		free((void *)out.data);
		assert_int_equal(a.out_lines, b.out_lines);
		assert_int_equal(a.marks, b.marks);
		unmark_deinit(&a);
		unmark_deinit(&b);
		kt_buf_deinit(&crlf);
		free((void *)log.data);
	}
}

/* Collapsed once more: the marks of the first time are text, and nothing is lost. */
static void test_again(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_LOGS; i++) {
		struct kt_text log = read_log(logs[i].name), once;
		struct unmark u;

		once = collapse_checked(log, NULL, logs[i].name, &u);
		unmark_deinit(&u);
		collapse_and_check(once, logs[i].name);
		free((void *)once.data);
		free((void *)log.data);
	}
}

/* Every one after the other, as one log: what is found in each stands for itself. */
static void test_all_together(void **state)
{
	struct kt_buf all = KT_BUF_INIT;
	size_t lines = 0;
	struct kt_text out;
	struct unmark u;

	(void)state;
	for (size_t i = 0; i < N_LOGS; i++) {
		struct kt_text log = read_log(logs[i].name);

		out = collapse_checked(log, NULL, logs[i].name, &u);
		lines += u.out_lines;
		unmark_deinit(&u);
		kt_buf_append(&all, log.data, log.len);
		free((void *)out.data);
		free((void *)log.data);
	}
	assert_false(kt_buf_failed(&all));
	out = collapse_checked(text_of(&all), NULL, "all together", &u);
	print_message("# %zu -> %zu lines, one by one %zu\n", u.in_lines, u.out_lines, lines);
	assert_true(u.out_lines <= 2 * lines);
	unmark_deinit(&u);
	free((void *)out.data);
	kt_buf_deinit(&all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bar),
		cmocka_unit_test(test_not_wrapped),
		cmocka_unit_test(test_keep_precision),
		cmocka_unit_test(test_heads),
		cmocka_unit_test(test_tails),
		cmocka_unit_test(test_crlf),
		cmocka_unit_test(test_again),
		cmocka_unit_test(test_all_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
