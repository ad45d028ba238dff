// SPDX-License-Identifier: LGPL-2.1-or-later
#include <string.h>

#include "cli/objects.h"
#include "host/target.h"
#include "render/objects.h"

static const char help[] =
	"Usage: ktstr-gdb net [show [dev NAME]] [TARGET] [--vmlinux FILE] [OPTION...]\n"
	"\n"
	"Prints the BPF programs that are attached to the network of a running QEMU\n"
	"guest, as `bpftool net show` does, and of every network namespace: XDP, filters\n"
	"of tc, tcx, netkit, flow dissectors, sk_lookup and netfilter. Besides, those of\n"
	"sockmaps and sockhashes, which are of no namespace. The guest stops for a few\n"
	"milliseconds, and runs on. With dev NAME it leaves out what other devices have,\n"
	"of all namespaces.\n"
	"\n" HOST_TARGET_HELP "\n";

static const char output_help[] =
	"Output:\n"
	"  --name GLOB          only programs whose name matches; may be given again\n"
	"  --id ID[,ID]         only these programs\n"
	"  --sort KEY           sort by a column of -o; names from A, numbers the largest\n"
	"                       first, ids the smallest; -KEY turns it around\n"
	"  -o, --output LIST    columns: netns_ino, section, devname, ifindex, id,\n"
	"                       prog_name, link_id, place, kind, filter, chain, prio,\n"
	"                       protocol, handle, direct_action, classic, map_id, pf,\n"
	"                       hook, priority, flags\n"
	"                       Without -o, a table that is wider than the terminal (80\n"
	"                       columns in a pipe) leaves out link_id. If it is still too\n"
	"                       wide, place goes on in the next line.\n"
	"  --json               one JSON document, with bpftool's names\n"
	"  --csv                comma-separated, one line a program at a place\n"
	"  --timing             where the time went, on stderr\n"
	"  --color WHEN         auto, always or never\n";

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

int cli_net(int argc, char **argv)
{
	struct cli_objects net = {.what = "net",
				  .noun = "BPF programs attached to the network",
				  .texts = {help, output_help},
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
