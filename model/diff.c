// SPDX-License-Identifier: LGPL-2.1-or-later
#include <math.h>
#include <string.h>

#include "model/diff.h"
#include "util/cleanup.h"

const char *kt_diff_status_name(enum kt_diff_status status)
{
	static const char *const names[KT_N_DIFF_STATUS] = {
		[KT_DIFF_UNCHANGED] = "unchanged", [KT_DIFF_CHANGED] = "changed",
		[KT_DIFF_UNKNOWN] = "unknown",     [KT_DIFF_ADDED] = "added",
		[KT_DIFF_REMOVED] = "removed",     [KT_DIFF_FAILED] = "failed",
		[KT_DIFF_FIXED] = "fixed",         [KT_DIFF_FAILED_IN_BOTH] = "failed-in-both",
	};

	return names[status];
}

/* Two programs are alike if their names are equal, or also their types, or also their tags. */
enum likeness { LIKE_NAME, LIKE_TYPE, LIKE_TAG, N_LIKENESS };

struct kt_b_map {
	const struct kt_prog_stats_list *list;
	/* Its programs, sorted by name; by name and type; by name, type and tag. */
	const struct kt_prog_stats **order[N_LIKENESS];
};

static int compare_strings(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) : !!a - !!b;
}

static int compare(const struct kt_prog_stats *a, const struct kt_prog_stats *b,
		   enum likeness likeness)
{
	int cmp = strcmp(a->name, b->name);

	if (!cmp && likeness >= LIKE_TYPE)
		cmp = compare_strings(a->type, b->type);
	if (!cmp && likeness >= LIKE_TAG)
		cmp = compare_strings(a->tag, b->tag);
	return cmp;
}

static int compare_entries(const void *a, const void *b, void *arg)
{
	const struct kt_prog_stats *x = *(const struct kt_prog_stats *const *)a;
	const struct kt_prog_stats *y = *(const struct kt_prog_stats *const *)b;
	int cmp = compare(x, y, *(const enum likeness *)arg);

	return cmp ? cmp : (x > y) - (x < y); /* pointers into one array: ties stay in order */
}

struct kt_error *kt_build_b_map(const struct kt_prog_stats_list *b, struct kt_b_map **ret)
{
	struct kt_b_map *map = calloc(1, sizeof(*map));

	if (!map)
		return kt_error_no_memory();
	map->list = b;
	for (enum likeness like = 0; like < N_LIKENESS; like++) {
		map->order[like] = calloc(b->n + 1, sizeof(*map->order[like]));
		if (!map->order[like]) {
			kt_b_map_destroy(map);
			return kt_error_no_memory();
		}
		for (size_t i = 0; i < b->n; i++)
			map->order[like][i] = &b->all[i];
		qsort_r(map->order[like], b->n, sizeof(*map->order[like]), compare_entries, &like);
	}
	*ret = map;
	return NULL;
}

void kt_b_map_destroy(struct kt_b_map *map)
{
	if (!map)
		return;
	for (size_t i = 0; i < N_LIKENESS; i++)
		free(map->order[i]);
	free(map);
}

/* The index in the order at which programs like x begin, or would begin. */
static size_t find_first(const struct kt_b_map *map, const struct kt_prog_stats *x,
			 enum likeness like)
{
	size_t low = 0, high = map->list->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare(map->order[like][middle], x, like) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Pairs of programs. */
struct matching {
	const struct kt_prog_stats **of_a; /* for each program of A that of B; NULL: none yet */
	bool *b_taken;
	size_t *seen; /* by find_first(): how many of that group were tried already */
};

/* Takes the next free program of B that is like x; NULL: there is none left. */
static const struct kt_prog_stats *take(const struct kt_b_map *map, const struct kt_prog_stats *x,
					enum likeness like, struct matching *m)
{
	size_t first = find_first(map, x, like);

	/* Starts behind those tried before, so that many equal programs do not take n squared. */
	while (first + m->seen[first] < map->list->n) {
		const struct kt_prog_stats *y = map->order[like][first + m->seen[first]];

		if (compare(x, y, like))
			break;
		m->seen[first]++;
		if (!m->b_taken[y - map->list->all]) {
			m->b_taken[y - map->list->all] = true;
			return y;
		}
	}
	return NULL;
}

static void match(const struct kt_prog_stats_list *a, const struct kt_b_map *b, struct matching *m)
{
	for (int like = LIKE_TAG; like >= LIKE_NAME; like--) {
		memset(m->seen, 0, (b->list->n + 1) * sizeof(*m->seen));
		for (size_t i = 0; i < a->n; i++)
			if (!m->of_a[i])
				m->of_a[i] = take(b, &a->all[i], (enum likeness)like, m);
	}
}

static void set_delta(struct kt_diff_row *row)
{
	uint64_t a = row->a.value, b = row->b.value;
	int64_t delta;

	row->status = KT_DIFF_UNKNOWN;
	if (!row->a.known || !row->b.known)
		return;
	row->status = a == b ? KT_DIFF_UNCHANGED : KT_DIFF_CHANGED;
	row->has_delta = !__builtin_sub_overflow(b, a, &delta);
	if (!row->has_delta)
		return; /* only hostile numbers overflow: the kernel counts in 32 bits */
	row->delta = delta;
	if (a)
		row->delta_pct = 100.0 * (double)delta / (double)a;
	else
		row->delta_pct = b ? INFINITY : 0;
}

/* One of a and b may be NULL. */
static struct kt_diff_row make_row(const struct kt_prog_stats *a, const struct kt_prog_stats *b)
{
	struct kt_diff_row row = {
		.name = a ? a->name : b->name,
		.type = a && a->type ? a->type
			: b          ? b->type
				     : NULL,
		.b_failed = b && b->failed,
	};

	if (a)
		row.a = a->verified_insns;
	if (b)
		row.b = b->verified_insns;
	if (!a)
		row.status = KT_DIFF_ADDED;
	else if (!b)
		row.status = KT_DIFF_REMOVED;
	else if (a->failed)
		row.status = b->failed ? KT_DIFF_FAILED_IN_BOTH : KT_DIFF_FIXED;
	else if (b->failed)
		row.status = KT_DIFF_FAILED;
	else
		set_delta(&row);
	return row;
}

struct kt_error *kt_build_diff_rows(const struct kt_prog_stats_list *a, const struct kt_b_map *b,
				    struct kt_diff_rows *ret)
{
	_cleanup_free_ const struct kt_prog_stats **of_a = calloc(a->n + 1, sizeof(*of_a));
	_cleanup_free_ bool *b_taken = calloc(b->list->n + 1, sizeof(*b_taken));
	_cleanup_free_ size_t *seen = calloc(b->list->n + 1, sizeof(*seen));
	struct kt_diff_row *all = calloc(a->n + b->list->n + 1, sizeof(*all));
	struct matching m = {of_a, b_taken, seen};
	size_t n = 0;

	if (!of_a || !b_taken || !seen || !all) {
		free(all);
		return kt_error_no_memory();
	}
	match(a, b, &m);
	for (size_t i = 0; i < a->n; i++)
		all[n++] = make_row(&a->all[i], of_a[i]);
	for (size_t i = 0; i < b->list->n; i++)
		if (!b_taken[i])
			all[n++] = make_row(NULL, &b->list->all[i]);
	*ret = (struct kt_diff_rows){all, n};
	return NULL;
}

void kt_diff_rows_deinit(struct kt_diff_rows *rows)
{
	free(rows->all);
	*rows = (struct kt_diff_rows){0};
}
