/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Conditions on the rows of a diff: --filter and --fail-on. */
#ifndef KT_MODEL_FILTER_H
#define KT_MODEL_FILTER_H

#include "model/diff.h"
#include "util/error.h"

#define KT_FILTER_CONDITIONS_MAX 8
#define KT_FILTER_GLOB_MAX       128

/* One comparison. The members are private. */
struct kt_filter_condition {
	unsigned char key, op;
	double number;
	enum kt_diff_status status;
	char glob[KT_FILTER_GLOB_MAX];
};

/* Matches a row if all its conditions hold. Owns nothing. */
struct kt_filter {
	struct kt_filter_condition all[KT_FILTER_CONDITIONS_MAX];
	size_t n;
};

/*
 * Parses conditions joined by "&&". Blanks may be anywhere between the parts:
 *
 *	KEY OP NUMBER     a, b, delta, delta_pct, |delta|, |delta_pct| (or abs_delta,
 *	                  abs_delta_pct); > >= < <= = == != <>; 5, -2.5, 10%
 *	status OP WORD    = == != <>; one of kt_diff_status_name()
 *	name OP GLOB      the same; fnmatch(3)
 *
 * KT_ERROR_USAGE, which quotes the wrong part and says what would be right.
 */
struct kt_error *kt_filter_parse(const char *text, struct kt_filter *ret);

/* A comparison of a number that is not known never holds, not even with "!=". */
bool kt_filter_matches(const struct kt_filter *filter, const struct kt_diff_row *row);

/*
 * Keeps the rows that match all n filters, in order. A program that passed in A and fails in B is
 * always kept.
 */
void kt_diff_rows_filter(struct kt_diff_rows *rows, const struct kt_filter *filters, size_t n);

#endif
