// SPDX-License-Identifier: LGPL-2.1-or-later
#include <inttypes.h>
#include <string.h>

#include "model/json.h"
#include "model/json_put.h"
#include "render/metadata.h"
#include "render/objects.h"
#include "render/prog_details.h"
#include "render/text.h"

#define KEY_WIDTH 22

/* The grid borrows a list; this one has the program alone. */
static struct programs list_of(const struct prog_details *details)
{
	return (struct programs){.all = (struct program *)details->program, .n = 1};
}

/* --- text --- */

/* "key     text", which goes on below its beginning. */
static void append_line(struct kt_buf *out, size_t width, const char *key, struct kt_buf *text)
{
	char indent[KEY_WIDTH + 1];
	struct kt_buf visible = KT_BUF_INIT, line = KT_BUF_INIT;

	snprintf(indent, sizeof(indent), "%*s", KEY_WIDTH, "");
	if (text->len)
		render_append_visible_bytes(&visible, text->data, text->len, false);
	kt_buf_printf(&line, "%-*s%.*s", KEY_WIDTH, key, (int)visible.len,
		      visible.data ? visible.data : "");
	if (!visible.len)
		kt_buf_appendc(&line, '-');
	render_append_wrapped(out, line.data ? line.data : "", width, indent);
	kt_buf_appendc(out, '\n');
	out->failed |= visible.failed || line.failed || text->failed;
	kt_buf_deinit(&visible);
	kt_buf_deinit(&line);
	kt_buf_deinit(text);
}

/* Those that lines of their own show, or another column. */
static bool is_apart(const char *name)
{
	static const char *const apart[] = {"short_name", "full_name", "map_ids",
					    "prog_tags",  "jited",     "metadata"};

	for (size_t i = 0; i < sizeof(apart) / sizeof(apart[0]); i++)
		if (strcmp(name, apart[i]) == 0)
			return true;
	return false;
}

static void append_values(struct kt_buf *out, size_t width, const struct render_grid *grid)
{
	for (size_t i = 0; i < grid->n_columns; i++) {
		const struct render_column *column = &grid->columns[i];
		struct render_cell cell = render_cell_of(column, render_grid_row(grid, 0));
		struct kt_buf text = KT_BUF_INIT;

		if (!cell.known || is_apart(column->name))
			continue;
		render_append_cell(&text, column, &cell, false);
		append_line(out, width, column->name, &text);
	}
}

static void append_calls(struct kt_buf *out, size_t width, const char *key,
			 const struct prog_calls *calls)
{
	struct kt_buf text = KT_BUF_INIT;

	for (size_t i = 0; i < calls->n; i++)
		kt_buf_printf(&text, "%s%s", i ? ", " : "", calls->names[i]);
	append_line(out, width, key, &text);
}

static void append_map(struct kt_buf *out, size_t width, const struct prog_used_map *used)
{
	struct kt_buf text = KT_BUF_INIT;

	kt_buf_printf(&text, "%" PRIu32, used->id);
	if (used->map && used->map->name[0])
		kt_buf_printf(&text, " %s", used->map->name);
	if (used->map && used->map->type)
		kt_buf_printf(&text, " (%s)", used->map->type);
	append_line(out, width, "map", &text);
}

static void append_function(struct kt_buf *out, size_t width, const struct prog_function *function)
{
	struct kt_buf text = KT_BUF_INIT;

	if (function->at.known)
		kt_buf_printf(&text, "at %" PRIu64, function->at.value);
	if (function->stack_depth.known)
		kt_buf_printf(&text, "%sstack %" PRIu64, text.len ? ", " : "",
			      function->stack_depth.value);
	if (function->tag)
		kt_buf_printf(&text, "%stag %s", text.len ? ", " : "", function->tag);
	if (function->proto)
		kt_buf_printf(&text, "%s%s", text.len ? ": " : "", function->proto);
	append_line(out, width, "function", &text);
}

/* A line for each variable. */
static void append_metadata(struct kt_buf *out, size_t width, const struct program *program)
{
	json_t *object = render_metadata_json(program), *value;
	struct kt_buf text = KT_BUF_INIT;
	const char *name;

	out->failed |= program->metadata && !object;
	if (!json_object_size(object))
		append_line(out, width, "metadata", &text);
	json_object_foreach(object, name, value)
	{
		text = (struct kt_buf)KT_BUF_INIT;
		render_append_variable(&text, name, value);
		append_line(out, width, "metadata", &text);
	}
	json_decref(object);
}

struct kt_error *render_prog_details_text(const struct prog_details *details, size_t width,
					  char **ret)
{
	struct programs list = list_of(details);
	struct render_grid grid = render_programs_grid(&list);
	struct kt_buf out = KT_BUF_INIT, none = KT_BUF_INIT;

	append_values(&out, width, &grid);
	append_calls(&out, width, "helpers", &details->helpers);
	append_calls(&out, width, "kfuncs", &details->kfuncs);
	if (!details->n_maps)
		append_line(&out, width, details->maps_known ? "maps" : "map", &none);
	for (size_t i = 0; i < details->n_maps; i++)
		append_map(&out, width, &details->maps[i]);
	for (size_t i = 0; i < details->n_functions; i++)
		append_function(&out, width, &details->functions[i]);
	append_metadata(&out, width, details->program);
	return kt_buf_finish(&out, ret);
}

/* --- JSON --- */

static json_t *number_json(const struct program_number *number)
{
	return number->known ? kt_json_u64(number->value) : json_null();
}

static json_t *calls_json(const struct prog_calls *calls)
{
	json_t *array = json_array();

	for (size_t i = 0; i < calls->n; i++)
		json_array_append_new(array, kt_json_text(calls->names[i]));
	return array;
}

static json_t *functions_json(const struct prog_details *details)
{
	json_t *array = json_array();

	for (size_t i = 0; i < details->n_functions; i++) {
		const struct prog_function *function = &details->functions[i];
		json_t *object = json_object();

		json_object_set_new(object, "at", number_json(&function->at));
		json_object_set_new(object, "proto", kt_json_text(function->proto));
		json_object_set_new(object, "tag", kt_json_text(function->tag));
		json_object_set_new(object, "stack_depth", number_json(&function->stack_depth));
		json_array_append_new(array, object);
	}
	return array;
}

static json_t *maps_json(const struct prog_details *details)
{
	json_t *array;

	if (!details->maps_known)
		return json_null();
	array = json_array();
	for (size_t i = 0; i < details->n_maps; i++) {
		const struct prog_used_map *used = &details->maps[i];
		json_t *object = json_object();

		json_object_set_new(object, "id", json_integer(used->id));
		json_object_set_new(object, "name",
				    used->map ? kt_json_text(used->map->name) : json_null());
		json_object_set_new(object, "type",
				    used->map ? kt_json_text(used->map->type) : json_null());
		json_array_append_new(array, object);
	}
	return array;
}

struct kt_error *render_prog_details_json(const struct prog_details *details,
					  const struct render_guest *guest, char **ret)
{
	struct programs list = list_of(details);
	struct render_grid grid = render_programs_grid(&list);
	json_t *root = render_objects_document(&grid, "programs", guest);
	json_t *object = json_array_get(json_object_get(root, "programs"), 0);

	json_object_set_new(object, "helpers", calls_json(&details->helpers));
	json_object_set_new(object, "kfuncs", calls_json(&details->kfuncs));
	json_object_set_new(object, "maps", maps_json(details));
	json_object_set_new(object, "functions", functions_json(details));
	return kt_json_dump(root, ret);
}
