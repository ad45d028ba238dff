// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli/objects.h"
#include "render/objects.h"

static struct render_grid grid(struct inspection *inspection)
{
	return render_maps_grid(&inspection->maps);
}

static size_t unreadable(const struct inspection *inspection)
{
	return inspection->maps.n_unreadable;
}

static struct render_grid columns(void)
{
	struct inspection none = {0};

	return grid(&none);
}

/* clang-format off */
static const struct cli_option output_options[] = {
	{"type", CLI_OPT_TYPE, "TYPE[,TYPE]",
	 "only maps of these types, as bpftool names them"},
	{"name", CLI_OPT_NAME, "GLOB",
	 "only maps whose name matches; may be given again"},
	{"id", CLI_OPT_ID, "ID[,ID]",
	 "only these maps"},
	{"sort", CLI_OPT_SORT, "KEY",
	 "sort by a column of -o; names from A, numbers the largest first, ids the smallest; -KEY turns "
	 "it around"},
	{"output", 'o', "LIST",
	 "columns: id, type, name, flags, bytes_key, bytes_value, max_entries, bytes_memlock, frozen, "
	 "btf_id, pids, pinned"},
	CLI_HOLDERS_OPTION,
	{"json", CLI_OPT_JSON, NULL,
	 "one JSON document, with bpftool's names"},
	{"csv", CLI_OPT_CSV, NULL,
	 "comma-separated, one line a map"},
	CLI_TIMING_OPTION,
	CLI_COLOR_OPTION,
	{0},
};
/* clang-format on */

static int run_command(int argc, char **argv)
{
	static const struct cli_objects maps = {.what = "maps",
						.noun = "BPF maps",
						.command = &cli_maps_command,
						.types = {"bpf_map_type", "BPF_MAP_TYPE_", "map",
							  NULL},
						.idr = "map_idr",
						.object = INSPECT_MAPS,
						.grid = grid,
						.unreadable = unreadable};

	return cli_objects(&maps, argc, argv);
}

/* clang-format off */
const struct cli_command cli_maps_command = {
	.name = "maps",
	.summary = "the BPF maps of a running guest",
	.section = CLI_RUNNING,
	.uses = {{"maps [TARGET]", "its BPF maps"}},
	.synopsis = "maps [TARGET] [OPTION...]",
	.text = "Prints the BPF maps of a running QEMU guest, as `bpftool map` names things. The\n"
		"guest stops for a few milliseconds, and runs on.",
	.groups = {
		CLI_GUEST_GROUP,
		{"Output", output_options, NULL},
	},
	.examples = {{"ktstr-gdb maps :1234 --type hash,array",
		      NULL},
		     {"ktstr-gdb maps :1234 --holders --json",
		      "With the processes that have them open."}},
	.see = "bpftool-map(8), ktstr-gdb-map(1)",
	.takes = CLI_TAKES_TARGET,
	.grid = columns,
	.type = cli_map_type,
	.run = run_command,
};
/* clang-format on */
