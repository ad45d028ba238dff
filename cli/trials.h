/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What became of the programs of BPF objects, on the terminal; and several kernels side by side. */
#ifndef KT_CLI_TRIALS_H
#define KT_CLI_TRIALS_H

#include <jansson.h>

#include "cli/boot.h"
#include "render/trials.h"

struct cli_trials_options {
	const struct cli_output *output;
	bool raw;           /* logs as they are */
	bool stats, source; /* below the table those of `ktstr-gdb log`, of all logs */
	/* The first column, beside those of the kernels; not counted. NULL: there is none. */
	const struct render_kernel_trials *beside;
};

/* What is wrong with the options, for n kernels: KT_ERROR_USAGE. */
struct kt_error *cli_trials_check(const struct cli_trials_options *options, size_t n);

/*
 * Prints the table of one kernel, or that of several, why programs failed, and a line that counts;
 * or CSV. Gives the exit status.
 */
int cli_show_trials(const struct render_kernel_trials *kernels, size_t n,
		    const struct cli_trials_options *options);

/* What a guest that runs by now has of the same programs; see cli/replay.h. Borrows all. */
struct cli_beside {
	const struct programs *programs;
	const json_t *document; /* the runs are added to a copy of it */
};

/* Objects on several kernels. */
struct cli_kernels {
	const struct kt_kernel *all; /* n of them */
	size_t n;
	unsigned memory_mib; /* of a guest; 0: the default */
	int argc;            /* the command line, "collect" first: */
	char **argv;
	const char *save; /* the file of --save; NULL: none */
	const struct cli_trials_options *show;
	const struct cli_beside *beside; /* NULL: nothing */
};

/*
 * Runs this tool once for each kernel, as many at a time as this machine has room for, and shows
 * all results. Ctrl-C shows what is done. Gives the exit status.
 */
int cli_run_kernels(const struct cli_kernels *kernels);

/*
 * What such a run gets as its first options: `--part FD` is where it writes its result as JSON, and
 * `--part-kernel IMAGE` is the one kernel that it boots, which has a name, and maybe modules. They
 * are for this tool alone.
 */
#define CLI_PART         "--part"
#define CLI_PART_KERNEL  "--part-kernel"
#define CLI_PART_NAME    "--part-name"
#define CLI_PART_MODULES "--part-modules"

#endif
