/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Two sweeps compared (model/cells_diff.h), as text, JSON or Markdown. */
#ifndef KT_RENDER_CELLS_DIFF_H
#define KT_RENDER_CELLS_DIFF_H

#include "model/cells_diff.h"
#include "render/cells.h"

/*
 * The changes as text: first the cells that broke, each with its reason; then those that were
 * fixed, are new, are gone; then a table of verified_insns; then a tally. As a document: that of
 * kt_format_cells_json(), or _markdown(), of b, with the changes. options may be NULL. The caller
 * frees *ret. KT_ERROR_NO_MEMORY.
 */
struct kt_error *kt_format_cells_diff(const struct kt_cells_diff *diff,
				      const struct kt_cells_options *options, char **ret);
struct kt_error *kt_format_cells_diff_json(const struct kt_cells_diff *diff,
					   const struct kt_cell_records *b, char **ret);
struct kt_error *kt_format_cells_diff_markdown(const struct kt_cells_diff *diff,
					       const struct kt_cell_records *b, kt_cell_log_fn log,
					       void *arg, char **ret);

#endif
