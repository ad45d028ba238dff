/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Rows shown as a table or as CSV, from one table of columns. Rows are structs of the
 * caller's; a column says how a cell comes out of one.
 */
#ifndef KT_RENDER_GRID_H
#define KT_RENDER_GRID_H

#include <stdint.h>

#include "logparse/text.h"
#include "util/buf.h"
#include "util/error.h"

enum render_tone { RENDER_TONE_PLAIN, RENDER_TONE_GOOD, RENDER_TONE_BAD };

struct render_cell {
	bool known;      /* false: "-" in a table, an empty field in CSV */
	uint64_t number; /* what a column of numbers sorts by; an int64_t of a SIGNED one */
	double real;     /* of RENDER_GRID_PERCENT in place of number; may be infinite */
	/*
	 * Shown in place of the number when its data is not NULL. Of a cell that is not known it
	 * is what a table has for the "-", when it is not empty.
	 */
	struct kt_text text;
	enum render_tone tone; /* in a table with colors */
};

enum render_grid_kind {
	RENDER_GRID_TEXT,   /* sorts from A */
	RENDER_GRID_NUMBER, /* sorts from the largest */
	RENDER_GRID_RISING, /* a number that sorts from the smallest */
	RENDER_GRID_HEX,    /* a number, as "0x480" in a table; decimal in CSV */
	RENDER_GRID_TENTHS, /* a number in tenths: 125 is shown as "12.5" */
	/* With their sign in a table, "+5", "-0.1%", but "0" and "0.0%"; bare in CSV. */
	RENDER_GRID_SIGNED,
	RENDER_GRID_PERCENT,
};

enum {
	RENDER_GRID_CSV_ONLY = 1,
	RENDER_GRID_ALWAYS = 2, /* else a table leaves the column out when no cell is known */
	RENDER_GRID_CUT = 4,    /* gives way to the terminal's width; of the last column only */
	RENDER_GRID_TAIL = 8,   /* of a text longer than `longest` the end is shown */
	RENDER_GRID_KEY = 16,   /* only to sort by: not shown, not in CSV; those come last */
};

struct render_grid_column {
	const char *name, *alias; /* in CSV, and to sort by; alias may be NULL */
	const char *head;         /* in the table */
	enum render_grid_kind kind;
	unsigned int flags;
	struct render_cell (*get)(const void *row); /* text is good as long as the row */
	size_t longest; /* characters of a text that a terminal is shown; 0: all of them */
};

struct render_grid {
	const struct render_grid_column *columns;
	size_t n_columns;
	void *rows; /* n_rows of row_size bytes; the caller's */
	size_t row_size, n_rows;
};

/*
 * Whether sort, "KEY" or "-KEY", is a column; NULL is. KT_ERROR_USAGE, with the keys that
 * there are.
 */
struct kt_error *render_grid_check_sort(const struct render_grid *grid, const char *sort);

/*
 * Sorts the rows; "-KEY" turns the order of the column's kind around. What is not known comes
 * last either way, ties stay in order. NULL leaves them as they are. Errors: as above, and
 * KT_ERROR_NO_MEMORY.
 */
struct kt_error *render_grid_sort(struct render_grid *grid, const char *sort);

/*
 * Appends the rows. width is of the terminal, 0: nothing is cut; color: headings in bold, and
 * tones. What a terminal might obey comes out as "\xNN". KT_ERROR_NO_MEMORY.
 */
struct kt_error *render_grid_table(const struct render_grid *grid, size_t width, bool color,
				   struct kt_buf *out);
struct kt_error *render_grid_csv(const struct render_grid *grid, struct kt_buf *out);

#endif
