// SPDX-License-Identifier: LGPL-2.1-or-later
#include <string.h>

#include "cli/objects.h"
#include "render/objects.h"

static struct render_grid grid(struct inspection *inspection)
{
	return render_perf_grid(&inspection->perf);
}

static size_t unreadable(const struct inspection *inspection)
{
	return inspection->perf.n_unreadable;
}

static struct kt_error *name_them(struct inspection *inspection)
{
	return perf_progs_name(&inspection->perf, &inspection->programs) ? NULL
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
	 "only raw_tracepoint, tracepoint, kprobe, kretprobe, uprobe, uretprobe or event"},
	{"name", CLI_OPT_NAME, "GLOB",
	 "only programs whose name matches; may be given again"},
	{"id", CLI_OPT_ID, "ID[,ID]",
	 "only these programs"},
	{"sort", CLI_OPT_SORT, "KEY",
	 "sort by a column of -o; names from A, numbers the largest first, ids the smallest; -KEY turns "
	 "it around"},
	{"output", 'o', "LIST",
	 "columns: pid, comm, fd, prog_id, name, fd_type, attached_to, tracepoint, func, offset, addr, "
	 "filename, cookie, event_type, event_config\n"
	 "Without -o, a table that is wider than the terminal (80 columns in a pipe) leaves out comm. If "
	 "it is still too wide, attached_to goes on in the next line."},
	{"json", CLI_OPT_JSON, NULL,
	 "one JSON document, with bpftool's names"},
	{"csv", CLI_OPT_CSV, NULL,
	 "comma-separated, one line a descriptor"},
	CLI_TIMING_OPTION,
	CLI_COLOR_OPTION,
	{0},
};
/* clang-format on */

static int run_command(int argc, char **argv)
{
	static const struct cli_objects perf = {
		.what = "perf",
		.noun = "BPF programs at perf events",
		.command = &cli_perf_command,
		.types = {.name = "perf events",
			  .what = "event",
			  .list = "raw_tracepoint, tracepoint, kprobe, kretprobe, uprobe, "
				  "uretprobe, event"},
		.idr = "open files",
		.object = INSPECT_PERF | INSPECT_PROGRAMS,
		.prepare = name_them,
		.grid = grid,
		.unreadable = unreadable,
	};

	if (argc > 1 && (strcmp(argv[1], "show") == 0 || strcmp(argv[1], "list") == 0)) {
		argv[1] = argv[0];
		argc--;
		argv++;
	}
	return cli_objects(&perf, argc, argv);
}

/* clang-format off */
const struct cli_command cli_perf_command = {
	.name = "perf",
	.summary = "perf events of a running guest that BPF programs are at",
	.section = CLI_RUNNING,
	.uses = {{"perf [TARGET]", "programs at its perf events"}},
	.synopsis = "perf [show] [TARGET] [OPTION...]",
	.text = "Prints the perf events of a running QEMU guest at which BPF programs run, and\n"
		"its raw tracepoints, as `bpftool perf show` does: a row for each descriptor that\n"
		"a process has open. The guest stops for some milliseconds, and runs on.",
	.groups = {
		CLI_GUEST_GROUP,
		{"Output", output_options, NULL},
	},
	.examples = {{"ktstr-gdb perf :1234 --type kprobe,kretprobe",
		      NULL}},
	.see = "bpftool-perf(8)",
	.takes = CLI_TAKES_TARGET,
	.words = "show,list",
	.grid = columns,
	.run = run_command,
};
/* clang-format on */
