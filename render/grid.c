// SPDX-License-Identifier: LGPL-2.1-or-later
/* Columns of a view: their values, by name, in order; and its rows as CSV and JSON. */
#include <stdlib.h>

#include "model/json_put.h"
#include "render/grid.h"
#include "render/text.h"
#include "util/cleanup.h"
#include "util/edits.h"

struct render_cell render_cell_of(const struct render_column *column, const void *row)
{
	const void *member = (const char *)row + column->at;
	const struct program_number *known = member;

	switch (column->source) {
	case RENDER_FROM_GET: break;
	case RENDER_FROM_GET_NTH: return column->get_nth(row, column->at);
	case RENDER_FROM_KNOWN: return render_number_cell(known->known, known->value);
	case RENDER_FROM_U32: return render_number_cell(true, *(const uint32_t *)member);
	case RENDER_FROM_U64: return render_number_cell(true, *(const uint64_t *)member);
	case RENDER_FROM_STRING: return render_string_cell(*(const char *const *)member);
	case RENDER_FROM_CHARS: return render_string_cell(member);
	case RENDER_FROM_SLICE: return render_text_cell(*(const struct kt_text *)member);
	}
	return column->get(row);
}

/* --- names --- */

static bool name_is(const char *name, const char *text, size_t len)
{
	return name && strlen(name) == len && memcmp(name, text, len) == 0;
}

const struct render_column *render_grid_find(const struct render_grid *grid, const char *name,
					     size_t len)
{
	for (size_t i = 0; i < grid->n_columns; i++)
		if (name_is(grid->columns[i].name, name, len) ||
		    name_is(grid->columns[i].alias, name, len))
			return &grid->columns[i];
	return NULL;
}

static struct kt_error *no_column(const struct render_grid *grid, const char *name, size_t len)
{
	struct kt_buf names = KT_BUF_INIT;
	struct kt_nearest nearest = {0};
	struct kt_error *err;

	for (size_t i = 0; i < grid->n_columns; i++) {
		kt_buf_printf(&names, "%s%s", i ? ", " : "", grid->columns[i].name);
		if (grid->columns[i].name)
			kt_nearest_try(&nearest, name, len, grid->columns[i].name);
	}
	if (nearest.name)
		err = kt_error_new(KT_ERROR_USAGE,
				   "no column \"%.*s\"; did you mean %s? There are %s", (int)len,
				   name, nearest.name, names.data ? names.data : "others");
	else
		err = kt_error_new(KT_ERROR_USAGE, "no column \"%.*s\"; there are %s", (int)len,
				   name, names.data ? names.data : "others");
	kt_buf_deinit(&names);
	return err;
}

struct kt_error *render_grid_select(struct render_grid *grid, const char *names)
{
	const struct render_column *selected[RENDER_SELECTED_MAX];
	size_t n = 0;

	for (const char *p = names; p; n++) {
		size_t len = strcspn(p, ",");

		if (n == RENDER_SELECTED_MAX)
			return kt_error_new(KT_ERROR_USAGE, "too many columns");
		selected[n] = render_grid_find(grid, p, len);
		if (!selected[n])
			return no_column(grid, p, len);
		p = p[len] ? p + len + 1 : NULL;
	}
	memcpy(grid->selected, selected, n * sizeof(*selected));
	grid->n_selected = n;
	return NULL;
}

/* --- order --- */

/* The column of "KEY" or "-KEY". */
static const struct render_column *sort_column(const struct render_grid *grid, const char *sort)
{
	const char *key = sort + (sort[0] == '-');

	return render_grid_find(grid, key, strlen(key));
}

struct kt_error *render_grid_check_sort(const struct render_grid *grid, const char *sort)
{
	const char *key = sort && sort[0] == '-' ? sort + 1 : sort;

	return !sort || sort_column(grid, sort) ? NULL : no_column(grid, key, strlen(key));
}

struct order {
	const struct render_column *column;
	bool reversed;
};

/* a and b point to pointers to rows. */
static int compare_rows(const void *a, const void *b, void *arg)
{
	const void *x = *(const void *const *)a, *y = *(const void *const *)b;
	const struct order *order = arg;
	const struct render_type *type = order->column->type;
	struct render_cell m = render_cell_of(order->column, x);
	struct render_cell n = render_cell_of(order->column, y);
	int cmp;

	if (m.known != n.known)
		return n.known - m.known;
	cmp = type->compare ? type->compare(&m, &n) : (m.number > n.number) - (m.number < n.number);
	if (type->from_largest != order->reversed)
		cmp = -cmp;
	/* qsort_r() keeps no order by itself; the rows are in one array. */
	return cmp ? cmp : (x > y) - (x < y);
}

struct kt_error *render_grid_sort(struct render_grid *grid, const char *sort)
{
	struct kt_error *err = render_grid_check_sort(grid, sort);
	_cleanup_free_ const void **order = NULL;
	_cleanup_free_ char *sorted = NULL;
	struct order by;

	if (err || !sort || !grid->n_rows)
		return err;
	by = (struct order){sort_column(grid, sort), sort[0] == '-'};
	order = calloc(grid->n_rows, sizeof(*order));
	sorted = calloc(grid->n_rows, grid->row_size);
	if (!order || !sorted)
		return kt_error_no_memory();
	for (size_t i = 0; i < grid->n_rows; i++)
		order[i] = render_grid_row(grid, i);
	qsort_r(order, grid->n_rows, sizeof(*order), compare_rows, &by);
	for (size_t i = 0; i < grid->n_rows; i++)
		memcpy(sorted + i * grid->row_size, order[i], grid->row_size);
	memcpy(grid->rows, sorted, grid->n_rows * grid->row_size);
	return NULL;
}

/* --- CSV and JSON --- */

static void append_field(struct kt_buf *out, const struct render_column *column, const void *row)
{
	struct render_cell cell = render_cell_of(column, row);
	struct kt_buf raw = KT_BUF_INIT, field = KT_BUF_INIT;

	render_append_cell(&raw, column, &cell, true);
	render_append_visible(&field, raw.data ? raw.data : "", false);
	render_append_csv(out, field.data ? field.data : "");
	out->failed |= raw.failed || field.failed;
	kt_buf_deinit(&raw);
	kt_buf_deinit(&field);
}

/* One record, of the heads if row is NULL. */
static void append_record(struct kt_buf *out, const struct render_grid *grid, const void *row)
{
	size_t n = grid->n_selected ? grid->n_selected : grid->n_columns;
	bool first = true;

	for (size_t i = 0; i < n; i++) {
		const struct render_column *column = grid->n_selected ? grid->selected[i]
								      : &grid->columns[i];

		if (!grid->n_selected && column->flags & RENDER_NOT_IN_CSV)
			continue;
		if (!first)
			kt_buf_appendc(out, ',');
		first = false;
		if (row)
			append_field(out, column, row);
		else
			kt_buf_appends(out, column->name);
	}
	kt_buf_appendc(out, '\n');
}

struct kt_error *render_grid_csv(const struct render_grid *grid, struct kt_buf *out)
{
	append_record(out, grid, NULL);
	for (size_t i = 0; i < grid->n_rows; i++)
		append_record(out, grid, render_grid_row(grid, i));
	return kt_buf_failed(out) ? kt_error_no_memory() : NULL;
}

void render_grid_json(const struct render_grid *grid, const void *row, json_t *object)
{
	for (size_t i = 0; i < grid->n_columns; i++) {
		const struct render_column *column = &grid->columns[i];
		struct render_cell cell;

		if (column->flags & RENDER_NOT_IN_JSON || !column->type->json)
			continue;
		cell = render_cell_of(column, row);
		json_object_set_new(object, column->name, column->type->json(&cell));
	}
}
