// SPDX-License-Identifier: LGPL-2.1-or-later
#include <inttypes.h>
#include <libsmartcols.h>
#include <stdlib.h>
#include <string.h>

#include "render/grid.h"
#include "render/text.h"
#include "util/cleanup.h"

static bool name_is(const char *name, const char *key)
{
	return name && strcmp(name, key) == 0;
}

/* The column of "KEY" or "-KEY"; NULL: there is none. */
static const struct render_grid_column *column_by_key(const struct render_grid *grid,
						      const char *sort)
{
	const char *key = sort + (sort[0] == '-');

	for (size_t i = 0; i < grid->n_columns; i++)
		if (name_is(grid->columns[i].name, key) || name_is(grid->columns[i].alias, key))
			return &grid->columns[i];
	return NULL;
}

struct kt_error *render_grid_check_sort(const struct render_grid *grid, const char *sort)
{
	struct kt_buf names = KT_BUF_INIT;
	struct kt_error *err;

	if (!sort || column_by_key(grid, sort))
		return NULL;
	for (size_t i = 0; i < grid->n_columns; i++)
		kt_buf_printf(&names, "%s%s", i ? ", " : "", grid->columns[i].name);
	err = kt_error_new(KT_ERROR_USAGE, "no column \"%s\" to sort by; there are %s",
			   sort + (sort[0] == '-'), names.data ? names.data : "others");
	kt_buf_deinit(&names);
	return err;
}

struct order {
	const struct render_grid_column *column;
	bool reversed;
};

static int compare_text(struct kt_text a, struct kt_text b)
{
	size_t len = a.len < b.len ? a.len : b.len;
	int cmp = len ? memcmp(a.data, b.data, len) : 0;

	return cmp ? cmp : (a.len > b.len) - (a.len < b.len);
}

static int compare_cells(const struct render_cell *m, const struct render_cell *n,
			 enum render_grid_kind kind)
{
	int64_t a = (int64_t)m->number, b = (int64_t)n->number;

	switch (kind) {
	case RENDER_GRID_TEXT: return compare_text(m->text, n->text);
	case RENDER_GRID_PERCENT: return (m->real > n->real) - (m->real < n->real);
	case RENDER_GRID_SIGNED: return (a > b) - (a < b);
	default: return (m->number > n->number) - (m->number < n->number);
	}
}

static bool sorts_from_largest(enum render_grid_kind kind)
{
	return kind != RENDER_GRID_TEXT && kind != RENDER_GRID_RISING;
}

/* Of two pointers to rows. */
static int compare(const void *a, const void *b, void *arg)
{
	const void *x = *(const void *const *)a, *y = *(const void *const *)b;
	const struct order *order = arg;
	struct render_cell m = order->column->get(x), n = order->column->get(y);
	int cmp;

	if (m.known != n.known)
		return n.known - m.known;
	cmp = compare_cells(&m, &n, order->column->kind);
	if (sorts_from_largest(order->column->kind))
		cmp = -cmp;
	if (order->reversed)
		cmp = -cmp;
	/* qsort_r() keeps no order by itself; the rows are in one array. */
	return cmp ? cmp : (x > y) - (x < y);
}

struct kt_error *render_grid_sort(struct render_grid *grid, const char *sort)
{
	struct kt_error *err = render_grid_check_sort(grid, sort);
	_cleanup_free_ const char **order = NULL;
	_cleanup_free_ char *sorted = NULL;
	struct order by;

	if (err || !sort || !grid->n_rows)
		return err;
	by = (struct order){column_by_key(grid, sort), sort[0] == '-'};
	order = calloc(grid->n_rows, sizeof(*order));
	sorted = calloc(grid->n_rows, grid->row_size);
	if (!order || !sorted)
		return kt_error_no_memory();
	for (size_t i = 0; i < grid->n_rows; i++)
		order[i] = (const char *)grid->rows + i * grid->row_size;
	qsort_r(order, grid->n_rows, sizeof(*order), compare, &by);
	for (size_t i = 0; i < grid->n_rows; i++)
		memcpy(sorted + i * grid->row_size, order[i], grid->row_size);
	memcpy(grid->rows, sorted, grid->n_rows * grid->row_size);
	return NULL;
}

/* A C string: a NUL, of which such a string can hold none, becomes U+FFFD. */
static void append_text(struct kt_buf *buf, struct kt_text text)
{
	while (text.len) {
		const char *nul = memchr(text.data, '\0', text.len);
		size_t len = nul ? (size_t)(nul - text.data) : text.len;

		kt_buf_append(buf, text.data, len);
		if (nul)
			kt_buf_appends(buf, "\xef\xbf\xbd");
		text.data += len + (nul != NULL);
		text.len -= len + (nul != NULL);
	}
}

/* 7 as "+7" for people; of 0 nobody asks for the sign. */
static void append_signed(struct kt_buf *buf, int64_t number, bool plain)
{
	kt_buf_printf(buf, "%s%" PRId64, !plain && number > 0 ? "+" : "", number);
}

static void append_percent(struct kt_buf *buf, double real, bool plain)
{
	if (plain)
		kt_buf_printf(buf, "%.12g", real);
	else if (real == 0)
		kt_buf_appends(buf, "0.0%");
	else
		kt_buf_printf(buf, "%+.1f%%", real); /* of infinity "+inf%" */
}

/* For people, or plain, for programs. Nothing is appended for an unknown cell. */
static void append_cell(struct kt_buf *buf, const struct render_cell *cell,
			enum render_grid_kind kind, bool plain)
{
	if (!cell->known)
		return;
	if (cell->text.data || kind == RENDER_GRID_TEXT)
		append_text(buf, cell->text);
	else if (kind == RENDER_GRID_TENTHS)
		kt_buf_printf(buf, "%" PRIu64 ".%" PRIu64, cell->number / 10, cell->number % 10);
	else if (kind == RENDER_GRID_HEX && !plain)
		kt_buf_printf(buf, "0x%" PRIx64, cell->number);
	else if (kind == RENDER_GRID_SIGNED)
		append_signed(buf, (int64_t)cell->number, plain);
	else if (kind == RENDER_GRID_PERCENT)
		append_percent(buf, cell->real, plain);
	else
		kt_buf_printf(buf, "%" PRIu64, cell->number);
}

static const void *row_at(const struct render_grid *grid, size_t i)
{
	return (const char *)grid->rows + i * grid->row_size;
}

static bool is_shown(const struct render_grid *grid, const struct render_grid_column *column)
{
	if (column->flags & (RENDER_GRID_CSV_ONLY | RENDER_GRID_KEY))
		return false;
	if (column->flags & RENDER_GRID_ALWAYS)
		return true;
	for (size_t i = 0; i < grid->n_rows; i++)
		if (column->get(row_at(grid, i)).known)
			return true;
	return false;
}

static void unref_table(struct libscols_table **table)
{
	scols_unref_table(*table);
}

/* shown: filled with the columns that the table has; their number is returned, 0 without memory. */
static size_t add_columns(struct libscols_table *table, const struct render_grid *grid,
			  size_t width, bool color, const struct render_grid_column **shown)
{
	size_t n = 0;

	for (size_t i = 0; i < grid->n_columns; i++) {
		const struct render_grid_column *c = &grid->columns[i];
		int flags = c->kind == RENDER_GRID_TEXT ? 0 : SCOLS_FL_RIGHT;
		struct libscols_column *column;

		if (!is_shown(grid, c))
			continue;
		if (c->flags & RENDER_GRID_CUT && width)
			flags |= SCOLS_FL_TRUNC;
		column = scols_table_new_column(table, c->head, (double)strlen(c->head), flags);
		if (!column)
			return 0;
		if (color)
			scols_cell_set_color(scols_column_get_header(column), "bold");
		shown[n++] = c;
	}
	return n;
}

/* buf holds nothing else. "..its_end", "its_start.." */
static void shorten(struct kt_buf *buf, const struct render_grid_column *column)
{
	const char *keep = buf->data, *end = buf->data + buf->len;
	size_t chars = 0, skip, len;

	for (const char *p = buf->data; p < end; chars++) {
		len = render_utf8_length(p);
		p += len ? len : 1;
	}
	if (!column->longest || chars <= column->longest)
		return;
	skip = column->flags & RENDER_GRID_TAIL ? chars - column->longest + 2 : column->longest - 2;
	while (skip--) {
		len = render_utf8_length(keep);
		keep += len ? len : 1;
	}
	if (column->flags & RENDER_GRID_TAIL) {
		/* What is left out has the room. */
		kt_buf_consume(buf, (size_t)(keep - buf->data) - 2);
		memcpy(buf->data, "..", 2);
	} else {
		buf->len = (size_t)(keep - buf->data);
		kt_buf_appends(buf, "..");
	}
}

/* The text of a cell of a table, which the caller frees; NULL without memory. */
static char *cell_text(const struct render_grid_column *column, const struct render_cell *cell,
		       bool fit)
{
	struct kt_buf text = KT_BUF_INIT;

	append_cell(&text, cell, column->kind, false);
	if (fit && text.len)
		shorten(&text, column);
	if (!cell->known)
		append_text(&text, cell->text);
	if (!text.len)
		kt_buf_appendc(&text, '-');
	return kt_buf_steal(&text);
}

static bool add_line(struct libscols_table *table, const struct render_grid_column **shown,
		     size_t n, const void *row, bool fit)
{
	static const char *const colors[] = {
		[RENDER_TONE_GOOD] = "green",
		[RENDER_TONE_BAD] = "red",
	};
	struct libscols_line *line = scols_table_new_line(table, NULL);

	for (size_t i = 0; line && i < n; i++) {
		struct render_cell cell = shown[i]->get(row);
		char *text = cell_text(shown[i], &cell, fit);

		if (!text || scols_line_refer_data(line, i, text)) {
			free(text);
			return false;
		}
		if (cell.tone != RENDER_TONE_PLAIN &&
		    scols_cell_set_color(scols_line_get_cell(line, i), colors[cell.tone]))
			return false;
	}
	return line;
}

struct kt_error *render_grid_table(const struct render_grid *grid, size_t width, bool color,
				   struct kt_buf *out)
{
	_cleanup_(unref_table) struct libscols_table *table = scols_new_table();
	_cleanup_free_ const struct render_grid_column **shown = calloc(grid->n_columns,
									sizeof(*shown));
	_cleanup_free_ char *text = NULL;
	size_t n;

	if (!table || !shown)
		return kt_error_no_memory();
	scols_table_set_termforce(table, width ? SCOLS_TERMFORCE_ALWAYS : SCOLS_TERMFORCE_NEVER);
	if (width)
		scols_table_set_termwidth(table, width);
	scols_table_enable_colors(table, color);
	n = add_columns(table, grid, width, color, shown);
	if (!n)
		return kt_error_no_memory();
	for (size_t i = 0; i < grid->n_rows; i++)
		if (!add_line(table, shown, n, row_at(grid, i), width > 0))
			return kt_error_no_memory();
	if (grid->n_rows && scols_print_table_to_string(table, &text))
		return kt_error_no_memory();
	kt_buf_appends(out, text ? text : "");
	if (text && text[0] && out->len && out->data[out->len - 1] != '\n')
		kt_buf_appendc(out, '\n'); /* libsmartcols leaves the last one out */
	return kt_buf_failed(out) ? kt_error_no_memory() : NULL;
}

static void append_csv_cell(struct kt_buf *out, const struct render_grid_column *column,
			    const void *row)
{
	struct kt_buf raw = KT_BUF_INIT, cell = KT_BUF_INIT;
	struct render_cell value = column->get(row);

	append_cell(&raw, &value, column->kind, true);
	render_append_visible(&cell, raw.data ? raw.data : "", false);
	render_append_csv(out, cell.data ? cell.data : "");
	out->failed |= raw.failed || cell.failed;
	kt_buf_deinit(&raw);
	kt_buf_deinit(&cell);
}

/* Columns that are keys alone come last. */
static size_t count_csv_columns(const struct render_grid *grid)
{
	size_t n = grid->n_columns;

	while (n && grid->columns[n - 1].flags & RENDER_GRID_KEY)
		n--;
	return n;
}

struct kt_error *render_grid_csv(const struct render_grid *grid, struct kt_buf *out)
{
	size_t n = count_csv_columns(grid);

	for (size_t i = 0; i < n; i++)
		kt_buf_printf(out, "%s%s", i ? "," : "", grid->columns[i].name);
	kt_buf_appendc(out, '\n');
	for (size_t r = 0; r < grid->n_rows; r++) {
		for (size_t i = 0; i < n; i++) {
			if (i)
				kt_buf_appendc(out, ',');
			append_csv_cell(out, &grid->columns[i], row_at(grid, r));
		}
		kt_buf_appendc(out, '\n');
	}
	return kt_buf_failed(out) ? kt_error_no_memory() : NULL;
}
