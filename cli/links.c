// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli/objects.h"
#include "host/target.h"
#include "render/objects.h"

static const char help[] =
	"Usage: ktstr-gdb links [TARGET] [--vmlinux FILE] [OPTION...]\n"
	"\n"
	"Prints the BPF links of a running QEMU guest, as `bpftool link` names things.\n"
	"The guest stops for a few milliseconds, and runs on.\n"
	"\n" HOST_TARGET_HELP "\n";

static const char output_help[] =
	"Output:\n"
	"  --type TYPE[,TYPE]   only links of these types, as bpftool names them\n"
	"  --id ID[,ID]         only these links\n"
	"  --sort KEY           sort by a column of -o; names from A, numbers the largest\n"
	"                       first, ids the smallest; -KEY turns it around\n"
	"  -o, --output LIST    columns: id, type, prog_id, prog_type, attach_type,\n"
	"                       attached_to, tp_name, target_name, target_obj_id,\n"
	"                       target_btf_id, cgroup_id, netns_ino, ifindex, devname,\n"
	"                       map_id, order, tid, pid, cookie, perf_type, retprobe,\n"
	"                       addr, func, offset, file, ref_ctr_offset, missed,\n"
	"                       tracepoint, event_type, event_config, path, func_cnt,\n"
	"                       funcs, pf, hook, prio, flags, pids, pinned\n"
	"                       Without -o, a table that is wider than the terminal (80\n"
	"                       columns in a pipe) leaves out prog_type, cookie, missed\n"
	"                       and attach_type, in this order, as far as needed. If it\n"
	"                       is still too wide, attached_to goes on in the next line.\n" CLI_HOLDERS_HELP
	"  --json               one JSON document, with bpftool's names\n"
	"  --csv                comma-separated, one line a link\n"
	"  --timing             where the time went, on stderr\n"
	"  --color WHEN         auto, always or never\n";

static struct render_grid grid(struct inspection *inspection)
{
	return render_links_grid(&inspection->links);
}

static size_t unreadable(const struct inspection *inspection)
{
	return inspection->links.n_unreadable;
}

int cli_links(int argc, char **argv)
{
	static const struct cli_objects links = {.what = "links",
						 .noun = "BPF links",
						 .texts = {help, output_help},
						 .types = {"bpf_link_type", "BPF_LINK_TYPE_",
							   "link", NULL},
						 .idr = "link_idr",
						 .object = INSPECT_LINKS,
						 .grid = grid,
						 .unreadable = unreadable};

	return cli_objects(&links, argc, argv);
}
