/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Two results compared (model/diff.h), as a table, CSV or JSON. */
#ifndef KT_RENDER_DIFF_H
#define KT_RENDER_DIFF_H

#include "model/diff.h"

struct kt_diff_options {
	size_t width; /* of the terminal, which names are cut to fit; 0: nothing is cut */
	bool color;   /* headings in bold, what costs more or failed in red, less in green */
};

/*
 * The table, "PROGRAM  LABEL_A  LABEL_B  DELTA  %", and below it a line for each program that
 * passed in A and fails in B. Where a delta is none, the word for what happened is in its place.
 * Types are shown where names do not tell the programs apart. Labels that are equal get a letter.
 * Control characters are shown as "\xNN". The caller frees *ret. KT_ERROR_NO_MEMORY.
 */
struct kt_error *kt_format_diff_rows(const char *label_a, const char *label_b,
				     const struct kt_diff_rows *rows,
				     const struct kt_diff_options *options, char **ret);

/* All of it in one: the table of two lists, in order. options may be NULL. Errors: as above. */
struct kt_error *kt_format_verifier_diff(const char *label_a, const struct kt_prog_stats_list *a,
					 const char *label_b, const struct kt_prog_stats_list *b,
					 const struct kt_diff_options *options, char **ret);

/* The rows as CSV: name,type,a,b,delta,delta_pct,status. The caller frees *ret. As above. */
struct kt_error *kt_format_diff_csv(const struct kt_diff_rows *rows, char **ret);

struct kt_diff_side {
	const char *label;
	const struct kt_saved *result; /* all but its programs is in the document */
};

/*
 * The document "ktstr-gdb.diff.v1"; docs/json.md has its keys. The caller frees *ret.
 * KT_ERROR_NO_MEMORY.
 */
struct kt_error *kt_format_diff_json(const struct kt_diff_side *a, const struct kt_diff_side *b,
				     const struct kt_diff_rows *rows, char **ret);

#endif
