/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A list of BPF programs as a table, CSV or JSON. */
#ifndef KT_RENDER_PROGRAMS_H
#define KT_RENDER_PROGRAMS_H

#include "model/program.h"
#include "model/verdict.h"
#include "util/error.h"

/* Which programs to show. Lists hold n strings; an empty list lets everything through. */
struct render_filter {
	const char *const *types; /* as bpftool names them */
	size_t n_types;
	const char *const *globs; /* fnmatch(3) on the full name, or the short one */
	size_t n_globs;
	const uint32_t *ids;
	size_t n_ids;
};

/* Keeps the programs that the filter lets through, in order, and frees the others. */
void render_programs_filter(struct programs *programs, const struct render_filter *filter);

/*
 * Sorts by a column, "KEY" or "-KEY": names from A, numbers the largest first, id from the
 * smallest; -KEY the other way around. Unknown values come last, ties are by id. NULL leaves the
 * order. KT_ERROR_USAGE, with the columns that there are; KT_ERROR_NO_MEMORY.
 */
struct kt_error *render_programs_sort(struct programs *programs, const char *key);

/* A program that a guest's kernel, or libbpf, refused. */
struct render_failure {
	const char *object; /* the file that it is in */
	const char *section, *name;
	int errnum;
	const char *log; /* what libbpf printed, with the verifier's log in it */
};

/* The result of the user's own loader in the guest. */
struct render_payload {
	bool exited;
	int exit_code; /* when exited; 128 + N: killed by signal N */
	const char *output;
};

/* What JSON has beside the programs. Strings are the caller's. */
struct render_guest {
	const char *release, *arch;
	const char *build_id; /* hex; NULL: none */
	int64_t kaslr_offset;
	bool kaslr_unknown; /* then it is null */
	int64_t pause_us;
	const struct render_failure *failures; /* NULL: nothing was loaded by us */
	size_t n_failures;
	const struct render_payload *payload;    /* NULL: none was run */
	const char *scheduler;                   /* what was run as one, and: */
	const struct kt_verifier_vm_result *run; /* NULL: none was */
};

/*
 * Each gives text that the caller frees. columns: "id,full_name,insns", names or short forms of
 * them; NULL: those that fit a terminal of 80. width: of the terminal, which the names are cut to
 * fit; 0: nothing is cut. color: heads in bold. KT_ERROR_USAGE, with the columns that there are;
 * KT_ERROR_NO_MEMORY.
 */
struct kt_error *render_programs_table(const struct programs *programs, const char *columns,
				       size_t width, bool color, char **ret);
struct kt_error *render_programs_csv(const struct programs *programs, const char *columns,
				     char **ret);

/* The document "ktstr-gdb.programs.v1"; docs/json.md has its keys. */
struct kt_error *render_programs_json(const struct programs *programs,
				      const struct render_guest *guest, char **ret);

/*
 * The programs that were refused, each with its log: collapsed (logparse/collapse.h), and with
 * control characters shown as "\xNN". The caller frees *ret.
 */
struct kt_error *render_failures_text(const struct render_failure *failures, size_t n, bool color,
				      char **ret);

#endif
