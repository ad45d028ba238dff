/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Two results, A and B, compared program by program by their verified_insns. A comes first in every
 * function. Delta is B - A: if it is positive, B costs the verifier more.
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
	KT_DIFF_UNKNOWN, /* in both, but verified_insns is not known in one of them */
	KT_DIFF_ADDED,   /* only in B */
	KT_DIFF_REMOVED, /* only in A */
	KT_DIFF_FAILED,  /* passed in A, fails in B: a regression */
	KT_DIFF_FIXED,   /* failed in A, passes in B */
	KT_DIFF_FAILED_IN_BOTH,
	KT_N_DIFF_STATUS,
};

/* "unchanged", "changed", "unknown", "added", "removed", "failed", "fixed", "failed-in-both". */
const char *kt_diff_status_name(enum kt_diff_status status);

/* DiffRow: one program. The strings belong to the lists it was made of. */
struct kt_diff_row {
	const char *name;
	const char *type;           /* A's, or else B's; NULL: unknown, as for a load that failed */
	struct program_number a, b; /* verified_insns */
	bool has_delta;             /* both numbers are known, and it passed in both */
	int64_t delta;              /* b - a */
	double delta_pct;           /* delta in percent of a; infinite if only a is 0 */
	bool b_failed;
	enum kt_diff_status status;
};

struct kt_diff_rows {
	struct kt_diff_row *all;
	size_t n;
};

/* B's programs, sorted for lookup by name, type and tag; opaque. */
struct kt_b_map;

/*
 * Builds the map. b stays the caller's, and must stay in place as long as the map and the rows made
 * with it are used. Takes n log n. KT_ERROR_NO_MEMORY.
 */
struct kt_error *kt_build_b_map(const struct kt_prog_stats_list *b, struct kt_b_map **ret);

/* Accepts NULL. */
void kt_b_map_destroy(struct kt_b_map *map);

/*
 * Makes a row for each program: A's in order, then those that only B has, in B's order. Each
 * program is in exactly one row. Several programs may share a name. They are paired first by equal
 * type and tag, then the rest by equal type, then the rest in order. Two unknown types, or tags,
 * are equal.
 *
 * Takes n log n. kt_diff_rows_deinit() frees *ret. KT_ERROR_NO_MEMORY.
 */
struct kt_error *kt_build_diff_rows(const struct kt_prog_stats_list *a, const struct kt_b_map *b,
				    struct kt_diff_rows *ret);
void kt_diff_rows_deinit(struct kt_diff_rows *rows);

/*
 * Checks a sort key: NULL, "KEY" or "-KEY", where KEY is name, type, a, b, delta, delta_pct,
 * status, abs_delta (or |delta|) or abs_delta_pct. KT_ERROR_USAGE, with a list of the keys.
 */
struct kt_error *kt_diff_rows_check_sort(const char *sort);

/*
 * Sorts the rows: text from A, numbers from the largest; "-KEY" the other way around. Unknown
 * values come last, and ties stay in order. NULL changes nothing. Errors: as above, and
 * KT_ERROR_NO_MEMORY.
 */
struct kt_error *kt_diff_rows_sort(struct kt_diff_rows *rows, const char *sort);

#endif
