/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What verifier logs say in numbers, as tables or CSV: a line a program, a line a source line. */
#ifndef KT_RENDER_LOG_TABLE_H
#define KT_RENDER_LOG_TABLE_H

#include "render/log.h"
#include "util/error.h"

struct render_log_table_options {
	const char *sort; /* "KEY", or "-KEY": the other way around; NULL: see below */
	bool csv;
	size_t width; /* of the terminal, which names and texts are cut to fit; 0: nothing is cut */
	bool color;   /* headings in bold */
};

/*
 * Whether sort is one that the table has; NULL is. A key is a column's name or its short form.
 * Names sort from A, numbers the largest first, a line's number from the smallest; what is not
 * known comes last, ties stay in order. KT_ERROR_USAGE, with the keys that there are.
 */
struct kt_error *render_log_stats_check_sort(const char *sort);
struct kt_error *render_log_source_check_sort(const char *sort);

/*
 * A line a program: its verdict, what the verifier counted, the size of the log, the error.
 * A table shows "-" for what a log does not tell, and no column that none of them fills; CSV
 * has all columns, and empty fields. Without a sort key they stay in the order given.
 *
 * The caller frees *ret. Errors: KT_ERROR_USAGE for the sort key, KT_ERROR_NO_MEMORY.
 */
struct kt_error *render_log_stats(const struct render_log_program *programs, size_t n,
				  const struct render_log_table_options *options, char **ret);

/*
 * Where the verifier spent its instructions: for each program its name (if there are several),
 * a line a source line, by default that with the most first, and a line that says how many of the
 * instructions that the verifier processed these are. A log without a trace (at level 1 of
 * programs that pass) has that said in place of a table. CSV has all programs in one.
 *
 * The caller frees *ret. Errors: as above.
 */
struct kt_error *render_log_source(const struct render_log_program *programs, size_t n,
				   const struct render_log_table_options *options, char **ret);

#endif
