/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A sweep as one page of HTML, which needs nothing else: no network, no other file. */
#ifndef KT_RENDER_HTML_H
#define KT_RENDER_HTML_H

#include "logparse/text.h"
#include "render/cells.h"

struct kt_html_options {
	const char *title;  /* NULL: one that says how many failed */
	kt_cell_log_fn log; /* may be NULL */
	void *arg;
};

/*
 * The page: what failed; the grid as a heat map, over all kernels and of each; verified_insns of
 * each program by kernel, as a chart; each cell that failed, was skipped or has a log, with that,
 * in which repeats (logparse/collapse.h) can be folded. All that it is made of is escaped; its
 * Content-Security-Policy lets nothing run but its own script, which filters.
 *
 * The same records and logs give the same bytes. The caller frees *ret. Errors as
 * kt_render_result_table().
 */
struct kt_error *kt_format_cells_html(const struct kt_cell_records *records,
				      const struct kt_html_options *options, char **ret);

/*
 * Appends a collapsed log as HTML: each repeat is a <details>, in which others may be. Marks need
 * not be in order: what ends nothing is text, and what is open at the end is closed.
 */
void kt_append_log_html(struct kt_buf *out, struct kt_text log);

#endif
