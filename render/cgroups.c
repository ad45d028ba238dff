// SPDX-License-Identifier: LGPL-2.1-or-later
/* What is attached to cgroups, a row a program, named as `bpftool -j cgroup` names it. */
#include <string.h>

#include "model/json.h"
#include "model/json_put.h"
#include "render/objects.h"

enum { ALLOW_OVERRIDE = 1, ALLOW_MULTI = 2, PREORDER = 64 }; /* BPF_F_* */

/* bpftool's words; it has a number for all others: "unknown(42)". */
static void print_flags(const struct render_cell *cell, bool exact, struct kt_buf *out)
{
	(void)exact;
	if (cell->number == ALLOW_MULTI)
		kt_buf_appends(out, "multi");
	else if (cell->number == ALLOW_OVERRIDE)
		kt_buf_appends(out, "override");
	else if (cell->number)
		kt_buf_printf(out, "unknown(%llx)", (unsigned long long)cell->number);
}

static json_t *flags_json(const struct render_cell *cell)
{
	struct kt_buf text = KT_BUF_INIT;
	json_t *json;

	if (!cell->known)
		return json_null();
	print_flags(cell, true, &text);
	json = kt_json_slice((struct kt_text){text.data ? text.data : "", text.len});
	kt_buf_deinit(&text);
	return json;
}

static const struct render_type as_flags = {.print = print_flags, .json = flags_json};

/* Where it is mounted, if it is known to be; else below the root of cgroups. */
static const char *directory(const struct cgroup_program *program)
{
	return program->cgroup ? program->cgroup : program->path;
}

static void print_cgroup(const struct render_cell *cell, bool exact, struct kt_buf *out)
{
	const struct cgroup_program *program = cell->object;

	kt_buf_appends(out, directory(program));
	if (program->dead.value && !exact)
		kt_buf_appends(out, " (removed)");
}

static json_t *cgroup_json(const struct render_cell *cell)
{
	return cell->known ? kt_json_text(directory(cell->object)) : json_null();
}

static int compare_cgroups(const struct render_cell *a, const struct render_cell *b)
{
	return strcmp(directory(a->object), directory(b->object));
}

static const struct render_type as_cgroup = {
	.compare = compare_cgroups, .print = print_cgroup, .json = cgroup_json};

static struct render_cell get_cgroup(const void *row)
{
	struct render_cell cell = render_string_cell(directory(row));

	cell.object = row;
	return cell;
}

/* clang-format off */
#define KNOWN(member)  RENDER_KNOWN(struct cgroup_program, member)
#define STRING(member) RENDER_STRING(struct cgroup_program, member)
#define APART          .flags = RENDER_NOT_IN_TABLE

/* From FIRST_OF_CGROUP on they are of the cgroup, and not of the program. */
static const struct render_column columns[] = {
	{"id", NULL, "ID", &render_as_id, KNOWN(id), .flags = RENDER_ALWAYS},
	{"type", NULL, "TYPE", &render_as_text, STRING(type), APART},
	{"attach_type", NULL, "ATTACH TYPE", &render_as_text, STRING(attach_type), .flags = RENDER_ALWAYS},
	{"attach_flags", "flags", "FLAGS", &as_flags, KNOWN(attach_flags)},
	{"name", NULL, "NAME", &render_as_text, STRING(name), .flags = RENDER_ALWAYS, .longest = 24},
	{"link_id", "link", "LINK", &render_as_number, KNOWN(link_id), .leave = 1},
	{"attach_btf_name", NULL, "FUNC", &render_as_text, STRING(attach_btf_name), .leave = 2},
	{"attach_btf_obj_id", NULL, "OBJ", &render_as_number, KNOWN(attach_btf_obj_id), APART},
	{"attach_btf_id", NULL, "BTF TYPE", &render_as_number, KNOWN(attach_btf_id), APART},
	{"cgroup", NULL, "CGROUP", &as_cgroup, RENDER_GET(get_cgroup), .flags = RENDER_ALWAYS | RENDER_WRAP},
	{"path", NULL, "PATH", &render_as_text, STRING(path), APART},
	{"cgroup_id", NULL, "CGROUP ID", &render_as_number, KNOWN(cgroup_id), APART},
	{"dead", NULL, "DEAD", &render_as_yes_no, KNOWN(dead), APART},
};
/* clang-format on */

#define FIRST_OF_CGROUP 9

struct render_grid render_cgroups_grid(struct cgroups *cgroups)
{
	return (struct render_grid)RENDER_GRID(columns, cgroups->all, cgroups->n);
}

/* The key of some of the columns. */
static void put_columns(const struct render_grid *grid, size_t first, size_t end, const void *row,
			json_t *object)
{
	struct render_grid part = *grid;

	part.columns = grid->columns + first;
	part.n_columns = end - first;
	part.n_selected = 0;
	render_grid_json(&part, row, object);
}

static bool is_same_cgroup(const struct cgroup_program *a, const struct cgroup_program *b)
{
	return a->cgroup_id.known == b->cgroup_id.known &&
	       a->cgroup_id.value == b->cgroup_id.value && !a->path == !b->path &&
	       (!a->path || strcmp(a->path, b->path) == 0);
}

json_t *render_cgroups_json(const struct render_grid *grid)
{
	json_t *array = json_array(), *programs = NULL;
	const struct cgroup_program *last = NULL;

	for (size_t i = 0; i < grid->n_rows; i++) {
		const struct cgroup_program *row = render_grid_row(grid, i);
		json_t *program = json_object();

		if (!last || !is_same_cgroup(row, last)) {
			json_t *cgroup = json_object();

			programs = json_array();
			put_columns(grid, FIRST_OF_CGROUP, grid->n_columns, row, cgroup);
			json_object_set_new(cgroup, "programs", programs);
			json_array_append_new(array, cgroup);
		}
		last = row;
		put_columns(grid, 0, FIRST_OF_CGROUP, row, program);
		json_array_append_new(programs, program);
	}
	return array;
}
