/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is wrong according to verifier logs: each problem with its places. Editors and CI services
 * get it in their formats (render/log_format.h). Not a public header.
 */
#ifndef KT_RENDER_LOG_PROBLEMS_H
#define KT_RENDER_LOG_PROBLEMS_H

#include "logparse/catalog.h"
#include "render/log.h"
#include "render/log_format.h"
#include "util/buf.h"
#include "util/error.h"
#include "util/vec.h"

enum render_problem_level {
	RENDER_PROBLEM_ERROR,   /* the verifier rejected the program */
	RENDER_PROBLEM_WARNING, /* the log ends before its verdict */
	RENDER_PROBLEM_NOTE,    /* there is no verdict: no log */
};

/* All strings below are UTF-8 without control characters; render_problems_destroy() frees them. */

struct render_place {
	char *file;    /* NULL: standard input */
	size_t line;   /* from 1 */
	size_t column; /* from 1; of the source it is 1 where the log has no columns */
	bool in_log;   /* the place is in the log, since it names none in the source */
};

enum render_problem_about {
	RENDER_PROBLEM_INSN,  /* the instruction that failed; its place is in the log */
	RENDER_PROBLEM_FLOW,  /* where the program came along: a register was set, a branch taken */
	RENDER_PROBLEM_STATE, /* what a register holds that is set nowhere */
};

struct render_problem_note {
	enum render_problem_about about;
	struct render_place place;
	char *text;
	const char *at; /* in the log, for the order of execution; NULL: not known */
};

struct render_problem {
	enum render_problem_level level;
	char *program;     /* NULL: its name is not known */
	const char *rule;  /* "null-check": the catalogue's id, or one of ours; static */
	const char *title; /* of the rule; static */
	const struct kt_catalog_entry *entry; /* NULL: the catalogue does not have it */
	char *class;                          /* "Memory Safety"; NULL: not known */
	char *message;                        /* the lines of the error, with a newline between */
	struct render_place place;
	char *source; /* the source line there; NULL: not known */
	bool has_insn;
	uint32_t insn; /* that failed */
	KT_VEC(struct render_problem_note) notes;
	char *reason;                            /* NULL: not known */
	char *remedies[KT_CATALOG_MAX_REMEDIES]; /* NULL behind the last */
};

struct render_problems {
	KT_VEC(struct render_problem) list; /* in the order of the logs */
};

/*
 * The problems of logs, at most one a log. Time is linear in the logs. Errors: KT_ERROR_NO_MEMORY;
 * those of options->find_source().
 */
struct kt_error *render_problems_find(const struct render_log_program *programs, size_t n,
				      const struct render_log_format_options *options,
				      struct render_problems *ret);
void render_problems_deinit(struct render_problems *problems);

/* A text of all problems, one behind the other; the caller frees *ret. Errors: as above. */
struct kt_error *render_problems_text(const struct render_log_program *programs, size_t n,
				      const struct render_log_format_options *options,
				      void (*append)(struct kt_buf *out,
						     const struct render_problem *problem),
				      char **ret);

#endif
