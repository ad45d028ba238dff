// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli/objects.h"
#include "host/target.h"
#include "render/objects.h"

static const char help[] =
	"Usage: ktstr-gdb maps [TARGET] [--vmlinux FILE] [OPTION...]\n"
	"\n"
	"Prints the BPF maps of a running QEMU guest, as `bpftool map` names things. The\n"
	"guest stops for a few milliseconds, and runs on.\n"
	"\n" HOST_TARGET_HELP "\n";

static const char output_help[] =
	"Output:\n"
	"  --type TYPE[,TYPE]   only maps of these types, as bpftool names them\n"
	"  --name GLOB          only maps whose name matches; may be given again\n"
	"  --id ID[,ID]         only these maps\n"
	"  --sort KEY           sort by a column of -o; names from A, numbers the largest\n"
	"                       first, ids the smallest; -KEY turns it around\n"
	"  -o, --output LIST    columns: id, type, name, flags, bytes_key, bytes_value,\n"
	"                       max_entries, bytes_memlock, frozen, btf_id, pids,\n"
	"                       pinned\n" CLI_HOLDERS_HELP
	"  --json               one JSON document, with bpftool's names\n"
	"  --csv                comma-separated, one line a map\n"
	"  --timing             where the time went, on stderr\n"
	"  --color WHEN         auto, always or never\n";

static struct render_grid grid(struct inspection *inspection)
{
	return render_maps_grid(&inspection->maps);
}

static size_t unreadable(const struct inspection *inspection)
{
	return inspection->maps.n_unreadable;
}

int cli_maps(int argc, char **argv)
{
	static const struct cli_objects maps = {.what = "maps",
						.noun = "BPF maps",
						.texts = {help, output_help},
						.types = {"bpf_map_type", "BPF_MAP_TYPE_", "map",
							  NULL},
						.idr = "map_idr",
						.object = INSPECT_MAPS,
						.grid = grid,
						.unreadable = unreadable};

	return cli_objects(&maps, argc, argv);
}
