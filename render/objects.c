// SPDX-License-Identifier: LGPL-2.1-or-later
#include <fnmatch.h>
#include <stdlib.h>

#include "model/json.h"
#include "model/json_put.h"
#include "render/objects.h"
#include "util/cleanup.h"

/* The value of a row; one that is not known if there is no such column. */
static struct render_cell cell_of(const struct render_grid *grid, const void *row, const char *name)
{
	const struct render_column *column = render_grid_find(grid, name, strlen(name));

	return column ? render_cell_of(column, row) : (struct render_cell){0};
}

static bool text_matches(const struct render_cell *cell, const char *pattern, bool glob)
{
	_cleanup_free_ char *text = cell->known && cell->text.data
					    ? strndup(cell->text.data, cell->text.len)
					    : NULL;

	return text && (glob ? fnmatch(pattern, text, 0) == 0 : strcmp(pattern, text) == 0);
}

/* As the members of the filter say. */
static bool is_only(const struct render_grid *grid, const void *row,
		    const struct render_filter *filter)
{
	bool known = false, fits = !filter->only;

	for (size_t i = 0; i < 2 && filter->only && !fits; i++) {
		struct render_cell cell = {0};

		if (filter->only_in[i])
			cell = cell_of(grid, row, filter->only_in[i]);
		known |= cell.known;
		fits = text_matches(&cell, filter->only, false);
	}
	return fits || (!known && !filter->only_known);
}

static bool matches(const struct render_grid *grid, const void *row,
		    const struct render_filter *filter)
{
	struct render_cell id = cell_of(grid, row, "id"), type = cell_of(grid, row, "type");
	struct render_cell name = cell_of(grid, row, "name");
	struct render_cell short_name = cell_of(grid, row, "short_name");
	bool type_fits = !filter->n_types, name_fits = !filter->n_globs, id_fits = !filter->n_ids;
	bool tag_fits = !filter->n_tags;

	for (size_t i = 0; i < filter->n_types && !type_fits; i++)
		type_fits = text_matches(&type, filter->types[i], false);
	for (size_t i = 0; i < filter->n_globs && !name_fits; i++)
		name_fits = text_matches(&name, filter->globs[i], true) ||
			    text_matches(&short_name, filter->globs[i], true);
	for (size_t i = 0; i < filter->n_ids && !id_fits; i++)
		id_fits = id.known && id.number == filter->ids[i];
	for (size_t i = 0; i < filter->n_tags && !tag_fits; i++) {
		struct render_cell tag = cell_of(grid, row, "tag");

		tag_fits = text_matches(&tag, filter->tags[i], false);
	}
	return type_fits && name_fits && id_fits && tag_fits && is_only(grid, row, filter);
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

json_t *render_json_kernel(const struct render_guest *guest)
{
	json_t *object = json_object();

	json_object_set_new(object, "release", kt_json_text(guest->release));
	json_object_set_new(object, "arch", kt_json_text(guest->arch));
	json_object_set_new(object, "build_id", kt_json_text(guest->build_id));
	json_object_set_new(object, "kaslr_offset",
			    guest->kaslr_unknown || guest->not_read
				    ? json_null()
				    : json_integer(guest->kaslr_offset));
	return object;
}

json_t *render_array_document(json_t *array, const char *what, const struct render_guest *guest)
{
	json_t *root = json_object();

	json_object_set_new(root, "schema", json_sprintf("ktstr-gdb.%s.v1", what));
	json_object_set_new(root, "kernel", render_json_kernel(guest));
	json_object_set_new(root, "pause_us",
			    guest->not_read ? json_null() : json_integer(guest->pause_us));
	json_object_set_new(root, what, array);
	return root;
}

json_t *render_objects_document(const struct render_grid *grid, const char *what,
				const struct render_guest *guest)
{
	json_t *array = json_array();

	for (size_t i = 0; i < grid->n_rows; i++) {
		json_t *object = json_object();

		render_grid_json(grid, render_grid_row(grid, i), object);
		json_array_append_new(array, object);
	}
	return render_array_document(array, what, guest);
}

struct kt_error *render_objects_json(const struct render_grid *grid, const char *what,
				     const struct render_guest *guest, char **ret)
{
	return kt_json_dump(render_objects_document(grid, what, guest), ret);
}

struct kt_error *render_array_json(json_t *array, const char *what,
				   const struct render_guest *guest, char **ret)
{
	return kt_json_dump(render_array_document(array, what, guest), ret);
}
