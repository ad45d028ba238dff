/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Two results compared, A and B, program by program: what the verifier thought of each there
 * and here. A comes first in every function; delta is always B - A, so that a positive one
 * says that B costs the verifier more.
 */
#ifndef KT_MODEL_DIFF_H
#define KT_MODEL_DIFF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/saved.h"
#include "model/verifier.h"
#include "util/error.h"

enum kt_diff_status {
	KT_DIFF_UNCHANGED,
	KT_DIFF_CHANGED,
	KT_DIFF_UNKNOWN, /* in both, but not what it cost in one of them */
	KT_DIFF_ADDED,   /* only in B */
	KT_DIFF_REMOVED, /* only in A */
	KT_DIFF_FAILED,  /* in B; it passed in A */
	KT_DIFF_FIXED,   /* it failed in A, and passed in B */
	KT_DIFF_FAILED_IN_BOTH,
	KT_N_DIFF_STATUS,
};

/* "unchanged", "changed", "unknown", "added", "removed", "failed", "fixed", "failed-in-both". */
const char *kt_diff_status_name(enum kt_diff_status status);

/* DiffRow: a program. The strings are those of the lists it was made of. */
struct kt_diff_row {
	const char *name;
	const char *type; /* of A, else of B: a load that failed has none; NULL: unknown */
	struct program_number a, b; /* verified_insns */
	bool has_delta;             /* both are known, and it passed in both */
	int64_t delta;              /* b - a */
	double delta_pct;           /* of a, in percent; 0 without a change, infinite for a == 0 */
	bool b_failed;
	enum kt_diff_status status;
};

struct kt_diff_rows {
	struct kt_diff_row *all;
	size_t n;
};

/* B's programs, to be looked up by what they are; opaque. */
struct kt_b_map;

/*
 * b stays the caller's, and where it is, for as long as the map and the rows that are made with
 * it. Takes n log n. KT_ERROR_NO_MEMORY.
 */
struct kt_error *kt_build_b_map(const struct kt_prog_stats_list *b, struct kt_b_map **ret);

/* Accepts NULL. */
void kt_b_map_destroy(struct kt_b_map *map);

/*
 * A row for each program: in A's order, then those that only B has, in B's order. Programs of
 * one name are told apart: first those are one that have the same type and tag, then of those
 * that are left the ones of the same type, then, in order, whatever has that name. Each is in
 * one row. (What is unknown is the same as what is unknown.)
 *
 * Takes n log n. kt_diff_rows_deinit() frees *ret. KT_ERROR_NO_MEMORY.
 */
struct kt_error *kt_build_diff_rows(const struct kt_prog_stats_list *a, const struct kt_b_map *b,
				    struct kt_diff_rows *ret);
void kt_diff_rows_deinit(struct kt_diff_rows *rows);

/*
 * Whether sort, "KEY" or "-KEY", is one that rows have: name, type, a, b, delta, delta_pct,
 * status, abs_delta (or |delta|), abs_delta_pct. NULL is. KT_ERROR_USAGE, with the keys.
 */
struct kt_error *kt_diff_rows_check_sort(const char *sort);

/*
 * Sorts them: names from A, numbers the largest first, -KEY the other way around; what is not
 * known comes last, ties stay in order. NULL leaves them as they are. Errors: as above, and
 * KT_ERROR_NO_MEMORY.
 */
struct kt_error *kt_diff_rows_sort(struct kt_diff_rows *rows, const char *sort);

#endif
