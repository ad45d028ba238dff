/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Small logs of programs that real kernels refused: tests/logparse/errors/KERNEL_NAME.log. What
 * is expected of them was read from the logs and from the programs' source by hand.
 */
#ifndef KT_TESTS_LOGPARSE_ERRORS_H
#define KT_TESTS_LOGPARSE_ERRORS_H

#include <stdio.h>
#include <stdlib.h>

#include "logparse/text.h"

static const char *const error_logs[] = {
	"5.10_bad_global",
	"5.10_bad_loop",
	"5.10_unroll_lookups",
	"6.1_bad_btfwrite",
	"6.1_bad_global",
	"6.1_bad_jumprange",
	"6.1_bad_leak",
	"6.1_bad_nullcheck",
	"6.1_bad_stack",
	"6.12_bad_bounds",
	"6.12_bad_counter_escapes",
	"6.12_bad_iter_uninit",
	"6.12_bad_task_leak",
	"7.2_bad_global",
	"7.2_bad_iter_leak",
	"7.2_bad_retval",
	"7.3_bad_argtype",
	"7.3_bad_bounds",
	"7.3_bad_leak",
	"7.3_bad_stackread",
	"7.3_bad_uninit",
	"7.3_bad_unreach",
};
/* Tails of longer ones, of which the kernel (6.4 and later) keeps the last bytes in the same way.
 */
static const char *const tail_logs[] = {"6.12_tail_glued", "6.12_tail_loop", "6.12_tail_retval",
					"7.2_tail_loop",   "7.3_tail_leak",  "7.3_tail_loop"};
#define N_TAIL_LOGS  (sizeof(tail_logs) / sizeof(tail_logs[0]))
#define N_ERROR_LOGS (sizeof(error_logs) / sizeof(error_logs[0]))

/* A copy of exactly that size, so that ASan sees what is read behind it; to be freed. */
static inline struct kt_text copy_text(const char *data, size_t len)
{
	char *copy = malloc(len ? len : 1);

	assert_non_null(copy);
	if (len)
		memcpy(copy, data, len);
	return (struct kt_text){copy, len};
}

/* Reads one of error_logs; to be freed. Tests run in the top folder. */
static inline struct kt_text read_error_log(const char *name)
{
	static char data[16384];
	char path[256];
	FILE *file;
	size_t len;

	snprintf(path, sizeof(path), "tests/logparse/errors/%s.log", name);
	file = fopen(path, "rb");
	assert_non_null(file);
	len = fread(data, 1, sizeof(data), file);
	fclose(file);
	assert_in_range(len, 1, sizeof(data) - 1);
	return copy_text(data, len);
}

static inline bool text_is(struct kt_text text, const char *want)
{
	return text.len == strlen(want) && (!text.len || memcmp(text.data, want, text.len) == 0);
}

static inline void assert_text(struct kt_text text, const char *want)
{
	if (!text_is(text, want))
		fail_msg("'%.*s' instead of '%s'", (int)text.len, text.data, want);
}

#endif
