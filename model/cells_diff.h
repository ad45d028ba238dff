/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Two sweeps, A (the baseline) and B, compared cell by cell. A comes first everywhere. Delta is
 * B - A: if it is positive, B costs the verifier more.
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
	KT_CELL_STILL_FAILS, /* failed in A, fails in B */
	KT_CELL_UNCHANGED,   /* passed in both, or ran in neither */
	KT_N_CELL_CHANGES,
};

/* "broken", "fixed", "new", "gone", "still-failing", "unchanged". */
const char *kt_cell_change_name(enum kt_cell_change change);

struct kt_cell_diff {
	const struct kt_cell_record *a, *b; /* NULL where there is none; not both */
	enum kt_cell_change change;
};

/*
 * A program whose verified_insns differ, as ranges over all topologies on which the cell passed and
 * the number is known in both sweeps.
 */
struct kt_cell_insns {
	const char *scheduler, *kernel, *program;
	size_t nth; /* which of several programs with that name in a cell, from 1 */
	uint64_t a_lo, a_hi, b_lo, b_hi;
	int64_t delta;    /* b_hi - a_hi, or b_lo - a_lo if that is 0 */
	double delta_pct; /* in percent of A's number; infinite if that is 0 */
	size_t topologies;
};

struct kt_cells_diff {
	struct kt_cell_diff *cells; /* all cells of A and B, sorted */
	size_t n_cells;
	struct kt_cell_insns *insns; /* sorted */
	size_t n_insns;
	size_t counts[KT_N_CELL_CHANGES];
};

/*
 * Compares. *ret points into the records, which stay the caller's and must stay in place. Takes
 * n log n. kt_cells_diff_deinit() frees *ret. KT_ERROR_NO_MEMORY.
 */
struct kt_error *kt_build_cells_diff(const struct kt_cell_records *a,
				     const struct kt_cell_records *b, struct kt_cells_diff *ret);
void kt_cells_diff_deinit(struct kt_cells_diff *diff);

#endif
