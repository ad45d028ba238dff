// SPDX-License-Identifier: LGPL-2.1-or-later
#include <string.h>

#include "cli/objects.h"
#include "host/target.h"
#include "render/objects.h"

static const char help[] =
	"Usage: ktstr-gdb cgroup [tree] [TARGET] [--vmlinux FILE] [OPTION...]\n"
	"       ktstr-gdb cgroup show CGROUP [effective] [TARGET] [OPTION...]\n"
	"\n"
	"Prints the BPF programs that are attached to the cgroups of a running QEMU\n"
	"guest, as `bpftool cgroup tree` does: a row for each program at each cgroup\n"
	"(v2). show has those of one cgroup, which is a path in the guest, with or\n"
	"without the directory where it is mounted: /sys/fs/cgroup/a, /a. The guest stops\n"
	"for a few milliseconds, and runs on.\n"
	"\n" HOST_TARGET_HELP "\n";

static const char output_help[] =
	"Output:\n"
	"  --effective          what runs for the processes of each cgroup, with what it\n"
	"                       has from the cgroups above it\n"
	"  --type TYPE[,TYPE]   only programs of these types, as bpftool names them\n"
	"  --name GLOB          only programs whose name matches; may be given again\n"
	"  --id ID[,ID]         only these programs\n"
	"  --sort KEY           sort by a column of -o; names from A, numbers the largest\n"
	"                       first, ids the smallest; -KEY turns it around\n"
	"  -o, --output LIST    columns: id, type, attach_type, attach_flags, name,\n"
	"                       link_id, attach_btf_name, attach_btf_obj_id,\n"
	"                       attach_btf_id, cgroup, path, cgroup_id, dead\n"
	"                       Without -o, a table that is wider than the terminal (80\n"
	"                       columns in a pipe) leaves out link_id and\n"
	"                       attach_btf_name, in this order, as far as needed. If it\n"
	"                       is still too wide, cgroup goes on in the next line.\n"
	"  --json               one JSON document, with bpftool's names\n"
	"  --csv                comma-separated, one line a program at a cgroup\n"
	"  --timing             where the time went, on stderr\n"
	"  --color WHEN         auto, always or never\n";

static struct render_grid grid(struct inspection *inspection)
{
	return render_cgroups_grid(&inspection->cgroups);
}

static size_t unreadable(const struct inspection *inspection)
{
	return inspection->cgroups.n_unreadable;
}

static json_t *json(const struct inspection *inspection, const struct render_grid *rows)
{
	(void)inspection;
	return render_cgroups_json(rows);
}

static void set_effective(struct inspect_options *what)
{
	what->effective = true;
}

/* "show CGROUP [effective]"; the rest is for cli_objects(). */
static struct kt_error *take_cgroup(int *argc, char ***argv, struct cli_objects *cgroups)
{
	static char effective[] = "--effective";
	char **args = *argv;

	if (*argc == 3 && (!strcmp(args[2], "--help") || !strcmp(args[2], "-h"))) {
		args[1] = args[0];
		--*argc;
		++*argv;
		return NULL;
	}
	if (*argc < 3 || args[2][0] != '/')
		return kt_error_hint(kt_error_new(KT_ERROR_USAGE,
						  "cgroup show needs a cgroup, a path that begins "
						  "with \"/\""),
				     "`ktstr-gdb cgroup` lists those that have programs");
	for (size_t len = strlen(args[2]); len > 1 && args[2][len - 1] == '/'; len--)
		args[2][len - 1] = '\0';
	cgroups->only = args[2];
	cgroups->only_in[0] = "cgroup";
	cgroups->only_in[1] = "path";
	cgroups->only_known = true;
	if (*argc > 3 && strcmp(args[3], "effective") == 0)
		args[3] = effective;
	args[2] = args[0];
	*argc -= 2;
	*argv += 2;
	return NULL;
}

int cli_cgroup(int argc, char **argv)
{
	struct cli_objects cgroups = {.what = "cgroups",
				      .noun = "BPF programs attached to cgroups",
				      .texts = {help, output_help},
				      .types = {"bpf_prog_type", "BPF_PROG_TYPE_", "program", NULL},
				      .idr = "cgrp_dfl_root",
				      .object = INSPECT_CGROUPS,
				      .option = "effective",
				      .set = set_effective,
				      .grid = grid,
				      .unreadable = unreadable,
				      .json = json};

	if (argc > 1 && strcmp(argv[1], "show") == 0) {
		struct kt_error *err = take_cgroup(&argc, &argv, &cgroups);

		if (err)
			return cli_fail(err);
	} else if (argc > 1 && strcmp(argv[1], "tree") == 0) {
		argv[1] = argv[0];
		argc--;
		argv++;
	}
	return cli_objects(&cgroups, argc, argv);
}
