// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli/objects.h"
#include "host/target.h"
#include "render/objects.h"

static const char help[] =
	"Usage: ktstr-gdb struct_ops [TARGET] [--vmlinux FILE] [OPTION...]\n"
	"\n"
	"Prints the struct_ops of a running QEMU guest, as `bpftool struct_ops` does:\n"
	"maps that stand for a struct of functions of the kernel, a congestion control or\n"
	"a scheduler; with the state of each, and the programs behind its members. The\n"
	"guest stops for a few milliseconds, and runs on.\n"
	"\n" HOST_TARGET_HELP "\n";

static const char output_help[] =
	"Output:\n"
	"  --name GLOB          only those whose name matches; may be given again\n"
	"  --id ID[,ID]         only these, by the map's ID\n"
	"  --sort KEY           sort by a column of -o; names from A, numbers the largest\n"
	"                       first, ids the smallest; -KEY turns it around\n"
	"  -o, --output LIST    columns: id, name, kernel_struct_ops, state, progs\n"
	"  --json               one JSON document, with bpftool's names\n"
	"  --csv                comma-separated, one line a struct_ops\n"
	"  --timing             where the time went, on stderr\n"
	"  --color WHEN         auto, always or never\n";

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

int cli_struct_ops(int argc, char **argv)
{
	static const struct cli_objects ops = {
		.what = "struct_ops",
		.noun = "struct_ops",
		.texts = {help, output_help},
		.idr = "map_idr",
		.object = INSPECT_STRUCT_OPS | INSPECT_PROGRAMS,
		.prepare = name_them,
		.grid = grid,
		.unreadable = unreadable,
	};

	return cli_objects(&ops, argc, argv);
}
