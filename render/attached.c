// SPDX-License-Identifier: LGPL-2.1-or-later
/* The columns of trampolines, of programs at perf events, and of struct_ops. */
#include <inttypes.h>

#include "model/json.h"
#include "render/objects.h"

/* --- trampolines --- */

/* "veth_dellink [veth]", or the address of a function of a program that has no name. */
static void print_func(const struct render_cell *cell, bool exact, struct kt_buf *out)
{
	const struct trampoline *row = cell->object;

	if (row->func)
		kt_buf_printf(out, "%s", row->func);
	else
		kt_buf_printf(out, "0x%" PRIx64, row->addr.value);
	if (row->module && !exact)
		kt_buf_printf(out, " [%s]", row->module);
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
	{"module", NULL, "MODULE", &render_as_text, STRING(module), .flags = RENDER_NOT_IN_TABLE},
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

/* --- programs at perf events --- */

static const struct link *event_of(const void *row)
{
	return ((const struct perf_prog *)row)->event;
}

static void print_place(const struct render_cell *cell, bool exact, struct kt_buf *out)
{
	struct kt_buf text = KT_BUF_INIT;

	(void)exact;
	render_event_place(cell->object, &text);
	if (text.len)
		kt_buf_append(out, text.data, text.len);
	out->failed |= text.failed;
	kt_buf_deinit(&text);
}

static const struct render_type as_place = {.print = print_place};

static struct render_cell get_place(const void *row)
{
	return (struct render_cell){.known = true, .object = event_of(row)};
}

/* clang-format off */
#define EVENT_TEXT(name, member)                                                                   \
	static struct render_cell name(const void *row)                                            \
	{                                                                                          \
		return render_string_cell(event_of(row)->member);                                  \
	}
#define EVENT_NUMBER(name, member)                                                                 \
	static struct render_cell name(const void *row)                                            \
	{                                                                                          \
		return render_number_cell(event_of(row)->member.known, event_of(row)->member.value); \
	}
/* clang-format on */

EVENT_TEXT(get_fd_type, perf_type)
EVENT_TEXT(get_tracepoint, tracepoint)
EVENT_TEXT(get_symbol, func)
EVENT_TEXT(get_filename, file)
EVENT_NUMBER(get_prog_id, prog_id)
EVENT_NUMBER(get_offset, offset)
EVENT_NUMBER(get_addr, addr)
EVENT_NUMBER(get_cookie, cookie)

static struct render_cell get_event_type(const void *row)
{
	return render_link_event_type(event_of(row));
}

static struct render_cell get_event_config(const void *row)
{
	return render_link_event_config(event_of(row));
}

/* clang-format off */
static const struct render_column perf_columns[] = {
	{"pid", NULL, "PID", &render_as_id, RENDER_U32(struct perf_prog, pid), .flags = RENDER_ALWAYS},
	{"comm", NULL, "COMM", &render_as_text, RENDER_CHARS(struct perf_prog, comm), .leave = 1},
	{"fd", NULL, "FD", &render_as_id, RENDER_U32(struct perf_prog, fd), .flags = RENDER_ALWAYS},
	{"prog_id", "id", "PROG", &render_as_id, RENDER_GET(get_prog_id), .flags = RENDER_ALWAYS},
	{"name", NULL, "NAME", &render_as_text, RENDER_STRING(struct perf_prog, name), .flags = RENDER_ALWAYS | RENDER_CUT},
	{"fd_type", "type", "TYPE", &render_as_text, RENDER_GET(get_fd_type), .flags = RENDER_ALWAYS},
	{"attached_to", NULL, "ATTACHED TO", &as_place, RENDER_GET(get_place),
	 .flags = RENDER_NOT_IN_CSV | RENDER_NOT_IN_JSON | RENDER_ALWAYS | RENDER_WRAP},
	{"tracepoint", NULL, "TRACEPOINT", &render_as_text, RENDER_GET(get_tracepoint), .flags = RENDER_NOT_IN_TABLE},
	{"func", NULL, "FUNC", &render_as_text, RENDER_GET(get_symbol), .flags = RENDER_NOT_IN_TABLE},
	{"offset", NULL, "OFFSET", &render_as_hex, RENDER_GET(get_offset), .flags = RENDER_NOT_IN_TABLE},
	{"addr", NULL, "ADDR", &render_as_hex, RENDER_GET(get_addr), .flags = RENDER_NOT_IN_TABLE},
	{"filename", NULL, "FILE", &render_as_text, RENDER_GET(get_filename), .flags = RENDER_NOT_IN_TABLE},
	{"cookie", NULL, "COOKIE", &render_as_hex, RENDER_GET(get_cookie), .flags = RENDER_NOT_IN_TABLE},
	{"event_type", NULL, "EVENT TYPE", &render_as_number, RENDER_GET(get_event_type), .flags = RENDER_NOT_IN_TABLE},
	{"event_config", NULL, "CONFIG", &render_as_number, RENDER_GET(get_event_config), .flags = RENDER_NOT_IN_TABLE},
};
/* clang-format on */

struct render_grid render_perf_grid(struct perf_progs *progs)
{
	return (struct render_grid)RENDER_GRID(perf_columns, progs->all, progs->n);
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
