// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli/objects.h"
#include "render/objects.h"

static struct render_grid grid(struct inspection *inspection)
{
	return render_struct_ops_grid(&inspection->struct_ops);
}

static size_t unreadable(const struct inspection *inspection)
{
	return inspection->struct_ops.n_unreadable;
}

static struct kt_error *name_them(struct inspection *inspection)
{
	return struct_ops_name(&inspection->struct_ops, &inspection->programs)
		       ? NULL
		       : kt_error_no_memory();
}

static struct render_grid columns(void)
{
	struct inspection none = {0};

	return grid(&none);
}

/* clang-format off */
static const struct cli_option output_options[] = {
	{"name", CLI_OPT_NAME, "GLOB",
	 "only those whose name matches; may be given again"},
	{"id", CLI_OPT_ID, "ID[,ID]",
	 "only these, by the map's ID"},
	{"sort", CLI_OPT_SORT, "KEY",
	 "sort by a column of -o; names from A, numbers the largest first, ids the smallest; -KEY turns "
	 "it around"},
	{"output", 'o', "LIST",
	 "columns: id, name, kernel_struct_ops, state, progs"},
	{"json", CLI_OPT_JSON, NULL,
	 "one JSON document, with bpftool's names"},
	{"csv", CLI_OPT_CSV, NULL,
	 "comma-separated, one line a struct_ops"},
	CLI_TIMING_OPTION,
	CLI_COLOR_OPTION,
	{0},
};
/* clang-format on */

static int run_command(int argc, char **argv)
{
	static const struct cli_objects ops = {
		.what = "struct_ops",
		.noun = "struct_ops",
		.command = &cli_struct_ops_command,
		.idr = "map_idr",
		.object = INSPECT_STRUCT_OPS | INSPECT_PROGRAMS,
		.prepare = name_them,
		.grid = grid,
		.unreadable = unreadable,
	};

	return cli_objects(&ops, argc, argv);
}

/* clang-format off */
const struct cli_command cli_struct_ops_command = {
	.name = "struct_ops",
	.summary = "the struct_ops of a running guest",
	.section = CLI_RUNNING,
	.uses = {{"struct_ops [TARGET]", "its struct_ops, and their programs"}},
	.synopsis = "struct_ops [TARGET] [OPTION...]",
	.text = "Prints the struct_ops of a running QEMU guest, as `bpftool struct_ops` does:\n"
		"maps that stand for a struct of functions of the kernel, a congestion control or\n"
		"a scheduler; with the state of each, and the programs behind its members. The\n"
		"guest stops for a few milliseconds, and runs on.",
	.groups = {
		CLI_GUEST_GROUP,
		{"Output", output_options, NULL},
	},
	.examples = {{"ktstr-gdb struct_ops :1234",
		      NULL}},
	.see = "bpftool-struct_ops(8)",
	.takes = CLI_TAKES_TARGET,
	.grid = columns,
	.run = run_command,
};
/* clang-format on */
