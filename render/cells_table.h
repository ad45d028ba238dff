/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A table of texts whose columns are data, as a grid of cells has them (render/grid.h is for
 * those that are known beforehand). Internal to render/.
 */
#ifndef KT_RENDER_CELLS_TABLE_H
#define KT_RENDER_CELLS_TABLE_H

#include "render/grid.h"
#include "util/buf.h"

/* Row 0 are the heads, column 0 the names of rows. */
struct cells_table {
	size_t n_rows, n_columns;
	struct cells_text {
		char *text;
		enum render_tone tone;
	} * all;
	bool numbers;   /* right-aligned, but for the first columns: */
	size_t n_texts; /* how many those are; 0: one */
};

/* rows and columns without the heads. KT_ERROR_NO_MEMORY. */
struct kt_error *cells_table_init(size_t rows, size_t columns, struct cells_table *ret);
void cells_table_deinit(struct cells_table *table);

/* Takes what text holds, which is empty afterwards. */
struct kt_error *cells_table_set(struct cells_table *table, size_t row, size_t column,
				 enum render_tone tone, struct kt_buf *text);

struct cells_table_options {
	size_t width;
	bool color, transpose;
};

/*
 * Appends it. It is turned around when that is asked for, or else when it is wider than width (0:
 * any) and narrower the other way. What a terminal might obey comes out as "\xNN".
 * KT_ERROR_NO_MEMORY.
 */
struct kt_error *cells_table_print(const struct cells_table *table,
				   const struct cells_table_options *options, struct kt_buf *out);

#endif
