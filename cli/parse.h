/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The command line of a command, by its table; and what the user's settings say behind it. */
#ifndef KT_CLI_PARSE_H
#define KT_CLI_PARSE_H

#include "cli/command.h"

#define CLI_GO_ON (-1)

/* Gets an option, and its argument (NULL where there is none). */
typedef struct kt_error *cli_take_fn(void *context, const struct cli_option *option, char *arg);

/*
 * Hands each option of the command line to take(). CLI_GO_ON: then the arguments are argv[optind]
 * to argv[argc - 1], argv being sorted. Else the command is done (after --help, or an error, which
 * was printed), and this is its exit status.
 */
int cli_parse(const struct cli_command *command, int argc, char **argv, cli_take_fn *take,
	      void *context);

/*
 * The index of the first argument that is no option, nor an option's argument; argc: there is none.
 * What is wrong with an option is not said. *help_ret: whether --help is before it.
 */
int cli_first_argument(const struct cli_command *command, int argc, char **argv, bool *help_ret);

/* The option of that name, or letter where the text is one letter long; NULL: none. */
const struct cli_option *cli_option_find(const struct cli_command *command, const char *name);

#endif
