/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Options that several commands have, in groups: how a guest is read, how a result is shown (and
 * in cli/boot.h: what is booted). A command has their tables among its groups, and hands each
 * option that is not its own to the groups' functions.
 */
#ifndef KT_CLI_OPTIONS_H
#define KT_CLI_OPTIONS_H

#include "btf/facts.h"
#include "cli/commands.h"
#include "cli/parse.h"
#include "render/grid.h"
#include "util/vec.h"

/* The values of options that have no letter. */
enum {
	CLI_OPT_FIRST = 256,
	CLI_OPT_VMLINUX,
	CLI_OPT_BTF,
	CLI_OPT_SYSTEM_MAP,
	CLI_OPT_KALLSYMS,
	CLI_OPT_WAIT,
	CLI_OPT_TIMEOUT,
	CLI_OPT_LEAVE_STOPPED,
	CLI_OPT_NO_CACHE,
	CLI_OPT_TRACE,
	CLI_OPT_JSON,
	CLI_OPT_CSV,
	CLI_OPT_TYPE,
	CLI_OPT_NAME,
	CLI_OPT_ID,
	CLI_OPT_TAG,
	CLI_OPT_SORT,
	CLI_OPT_TIMING,
	CLI_OPT_COLOR,
	CLI_OPT_HOLDERS,
	CLI_OPT_KERNEL,
	CLI_OPT_OBJECT,
	CLI_OPT_ATTACH,
	CLI_OPT_LOG_LEVEL,
	CLI_OPT_SET,
	CLI_OPT_RODATA,
	CLI_OPT_SLEEPABLE,
	CLI_OPT_RUN,
	CLI_OPT_SCHEDULER,
	CLI_OPT_FILE,
	CLI_OPT_MODULES,
	CLI_OPT_ATTACH_TIMEOUT,
	CLI_OPT_WORKLOAD_TIMEOUT,
	CLI_OPT_WORKLOAD,
	CLI_OPT_LOAD_TIMEOUT,
	CLI_OPT_SETTLE,
	CLI_OPT_LIVE,
	CLI_OPT_ACCEL,
	CLI_OPT_MEMORY,
	CLI_OPT_SMP,
	CLI_OPT_TOPOLOGY,
	CLI_OPT_APPEND,
	CLI_OPT_QEMU,
	CLI_OPT_QEMU_ARG,
	CLI_OPT_GDB,
	CLI_OPT_KEEP,
	CLI_OPT_OWN, /* a command's own begin here */
};

/* --- values; what is wrong with one is KT_ERROR_USAGE, and names the option --- */

/* A whole number of min..max. */
struct kt_error *cli_number(const char *option, const char *text, long min, long max, long *ret);

/* A number of seconds, "30" or "0.5". */
struct kt_error *cli_seconds(const char *option, const char *text, double *ret);

/* The argument of --color: "auto", "always", "never". */
struct kt_error *cli_color_option(const char *arg, enum cli_color *ret);

/* --- how a guest is read --- */

struct cli_guest {
	/* Files of its kernel; NULL: not given. */
	const char *vmlinux, *btf, *system_map, *kallsyms;
	double wait_s, timeout_s; /* 0: not given */
	bool leave_stopped, no_cache;
	const char *trace; /* NULL: none */
};

extern const struct cli_option cli_guest_options[];
#define CLI_GUEST_GROUP                                                                            \
	{                                                                                          \
		"Reading the guest", cli_guest_options, NULL                                       \
	}

/* *taken_ret is false, and nothing else happens, if the option is not of this group. */
struct kt_error *cli_guest_option(struct cli_guest *guest, int option, const char *arg,
				  bool *taken_ret);

/* The files that these options name. */
struct kfacts_sources cli_sources(const struct cli_guest *guest);

/* The file to name in a message about the kernel; NULL if none is given. */
const char *cli_sources_name(const struct kfacts_sources *sources);

/* --- how a result is shown --- */

struct cli_output {
	bool json, csv, timing;
	bool holders; /* the columns pids and pinned are to have something in them */
	const char *columns, *sort;
	bool columns_later;             /* another option decides which columns there are */
	const struct render_grid *grid; /* has the columns; NULL: those of programs */
	enum cli_color color;
	struct {
		KT_VEC(const char *) types, globs, tags;
		KT_VEC(uint32_t) ids;
	} filter;
};

/* Of a command that lists programs. Others have options of the same values, in words of their own.
 */
extern const struct cli_option cli_output_options[];

/* clang-format off */
#define CLI_TIMING_OPTION {"timing", CLI_OPT_TIMING, NULL, "where the time went, on stderr"}
#define CLI_COLOR_OPTION {"color", CLI_OPT_COLOR, "auto|always|never", \
			  "auto: in color on a terminal"}
/* Of commands that list what a guest has by now. */
#define CLI_HOLDERS_OPTION {"holders", CLI_OPT_HOLDERS, NULL, \
			    "who holds each: processes that have it open, and paths in bpffs, as " \
			    "bpftool's pids and pinned. The guest stops for longer. Implied by -o or " \
			    "--sort with one of these."}
/* clang-format on */

/* The names of libbpf's types, for cli_command.type. */
const char *cli_prog_type(int i);
const char *cli_map_type(int i);
const char *cli_link_type(int i);

/* Cuts the argument of --type and --id up, which is why arg is not const. */
struct kt_error *cli_output_option(struct cli_output *output, int option, char *arg,
				   bool *taken_ret);

/* KT_ERROR_USAGE if two options contradict each other. */
struct kt_error *cli_output_check_columns(const struct cli_output *output);
struct kt_error *cli_output_check(const struct cli_output *output);
/* INSPECT_HOLDERS if --holders is given, or a column that needs it; else 0. */
unsigned int cli_output_holders(const struct cli_output *output);
/* Likewise INSPECT_METADATA, for a document or that column of programs. */
unsigned int cli_output_metadata(const struct cli_output *output);
void cli_output_deinit(struct cli_output *output);

/* --- the whole command line of a command that reads a running guest --- */

struct cli_args {
	const char *target; /* as the user wrote it; NULL: not given */
	bool own;           /* the command's one option of its own was given: CLI_OPT_OWN */
	struct cli_guest guest;
	struct cli_output output;
};

/*
 * Parses "[OPTION...] [TARGET]" of a command whose options are of the two groups above, and one of
 * its own at most. Returns what cli_parse() does. args->output is for cli_output_deinit() in either
 * case.
 */
int cli_parse_args(const struct cli_command *command, int argc, char **argv, struct cli_args *args);

/* The error of a text that could not be parsed as a TARGET, in better words where they are known.
 */
struct kt_error *cli_not_a_target(const char *text, struct kt_error *err);

/* KT_ERROR_USAGE if there is more than one TARGET among n arguments, or a word that is none. */
struct kt_error *cli_one_target(int n, char **args);

/*
 * n arguments of command are "ID [TARGET]". KT_ERROR_USAGE: it needs what ("a map's ID"), of which
 * hint says what lists them; or an argument is none, or is one too many.
 */
struct kt_error *cli_id_and_target(const char *command, const char *what, const char *hint, int n,
				   char **args, long *id_ret);

#endif
