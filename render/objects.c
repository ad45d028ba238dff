// SPDX-License-Identifier: LGPL-2.1-or-later
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "model/json.h"
#include "model/json_put.h"
#include "render/objects.h"
#include "util/cleanup.h"

static const struct render_grid_column *column_of(const struct render_grid *grid, const char *name,
						  size_t len)
{
	for (size_t i = 0; i < grid->n_columns; i++) {
		const struct render_grid_column *c = &grid->columns[i];

		if ((strlen(c->name) == len && memcmp(c->name, name, len) == 0) ||
		    (c->alias && strlen(c->alias) == len && memcmp(c->alias, name, len) == 0))
			return c;
	}
	return NULL;
}

bool render_objects_has(const struct render_grid *grid, const char *column)
{
	return column_of(grid, column, strlen(column));
}

/* The cell of a row; one that is not known where there is no such column. */
static struct render_cell cell_of(const struct render_grid *grid, const void *row, const char *name)
{
	const struct render_grid_column *column = column_of(grid, name, strlen(name));

	return column ? column->get(row) : (struct render_cell){0};
}

static bool text_matches(const struct render_cell *cell, const char *pattern, bool glob)
{
	_cleanup_free_ char *text = cell->known && cell->text.data
					    ? strndup(cell->text.data, cell->text.len)
					    : NULL;

	return text && (glob ? fnmatch(pattern, text, 0) == 0 : strcmp(pattern, text) == 0);
}

static bool matches(const struct render_grid *grid, const void *row,
		    const struct render_filter *filter)
{
	struct render_cell type = cell_of(grid, row, "type"), name = cell_of(grid, row, "name");
	struct render_cell id = cell_of(grid, row, "id");
	bool type_fits = !filter->n_types, name_fits = !filter->n_globs, id_fits = !filter->n_ids;

	for (size_t i = 0; i < filter->n_types && !type_fits; i++)
		type_fits = text_matches(&type, filter->types[i], false);
	for (size_t i = 0; i < filter->n_globs && !name_fits; i++)
		name_fits = text_matches(&name, filter->globs[i], true);
	for (size_t i = 0; i < filter->n_ids && !id_fits; i++)
		id_fits = id.known && id.number == filter->ids[i];
	return type_fits && name_fits && id_fits;
}

static void swap(char *a, char *b, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		char c = a[i];

		a[i] = b[i];
		b[i] = c;
	}
}

void render_objects_filter(struct render_grid *grid, const struct render_filter *filter)
{
	char *rows = grid->rows;
	size_t kept = 0;

	for (size_t i = 0; i < grid->n_rows; i++) {
		if (!matches(grid, rows + i * grid->row_size, filter))
			continue;
		if (i != kept)
			swap(rows + i * grid->row_size, rows + kept * grid->row_size,
			     grid->row_size);
		kept++;
	}
	grid->n_rows = kept;
}

static struct kt_error *no_column(const struct render_grid *grid, const char *name, size_t len)
{
	struct kt_buf names = KT_BUF_INIT;
	struct kt_error *err;

	for (size_t i = 0; i < grid->n_columns; i++)
		kt_buf_printf(&names, "%s%s", i ? ", " : "", grid->columns[i].name);
	err = kt_error_new(KT_ERROR_USAGE, "no column \"%.*s\"; there are %s", (int)len, name,
			   names.data ? names.data : "others");
	kt_buf_deinit(&names);
	return err;
}

struct kt_error *render_objects_select(struct render_grid *grid, const char *text,
				       struct render_grid_column columns[RENDER_OBJECTS_COLUMNS])
{
	size_t n = 0;

	if (!text)
		return NULL;
	for (const char *p = text;; n++) {
		size_t len = strcspn(p, ",");
		const struct render_grid_column *column = column_of(grid, p, len);

		if (!column)
			return no_column(grid, p, len);
		if (n == RENDER_OBJECTS_COLUMNS)
			return kt_error_new(KT_ERROR_USAGE, "too many columns");
		columns[n] = *column;
		columns[n].flags = (column->flags & ~(unsigned int)RENDER_GRID_CSV_ONLY) |
				   RENDER_GRID_ALWAYS;
		if (p[len] == '\0')
			break;
		p += len + 1;
	}
	grid->columns = columns;
	grid->n_columns = n + 1;
	return NULL;
}

static json_t *json_cell(const struct render_cell *cell)
{
	if (!cell->known)
		return json_null();
	if (cell->text.data)
		return kt_json_slice(cell->text);
	return kt_json_u64(cell->number);
}

json_t *render_json_kernel(const struct render_guest *guest)
{
	json_t *object = json_object();

	json_object_set_new(object, "release", kt_json_text(guest->release));
	json_object_set_new(object, "arch", kt_json_text(guest->arch));
	json_object_set_new(object, "build_id", kt_json_text(guest->build_id));
	json_object_set_new(object, "kaslr_offset",
			    guest->kaslr_unknown ? json_null() : json_integer(guest->kaslr_offset));
	return object;
}

struct kt_error *render_objects_json(const struct render_grid *grid, const char *what,
				     const struct render_guest *guest, char **ret)
{
	json_t *root = json_object(), *array = json_array();

	json_object_set_new(root, "schema", json_sprintf("ktstr-gdb.%s.v1", what));
	json_object_set_new(root, "kernel", render_json_kernel(guest));
	json_object_set_new(root, "pause_us", json_integer(guest->pause_us));
	for (size_t i = 0; i < grid->n_rows; i++) {
		const void *row = (const char *)grid->rows + i * grid->row_size;
		json_t *object = json_object();

		for (size_t c = 0; c < grid->n_columns; c++) {
			struct render_cell cell = grid->columns[c].get(row);

			json_object_set_new(object, grid->columns[c].name, json_cell(&cell));
		}
		json_array_append_new(array, object);
	}
	json_object_set_new(root, what, array);
	return kt_json_dump(root, ret);
}
