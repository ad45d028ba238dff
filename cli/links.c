// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli/objects.h"
#include "render/objects.h"

static struct render_grid grid(struct inspection *inspection)
{
	return render_links_grid(&inspection->links);
}

static size_t unreadable(const struct inspection *inspection)
{
	return inspection->links.n_unreadable;
}

static struct render_grid columns(void)
{
	struct inspection none = {0};

	return grid(&none);
}

/* clang-format off */
static const struct cli_option output_options[] = {
	{"type", CLI_OPT_TYPE, "TYPE[,TYPE]",
	 "only links of these types, as bpftool names them"},
	{"id", CLI_OPT_ID, "ID[,ID]",
	 "only these links"},
	{"sort", CLI_OPT_SORT, "KEY",
	 "sort by a column of -o; names from A, numbers the largest first, ids the smallest; -KEY turns "
	 "it around"},
	{"output", 'o', "LIST",
	 "columns: id, type, prog_id, prog_type, attach_type, attached_to, tp_name, target_name, "
	 "target_obj_id, target_btf_id, cgroup_id, netns_ino, ifindex, devname, map_id, order, tid, pid, "
	 "cookie, perf_type, retprobe, addr, func, offset, file, ref_ctr_offset, missed, tracepoint, "
	 "event_type, event_config, path, func_cnt, funcs, pf, hook, prio, flags, pids, pinned\n"
	 "Without -o, a table that is wider than the terminal (80 columns in a pipe) leaves out "
	 "prog_type, cookie, missed and attach_type, in this order, as far as needed. If it is still too "
	 "wide, attached_to goes on in the next line."},
	CLI_HOLDERS_OPTION,
	{"json", CLI_OPT_JSON, NULL,
	 "one JSON document, with bpftool's names"},
	{"csv", CLI_OPT_CSV, NULL,
	 "comma-separated, one line a link"},
	CLI_TIMING_OPTION,
	CLI_COLOR_OPTION,
	{0},
};
/* clang-format on */

static int run_command(int argc, char **argv)
{
	static const struct cli_objects links = {.what = "links",
						 .noun = "BPF links",
						 .command = &cli_links_command,
						 .types = {"bpf_link_type", "BPF_LINK_TYPE_",
							   "link", NULL},
						 .idr = "link_idr",
						 .object = INSPECT_LINKS,
						 .grid = grid,
						 .unreadable = unreadable};

	return cli_objects(&links, argc, argv);
}

/* clang-format off */
const struct cli_command cli_links_command = {
	.name = "links",
	.summary = "the BPF links of a running guest",
	.section = CLI_RUNNING,
	.uses = {{"links [TARGET]", "its BPF links"}},
	.synopsis = "links [TARGET] [OPTION...]",
	.text = "Prints the BPF links of a running QEMU guest, as `bpftool link` names things.\n"
		"The guest stops for a few milliseconds, and runs on.",
	.groups = {
		CLI_GUEST_GROUP,
		{"Output", output_options, NULL},
	},
	.examples = {{"ktstr-gdb links :1234",
		      NULL},
		     {"ktstr-gdb links :1234 --type tracing -o id,prog_id,attached_to",
		      NULL}},
	.see = "bpftool-link(8)",
	.takes = CLI_TAKES_TARGET,
	.grid = columns,
	.type = cli_link_type,
	.run = run_command,
};
/* clang-format on */
