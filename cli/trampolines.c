// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli/objects.h"
#include "host/target.h"
#include "render/objects.h"

static const char help[] =
	"Usage: ktstr-gdb trampolines [TARGET] [--vmlinux FILE] [OPTION...]\n"
	"\n"
	"Prints the functions of a running QEMU guest in front of which, or around which,\n"
	"BPF programs run: fentry, fexit, fmod_ret, LSM and freplace programs. It reads\n"
	"the kernel's own table of trampolines, so it does not depend on what the guest\n"
	"lists. The guest stops for a few milliseconds, and runs on.\n"
	"\n" HOST_TARGET_HELP "\n";

static const char output_help[] =
	"Output:\n"
	"  --type TYPE[,TYPE]   only fentry, fexit, modify_return or replace\n"
	"  --name GLOB          only programs whose name matches; may be given again\n"
	"  --sort KEY           sort by a column of -o; names from A, numbers the largest\n"
	"                       first, ids the smallest; -KEY turns it around\n"
	"  -o, --output LIST    columns: func, type, prog_id, name, link_id, cookie,\n"
	"                       addr, target_obj_id, target_btf_id\n"
	"  --json               one JSON document\n"
	"  --csv                comma-separated, one line a program\n"
	"  --timing             where the time went, on stderr\n"
	"  --color WHEN         auto, always or never\n";

static struct render_grid grid(struct inspection *inspection)
{
	return render_trampolines_grid(&inspection->trampolines);
}

static size_t unreadable(const struct inspection *inspection)
{
	return inspection->trampolines.n_unreadable;
}

static struct kt_error *name_them(struct inspection *inspection)
{
	return trampolines_name(&inspection->trampolines, &inspection->programs)
		       ? NULL
		       : kt_error_no_memory();
}

int cli_trampolines(int argc, char **argv)
{
	static const struct cli_objects trampolines = {
		.what = "trampolines",
		.noun = "programs on trampolines",
		.texts = {help, output_help},
		.types = {"bpf_tramp_prog_type", "BPF_TRAMP_", "trampoline", NULL},
		.idr = "trampoline_table",
		.object = INSPECT_TRAMPOLINES | INSPECT_PROGRAMS,
		.prepare = name_them,
		.grid = grid,
		.unreadable = unreadable,
	};

	return cli_objects(&trampolines, argc, argv);
}
