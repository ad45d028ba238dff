/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A list of BPF programs as a table, CSV or JSON, from one table of columns. */
#ifndef KT_RENDER_PROGRAMS_H
#define KT_RENDER_PROGRAMS_H

#include "model/program.h"
#include "model/verdict.h"
#include "util/error.h"

/* A column, named as the JSON key is; opaque. */
struct render_column;

/*
 * The column of that name ("verified_insns", "id"), or a short form of it ("insns"). NULL:
 * there is none; render_column_names() has the list for the message.
 */
const struct render_column *render_column_by_name(const char *name, size_t len);
const char *render_column_names(void);

struct render_columns {
	const struct render_column *all[24];
	size_t n;
};

/* Reads "id,name,insns"; NULL gives the columns that fit a terminal of 80. KT_ERROR_USAGE. */
struct kt_error *render_columns_parse(const char *text, struct render_columns *ret);

/* Which programs to show. Lists hold n strings; an empty list lets everything through. */
struct render_filter {
	const char *const *types; /* as bpftool names them */
	size_t n_types;
	const char *const *globs; /* fnmatch(3) on the full name, or the short one */
	size_t n_globs;
	const uint32_t *ids;
	size_t n_ids;
};

/* Keeps what the filter lets through, in order. */
void render_programs_filter(struct programs *programs, const struct render_filter *filter);

/*
 * Sorts by a column: names from A, numbers the largest first, id from the smallest; reversed
 * turns that around. Unknown values come last, ties stay by id.
 */
void render_programs_sort(struct programs *programs, const struct render_column *column,
			  bool reversed);

/* A program that a guest's kernel (or libbpf, before it) did not take. */
struct render_failure {
	const char *object; /* the file it is of */
	const char *section, *name;
	int errnum;
	const char *log; /* libbpf's words, the verifier's log among them */
};

/* What the user's own loader did in the guest. */
struct render_payload {
	bool exited;
	int exit_code; /* when exited; 128 + N: killed by signal N */
	const char *output;
};

/* What stands around the programs in JSON. Strings are the caller's. */
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
 * Each gives text that the caller frees. width: of the terminal, which the names are cut to
 * fit; 0: nothing is cut. color: headings in bold.
 */
struct kt_error *render_programs_table(const struct programs *programs,
				       const struct render_columns *columns, size_t width,
				       bool color, char **ret);
struct kt_error *render_programs_csv(const struct programs *programs,
				     const struct render_columns *columns, char **ret);

/* The document "ktstr-gdb.programs.v1"; docs/architecture.md has its keys. */
struct kt_error *render_programs_json(const struct programs *programs,
				      const struct render_guest *guest, char **ret);

/*
 * The programs that were not taken, each with its log: collapsed (logparse/collapse.h), and with
 * control characters shown, which a guest shall not send to a terminal. JSON has it as it was.
 * The caller frees *ret.
 */
struct kt_error *render_failures_text(const struct render_failure *failures, size_t n, bool color,
				      char **ret);

#endif
