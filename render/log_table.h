/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The numbers in verifier logs, as tables or CSV: a line for each program, or source line. */
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
 * Whether the table can be sorted by that; NULL is no sort. A key is a column's name or its short
 * form. Names sort from A, numbers the largest first, line numbers the smallest first; unknown
 * values come last, ties stay in order. KT_ERROR_USAGE, with the keys that there are.
 */
struct kt_error *render_log_stats_check_sort(const char *sort);
struct kt_error *render_log_source_check_sort(const char *sort);

/*
 * A line for each program: its verdict, what the verifier counted, the size of the log, the error.
 * A table shows "-" for an unknown value, and leaves out a column in which none is known; CSV has
 * all columns, and empty fields. Without a sort key programs stay in the order given.
 *
 * The caller frees *ret. Errors: KT_ERROR_USAGE for the sort key, KT_ERROR_NO_MEMORY.
 */
struct kt_error *render_log_stats(const struct render_log_program *programs, size_t n,
				  const struct render_log_table_options *options, char **ret);

/*
 * Where the verifier spent its instructions: for each program its name (if there are several), a
 * line for each source line, by default the most expensive first, and a line that says how many of
 * the processed instructions the log has. A log without a trace (level 1 prints none of a program
 * that passes) gets a message in place of a table. CSV has all programs in one.
 *
 * The caller frees *ret. Errors: as above.
 */
struct kt_error *render_log_source(const struct render_log_program *programs, size_t n,
				   const struct render_log_table_options *options, char **ret);

#endif
