/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How many instructions the verifier processed in each program of a scheduler, by kernel, over all
 * topologies. Not a public header.
 */
#ifndef KT_MODEL_CELLS_COUNTS_H
#define KT_MODEL_CELLS_COUNTS_H

#include "model/cells_index.h"
#include "util/buf.h"

struct cells_program {
	const char *name;
	size_t nth; /* among those of that name in one cell, from 0 */
};

struct cells_range {
	uint64_t lo, hi;
	size_t n; /* topologies that it is of; 0: not known */
};

struct cells_counts {
	uint32_t *kernels; /* those that ran, whether they gave a number or not; in order */
	size_t n_kernels;
	struct cells_program *programs; /* by name */
	size_t n_programs;
	struct cells_range *ranges; /* of each kernel, those of all programs */
};

/*
 * Of one scheduler. A program that failed counts for nothing: how far the verifier came is not
 * what the program takes. n log n. KT_ERROR_NO_MEMORY.
 */
struct kt_error *cells_counts_init(const struct cells_index *index, size_t scheduler,
				   struct cells_counts *ret);
void cells_counts_deinit(struct cells_counts *counts);

const struct cells_range *cells_counts_at(const struct cells_counts *counts, size_t kernel,
					  size_t program);

/* Appends "NAME", or "NAME#2" of the second of that name. */
void cells_append_program(struct kt_buf *out, const struct cells_program *program);

/* Appends "N", "LO..HI" or "-". */
void cells_append_range(struct kt_buf *out, const struct cells_range *range);

#endif
