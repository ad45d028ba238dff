/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the commands share. Only this room prints, and only it chooses an exit status. */
#ifndef KT_CLI_CLI_H
#define KT_CLI_CLI_H

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>

#include "introspect/gather.h"
#include "introspect/inspect.h"
#include "render/grid.h"
#include "render/programs.h"
#include "util/error.h"

enum cli_status {
	CLI_DONE = 0,
	CLI_TEST_FAILED = 1, /* what was tested failed */
	CLI_USAGE = 2,
	CLI_CANNOT = 3, /* it could not be done */
};

/* A command: its options begin at argv[1]. Returns the exit status. */
int cli_attach(int argc, char **argv);
int cli_collect(int argc, char **argv);
int cli_diff(int argc, char **argv);
int cli_info(int argc, char **argv);
int cli_layout(int argc, char **argv);
int cli_links(int argc, char **argv);
int cli_log(int argc, char **argv);
int cli_maps(int argc, char **argv);
int cli_prog(int argc, char **argv);
int cli_report(int argc, char **argv);
int cli_sweep(int argc, char **argv);
int cli_watch(int argc, char **argv);

/* Prints the error as one line, destroys it, and gives the exit status that it means. */
int cli_fail(struct kt_error *err);

/* The message that cli_fail() printed last; "" if there was none. */
const char *cli_last_error(void);

/* A line on stderr, "ktstr-gdb: …", for what is no error. */
void cli_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * Writes a file in place of one that was there: who reads it finds the old one or the new one,
 * whole. What is no regular file (/dev/stdout) is written to as it is. KT_ERROR_OS.
 */
struct kt_error *cli_replace_file(const char *path, const char *text);

/* Prints a result; CLI_DONE, or CLI_CANNOT when stdout takes no more. */
int cli_print(const char *text);

/*
 * Readable from the first SIGINT, SIGTERM or SIGHUP on: what waits gives up, cleans up and
 * says so. The first call installs the handlers.
 */
int cli_cancel_fd(void);

/* Sleeps, but not longer than until a signal asks to stop: then true. */
bool cli_sleep_ms(int ms);

/*
 * The progress line, on a terminal only: a step that lasts longer than a second is shown,
 * and goes away when the next output comes. NULL ends it.
 */
void cli_progress(const char *step);

/* Where what was resolved is kept, or NULL. The caller frees it. */
char *cli_cache_dir(void);

enum cli_color { CLI_COLOR_AUTO, CLI_COLOR_ALWAYS, CLI_COLOR_NEVER };
bool cli_color_on(enum cli_color color, FILE *stream);

/* The argument of --color: "auto", "always", "never"; else KT_ERROR_USAGE. */
struct kt_error *cli_color_option(const char *arg, enum cli_color *ret);

/* Of the terminal that stdout is, in columns; 0: it is none. */
size_t cli_terminal_width(void);

/* A whole number of min..max, or KT_ERROR_USAGE that names the option. */
struct kt_error *cli_number(const char *option, const char *text, long min, long max, long *ret);

/* A number of seconds, "30" or "0.5"; else KT_ERROR_USAGE. */
struct kt_error *cli_seconds(const char *option, const char *text, double *ret);

/*
 * Options that commands share. A command puts the group's macro into its table and hands
 * every option that it does not know itself to the group's function; *taken tells whether
 * it was one of the group.
 */
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
	CLI_OPT_SORT,
	CLI_OPT_TIMING,
	CLI_OPT_COLOR,
	CLI_OPT_KERNEL,
	CLI_OPT_OBJECT,
	CLI_OPT_RUN,
	CLI_OPT_SCHEDULER,
	CLI_OPT_FILE,
	CLI_OPT_MODULES,
	CLI_OPT_ATTACH_TIMEOUT,
	CLI_OPT_WORKLOAD_TIMEOUT,
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

/* How a guest is read. */
struct cli_guest {
	const char *vmlinux, *btf, *system_map, *kallsyms; /* the kernel's files; NULL: none */
	double wait_s, timeout_s;                          /* timeout_s: 0 is the default */
	bool leave_stopped, no_cache;
	const char *trace;
};

/* clang-format off */
#define CLI_GUEST_OPTIONS                                                \
	{"vmlinux", required_argument, NULL, CLI_OPT_VMLINUX},           \
	{"btf", required_argument, NULL, CLI_OPT_BTF},                   \
	{"system-map", required_argument, NULL, CLI_OPT_SYSTEM_MAP},     \
	{"kallsyms", required_argument, NULL, CLI_OPT_KALLSYMS},         \
	{"wait", required_argument, NULL, CLI_OPT_WAIT},                 \
	{"timeout", required_argument, NULL, CLI_OPT_TIMEOUT},           \
	{"leave-stopped", no_argument, NULL, CLI_OPT_LEAVE_STOPPED},     \
	{"no-cache", no_argument, NULL, CLI_OPT_NO_CACHE},               \
	{"trace", required_argument, NULL, CLI_OPT_TRACE}
/* clang-format on */

struct kt_error *cli_guest_option(struct cli_guest *guest, int option, const char *arg,
				  bool *taken);
extern const char cli_guest_help[];

/* The files that these options name. */
struct kfacts_sources cli_sources(const struct cli_guest *guest);

/* Whether they have types and symbols; if not, a running guest's memory has to tell the rest. */
bool cli_sources_suffice(const struct kfacts_sources *sources);

/* The one to name in a message about the kernel; NULL if there is none. */
const char *cli_sources_name(const struct kfacts_sources *sources);

/* How programs are shown. */
struct cli_output {
	bool json, csv, timing;
	const char *columns, *sort;
	const struct render_grid *grid; /* whose columns those are; NULL: the programs' */
	enum cli_color color;
	struct {
		KT_VEC(const char *) types, globs;
		KT_VEC(uint32_t) ids;
	} filter;
};

/* clang-format off */
#define CLI_OUTPUT_OPTIONS                                               \
	{"json", no_argument, NULL, CLI_OPT_JSON},                       \
	{"csv", no_argument, NULL, CLI_OPT_CSV},                         \
	{"output", required_argument, NULL, 'o'},                        \
	{"type", required_argument, NULL, CLI_OPT_TYPE},                 \
	{"name", required_argument, NULL, CLI_OPT_NAME},                 \
	{"id", required_argument, NULL, CLI_OPT_ID},                     \
	{"sort", required_argument, NULL, CLI_OPT_SORT},                 \
	{"timing", no_argument, NULL, CLI_OPT_TIMING},                   \
	{"color", required_argument, NULL, CLI_OPT_COLOR}
/* clang-format on */

/* Splits --type's argument in place, which is why arg is not const. */
struct kt_error *cli_output_option(struct cli_output *output, int option, char *arg, bool *taken);

/* What is wrong with the options taken together: KT_ERROR_USAGE. */
struct kt_error *cli_output_check(const struct cli_output *output);
void cli_output_deinit(struct cli_output *output);
extern const char cli_output_help[];

/*
 * Whether the kernel has the types that --type names, by its own enum. KT_ERROR_USAGE: there is no
 * such `what` ("program") type; the hint has those that there are.
 */
struct kt_error *cli_check_types(const struct kfacts *facts, const struct cli_output *output,
				 const char *enumeration, const char *prefix, const char *what);

/* What --help prints before and after the options that all have who read a running guest. */
struct cli_texts {
	const char *usage, *output;
};

#define CLI_GO_ON (-1)

/*
 * "[OPTION...] [TARGET]" of a command that reads a running guest; options are those of the groups
 * above that it has. *target_ret is NULL where none is given. CLI_GO_ON, or the exit status of a
 * command that is done: of --help, or of an error, which was printed.
 */
int cli_target_args(int argc, char **argv, const struct option *options,
		    const struct cli_texts *texts, struct cli_guest *guest,
		    struct cli_output *output, const char **target_ret);

/*
 * Facts of a kernel, enough to read `objects` (INSPECT_*), resolved while a progress line
 * says so. With INSPECT_AVAILABLE a kernel that lacks all of them is none the worse: a note says
 * what it lacks. *resolve_ns_ret and *cached_ret tell what it took.
 */
struct kt_error *cli_load_facts(const struct kfacts_sources *sources, bool use_cache,
				unsigned int objects, struct kfacts **ret, int64_t *resolve_ns_ret,
				bool *cached_ret);

/* How the stub is spoken to. The error is of --trace FILE, which stays open to the end. */
struct kt_error *cli_stub_options(const struct cli_guest *guest, struct rsp_options *ret);

/*
 * From here on this process opens no files but those that these options name, the cache, and
 * results_dir (NULL: none), starts no program, and connects to no other TCP port than the target's;
 * as far as this kernel has the means (util/fence.h, docs/security.md). The error is of --trace.
 */
struct kt_error *cli_fence(const struct rsp_target *target, const struct cli_guest *guest,
			   const char *results_dir);

/* An error that passes when a guest comes up: nobody listens yet, no kernel runs yet. */
bool cli_worth_waiting(const struct kt_error *err);

/* Reads a guest, again and again until it is ready when `wait_s` says so. what: but the hint. */
struct kt_error *cli_inspect(const struct rsp_target *target, const struct cli_guest *guest,
			     const struct kfacts *facts, const struct inspect_options *what,
			     struct inspection *ret);

/*
 * The same, and the facts too, when no file of the guest's kernel is given: what was seen at
 * this target before, or else what its memory has. *facts_ret is the caller's to destroy.
 */
struct cli_result;
struct kt_error *cli_inspect_unknown(const struct rsp_target *target, const struct cli_guest *guest,
				     const struct inspect_options *what, struct cli_result *result,
				     struct kfacts **facts_ret);

/* What cli_show() shows. */
struct cli_result {
	struct inspection *inspection;
	const struct kfacts *facts;
	int64_t resolve_ns;
	bool cached;
	struct gather_stats gathered; /* its stops: 0 when a file, or the cache, had it all */
	int64_t boot_ns, load_ns;     /* of a guest that we booted */
	const struct render_failure *failures; /* NULL: nothing was loaded by us */
	size_t n_failures;
	const struct render_payload *payload; /* NULL: none was run */
	const char *scheduler;
	const struct kt_verifier_vm_result *run; /* of the scheduler; NULL: none was run */
};

/*
 * The whole of a command that reads a running guest, up to what it shows: kernel, target, stop.
 * what: but the hint. result->inspection is the caller's; *facts_ret, which result->facts is,
 * is the caller's to destroy, and NULL where it did not come to that.
 */
struct kt_error *cli_read_target(const char *target, const struct cli_guest *guest,
				 const struct inspect_options *what, struct cli_result *result,
				 struct kfacts **facts_ret);
void cli_facts_destroyp(struct kfacts **facts);

/* Filters, sorts and prints what was read. Gives the exit status. */
int cli_show(const struct cli_result *result, const struct cli_output *output);

/* The parts of it. */
struct render_filter cli_filter(const struct cli_output *output);
void cli_note_unreadable(size_t n, const char *idr);
struct kt_error *cli_filter_and_sort(struct programs *programs, const struct cli_output *output);

/* What a document says of the guest; build_id has room for it. */
#define CLI_BUILD_ID_MAX 129
struct render_guest cli_render_guest(const struct cli_result *result,
				     char build_id[CLI_BUILD_ID_MAX]);
struct kt_error *cli_render_json(const struct cli_result *result, char **ret);
void cli_print_timing(const struct cli_result *result);

/* Writes the whole result as JSON, in place of a file that was there. Gives the exit status. */
int cli_save(const struct cli_result *result, const char *path);

#endif
