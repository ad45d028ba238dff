/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef KT_CLI_OBJECTS_H
#define KT_CLI_OBJECTS_H

#include "cli/cli.h"

/* A command that lists one kind of BPF objects of a running guest. */
struct cli_objects {
	const char *what;        /* "maps": the command's name, and the document's key */
	const char *help;        /* what stands above the options that all of them have */
	const char *output_help; /* those that are about its columns */
	const char *types[3];    /* as cli_check_types() takes them */
	const char *idr;         /* what a message calls the kernel's index of them */
	unsigned int object;     /* INSPECT_* */
	/* The rows of an inspection; of an empty one, the columns alone. */
	struct render_grid (*grid)(struct inspection *inspection);
	size_t (*unreadable)(const struct inspection *inspection);
};

/* The whole command. Gives the exit status. */
int cli_objects(const struct cli_objects *objects, int argc, char **argv);

#endif
