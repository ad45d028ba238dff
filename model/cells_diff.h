/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What changed between two sweeps, cell by cell. A is the baseline and comes first; a delta is
 * B - A, so that a positive one says that B costs the verifier more.
 */
#ifndef KT_MODEL_CELLS_DIFF_H
#define KT_MODEL_CELLS_DIFF_H

#include "model/cell_record.h"
#include "util/error.h"

enum kt_cell_change {
	KT_CELL_BROKEN,      /* passed in A, fails in B: the only one that is a regression */
	KT_CELL_FIXED,       /* failed in A, passes in B */
	KT_CELL_NEW,         /* only in B, or skipped in A */
	KT_CELL_GONE,        /* only in A, or skipped in B */
	KT_CELL_STILL_FAILS, /* in both */
	KT_CELL_UNCHANGED,   /* passed in both; or ran in neither */
	KT_N_CELL_CHANGES,
};

/* "broken", "fixed", "new", "gone", "still-failing", "unchanged". */
const char *kt_cell_change_name(enum kt_cell_change change);

struct kt_cell_diff {
	const struct kt_cell_record *a, *b; /* one of them may be NULL */
	enum kt_cell_change change;
};

/*
 * verified_insns of a program that differs, over the topologies on which the cell passed in both
 * and both say how many.
 */
struct kt_cell_insns {
	const char *scheduler, *kernel, *program;
	size_t nth; /* of that name in a cell, from 1 */
	uint64_t a_lo, a_hi, b_lo, b_hi;
	int64_t delta;    /* b_hi - a_hi, or b_lo - a_lo where that is 0 */
	double delta_pct; /* of the one in A; infinite where that is 0 */
	size_t topologies;
};

struct kt_cells_diff {
	struct kt_cell_diff *cells; /* sorted; all cells of A and B */
	size_t n_cells;
	struct kt_cell_insns *insns; /* sorted; those that differ */
	size_t n_insns;
	size_t counts[KT_N_CELL_CHANGES];
};

/*
 * The records of both stay the caller's, and where they are. n log n. kt_cells_diff_deinit() frees
 * *ret. KT_ERROR_NO_MEMORY.
 */
struct kt_error *kt_build_cells_diff(const struct kt_cell_records *a,
				     const struct kt_cell_records *b, struct kt_cells_diff *ret);
void kt_cells_diff_deinit(struct kt_cells_diff *diff);

#endif
