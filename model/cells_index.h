/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Records of cells in order, with each name once: what all views of a sweep are made from. The
 * order depends on what the records say alone, and not on that of files. Not a public header.
 */
#ifndef KT_MODEL_CELLS_INDEX_H
#define KT_MODEL_CELLS_INDEX_H

#include "model/cell_record.h"
#include "util/error.h"

enum cells_state { CELLS_NONE, CELLS_PASSED, CELLS_FAILED, CELLS_SKIPPED };

/* Sorted; the strings are those of records. */
struct cells_names {
	const char **all;
	size_t n;
};

struct cells_cell {
	const struct kt_cell_record *record;
	uint32_t scheduler, kernel, topology; /* places in the names */
	enum cells_state state;
};

struct cells_index {
	struct cells_names schedulers, kernels, topologies;
	struct cells_cell *cells; /* by scheduler, kernel, topology; one for each that there is */
	size_t n;
	size_t passed, failed, skipped;
	size_t duplicates; /* records of a cell that another one tells of, which count for nothing
			    */
};

/*
 * The records stay the caller's, and where they are. Of several records of one cell (a copied
 * file) the worst counts, so that no failure is hidden. n log n. KT_ERROR_NO_MEMORY.
 */
struct kt_error *cells_index_init(const struct kt_cell_records *records, struct cells_index *ret);
void cells_index_deinit(struct cells_index *index);

/* NULL: there is none. */
const struct cells_cell *cells_index_find(const struct cells_index *index, size_t scheduler,
					  size_t kernel, size_t topology);

/* The cells of a scheduler: *first up to *end. */
void cells_index_scheduler(const struct cells_index *index, size_t scheduler, size_t *first,
			   size_t *end);

/* skipped counts more than passed, which a record that says both does not mean. */
enum cells_state cells_state(const struct kt_cell_record *record);

/* "passed", "failed", "skipped". */
const char *cells_state_name(enum cells_state state);

/* How many of the cells passed, and how many ran at all. */
struct cells_ratio {
	size_t passed, ran;
};

/*
 * Whether grids of so many rows, columns and grids can be shown: records of a few MB may have
 * names for a billion cells, of which hardly one is there. KT_ERROR_UNSUPPORTED.
 */
struct kt_error *cells_check_size(const struct cells_index *index, bool by_kernel);

/*
 * Of each topology (a row) those of all schedulers, over all kernels. The caller frees *ret.
 * KT_ERROR_UNSUPPORTED: they are too many; KT_ERROR_NO_MEMORY.
 */
struct kt_error *cells_ratios(const struct cells_index *index, struct cells_ratio **ret);

/*
 * As people sort names: numbers in them by value, 6.9 before 6.16; what begins with "-rc" before
 * nothing, 6.16-rc1 before 6.16. 0 only for equal ones.
 */
int cells_compare_names(const char *a, const char *b);

/* By the number of CPUs, "16cpu" in "2numa-16cpu-4llc-nosmt", those without last; then by name. */
int cells_compare_topologies(const char *a, const char *b);

#endif
