/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A command that lists one kind of BPF objects of a running guest: maps, links, BTF. */
#ifndef KT_CLI_OBJECTS_H
#define KT_CLI_OBJECTS_H

#include "cli/show.h"

struct cli_objects {
	const char *what;                          /* "maps": the key in the JSON document */
	const char *noun;                          /* "BPF maps", for messages */
	const struct cli_command *command;         /* its table; CLI_OPT_OWN is set()'s */
	struct cli_type_enum types;                /* what --type may name; all NULL: nothing */
	const char *idr;                           /* the kernel's index of them: "map_idr" */
	unsigned int object;                       /* INSPECT_* */
	void (*set)(struct inspect_options *what); /* for that option */
	/* Only rows with this text in one of these columns, as in struct render_filter. */
	const char *only, *only_in[2];
	bool only_known;
	/* What is to be made of the inspection before it is shown; NULL: nothing. */
	struct kt_error *(*prepare)(struct inspection *inspection);
	/* The objects of an inspection as rows; an empty inspection has the columns alone. */
	struct render_grid (*grid)(struct inspection *inspection);
	size_t (*unreadable)(const struct inspection *inspection);
	/* The array in the JSON document, of the grid's rows; NULL: an object a row, of its
	 * columns. */
	json_t *(*json)(const struct inspection *inspection, const struct render_grid *grid);
	/* In place of that the whole document; NULL: of the array. */
	struct kt_error *(*document)(const struct inspection *inspection,
				     const struct render_grid *grid,
				     const struct render_guest *guest, char **ret);
	void (*note)(
		const struct inspection *inspection); /* what else there is to say; NULL: nothing */
};

/* The whole command. Returns the exit status. */
int cli_objects(const struct cli_objects *objects, int argc, char **argv);

#endif
