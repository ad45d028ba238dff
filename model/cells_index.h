/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Not a public header. The records of a sweep in order, with each name once. All views of a sweep
 * are made from this. The order depends on the records alone, not on the order of files: schedulers
 * as the sweep file has them, kernels by release, topologies by CPUs.
 */
#ifndef KT_MODEL_CELLS_INDEX_H
#define KT_MODEL_CELLS_INDEX_H

#include "model/cell_record.h"
#include "util/error.h"

enum cells_state { CELLS_NONE, CELLS_PASSED, CELLS_FAILED, CELLS_SKIPPED };

/* Each name once, in order. The strings belong to the records. */
struct cells_names {
	const char **all;
	size_t n;
};

struct cells_cell {
	const struct kt_cell_record *record;
	uint32_t scheduler, kernel, topology; /* indices into the names */
	enum cells_state state;
};

struct cells_index {
	struct cells_names schedulers, kernels, topologies;
	const char **releases;    /* of each kernel; NULL: no record has one */
	char **kernel_labels;     /* of each kernel: "trixie (6.12.117)", or its name alone */
	struct cells_cell *cells; /* each that has a record, by scheduler, kernel, topology */
	size_t n;
	size_t passed, failed, skipped;
	size_t duplicates; /* records left out because their cell has another one */
};

/*
 * Sorts the records, which stay the caller's and must stay in place. If a cell has several records
 * (somebody copied a file), the worst one counts, so that no failure is hidden. Takes n log n.
 * cells_index_deinit() frees *ret. KT_ERROR_NO_MEMORY.
 */
struct kt_error *cells_index_init(const struct kt_cell_records *records, struct cells_index *ret);

/* The same in the order of the names alone, so that two indices have one order. */
struct kt_error *cells_index_init_by_name(const struct kt_cell_records *records,
					  struct cells_index *ret);
void cells_index_deinit(struct cells_index *index);

/* The cell of these indices, or NULL. */
const struct cells_cell *cells_index_find(const struct cells_index *index, size_t scheduler,
					  size_t kernel, size_t topology);

/* The cells of a scheduler are index->cells[*first] up to, but not with, index->cells[*end]. */
void cells_index_scheduler(const struct cells_index *index, size_t scheduler, size_t *first,
			   size_t *end);

/* A record that says both skipped and passed was skipped. */
enum cells_state cells_state(const struct kt_cell_record *record);

/* "passed", "failed", "skipped". */
const char *cells_state_name(enum cells_state state);

/* How many cells passed, of those that ran. */
struct cells_ratio {
	size_t passed, ran;
};

/*
 * Whether a grid (by_kernel: one per scheduler) of all names is small enough to show. A few MB of
 * records can have names for a billion cells, nearly all of them empty. KT_ERROR_UNSUPPORTED.
 */
struct kt_error *cells_check_size(const struct cells_index *index, bool by_kernel);

/*
 * The ratio of each topology (a row) and scheduler (a column), over all kernels. The caller frees
 * *ret. Errors: KT_ERROR_UNSUPPORTED if there are too many; KT_ERROR_NO_MEMORY.
 */
struct kt_error *cells_ratios(const struct cells_index *index, struct cells_ratio **ret);

/*
 * Compares names as people sort them: numbers by value (6.9 before 6.16), and a release candidate
 * before its release (6.16-rc1 before 6.16). 0 only if they are equal.
 */
int cells_compare_names(const char *a, const char *b);

/*
 * How much of a release a person needs: the bytes of "6.12.117" in "6.12.117+deb13-cloud-amd64", of
 * "6.8.0-45" in "6.8.0-45-generic", of "5.14.0-503.el9" in "5.14.0-503.el9.x86_64".
 */
size_t cells_release_length(const char *release);

/*
 * Compares by the number of CPUs ("16cpu" in "2numa-16cpu-4llc-nosmt"; names without one come
 * last), then as names.
 */
int cells_compare_topologies(const char *a, const char *b);

#endif
