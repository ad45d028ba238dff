// SPDX-License-Identifier: LGPL-2.1-or-later
#include <inttypes.h>

#include "model/json.h"
#include "model/json_put.h"
#include "render/vms.h"

static struct render_cell get_target(const void *row)
{
	const struct vm_way *way = vm_best_way(row);

	return render_string_cell(way ? way->target : NULL);
}

/* "512M"; a program gets bytes. */
static void print_memory(const struct render_cell *cell, bool exact, struct kt_buf *out)
{
	uint64_t n = cell->number;
	bool gib = n >= 1 << 30 && n % (1 << 30) == 0;

	if (exact)
		kt_buf_printf(out, "%" PRIu64, n);
	else
		kt_buf_printf(out, "%" PRIu64 "%c", n >> (gib ? 30 : 20), gib ? 'G' : 'M');
}

static const struct render_type as_memory = {
	.right = true,
	.from_largest = true,
	.print = print_memory,
	.json = render_number_json,
};

/* Lists of ways sort by their length. */
static struct render_cell get_ways(const void *row)
{
	const struct vm *vm = row;

	return (struct render_cell){.known = vm->ways.len, .number = vm->ways.len, .object = vm};
}

static void print_ways(const struct render_cell *cell, bool exact, struct kt_buf *out)
{
	const struct vm *vm = cell->object;

	(void)exact;
	kt_vec_for_each (&vm->ways, way)
		kt_buf_printf(out, "%s%s", way == vm->ways.data ? "" : " ", way->target);
}

static json_t *json_ways(const struct render_cell *cell)
{
	static const char *const kinds[] = {
		[VM_WAY_LIBVIRT] = "libvirt", [VM_WAY_QMP] = "qmp", [VM_WAY_STUB] = "stub"};
	const struct vm *vm = cell->object;
	json_t *array = json_array();

	kt_vec_for_each (&vm->ways, way) {
		json_t *object = json_object();

		json_object_set_new(object, "kind", json_string(kinds[way->kind]));
		json_object_set_new(object, "target", kt_json_text(way->target));
		json_object_set_new(object, "busy", json_boolean(way->busy));
		json_array_append_new(array, object);
	}
	return array;
}

static const struct render_type as_ways = {
	.from_largest = true,
	.print = print_ways,
	.json = json_ways,
};

/* clang-format off */
#define STRING(member) RENDER_STRING(struct vm, member)

static const struct render_column vm_columns[] = {
	{"pid", NULL, "PID", &render_as_id, RENDER_U32(struct vm, pid), .flags = RENDER_ALWAYS},
	{"name", NULL, "NAME", &render_as_text, STRING(name), .longest = 30, .flags = RENDER_ALWAYS},
	{"uuid", NULL, "UUID", &render_as_text, STRING(uuid), .flags = RENDER_NOT_IN_TABLE},
	{"uid", NULL, "UID", &render_as_id, RENDER_U32(struct vm, uid), .flags = RENDER_NOT_IN_TABLE},
	{"user", NULL, "USER", &render_as_text, STRING(user), .longest = 16},
	{"arch", NULL, "ARCH", &render_as_text, STRING(arch), .longest = 16},
	{"accel", NULL, "ACCEL", &render_as_text, STRING(accel), .longest = 16, .flags = RENDER_ALWAYS},
	{"vcpus", "cpus", "CPUS", &render_as_number, RENDER_KNOWN(struct vm, vcpus), .flags = RENDER_ALWAYS},
	{"memory", NULL, "MEMORY", &as_memory, RENDER_KNOWN(struct vm, memory), .flags = RENDER_ALWAYS},
	{"kernel", NULL, "KERNEL", &render_as_text, STRING(kernel), .longest = 32, .flags = RENDER_ALWAYS},
	{"image", NULL, "IMAGE", &render_as_text, STRING(image), .flags = RENDER_NOT_IN_TABLE},
	{"target", NULL, "TARGET", &render_as_text, RENDER_GET(get_target), .flags = RENDER_ALWAYS},
	{"ways", NULL, "WAYS", &as_ways, RENDER_GET(get_ways), .flags = RENDER_NOT_IN_TABLE},
	{"why", NULL, "BUT", &render_as_text, STRING(why), .flags = RENDER_CUT},
};
/* clang-format on */

struct render_grid render_vms_grid(const struct vms *vms)
{
	return (struct render_grid)RENDER_GRID(vm_columns, vms->v.data, vms->v.len);
}

struct kt_error *render_vms_json(const struct render_grid *grid, char **ret)
{
	json_t *root = json_object(), *array = json_array();

	json_object_set_new(root, "schema", json_string("ktstr-gdb.vms.v1"));
	for (size_t i = 0; i < grid->n_rows; i++) {
		json_t *object = json_object();

		render_grid_json(grid, render_grid_row(grid, i), object);
		json_array_append_new(array, object);
	}
	json_object_set_new(root, "vms", array);
	return kt_json_dump(root, ret);
}
