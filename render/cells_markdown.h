/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Text of unknown origin in GitHub's Markdown. Internal to render/. */
#ifndef KT_RENDER_CELLS_MARKDOWN_H
#define KT_RENDER_CELLS_MARKDOWN_H

#include "model/cells_index.h"
#include "render/cells.h"

/* Appends text on one line, in which nothing is Markdown, HTML, a mention or a link. */
void cells_append_markdown(struct kt_buf *out, const char *text);

/* The text of kt_format_cells_markdown(). */
struct kt_error *cells_markdown(const struct cells_index *index, kt_cell_log_fn log, void *arg,
				struct kt_buf *out);

#endif
