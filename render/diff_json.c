// SPDX-License-Identifier: LGPL-2.1-or-later
#include "model/json.h"
#include "model/json_put.h"
#include "render/diff.h"
#include "render/diff_grid.h"

static json_t *json_side(const struct kt_diff_side *side)
{
	json_t *object = json_object();

	json_object_set_new(object, "label", kt_json_text(side->label));
	json_object_set_new(object, "kernel", kt_json_text(side->result->kernel));
	json_object_set_new(object, "scheduler", kt_json_text(side->result->scheduler));
	json_object_set_new(object, "verdict", kt_json_text(side->result->verdict));
	json_object_set_new(object, "passed",
			    side->result->passed_known ? json_boolean(side->result->passed)
						       : json_null());
	return object;
}

static json_t *json_row(const struct render_grid *grid, const struct kt_diff_row *row)
{
	json_t *object = json_object();

	render_grid_json(grid, row, object);
	json_object_set_new(object, "b_failed", json_boolean(row->b_failed));
	return object;
}

/* A sum of hostile numbers may not fit; then it is null. */
static json_t *json_totals(const struct kt_diff_rows *rows)
{
	struct program_number a = {.known = true}, b = {.known = true};
	json_t *object = json_object();
	int64_t delta;
	bool fits;

	for (size_t i = 0; i < rows->n; i++) {
		const struct kt_diff_row *row = &rows->all[i];

		if (!row->has_delta)
			continue;
		a.known &= !__builtin_add_overflow(a.value, row->a.value, &a.value);
		b.known &= !__builtin_add_overflow(b.value, row->b.value, &b.value);
	}
	fits = a.known && b.known && !__builtin_sub_overflow(b.value, a.value, &delta);
	json_object_set_new(object, "a", kt_json_number(a));
	json_object_set_new(object, "b", kt_json_number(b));
	json_object_set_new(object, "delta", fits ? json_integer(delta) : json_null());
	return object;
}

struct kt_error *kt_format_diff_json(const struct kt_diff_side *a, const struct kt_diff_side *b,
				     const struct kt_diff_rows *rows, char **ret)
{
	const struct render_grid grid = render_diff_grid(rows);
	json_t *root = json_object(), *all = json_array(), *regressions = json_array();

	for (size_t i = 0; i < rows->n; i++) {
		json_array_append_new(all, json_row(&grid, &rows->all[i]));
		if (rows->all[i].status == KT_DIFF_FAILED)
			json_array_append_new(regressions, json_row(&grid, &rows->all[i]));
	}
	json_object_set_new(root, "schema", json_string("ktstr-gdb.diff.v1"));
	json_object_set_new(root, "a", json_side(a));
	json_object_set_new(root, "b", json_side(b));
	json_object_set_new(root, "rows", all);
	json_object_set_new(root, "regressions", regressions);
	json_object_set_new(root, "totals", json_totals(rows));
	return kt_json_dump(root, ret);
}
