/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Tables. A view has one table of columns, and all that shows its rows is made from that: tables
 * for a terminal, CSV, JSON, lines that come one by one. To add a column, add a line to it:
 *
 *	{"btf_id", "btf", "BTF", &render_as_number, RENDER_KNOWN(struct map, btf_id)},
 *
 * which says: its name in CSV, in JSON, for --sort and for -o; a short form of that, or NULL; its
 * head in a table; what its values are, which tells how they look, align and sort; and where a row
 * has the value. Optional, by name: flags, width, longest. Internal to render/ and cli/.
 */
#ifndef KT_RENDER_GRID_H
#define KT_RENDER_GRID_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "logparse/text.h"
#include "model/program.h"
#include "util/buf.h"
#include "util/error.h"

enum render_tone { RENDER_TONE_PLAIN, RENDER_TONE_GOOD, RENDER_TONE_BAD };

/* A value. Text and object are good as long as the row. */
struct render_cell {
	bool known;      /* false: "-" in a table, an empty field in CSV, null in JSON */
	uint64_t number; /* an int64_t of a signed type */
	uint64_t second; /* of a range its end */
	double real;     /* of percentages and seconds, in place of number; may be infinite */
	/*
	 * Shown in place of the number when its data is not NULL. If the value is not known, a
	 * table shows it in place of the "-", when it is not empty.
	 */
	struct kt_text text;
	const void *object;    /* for a type that the view defines itself */
	enum render_tone tone; /* in a table with colors */
};

/* How the values of a column look, align and sort. A view may define types of its own. */
struct render_type {
	bool right;        /* aligned in a table */
	bool from_largest; /* the order of --sort KEY; -KEY is the other way around */
	/* < 0, 0, > 0. NULL: compares the numbers. */
	int (*compare)(const struct render_cell *a, const struct render_cell *b);
	/*
	 * Appends a known value, as a person or (exact) as a program wants it. Not called for one
	 * that has text, which is appended as it is.
	 */
	void (*print)(const struct render_cell *cell, bool exact, struct kt_buf *out);
	/* A new reference, of an unknown value, too. NULL: the column is in no document. */
	json_t *(*json)(const struct render_cell *cell);
};

extern const struct render_type render_as_text;    /* sorts from A */
extern const struct render_type render_as_number;  /* sorts from the largest, as most do */
extern const struct render_type render_as_id;      /* a number that sorts from the smallest */
extern const struct render_type render_as_hex;     /* "0x480"; decimal in CSV and JSON */
extern const struct render_type render_as_tenths;  /* 125 is shown as "12.5" */
extern const struct render_type render_as_signed;  /* "+5", "0"; without the + in CSV */
extern const struct render_type render_as_percent; /* "-0.1%", "0.0%"; bare in CSV */
extern const struct render_type render_as_seconds; /* "1.5 s"; bare in CSV */
extern const struct render_type render_as_range;   /* number to second: "5", "5..7" */
extern const struct render_type render_as_yes_no;  /* number: "yes", "no"; true, false in JSON */
/* Seconds since 1970, as local time; a number in CSV and JSON. */
extern const struct render_type render_as_time;

enum render_source {
	RENDER_FROM_GET,
	RENDER_FROM_GET_NTH,
	RENDER_FROM_KNOWN,
	RENDER_FROM_U32,
	RENDER_FROM_U64,
	RENDER_FROM_STRING,
	RENDER_FROM_CHARS,
	RENDER_FROM_SLICE,
};

#define RENDER_MEMBER_(from, row, member) .source = (from), .at = offsetof(row, member)

/* Where a row has the value: in a member (KNOWN is a struct program_number) ... */
#define RENDER_KNOWN(row, member)  RENDER_MEMBER_(RENDER_FROM_KNOWN, row, member)
#define RENDER_U32(row, member)    RENDER_MEMBER_(RENDER_FROM_U32, row, member)
#define RENDER_U64(row, member)    RENDER_MEMBER_(RENDER_FROM_U64, row, member)
#define RENDER_STRING(row, member) RENDER_MEMBER_(RENDER_FROM_STRING, row, member) /* or NULL */
#define RENDER_CHARS(row, member)  RENDER_MEMBER_(RENDER_FROM_CHARS, row, member)  /* char[] */
/* A struct kt_text; an empty one is not known. */
#define RENDER_SLICE(row, member) RENDER_MEMBER_(RENDER_FROM_SLICE, row, member)
/* ... or in what a function makes of the row. */
#define RENDER_GET(function) .get = (function)
/* The same for columns that are made at run time: the function gets n, too. */
#define RENDER_GET_NTH(function, n) .source = RENDER_FROM_GET_NTH, .get_nth = (function), .at = (n)

enum {
	RENDER_NOT_IN_TABLE = 1,
	RENDER_NOT_IN_CSV = 2,
	RENDER_NOT_IN_JSON = 4,
	RENDER_ONLY_TO_SORT = 7,
	RENDER_ALWAYS = 8, /* else a table leaves the column out when no value is known */
	RENDER_CUT = 16,   /* gives way to the terminal's width */
	RENDER_TAIL = 32,  /* shows the end of a text longer than `longest`, not its beginning */
	RENDER_WRAP = 64,  /* goes on in the next line where the terminal's width ends */
};

struct render_column {
	const char *name, *alias; /* name may be NULL where only a table is made */
	const char *head;
	const struct render_type *type;
	enum render_source source;
	size_t at;
	struct render_cell (*get)(const void *row);
	struct render_cell (*get_nth)(const void *row, size_t n);
	unsigned int flags;
	/*
	 * Columns of the terminal. A table makes it at least so wide, unless all values are
	 * narrower than the head; 0: as its values need. A line makes it so wide whatever it has.
	 */
	size_t width;
	size_t longest; /* characters of a text that a terminal is shown; 0: all of them */
	/*
	 * A table that is wider than it may be leaves out the column with the smallest number, then
	 * the next, unless they were selected; 0: it stays.
	 */
	unsigned int leave;
};

#define RENDER_SELECTED_MAX 40

/* Rows are structs of the caller's, of row_size bytes. */
struct render_grid {
	const struct render_column *columns;
	size_t n_columns;
	void *rows;
	size_t row_size, n_rows;
	const struct render_column *selected[RENDER_SELECTED_MAX];
	size_t n_selected; /* 0: the columns' flags tell which are shown */
};

/* clang-format off */
#define RENDER_GRID(table, first_row, n) {                                                         \
	.columns = (table),                                                                        \
	.n_columns = sizeof(table) / sizeof(*(table)),                                             \
	.rows = (void *)(first_row),                                                               \
	.row_size = sizeof(*(first_row)),                                                          \
	.n_rows = (n),                                                                             \
}
/* clang-format on */

static inline const void *render_grid_row(const struct render_grid *grid, size_t i)
{
	return (const char *)grid->rows + i * grid->row_size;
}

/* An empty text is not known. */
static inline struct render_cell render_text_cell(struct kt_text text)
{
	return (struct render_cell){.known = text.len > 0, .text = text};
}

/* NULL is not known. */
static inline struct render_cell render_string_cell(const char *text)
{
	return (struct render_cell){.known = text, .text = {text, text ? strlen(text) : 0}};
}

static inline struct render_cell render_number_cell(bool known, uint64_t number)
{
	return (struct render_cell){.known = known, .number = number};
}

/* Parts of render_as_text and render_as_number, for similar types that a view defines itself. */
int render_compare_texts(const struct render_cell *a, const struct render_cell *b);
json_t *render_number_json(const struct render_cell *cell);

/* The value that a row has in a column. */
struct render_cell render_cell_of(const struct render_column *column, const void *row);

/* Appends a value as its type prints it; nothing for one that is not known. */
void render_append_cell(struct kt_buf *out, const struct render_column *column,
			const struct render_cell *cell, bool exact);

/* The column of that name or alias; NULL: there is none. */
const struct render_column *render_grid_find(const struct render_grid *grid, const char *name,
					     size_t len);

/*
 * Selects the columns of names, "id,name", in that order. NULL leaves it to the columns' flags.
 * KT_ERROR_USAGE, with the names that there are; the selection is then as it was.
 */
struct kt_error *render_grid_select(struct render_grid *grid, const char *names);

/* Whether sort, "KEY" or "-KEY", is a column; NULL is. Errors: as above. */
struct kt_error *render_grid_check_sort(const struct render_grid *grid, const char *sort);

/*
 * Sorts the rows. What is not known comes last either way, ties stay in order. NULL leaves them
 * as they are. Errors: as above, and KT_ERROR_NO_MEMORY.
 */
struct kt_error *render_grid_sort(struct render_grid *grid, const char *sort);

/*
 * Appends the rows. width is of the terminal, 0: nothing is cut or left out; color: heads in bold,
 * and tones.
 * Control characters are shown as "\xNN". KT_ERROR_NO_MEMORY.
 */
struct kt_error *render_grid_table(const struct render_grid *grid, size_t width, bool color,
				   struct kt_buf *out);

struct render_turning {
	size_t width; /* of the terminal; 0: any */
	bool color, transpose;
};

/*
 * The same for a table whose columns are alike, but for the first one, which has names. Nothing is
 * cut. Rows and columns change places if that is asked for, or else if the table is wider than
 * width, and narrower the other way.
 */
struct kt_error *render_grid_turning_table(const struct render_grid *grid,
					   const struct render_turning *how, struct kt_buf *out);

struct kt_error *render_grid_csv(const struct render_grid *grid, struct kt_buf *out);

/* Sets the key of each column in object, which is a row's. */
void render_grid_json(const struct render_grid *grid, const void *row, json_t *object);

/*
 * For rows that come one by one: appends the heads, or a row, as one line. Columns are those that
 * were selected, each as wide as it says; what is longer than its column's `longest` is cut, and
 * what is still wider moves the rest. Control characters are shown as "\xNN".
 */
void render_grid_head(const struct render_grid *grid, struct kt_buf *out);
void render_grid_line(const struct render_grid *grid, const void *row, bool color,
		      struct kt_buf *out);

#endif
