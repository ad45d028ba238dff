/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Not a public header. A number of each program of a scheduler, such as verified_insns, by kernel:
 * the range over all topologies.
 */
#ifndef KT_MODEL_CELLS_COUNTS_H
#define KT_MODEL_CELLS_COUNTS_H

#include "model/cells_index.h"
#include "util/buf.h"

struct cells_program {
	const char *name;
	size_t nth; /* which of several programs with that name in one cell, from 0 */
};

struct cells_range {
	uint64_t lo, hi;
	size_t n; /* on how many topologies the number is known; 0: on none */
};

struct cells_counts {
	uint32_t *kernels; /* indices of the kernels that ran, in order, with a number or not */
	size_t n_kernels;
	struct cells_program *programs; /* by name */
	size_t n_programs;
	struct cells_range *ranges; /* n_kernels rows of n_programs; see cells_counts_at() */
};

/*
 * Counts for one scheduler. Programs that were refused have no number here: how far the verifier
 * came is not what the program costs. Takes n log n. cells_counts_deinit() frees *ret.
 * KT_ERROR_NO_MEMORY.
 */
struct kt_error *cells_counts_init(const struct cells_index *index, size_t scheduler,
				   enum kt_trial_number number, struct cells_counts *ret);

/* Whether there is any number. */
bool cells_counts_any(const struct cells_counts *counts);
void cells_counts_deinit(struct cells_counts *counts);

/* kernel and program are indices into the arrays above. */
const struct cells_range *cells_counts_at(const struct cells_counts *counts, size_t kernel,
					  size_t program);

/* Appends "NAME", or "NAME#2" for the second program with that name. */
void cells_append_program(struct kt_buf *out, const struct cells_program *program);

/* Appends "N", "LO..HI" or, where it is not known, "-". */
void cells_append_range(struct kt_buf *out, const struct cells_range *range);

#endif
