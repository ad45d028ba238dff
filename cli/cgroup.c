// SPDX-License-Identifier: LGPL-2.1-or-later
#include <string.h>

#include "cli/objects.h"
#include "render/objects.h"

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

static struct render_grid columns(void)
{
	struct inspection none = {0};

	return grid(&none);
}

/* clang-format off */
static const struct cli_option output_options[] = {
	{"effective", CLI_OPT_OWN, NULL,
	 "what runs for the processes of each cgroup, with what it has from the cgroups above it"},
	{"type", CLI_OPT_TYPE, "TYPE[,TYPE]",
	 "only programs of these types, as bpftool names them"},
	{"name", CLI_OPT_NAME, "GLOB",
	 "only programs whose name matches; may be given again"},
	{"id", CLI_OPT_ID, "ID[,ID]",
	 "only these programs"},
	{"sort", CLI_OPT_SORT, "KEY",
	 "sort by a column of -o; names from A, numbers the largest first, ids the smallest; -KEY turns "
	 "it around"},
	{"output", 'o', "LIST",
	 "columns: id, type, attach_type, attach_flags, name, link_id, attach_btf_name, "
	 "attach_btf_obj_id, attach_btf_id, cgroup, path, cgroup_id, dead\n"
	 "Without -o, a table that is wider than the terminal (80 columns in a pipe) leaves out link_id "
	 "and attach_btf_name, in this order, as far as needed. If it is still too wide, cgroup goes on "
	 "in the next line."},
	{"json", CLI_OPT_JSON, NULL,
	 "one JSON document, with bpftool's names"},
	{"csv", CLI_OPT_CSV, NULL,
	 "comma-separated, one line a program at a cgroup"},
	CLI_TIMING_OPTION,
	CLI_COLOR_OPTION,
	{0},
};
/* clang-format on */

static int run_command(int argc, char **argv)
{
	struct cli_objects cgroups = {.what = "cgroups",
				      .noun = "BPF programs attached to cgroups",
				      .command = &cli_cgroup_command,
				      .types = {"bpf_prog_type", "BPF_PROG_TYPE_", "program", NULL},
				      .idr = "cgrp_dfl_root",
				      .object = INSPECT_CGROUPS,
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

/* clang-format off */
const struct cli_command cli_cgroup_command = {
	.name = "cgroup",
	.summary = "BPF programs at the cgroups of a running guest",
	.section = CLI_RUNNING,
	.uses = {{"cgroup [TARGET]", "what is attached to its cgroups"}},
	.synopsis = "cgroup [tree] [TARGET] [OPTION...]\n"
		    "cgroup show CGROUP [effective] [TARGET] [OPTION...]",
	.text = "Prints the BPF programs that are attached to the cgroups of a running QEMU\n"
		"guest, as `bpftool cgroup tree` does: a row for each program at each cgroup\n"
		"(v2). show has those of one cgroup, which is a path in the guest, with or\n"
		"without the directory where it is mounted: /sys/fs/cgroup/a, /a. The guest stops\n"
		"for a few milliseconds, and runs on.",
	.groups = {
		CLI_GUEST_GROUP,
		{"Output", output_options, NULL},
	},
	.examples = {{"ktstr-gdb cgroup :1234",
		      NULL},
		     {"ktstr-gdb cgroup show / :1234",
		      "What is attached to the root alone."}},
	.see = "bpftool-cgroup(8)",
	.takes = CLI_TAKES_TARGET,
	.words = "tree,show",
	.grid = columns,
	.type = cli_prog_type,
	.run = run_command,
};
/* clang-format on */
