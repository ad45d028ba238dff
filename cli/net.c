// SPDX-License-Identifier: LGPL-2.1-or-later
#include <string.h>

#include "cli/objects.h"
#include "render/objects.h"

static struct render_grid grid(struct inspection *inspection)
{
	return render_net_grid(&inspection->net);
}

static size_t unreadable(const struct inspection *inspection)
{
	return inspection->net.n_unreadable;
}

static struct kt_error *document(const struct inspection *inspection,
				 const struct render_grid *rows, const struct render_guest *guest,
				 char **ret)
{
	return render_net_json(&inspection->net, rows, guest, ret);
}

static void note(const struct inspection *inspection)
{
	if (inspection->net.n_unknown)
		cli_note("%zu qdiscs or filters are left out: nothing tells how a module lays them "
			 "out, and the guest has no BTF of it (CONFIG_DEBUG_INFO_BTF_MODULES)",
			 inspection->net.n_unknown);
}

static struct render_grid columns(void)
{
	struct inspection none = {0};

	return grid(&none);
}

/* clang-format off */
static const struct cli_option output_options[] = {
	{"name", CLI_OPT_NAME, "GLOB",
	 "only programs whose name matches; may be given again"},
	{"id", CLI_OPT_ID, "ID[,ID]",
	 "only these programs"},
	{"sort", CLI_OPT_SORT, "KEY",
	 "sort by a column of -o; names from A, numbers the largest first, ids the smallest; -KEY turns "
	 "it around"},
	{"output", 'o', "LIST",
	 "columns: netns_ino, section, devname, ifindex, id, prog_name, link_id, place, kind, filter, "
	 "chain, prio, protocol, handle, direct_action, classic, map_id, pf, hook, priority, flags\n"
	 "Without -o, a table that is wider than the terminal (80 columns in a pipe) leaves out link_id. "
	 "If it is still too wide, place goes on in the next line."},
	{"json", CLI_OPT_JSON, NULL,
	 "one JSON document, with bpftool's names"},
	{"csv", CLI_OPT_CSV, NULL,
	 "comma-separated, one line a program at a place"},
	CLI_TIMING_OPTION,
	CLI_COLOR_OPTION,
	{0},
};
/* clang-format on */

static int run_command(int argc, char **argv)
{
	struct cli_objects net = {.what = "net",
				  .noun = "BPF programs attached to the network",
				  .command = &cli_net_command,
				  .idr = "net_namespace_list",
				  .object = INSPECT_NET,
				  .grid = grid,
				  .unreadable = unreadable,
				  .document = document,
				  .note = note};

	if (argc > 1 && (strcmp(argv[1], "show") == 0 || strcmp(argv[1], "list") == 0)) {
		argv[1] = argv[0];
		argc--;
		argv++;
	}
	if (argc == 3 && strcmp(argv[1], "dev") == 0 &&
	    (!strcmp(argv[2], "--help") || !strcmp(argv[2], "-h"))) {
		argv[1] = argv[0];
		argc--;
		argv++;
	}
	if (argc > 1 && strcmp(argv[1], "dev") == 0) {
		if (argc < 3 || argv[2][0] == '-')
			return cli_fail(
				kt_error_new(KT_ERROR_USAGE, "net show dev needs a device's name"));
		net.only = argv[2];
		net.only_in[0] = "devname";
		argv[2] = argv[0];
		argc -= 2;
		argv += 2;
	}
	return cli_objects(&net, argc, argv);
}

/* clang-format off */
const struct cli_command cli_net_command = {
	.name = "net",
	.summary = "BPF programs at the network of a running guest",
	.section = CLI_RUNNING,
	.uses = {{"net [TARGET]", "what is attached to its network"}},
	.synopsis = "net [show [dev NAME]] [TARGET] [OPTION...]",
	.text = "Prints the BPF programs that are attached to the network of a running QEMU\n"
		"guest, as `bpftool net show` does, and of every network namespace: XDP, filters\n"
		"of tc, tcx, netkit, flow dissectors, sk_lookup and netfilter. Besides, those of\n"
		"sockmaps and sockhashes, which are of no namespace. The guest stops for a few\n"
		"milliseconds, and runs on. With dev NAME it leaves out what other devices have,\n"
		"of all namespaces.",
	.groups = {
		CLI_GUEST_GROUP,
		{"Output", output_options, NULL},
	},
	.examples = {{"ktstr-gdb net :1234",
		      NULL},
		     {"ktstr-gdb net show dev lo :1234",
		      NULL}},
	.see = "bpftool-net(8)",
	.takes = CLI_TAKES_TARGET,
	.words = "show,list",
	.grid = columns,
	.run = run_command,
};
/* clang-format on */
