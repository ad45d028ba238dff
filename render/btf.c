// SPDX-License-Identifier: LGPL-2.1-or-later
/* The columns of BTF objects, named as `bpftool -j btf list` names them. */
#include "render/held.h"
#include "render/ids.h"
#include "render/objects.h"

static struct render_cell get_prog_ids(const void *row)
{
	const struct btf_object *object = row;

	return render_ids_cell(true, object->prog_ids, object->n_prog_ids);
}

static struct render_cell get_map_ids(const void *row)
{
	const struct btf_object *object = row;

	return render_ids_cell(true, object->map_ids, object->n_map_ids);
}

static struct render_cell get_base(const void *row)
{
	const struct btf_object *object = row;

	return render_number_cell(object->base_id != 0, object->base_id);
}

static struct render_cell get_kernel(const void *row)
{
	const struct btf_object *object = row;

	return render_number_cell(object->kernel.known, object->kernel.value);
}

static struct render_cell get_pids(const void *row)
{
	const struct btf_object *object = row;

	return render_pids_cell(&object->held);
}

/* clang-format off */
static const struct render_column columns[] = {
	{"id", NULL, "ID", &render_as_id, RENDER_U32(struct btf_object, id), .flags = RENDER_ALWAYS},
	{"name", NULL, "NAME", &render_as_text, RENDER_CHARS(struct btf_object, name), .flags = RENDER_ALWAYS},
	{"size", NULL, "SIZE", &render_as_number, RENDER_KNOWN(struct btf_object, size)},
	{"kernel", NULL, "KERNEL", &render_as_yes_no, RENDER_GET(get_kernel)},
	{"base_id", "base", "BASE", &render_as_number, RENDER_GET(get_base), .flags = RENDER_NOT_IN_TABLE},
	{"prog_ids", "progs", "PROGS", &render_as_ids, RENDER_GET(get_prog_ids), .flags = RENDER_CUT},
	{"map_ids", "maps", "MAPS", &render_as_ids, RENDER_GET(get_map_ids), .flags = RENDER_CUT},
	{"pids", NULL, "HELD BY", &render_as_pids, RENDER_GET(get_pids), .flags = RENDER_WRAP},
};
/* clang-format on */

struct render_grid render_btf_grid(struct btf_objects *objects)
{
	return (struct render_grid)RENDER_GRID(columns, objects->all, objects->n);
}
