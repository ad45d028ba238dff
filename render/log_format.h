/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Verifier logs as editors and CI services read the messages of a compiler. */
#ifndef KT_RENDER_LOG_FORMAT_H
#define KT_RENDER_LOG_FORMAT_H

#include "render/log.h"
#include "util/buf.h"
#include "util/error.h"

struct render_log_format_options {
	/*
	 * The kernel prints no folders of source files. This appends to path where the source file
	 * of that name is; with nothing appended, the name is taken as it is. May be NULL.
	 */
	struct kt_error *(*find_source)(void *arg, struct kt_text name, struct kt_buf *path);
	void *arg;
	bool incomplete; /* an input could not be read: SARIF has a place for that */
};

/*
 * Each log that failed is an error, one that was cut off a warning, a text without a log a note.
 * The place is the source line, or else the line of the log. Text of a log is shown with control
 * characters as "\x1b", and long text is cut. options may be NULL. The caller frees *ret. Errors:
 * KT_ERROR_NO_MEMORY; those of find_source().
 */

/* Lines as gcc prints them: "FILE:LINE:COLUMN: error: PROGRAM: MESSAGE [ID]", "...: note: ...". */
struct kt_error *render_log_gcc(const struct render_log_program *programs, size_t n,
				const struct render_log_format_options *options, char **ret);

/* Workflow commands of GitHub: "::error file=FILE,line=LINE,title=TITLE::MESSAGE". */
struct kt_error *render_log_github(const struct render_log_program *programs, size_t n,
				   const struct render_log_format_options *options, char **ret);

/* A SARIF 2.1.0 document. */
struct kt_error *render_log_sarif(const struct render_log_program *programs, size_t n,
				  const struct render_log_format_options *options, char **ret);

#endif
