/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A command as a table: what it is called, what it takes, what it does. From the table come the
 * parsing of its options, --help, its man page and what a shell completes; so these cannot differ.
 *
 * Texts are plain: paragraphs with an empty line in between, lines of at most 80 columns. A line
 * that begins with two blanks stays as it is, in a man page too.
 */
#ifndef KT_CLI_COMMAND_H
#define KT_CLI_COMMAND_H

#include "cli/cli.h"
#include "render/grid.h"

/*
 * The end of a table is an option whose value is 0. What arg is called decides what a shell
 * completes there: FILE, DIR, KERNEL, TARGET, PRESET, LIST and KEY (columns), KIND (workloads).
 */
struct cli_option {
	const char *name; /* "output", without the dashes; NULL: it has a letter alone */
	int value;        /* which one it is; a letter: it can be given as -LETTER, too */
	const char *arg;  /* its argument: "FILE", or which there are, "kvm|tcg"; NULL: none */
	const char *help; /* NULL: it is not for users. "\n" begins a new line */
};

struct cli_group {
	const char *title; /* "Output"; NULL: goes on with the group before */
	const struct cli_option *options;
	const char *note; /* what there is to say below them, as lines; NULL: nothing */
};

/* What the arguments of a command are, for completion. */
enum cli_operand {
	CLI_TAKES_NOTHING,
	CLI_TAKES_TARGET,
	CLI_TAKES_FILES,
	CLI_TAKES_DIR,
	CLI_TAKES_KERNELS,
	CLI_TAKES_ENTRY, /* of the catalogue of messages */
};

enum cli_section { CLI_NO_GUEST, CLI_BOOTED, CLI_RUNNING, CLI_HOST, CLI_N_SECTIONS };
extern const char *const cli_section_titles[CLI_N_SECTIONS];

/* A way to use it, as the list of commands has it. */
struct cli_use {
	const char *how;  /* "map dump ID [TARGET]" */
	const char *what; /* "the contents of one" */
};

struct cli_example {
	const char *command; /* "ktstr-gdb diff old.json new.json" */
	const char *what;    /* what it is for, a sentence; NULL: the command tells */
};

#define CLI_GROUPS_MAX   12
#define CLI_USES_MAX     4
#define CLI_EXAMPLES_MAX 6

struct cli_command {
	const char *name;    /* "diff", "sched watch" */
	const char *summary; /* "compare two results", the man page's NAME */
	enum cli_section section;
	struct cli_use uses[CLI_USES_MAX]; /* none: it is not for users */
	const char *synopsis;              /* a line for each form, without "ktstr-gdb" */
	const char *text;                  /* what it does */
	struct cli_group groups[CLI_GROUPS_MAX];
	const char *behind; /* text behind the options; NULL: none */
	const char *status; /* "0 done; 2 usage"; NULL: as all */
	struct cli_example examples[CLI_EXAMPLES_MAX];
	const char *see; /* other pages, "bpftool-prog(8), gdb(1)"; NULL: none */

	const char *words; /* what the first argument may be, "dump,lookup"; NULL: nothing fixed */
	bool needs_word;   /* and has to be */
	enum cli_operand takes;
	bool words_end_options;           /* what stands behind the first argument is no option */
	struct render_grid (*grid)(void); /* the columns of -o; NULL: none are known before */
	struct render_grid (*more)(void); /* those that it has besides; NULL: none */
	const char *(*type)(int i);       /* of --type, from 1 on; gives NULL behind the last */

	bool without_settings; /* the user's settings (cli/config.h) do not matter to it */

	int (*run)(int argc, char **argv); /* options begin at argv[1]; gives the exit status */
};

/* All commands, in the order of their list. "sched watch" is one of its own. */
const struct cli_command *const *cli_commands(size_t *n_ret);

/* NULL: there is none of that name. */
const struct cli_command *cli_command_find(const char *name);

/* --- --help: cli/usage.c --- */

#define CLI_USUAL_STATUS "0 done; 2 usage; 3 it could not be done"

/* What ktstr-gdb is, as text. */
extern const char cli_about[];

/* Prints it on stdout; the exit status. */
int cli_print_help(const struct cli_command *command);

/* The list of commands. It is static. KT_ERROR_NO_MEMORY. */
struct kt_error *cli_usage(char **ret);

/* --- man pages: cli/manual.c --- */

/* A command's page, or that of ktstr-gdb (NULL), which the caller frees. KT_ERROR_NO_MEMORY. */
struct kt_error *cli_manual(const struct cli_command *command, char **ret);

/* Shows it with man(1). False: there is no terminal, or no man(1), or it failed. */
bool cli_show_manual(const struct cli_command *command);

#endif
