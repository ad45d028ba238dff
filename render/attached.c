// SPDX-License-Identifier: LGPL-2.1-or-later
/* The columns of trampolines and of struct_ops. */
#include <inttypes.h>

#include "model/json.h"
#include "render/objects.h"

/* --- trampolines --- */

/* A function of a program that has no name. */
static void print_func(const struct render_cell *cell, bool exact, struct kt_buf *out)
{
	const struct trampoline *row = cell->object;

	(void)exact;
	if (row->func)
		kt_buf_printf(out, "%s", row->func);
	else
		kt_buf_printf(out, "0x%" PRIx64, row->addr.value);
}

static json_t *func_json(const struct render_cell *cell)
{
	return kt_json_text(((const struct trampoline *)cell->object)->func);
}

static int compare_func(const struct render_cell *a, const struct render_cell *b)
{
	const struct trampoline *x = a->object, *y = b->object;

	return strcmp(x->func ? x->func : "", y->func ? y->func : "");
}

static const struct render_type as_func = {
	.compare = compare_func, .print = print_func, .json = func_json};

static struct render_cell get_func(const void *row)
{
	const struct trampoline *trampoline = row;

	return (struct render_cell){.known = trampoline->func || trampoline->addr.known,
				    .object = row};
}

/* clang-format off */
#define KNOWN(member)  RENDER_KNOWN(struct trampoline, member)
#define STRING(member) RENDER_STRING(struct trampoline, member)

static const struct render_column trampoline_columns[] = {
	{"func", NULL, "FUNCTION", &as_func, RENDER_GET(get_func), .flags = RENDER_ALWAYS},
	{"type", NULL, "TYPE", &render_as_text, STRING(type), .flags = RENDER_ALWAYS},
	{"prog_id", NULL, "PROG", &render_as_id, KNOWN(prog_id), .flags = RENDER_ALWAYS},
	{"name", NULL, "NAME", &render_as_text, STRING(name), .flags = RENDER_ALWAYS | RENDER_CUT},
	{"link_id", NULL, "LINK", &render_as_id, KNOWN(link_id), .leave = 2},
	{"cookie", NULL, "COOKIE", &render_as_number, KNOWN(cookie), .flags = RENDER_NOT_IN_TABLE},
	{"addr", NULL, "ADDRESS", &render_as_hex, KNOWN(addr), .flags = RENDER_NOT_IN_TABLE},
	{"target_obj_id", NULL, "OBJECT", &render_as_id, KNOWN(target_obj_id), .leave = 1},
	{"target_btf_id", NULL, "BTF-TYPE", &render_as_id, KNOWN(target_btf_id), .flags = RENDER_NOT_IN_TABLE},
};
#undef KNOWN
#undef STRING
/* clang-format on */

struct render_grid render_trampolines_grid(struct trampolines *trampolines)
{
	return (struct render_grid)RENDER_GRID(trampoline_columns, trampolines->all,
					       trampolines->n);
}

/* --- struct_ops --- */

static json_t *progs_json(const struct render_cell *cell)
{
	const struct struct_ops *ops = cell->object;
	json_t *array;

	if (!ops->progs_known)
		return json_null();
	array = json_array();
	for (size_t i = 0; i < ops->n_progs; i++) {
		const struct struct_ops_prog *prog = &ops->progs[i];
		json_t *object = json_object();

		json_object_set_new(object, "member", kt_json_text(prog->member));
		json_object_set_new(object, "prog_id", json_integer(prog->id));
		json_object_set_new(object, "name", kt_json_text(prog->name));
		json_array_append_new(array, object);
	}
	return array;
}

/* "init=12,release=13", or the IDs alone. */
static void print_progs(const struct render_cell *cell, bool exact, struct kt_buf *out)
{
	const struct struct_ops *ops = cell->object;

	(void)exact;
	for (size_t i = 0; i < ops->n_progs; i++) {
		const struct struct_ops_prog *prog = &ops->progs[i];

		kt_buf_printf(out, "%s%s%s%" PRIu32, i ? " " : "", prog->member ? prog->member : "",
			      prog->member ? "=" : "", prog->id);
	}
}

static const struct render_type as_progs = {
	.from_largest = true, .print = print_progs, .json = progs_json};

static struct render_cell get_progs(const void *row)
{
	const struct struct_ops *ops = row;

	return (struct render_cell){
		.known = ops->progs_known, .number = ops->n_progs, .object = row};
}

/* clang-format off */
#define STRING(member) RENDER_STRING(struct struct_ops, member)

static const struct render_column struct_ops_columns[] = {
	{"id", NULL, "ID", &render_as_id, RENDER_U32(struct struct_ops, id), .flags = RENDER_ALWAYS},
	{"name", NULL, "NAME", &render_as_text, RENDER_CHARS(struct struct_ops, name), .flags = RENDER_ALWAYS},
	{"kernel_struct_ops", "kernel", "KERNEL_STRUCT_OPS", &render_as_text, STRING(kernel_struct_ops), .flags = RENDER_ALWAYS},
	{"state", NULL, "STATE", &render_as_text, STRING(state), .flags = RENDER_ALWAYS},
	{"progs", NULL, "PROGRAMS", &as_progs, RENDER_GET(get_progs), .flags = RENDER_ALWAYS | RENDER_WRAP},
};
/* clang-format on */

struct render_grid render_struct_ops_grid(struct struct_ops_list *list)
{
	return (struct render_grid)RENDER_GRID(struct_ops_columns, list->all, list->n);
}
