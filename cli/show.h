/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What was read of a guest, on the terminal: filtered, sorted, as a table, CSV or JSON. */
#ifndef KT_CLI_SHOW_H
#define KT_CLI_SHOW_H

#include "cli/options.h"
#include "cli/session.h"
#include "render/programs.h"

/* All that a command knows in the end. Borrows everything. */
struct cli_result {
	const struct cli_session *session; /* whose kernel it is, and what its facts cost */
	struct inspection *inspection;

	/* Only of a guest that this process booted; else 0 and NULL. */
	int64_t boot_ns, load_ns;
	bool restored;                        /* from a snapshot, and not booted */
	const struct kt_trials *trials;       /* of objects; NULL: none were loaded */
	const struct render_payload *payload; /* of a loader that was run */
	const char *scheduler;
	const struct kt_verifier_vm_result *run; /* of the scheduler */
};

/* Filters, sorts and prints the programs. Returns the exit status. */
int cli_show(const struct cli_result *result, const struct cli_output *output);

/* Writes the whole result as JSON, in place of a file that was there. Returns the exit status. */
int cli_save(const struct cli_result *result, const char *path);

/* The result as JSON, which the caller frees. */
struct kt_error *cli_render_json(const struct cli_result *result, char **ret);

/* --timing, on stderr. */
void cli_print_timing(const struct cli_result *result);

/* What a JSON document says about the guest; borrows build_id, which has room for the text. */
#define CLI_BUILD_ID_MAX 129
struct render_guest cli_render_guest(const struct cli_result *result,
				     char build_id[CLI_BUILD_ID_MAX]);

/* --- parts of cli_show() that other lists of objects need, too --- */

/* Which types of some object there are: the enum of a kernel that tells it, or a list of ours. */
struct cli_type_enum {
	const char *name;   /* "bpf_prog_type" */
	const char *prefix; /* "BPF_PROG_TYPE_", which its enumerators begin with */
	const char *what;   /* "program", for messages */
	const char *list;   /* "kprobe, uprobe", in place of an enum; NULL: the enum tells */
};

/* KT_ERROR_USAGE if --type names a type that this kernel does not have; the hint lists them all. */
struct kt_error *cli_check_types(const struct kfacts *facts, const struct cli_output *output,
				 const struct cli_type_enum *types);
struct render_filter cli_filter(const struct cli_output *output);
struct kt_error *cli_filter_and_sort(struct programs *programs, const struct cli_output *output);

/* The columns that the user chose, as CSV or as a table for this terminal; the caller frees *ret.
 */
struct kt_error *cli_render_grid(struct render_grid *grid, const struct cli_output *output,
				 size_t width, char **ret);

/* A note if n entries of the kernel's index `idr` ("prog_idr") could not be read. */
void cli_note_unreadable(size_t n, const char *idr);

/* A note if what holds objects could not be read whole; nothing if nobody asked. */
void cli_note_holders(const struct inspection *inspection);

#endif
