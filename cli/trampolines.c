// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli/objects.h"
#include "render/objects.h"

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

static struct render_grid columns(void)
{
	struct inspection none = {0};

	return grid(&none);
}

/* clang-format off */
static const struct cli_option output_options[] = {
	{"type", CLI_OPT_TYPE, "TYPE[,TYPE]",
	 "only fentry, fexit, modify_return or replace"},
	{"name", CLI_OPT_NAME, "GLOB",
	 "only programs whose name matches; may be given again"},
	{"sort", CLI_OPT_SORT, "KEY",
	 "sort by a column of -o; names from A, numbers the largest first, ids the smallest; -KEY turns "
	 "it around"},
	{"output", 'o', "LIST",
	 "columns: func, module, type, prog_id, name, link_id, cookie, addr, target_obj_id, "
	 "target_btf_id"},
	{"json", CLI_OPT_JSON, NULL,
	 "one JSON document"},
	{"csv", CLI_OPT_CSV, NULL,
	 "comma-separated, one line a program"},
	CLI_TIMING_OPTION,
	CLI_COLOR_OPTION,
	{0},
};
/* clang-format on */

static int run_command(int argc, char **argv)
{
	static const struct cli_objects trampolines = {
		.what = "trampolines",
		.noun = "programs on trampolines",
		.command = &cli_trampolines_command,
		.types = {"bpf_tramp_prog_type", "BPF_TRAMP_", "trampoline", NULL},
		.idr = "trampoline_table",
		.object = INSPECT_TRAMPOLINES | INSPECT_PROGRAMS,
		.prepare = name_them,
		.grid = grid,
		.unreadable = unreadable,
	};

	return cli_objects(&trampolines, argc, argv);
}

/* clang-format off */
const struct cli_command cli_trampolines_command = {
	.name = "trampolines",
	.summary = "functions of a running guest that BPF programs are at",
	.section = CLI_RUNNING,
	.uses = {{"trampolines [TARGET]", "programs before and behind functions"}},
	.synopsis = "trampolines [TARGET] [OPTION...]",
	.text = "Prints the functions of a running QEMU guest in front of which, or around which,\n"
		"BPF programs run: fentry, fexit, fmod_ret, LSM and freplace programs. It reads\n"
		"the kernel's own table of trampolines, so it does not depend on what the guest\n"
		"lists. The guest stops for a few milliseconds, and runs on.",
	.groups = {
		CLI_GUEST_GROUP,
		{"Output", output_options, NULL},
	},
	.examples = {{"ktstr-gdb trampolines :1234",
		      NULL}},
	.takes = CLI_TAKES_TARGET,
	.grid = columns,
	.run = run_command,
};
/* clang-format on */
