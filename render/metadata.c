// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render/metadata.h"

#include "model/json.h"

struct render_cell render_metadata_cell(const void *row)
{
	const struct program *program = row;

	return (struct render_cell){.known = program->metadata, .object = program};
}

json_t *render_metadata_json(const struct program *program)
{
	json_error_t why;

	if (!program->metadata)
		return NULL;
	return kt_json_load((struct kt_text){program->metadata, strlen(program->metadata)}, 0,
			    &why);
}

void render_append_variable(struct kt_buf *out, const char *name, json_t *value)
{
	char *text = NULL;
	struct kt_error *err = kt_json_dump_line(json_incref(value), &text);

	if (err)
		out->failed = true;
	else
		kt_buf_printf(out, "%s = %s", name, text);
	kt_error_destroy(err);
	free(text);
}

static json_t *to_json(const struct render_cell *cell)
{
	return cell->known ? render_metadata_json(cell->object) : json_null();
}

static void print(const struct render_cell *cell, bool exact, struct kt_buf *out)
{
	const struct program *program = cell->object;
	json_t *object, *value;
	const char *name, *comma = "";

	if (exact) {
		kt_buf_appends(out, program->metadata);
		return;
	}
	object = render_metadata_json(program);
	out->failed |= !object;
	json_object_foreach(object, name, value)
	{
		kt_buf_appends(out, comma);
		render_append_variable(out, name, value);
		comma = ", ";
	}
	json_decref(object);
}

const struct render_type render_as_metadata = {.print = print, .json = to_json};
