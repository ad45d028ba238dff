// SPDX-License-Identifier: LGPL-2.1-or-later
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/cells_diff.h"
#include "model/cells_index.h"
#include "model/diff.h"
#include "util/cleanup.h"
#include "util/vec.h"

const char *kt_cell_change_name(enum kt_cell_change change)
{
	static const char *const names[] = {
		[KT_CELL_BROKEN] = "broken",
		[KT_CELL_FIXED] = "fixed",
		[KT_CELL_NEW] = "new",
		[KT_CELL_GONE] = "gone",
		[KT_CELL_STILL_FAILS] = "still-failing",
		[KT_CELL_UNCHANGED] = "unchanged",
	};

	return names[change];
}

static enum kt_cell_change change_of(const struct kt_cell_record *a, const struct kt_cell_record *b)
{
	bool ran_a = a && !a->skipped, ran_b = b && !b->skipped;

	if (ran_a && ran_b) {
		if (a->passed)
			return b->passed ? KT_CELL_UNCHANGED : KT_CELL_BROKEN;
		return b->passed ? KT_CELL_FIXED : KT_CELL_STILL_FAILS;
	}
	/* Skipped in one and absent from the other: it ran in neither. */
	if (!ran_a && !ran_b)
		return KT_CELL_UNCHANGED;
	return ran_b ? KT_CELL_NEW : KT_CELL_GONE;
}

/* The order of both indices. It depends on the names alone. */
static int compare(const struct kt_cell_record *a, const struct kt_cell_record *b)
{
	int cmp = cells_compare_names(a->scheduler, b->scheduler);

	if (!cmp)
		cmp = cells_compare_names(a->kernel, b->kernel);
	return cmp ? cmp : cells_compare_topologies(a->topology, b->topology);
}

static struct kt_error *pair_cells(const struct cells_index *a, const struct cells_index *b,
				   struct kt_cells_diff *diff)
{
	diff->cells = calloc(a->n + b->n + 1, sizeof(*diff->cells));
	if (!diff->cells)
		return kt_error_no_memory();
	for (size_t i = 0, j = 0; i < a->n || j < b->n;) {
		struct kt_cell_diff *cell = &diff->cells[diff->n_cells++];
		int cmp = i >= a->n   ? 1
			  : j >= b->n ? -1
				      : compare(a->cells[i].record, b->cells[j].record);

		cell->a = cmp <= 0 ? a->cells[i++].record : NULL;
		cell->b = cmp >= 0 ? b->cells[j++].record : NULL;
		cell->change = change_of(cell->a, cell->b);
		diff->counts[cell->change]++;
	}
	return NULL;
}

/* --- verified_insns --- */

struct insns {
	KT_VEC(struct kt_cell_insns) v;
};

/* Adds the programs of one cell, paired like those of two results. */
static struct kt_error *add_programs(const struct kt_cell_diff *cell, struct insns *insns)
{
	struct kt_diff_rows rows = {0};
	struct kt_b_map *map = NULL;
	struct kt_error *err = kt_build_b_map(&cell->b->stats, &map);

	if (!err)
		err = kt_build_diff_rows(&cell->a->stats, map, &rows);
	for (size_t i = 0; i < rows.n && !err; i++) {
		const struct kt_diff_row *row = &rows.all[i];
		struct kt_cell_insns one = {
			.scheduler = cell->b->scheduler,
			.kernel = cell->b->kernel,
			.program = row->name,
			.nth = i, /* keeps the order; see number_namesakes() */
			.a_lo = row->a.value,
			.a_hi = row->a.value,
			.b_lo = row->b.value,
			.b_hi = row->b.value,
			.topologies = 1,
		};

		if (row->has_delta && !kt_vec_push(&insns->v, one))
			err = kt_error_no_memory();
	}
	kt_diff_rows_deinit(&rows);
	kt_b_map_destroy(map);
	return err;
}

static int compare_programs(const void *a, const void *b)
{
	const struct kt_cell_insns *p = a, *q = b;
	int cmp = strcmp(p->program, q->program);

	return cmp ? cmp : (p->nth > q->nth) - (p->nth < q->nth);
}

/* Sorts the programs of one cell by name, and numbers those that share a name from 1. */
static void number_namesakes(struct kt_cell_insns *all, size_t n)
{
	qsort(all, n, sizeof(*all), compare_programs);
	for (size_t i = 0; i < n; i++)
		all[i].nth = i && strcmp(all[i].program, all[i - 1].program) == 0
				     ? all[i - 1].nth + 1
				     : 1;
}

static void join(struct kt_cell_insns *into, const struct kt_cell_insns *one)
{
	into->a_lo = one->a_lo < into->a_lo ? one->a_lo : into->a_lo;
	into->a_hi = one->a_hi > into->a_hi ? one->a_hi : into->a_hi;
	into->b_lo = one->b_lo < into->b_lo ? one->b_lo : into->b_lo;
	into->b_hi = one->b_hi > into->b_hi ? one->b_hi : into->b_hi;
	into->topologies += one->topologies;
}

/* Returns false if both are the same. */
static bool set_delta(struct kt_cell_insns *insns)
{
	bool by_hi = insns->a_hi != insns->b_hi;
	uint64_t a = by_hi ? insns->a_hi : insns->a_lo, b = by_hi ? insns->b_hi : insns->b_lo;

	insns->delta = (int64_t)(b - a);
	insns->delta_pct = a ? 100.0 * (double)insns->delta / (double)a : (double)INFINITY;
	return insns->delta != 0;
}

/* Joins the entries from `first` on, all of one scheduler and kernel, by program. Keeps those that
 * differ. */
static void join_kernel(struct insns *insns, size_t first)
{
	struct kt_cell_insns *all = insns->v.data;
	size_t n = first, kept = first;

	if (insns->v.len == first)
		return;
	qsort(all + first, insns->v.len - first, sizeof(*all), compare_programs);
	for (size_t i = first; i < insns->v.len; i++)
		if (n > first && compare_programs(&all[n - 1], &all[i]) == 0)
			join(&all[n - 1], &all[i]);
		else
			all[n++] = all[i];
	for (size_t i = first; i < n; i++)
		if (set_delta(&all[i]))
			all[kept++] = all[i];
	insns->v.len = kept;
}

static bool same_kernel(const struct kt_cell_diff *a, const struct kt_cell_diff *b)
{
	const struct kt_cell_record *p = a->b ? a->b : a->a, *q = b->b ? b->b : b->a;

	return strcmp(p->scheduler, q->scheduler) == 0 && strcmp(p->kernel, q->kernel) == 0;
}

static bool passed(const struct kt_cell_record *record)
{
	return record && record->passed && !record->skipped;
}

static struct kt_error *gather_insns(struct kt_cells_diff *diff, struct insns *insns)
{
	size_t first = 0;

	for (size_t i = 0; i < diff->n_cells; i++) {
		const struct kt_cell_diff *cell = &diff->cells[i];
		size_t before = insns->v.len;
		struct kt_error *err = NULL;

		if (passed(cell->a) && passed(cell->b))
			err = add_programs(cell, insns);
		if (err)
			return err;
		if (insns->v.len > before)
			number_namesakes(insns->v.data + before, insns->v.len - before);
		if (i + 1 == diff->n_cells || !same_kernel(cell, cell + 1)) {
			join_kernel(insns, first);
			first = insns->v.len;
		}
	}
	return NULL;
}

struct kt_error *kt_build_cells_diff(const struct kt_cell_records *a,
				     const struct kt_cell_records *b, struct kt_cells_diff *ret)
{
	_cleanup_(cells_index_deinit) struct cells_index index_a = {0}, index_b = {0};
	struct kt_cells_diff diff = {0};
	struct insns insns = {0};
	struct kt_error *err = cells_index_init_by_name(a, &index_a);

	if (!err)
		err = cells_index_init_by_name(b, &index_b);
	if (!err)
		err = pair_cells(&index_a, &index_b, &diff);
	if (!err)
		err = gather_insns(&diff, &insns);
	diff.insns = insns.v.data;
	diff.n_insns = insns.v.len;
	if (err) {
		kt_cells_diff_deinit(&diff);
		return err;
	}
	*ret = diff;
	return NULL;
}

void kt_cells_diff_deinit(struct kt_cells_diff *diff)
{
	free(diff->cells);
	free(diff->insns);
	*diff = (struct kt_cells_diff){0};
}
