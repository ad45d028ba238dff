// SPDX-License-Identifier: LGPL-2.1-or-later
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "model/cells_counts.h"
#include "util/cleanup.h"
#include "util/vec.h"

/* The names of programs while they are gathered, and for each how often it was seen. */
struct names {
	KT_VEC(const char *) v; /* each once, by name */
	struct seen {
		size_t cell, count; /* how many so far, in the cell of this index + 1 */
		size_t most;        /* the largest count of any cell */
		size_t first;       /* the column of its first program */
	} * seen;
};

static void names_deinit(struct names *names)
{
	kt_vec_free(&names->v);
	free(names->seen);
}

static int compare_bytes(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/*
 * Adds the names that differ from those of the cell before. Cells of one scheduler mostly have the
 * same programs in the same order, so this keeps the list short.
 */
static struct kt_error *add_names(struct names *names, const struct kt_prog_stats_list *stats,
				  const struct kt_prog_stats_list *before)
{
	for (size_t i = 0; i < stats->n; i++) {
		const char *name = stats->all[i].name;

		if (before && i < before->n && strcmp(before->all[i].name, name) == 0)
			continue;
		if (!kt_vec_push(&names->v, name))
			return kt_error_no_memory();
	}
	return NULL;
}

static bool counts(const struct cells_cell *cell)
{
	return cell->state != CELLS_SKIPPED;
}

static struct kt_error *gather_names(const struct cells_cell *cells, size_t n, struct names *names)
{
	const struct kt_prog_stats_list *before = NULL;
	struct kt_error *err = NULL;
	size_t kept = 0;

	for (size_t i = 0; i < n && !err; i++)
		if (counts(&cells[i])) {
			err = add_names(names, &cells[i].record->stats, before);
			before = &cells[i].record->stats;
		}
	if (err)
		return err;
	if (names->v.len)
		qsort(names->v.data, names->v.len, sizeof(*names->v.data), compare_bytes);
	for (size_t i = 0; i < names->v.len; i++)
		if (!kept || strcmp(names->v.data[kept - 1], names->v.data[i]) != 0)
			names->v.data[kept++] = names->v.data[i];
	names->v.len = kept;
	names->seen = calloc(kept + 1, sizeof(*names->seen));
	return names->seen ? NULL : kt_error_no_memory();
}

/* Counts one more program of that name in this cell, and returns the name's entry. */
static struct seen *see(struct names *names, const char *name, size_t cell)
{
	const char **found = bsearch(&name, names->v.data, names->v.len, sizeof(*names->v.data),
				     compare_bytes);
	struct seen *seen = &names->seen[found - names->v.data];

	if (seen->cell != cell) {
		seen->cell = cell;
		seen->count = 0;
	}
	seen->count++;
	return seen;
}

/* Gives each name as many columns as one cell has programs of that name. */
static struct kt_error *make_columns(const struct cells_cell *cells, size_t n, struct names *names,
				     struct cells_counts *ret)
{
	for (size_t i = 0; i < n; i++) {
		const struct kt_prog_stats_list *stats = &cells[i].record->stats;

		for (size_t j = 0; counts(&cells[i]) && j < stats->n; j++) {
			struct seen *seen = see(names, stats->all[j].name, i + 1);

			if (seen->count > seen->most)
				seen->most = seen->count;
		}
	}
	for (size_t i = 0; i < names->v.len; i++) {
		names->seen[i].first = ret->n_programs;
		ret->n_programs += names->seen[i].most;
		names->seen[i].cell = 0;
	}
	ret->programs = calloc(ret->n_programs + 1, sizeof(*ret->programs));
	if (!ret->programs)
		return kt_error_no_memory();
	for (size_t i = 0; i < names->v.len; i++)
		for (size_t k = 0; k < names->seen[i].most; k++)
			ret->programs[names->seen[i].first + k] = (struct cells_program){
				names->v.data[i], k};
	return NULL;
}

static void widen(struct cells_range *range, uint64_t value)
{
	if (!range->n || value < range->lo)
		range->lo = value;
	if (!range->n || value > range->hi)
		range->hi = value;
	range->n++;
}

static struct program_number number_of(const struct kt_prog_stats *stats,
				       enum kt_trial_number number)
{
	return number == KT_TRIAL_INSNS ? stats->verified_insns : stats->more[number];
}

/* Fills in kernels and ranges. Cells are sorted by kernel: one that differs from the last is new.
 */
static struct kt_error *fill(const struct cells_cell *cells, size_t n, struct names *names,
			     enum kt_trial_number number, struct cells_counts *ret)
{
	ret->kernels = calloc(n + 1, sizeof(*ret->kernels));
	if (!ret->kernels)
		return kt_error_no_memory();
	for (size_t i = 0; i < n; i++)
		if (counts(&cells[i]) &&
		    (!ret->n_kernels || ret->kernels[ret->n_kernels - 1] != cells[i].kernel))
			ret->kernels[ret->n_kernels++] = cells[i].kernel;
	ret->ranges = calloc(ret->n_kernels * ret->n_programs + 1, sizeof(*ret->ranges));
	if (!ret->ranges)
		return kt_error_no_memory();
	for (size_t i = 0, row = 0; i < n; i++) {
		const struct kt_prog_stats_list *stats = &cells[i].record->stats;

		if (!counts(&cells[i]))
			continue;
		while (ret->kernels[row] != cells[i].kernel)
			row++;
		for (size_t j = 0; j < stats->n; j++) {
			const struct kt_prog_stats *s = &stats->all[j];
			struct seen *seen = see(names, s->name, i + 1);
			size_t column = seen->first + seen->count - 1;

			struct program_number value = number_of(s, number);

			if (value.known && !s->failed)
				widen(&ret->ranges[row * ret->n_programs + column], value.value);
		}
	}
	return NULL;
}

struct kt_error *cells_counts_init(const struct cells_index *index, size_t scheduler,
				   enum kt_trial_number number, struct cells_counts *ret)
{
	_cleanup_(names_deinit) struct names names = {0};
	struct cells_counts counts_of = {0};
	const struct cells_cell *cells;
	struct kt_error *err;
	size_t first, end;

	cells_index_scheduler(index, scheduler, &first, &end);
	cells = index->cells + first;
	err = gather_names(cells, end - first, &names);
	if (!err)
		err = make_columns(cells, end - first, &names, &counts_of);
	if (!err)
		err = fill(cells, end - first, &names, number, &counts_of);
	if (err) {
		cells_counts_deinit(&counts_of);
		return err;
	}
	*ret = counts_of;
	return NULL;
}

bool cells_counts_any(const struct cells_counts *counts_of)
{
	for (size_t i = 0; i < counts_of->n_kernels * counts_of->n_programs; i++)
		if (counts_of->ranges[i].n)
			return true;
	return false;
}

void cells_counts_deinit(struct cells_counts *counts_of)
{
	free(counts_of->kernels);
	free(counts_of->programs);
	free(counts_of->ranges);
	*counts_of = (struct cells_counts){0};
}

const struct cells_range *cells_counts_at(const struct cells_counts *counts_of, size_t kernel,
					  size_t program)
{
	return &counts_of->ranges[kernel * counts_of->n_programs + program];
}

void cells_append_program(struct kt_buf *out, const struct cells_program *program)
{
	kt_buf_appends(out, program->name[0] ? program->name : "(no name)");
	if (program->nth)
		kt_buf_printf(out, "#%zu", program->nth + 1);
}

void cells_append_range(struct kt_buf *out, const struct cells_range *range)
{
	if (!range->n)
		kt_buf_appendc(out, '-');
	else if (range->lo == range->hi)
		kt_buf_printf(out, "%" PRIu64, range->lo);
	else
		kt_buf_printf(out, "%" PRIu64 "..%" PRIu64, range->lo, range->hi);
}
