// SPDX-License-Identifier: LGPL-2.1-or-later
#include <libsmartcols.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "render/cells_table.h"
#include "util/cleanup.h"

struct kt_error *cells_table_init(size_t rows, size_t columns, struct cells_table *ret)
{
	struct cells_text *all = calloc((rows + 1) * (columns + 1), sizeof(*all));

	if (!all)
		return kt_error_no_memory();
	*ret = (struct cells_table){.n_rows = rows + 1, .n_columns = columns + 1, .all = all};
	return NULL;
}

void cells_table_deinit(struct cells_table *table)
{
	for (size_t i = 0; table->all && i < table->n_rows * table->n_columns; i++)
		free(table->all[i].text);
	free(table->all);
	*table = (struct cells_table){0};
}

struct kt_error *cells_table_set(struct cells_table *table, size_t row, size_t column,
				 enum render_tone tone, struct kt_buf *text)
{
	struct cells_text *cell = &table->all[row * table->n_columns + column];
	char *taken;
	struct kt_error *err = kt_buf_finish(text, &taken);

	if (err)
		return err;
	free(cell->text);
	*cell = (struct cells_text){taken, tone};
	return NULL;
}

/* As it is looked at: turned around, or not. */
struct view {
	const struct cells_table *table;
	bool turned, color;
};

static size_t view_rows(const struct view *view)
{
	return view->turned ? view->table->n_columns : view->table->n_rows;
}

static size_t view_columns(const struct view *view)
{
	return view->turned ? view->table->n_rows : view->table->n_columns;
}

static const struct cells_text *view_at(const struct view *view, size_t row, size_t column)
{
	const struct cells_table *table = view->table;

	return view->turned ? &table->all[column * table->n_columns + row]
			    : &table->all[row * table->n_columns + column];
}

static const char *text_of(const struct cells_text *cell)
{
	return cell->text ? cell->text : "";
}

static bool add_columns(struct libscols_table *scols, const struct view *view)
{
	for (size_t i = 0; i < view_columns(view); i++) {
		bool text = !i || i < view->table->n_texts;
		int flags = view->table->numbers && !text ? SCOLS_FL_RIGHT : 0;
		struct libscols_column *column = scols_table_new_column(
			scols, text_of(view_at(view, 0, i)), 0, flags);

		if (!column)
			return false;
		if (view->color)
			scols_cell_set_color(scols_column_get_header(column), "bold");
	}
	return true;
}

static bool add_line(struct libscols_table *scols, const struct view *view, size_t row)
{
	static const char *const colors[] = {
		[RENDER_TONE_GOOD] = "green",
		[RENDER_TONE_BAD] = "red",
	};
	struct libscols_line *line = scols_table_new_line(scols, NULL);

	for (size_t i = 0; line && i < view_columns(view); i++) {
		const struct cells_text *cell = view_at(view, row, i);

		if (scols_line_set_data(line, i, text_of(cell)))
			return false;
		if (cell->tone != RENDER_TONE_PLAIN &&
		    scols_cell_set_color(scols_line_get_cell(line, i), colors[cell->tone]))
			return false;
	}
	return line;
}

static void unref_table(struct libscols_table **scols)
{
	scols_unref_table(*scols);
}

static struct kt_error *print(const struct view *view, char **ret)
{
	_cleanup_(unref_table) struct libscols_table *scols = scols_new_table();
	bool ok = scols != NULL;

	if (ok) {
		scols_table_set_termforce(scols, SCOLS_TERMFORCE_NEVER);
		scols_table_enable_colors(scols, view->color);
		ok = add_columns(scols, view);
	}
	for (size_t i = 1; ok && i < view_rows(view); i++)
		ok = add_line(scols, view, i);
	return ok && !scols_print_table_to_string(scols, ret) ? NULL : kt_error_no_memory();
}

/* Columns that a terminal needs for a line; bytes where it is no text of this locale. */
static size_t line_width(const char *line, size_t len)
{
	mbstate_t state = {0};
	size_t width = 0;

	while (len) {
		wchar_t c;
		size_t n = mbrtowc(&c, line, len, &state);
		int columns;

		if (!n || n > len) {
			state = (mbstate_t){0};
			n = 1;
			width++;
		} else {
			columns = wcwidth(c);
			width += columns > 0 ? (size_t)columns : 0;
		}
		line += n;
		len -= n;
	}
	return width;
}

static size_t text_width(const char *text)
{
	size_t widest = 0;

	while (*text) {
		size_t len = strcspn(text, "\n"), width = line_width(text, len);

		if (width > widest)
			widest = width;
		text += len + (text[len] == '\n');
	}
	return widest;
}

/* Measured without colors, whose codes take no room. */
static struct kt_error *measure(const struct view *view, size_t *ret)
{
	struct view plain = {view->table, view->turned, false};
	_cleanup_free_ char *text = NULL;
	struct kt_error *err = print(&plain, &text);

	if (!err)
		*ret = text_width(text);
	return err;
}

static struct kt_error *decide(struct view *view, size_t max)
{
	struct view turned = {view->table, !view->turned, false};
	struct kt_error *err;
	size_t width, other;

	err = measure(view, &width);
	if (err || width <= max)
		return err;
	err = measure(&turned, &other);
	if (!err && other < width)
		view->turned = turned.turned;
	return err;
}

struct kt_error *cells_table_print(const struct cells_table *table,
				   const struct cells_table_options *options, struct kt_buf *out)
{
	struct view view = {table, options->transpose, options->color};
	_cleanup_free_ char *text = NULL;
	struct kt_error *err = NULL;

	if (options->width && !options->transpose)
		err = decide(&view, options->width);
	if (!err && view_rows(&view) > 1)
		err = print(&view, &text);
	if (err)
		return err;
	kt_buf_appends(out, text ? text : "");
	if (text && text[0] && out->data && out->data[out->len - 1] != '\n')
		kt_buf_appendc(out, '\n'); /* libsmartcols leaves the last one out */
	return kt_buf_failed(out) ? kt_error_no_memory() : NULL;
}
