// SPDX-License-Identifier: LGPL-2.1-or-later
#include <string.h>

#include "cli/objects.h"
#include "host/target.h"
#include "render/objects.h"

static const char help[] =
	"Usage: ktstr-gdb perf [show] [TARGET] [--vmlinux FILE] [OPTION...]\n"
	"\n"
	"Prints the perf events of a running QEMU guest at which BPF programs run, and\n"
	"its raw tracepoints, as `bpftool perf show` does: a row for each descriptor that\n"
	"a process has open. The guest stops for some milliseconds, and runs on.\n"
	"\n" HOST_TARGET_HELP "\n";

static const char output_help[] =
	"Output:\n"
	"  --type TYPE[,TYPE]   only raw_tracepoint, tracepoint, kprobe, kretprobe,\n"
	"                       uprobe, uretprobe or event\n"
	"  --name GLOB          only programs whose name matches; may be given again\n"
	"  --id ID[,ID]         only these programs\n"
	"  --sort KEY           sort by a column of -o; names from A, numbers the largest\n"
	"                       first, ids the smallest; -KEY turns it around\n"
	"  -o, --output LIST    columns: pid, comm, fd, prog_id, name, fd_type,\n"
	"                       attached_to, tracepoint, func, offset, addr, filename,\n"
	"                       cookie, event_type, event_config\n"
	"                       Without -o, a table that is wider than the terminal (80\n"
	"                       columns in a pipe) leaves out comm. If it is still too\n"
	"                       wide, attached_to goes on in the next line.\n"
	"  --json               one JSON document, with bpftool's names\n"
	"  --csv                comma-separated, one line a descriptor\n"
	"  --timing             where the time went, on stderr\n"
	"  --color WHEN         auto, always or never\n";

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

int cli_perf(int argc, char **argv)
{
	static const struct cli_objects perf = {
		.what = "perf",
		.noun = "BPF programs at perf events",
		.texts = {help, output_help},
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
