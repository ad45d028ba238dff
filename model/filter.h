/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a row of a diff has to be like: --filter and --fail-on. */
#ifndef KT_MODEL_FILTER_H
#define KT_MODEL_FILTER_H

#include "model/diff.h"
#include "util/error.h"

#define KT_FILTER_CONDITIONS_MAX 8
#define KT_FILTER_GLOB_MAX       128

/* One comparison. Not to be looked into. */
struct kt_filter_condition {
	unsigned char key, op;
	double number;
	enum kt_diff_status status;
	char glob[KT_FILTER_GLOB_MAX];
};

/* All conditions have to hold. Nothing to release. */
struct kt_filter {
	struct kt_filter_condition all[KT_FILTER_CONDITIONS_MAX];
	size_t n;
};

/*
 * Reads conditions, joined by "&&", with blanks wherever one likes:
 *
 *	KEY OP NUMBER     a, b, delta, delta_pct, |delta|, |delta_pct| (or abs_delta,
 *	                  abs_delta_pct); > >= < <= = == != <>; 5, -2.5, 10%
 *	status OP WORD    = == != <>; one of kt_diff_status_name()
 *	name OP GLOB      the same; fnmatch(3)
 *
 * KT_ERROR_USAGE, which quotes what is wrong and says what would be right.
 */
struct kt_error *kt_filter_parse(const char *text, struct kt_filter *ret);

/* What is not known is neither more nor less than any number, equal to none and unequal to none. */
bool kt_filter_matches(const struct kt_filter *filter, const struct kt_diff_row *row);

/*
 * Keeps, in order, the rows that match all n filters, and those of programs that passed in A and
 * fail in B, whatever the filters say.
 */
void kt_diff_rows_filter(struct kt_diff_rows *rows, const struct kt_filter *filters, size_t n);

#endif
