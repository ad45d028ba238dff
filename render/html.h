/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A sweep as one page of HTML, which needs no network and no other file. */
#ifndef KT_RENDER_HTML_H
#define KT_RENDER_HTML_H

#include "logparse/text.h"
#include "render/cells.h"

struct kt_html_options {
	const char *title;  /* NULL: one that says how many failed */
	kt_cell_log_fn log; /* may be NULL */
	/* Appends the sum of the record's dump, and all of it, as text. May be NULL. */
	void (*dump)(void *arg, const struct kt_cell_record *record, struct kt_buf *sum,
		     struct kt_buf *all);
	void *arg;
};

/*
 * The page: what failed, by reason; the grid as a heat map, over all kernels and of each;
 * verified_insns of each program by kernel, with a small chart; each cell that failed, was skipped
 * or has a log, with the command that runs it again, how its scheduler ended, what led to its
 * error, and its log, in which repeats (logparse/collapse.h) can be folded. All text is escaped.
 * The Content-Security-Policy lets only the page's own script run, which filters.
 *
 * The same records and logs give the same bytes. The caller frees *ret. Errors as
 * kt_render_result_table().
 */
struct kt_error *kt_format_cells_html(const struct kt_cell_records *records,
				      const struct kt_html_options *options, char **ret);

/*
 * Appends a collapsed log as HTML: each repeat is a <details>, which may have others in it. An end
 * without a beginning is text, and what is open at the end of the log is closed.
 */
void kt_append_log_html(struct kt_buf *out, struct kt_text log);

#endif
