// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render/ids.h"
#include "model/json_put.h"

struct render_cell render_ids_cell(bool known, const uint32_t *ids, size_t n)
{
	return (struct render_cell){.known = known, .number = n, .object = ids};
}

static void print(const struct render_cell *cell, bool exact, struct kt_buf *out)
{
	const uint32_t *ids = cell->object;

	(void)exact;
	for (size_t i = 0; i < cell->number; i++)
		kt_buf_printf(out, "%s%u", i ? "," : "", ids[i]);
}

static json_t *json(const struct render_cell *cell)
{
	const uint32_t *ids = cell->object;
	json_t *array;

	if (!cell->known)
		return json_null();
	array = json_array();
	for (size_t i = 0; i < cell->number; i++)
		json_array_append_new(array, json_integer(ids[i]));
	return array;
}

const struct render_type render_as_ids = {.from_largest = true, .print = print, .json = json};
