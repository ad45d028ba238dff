/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The parts of a report in HTML. Internal to render/. */
#ifndef KT_RENDER_HTML_PAGE_H
#define KT_RENDER_HTML_PAGE_H

#include "model/cells_counts.h"
#include "model/cells_index.h"
#include "util/buf.h"

/*
 * render/assets/report.css and report.js. The page's Content-Security-Policy names them by their
 * SHA-256 in base64, so that nothing else in the page is ever run.
 */
extern const char html_style[], html_script[], html_style_hash[], html_script_hash[];

/* Likewise log.css and log_*.js, of a page of verifier logs. */
extern const char html_log_style[], html_log_script[], html_log_style_hash[],
	html_log_script_hash[];

/* How a state looks: "✓", "✗" or "–", and the CSS class that colours it: "p", "f" or "k". */
const char *html_symbol(enum cells_state state);
const char *html_class(enum cells_state state);

/* Appends "SCHEDULER / KERNEL / TOPOLOGY". */
void html_append_name(struct kt_buf *out, const struct kt_cell_record *record);

/* What failed, grouped by reason; nothing if nothing did. KT_ERROR_NO_MEMORY. */
struct kt_error *html_append_failed(struct kt_buf *out, const struct cells_index *index);

/* Whether the page has details of a cell, at "#cN"; N is its place in the index. */
bool html_has_details(const struct cells_cell *cell);

/* Appends " data-n=…", the text that the filter searches. */
void html_append_filter(struct kt_buf *out, const struct kt_cell_record *record);

/* The heat map of all kernels, or of the only one; then one of each. Errors as cells_ratios(). */
struct kt_error *html_append_overview(struct kt_buf *out, const struct cells_index *index);
void html_append_kernel_maps(struct kt_buf *out, const struct cells_index *index);

/* The section of verified_insns: a line for each program. KT_ERROR_NO_MEMORY. */
struct kt_error *html_append_charts(struct kt_buf *out, const struct cells_index *index);

#endif
