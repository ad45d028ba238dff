// SPDX-License-Identifier: LGPL-2.1-or-later
/* Rows for a terminal: as a table, which libsmartcols measures and draws, and as lines. */
#include <libsmartcols.h>
#include <stdlib.h>

#include "render/grid.h"
#include "render/text.h"
#include "util/cleanup.h"

/* buf holds nothing else. "..its_end", "its_start.." */
static void shorten(struct kt_buf *buf, const struct render_column *column)
{
	const char *keep = buf->data, *end = buf->data + buf->len;
	size_t chars = 0, skip, len;

	for (const char *p = buf->data; p < end; chars++) {
		len = render_utf8_length(p);
		p += len ? len : 1;
	}
	if (!column->longest || chars <= column->longest)
		return;
	skip = column->flags & RENDER_TAIL ? chars - column->longest + 2 : column->longest - 2;
	while (skip--) {
		len = render_utf8_length(keep);
		keep += len ? len : 1;
	}
	if (column->flags & RENDER_TAIL) {
		/* The dots take the place of the last two bytes that go. */
		kt_buf_consume(buf, (size_t)(keep - buf->data) - 2);
		memcpy(buf->data, "..", 2);
	} else {
		buf->len = (size_t)(keep - buf->data);
		kt_buf_appends(buf, "..");
	}
}

/* --- tables --- */

/* A grid as a table shows it: these columns; turned: rows and columns change places. */
struct view {
	const struct render_grid *grid;
	const struct render_column **shown;
	size_t n_shown;
	size_t width; /* what has to be cut is cut to it; 0: nothing */
	/* How wide libsmartcols makes each column; NULL: not known yet. For those with RENDER_WRAP,
	 * which it would break within a word. */
	size_t *widths;
	bool turned, color;
};

static bool is_shown(const struct render_grid *grid, const struct render_column *column)
{
	if (column->flags & RENDER_NOT_IN_TABLE)
		return false;
	if (column->flags & RENDER_ALWAYS)
		return true;
	for (size_t i = 0; i < grid->n_rows; i++)
		if (render_cell_of(column, render_grid_row(grid, i)).known)
			return true;
	return false;
}

static struct kt_error *view_init(const struct render_grid *grid, struct view *ret)
{
	size_t max = grid->n_selected ? grid->n_selected : grid->n_columns;

	*ret = (struct view){.grid = grid, .shown = calloc(max, sizeof(*ret->shown))};
	if (!ret->shown)
		return kt_error_no_memory();
	for (size_t i = 0; i < grid->n_selected; i++)
		ret->shown[ret->n_shown++] = grid->selected[i];
	for (size_t i = 0; i < grid->n_columns && !grid->n_selected; i++)
		if (is_shown(grid, &grid->columns[i]))
			ret->shown[ret->n_shown++] = &grid->columns[i];
	return NULL;
}

static void view_deinit(struct view *view)
{
	free(view->shown);
}

/* How many lines it has, without the heads; turned, the names in the first column are those. */
static size_t view_lines(const struct view *view)
{
	return view->turned ? view->n_shown - 1 : view->grid->n_rows;
}

static size_t view_columns(const struct view *view)
{
	return view->turned ? view->grid->n_rows + 1 : view->n_shown;
}

/* The text of a value, which the caller frees; NULL without memory. */
static char *cell_text(const struct render_column *column, const struct render_cell *cell, bool fit)
{
	struct kt_buf text = KT_BUF_INIT;

	render_append_cell(&text, column, cell, false);
	if (fit && text.len)
		shorten(&text, column);
	if (!cell->known && cell->text.len)
		render_append_cell(&text, column,
				   &(struct render_cell){.known = true, .text = cell->text}, false);
	if (!text.len)
		kt_buf_appendc(&text, '-');
	return kt_buf_steal(&text);
}

/* Line 0 is the heads. The caller frees the text; NULL without memory. */
static char *view_text(const struct view *view, size_t line, size_t column, enum render_tone *tone)
{
	const struct render_column *c = view->shown[view->turned ? line : column];
	size_t row = view->turned ? column : line;
	struct render_cell cell;

	*tone = RENDER_TONE_PLAIN;
	if (!row)
		return strdup(c->head);
	cell = render_cell_of(c, render_grid_row(view->grid, row - 1));
	*tone = cell.tone;
	return cell_text(c, &cell, view->width > 0);
}

/* Whether this column gets its line breaks from us. */
static bool wraps(const struct view *view, size_t column)
{
	return view->widths && !view->turned && view->shown[column]->flags & RENDER_WRAP;
}

static bool add_column(struct libscols_table *table, const struct view *view, size_t column)
{
	/* Turned, a column has values of all types but the names', which are one. */
	size_t typical = view->turned && column ? view->n_shown - 1 : view->turned ? 0 : column;
	const struct render_column *c = view->shown[typical];
	int flags = c->type->right ? SCOLS_FL_RIGHT : 0;
	struct libscols_column *added;
	enum render_tone tone;
	_cleanup_free_ char *head = view_text(view, 0, column, &tone);

	if (c->flags & RENDER_CUT && view->width)
		flags |= SCOLS_FL_TRUNC;
	if (c->flags & RENDER_WRAP && view->width)
		flags |= SCOLS_FL_WRAP;
	added = head ? scols_table_new_column(table, head, (double)c->width, flags) : NULL;
	if (added && wraps(view, column) &&
	    (scols_column_set_wrapfunc(added, scols_wrapnl_chunksize, scols_wrapnl_nextchunk,
				       NULL) ||
	     scols_column_set_safechars(added, "\n\\")))
		return false;
	if (added && view->color)
		scols_cell_set_color(scols_column_get_header(added), "bold");
	return added;
}

/* Where a line of at most width columns ends: behind a blank or a comma, if there is one. */
static size_t line_end(const char *text, size_t width)
{
	size_t end = 0, at = 0;

	while (text[at]) {
		size_t len = render_utf8_length(text + at);

		len = len ? len : 1;
		if (at && render_text_width(text, at + len) > width)
			return text[at] == ' ' ? at : end ? end : at;
		at += len;
		if (text[at - 1] == ' ' || text[at - 1] == ',')
			end = at;
	}
	return at;
}

/* As libsmartcols would show it, also where the locale has no such characters. */
static void append_shown(struct kt_buf *out, const char *text)
{
	struct kt_buf visible = KT_BUF_INIT;

	render_append_visible(&visible, text, false);
	for (size_t i = 0; i < visible.len; i++)
		if (visible.data[i] & 0x80 && MB_CUR_MAX == 1)
			kt_buf_printf(out, "\\x%02x", (unsigned char)visible.data[i]);
		else
			kt_buf_appendc(out, visible.data[i]);
	out->failed |= visible.failed;
	kt_buf_deinit(&visible);
}

/* The text with line breaks. Takes text; NULL without memory. */
static char *wrap(char *text, size_t width)
{
	struct kt_buf visible = KT_BUF_INIT, out = KT_BUF_INIT;

	append_shown(&visible, text);
	out.failed |= visible.failed;
	for (const char *p = visible.data; p && *p;) {
		size_t end = line_end(p, width), shown = end;

		while (shown && p[shown - 1] == ' ')
			shown--;
		if (out.len)
			kt_buf_appendc(&out, '\n');
		kt_buf_append(&out, p, shown);
		p += end;
		p += strspn(p, " ");
	}
	kt_buf_deinit(&visible);
	free(text);
	return kt_buf_steal(&out);
}

static bool add_line(struct libscols_table *table, const struct view *view, size_t line)
{
	static const char *const colors[] = {
		[RENDER_TONE_GOOD] = "green",
		[RENDER_TONE_BAD] = "red",
	};
	struct libscols_line *added = scols_table_new_line(table, NULL);

	for (size_t i = 0; added && i < view_columns(view); i++) {
		enum render_tone tone;
		char *text = view_text(view, line, i, &tone);

		if (text && wraps(view, i))
			text = wrap(text, view->widths[i]);
		if (!text || scols_line_refer_data(added, i, text)) {
			free(text);
			return false;
		}
		if (tone != RENDER_TONE_PLAIN &&
		    scols_cell_set_color(scols_line_get_cell(added, i), colors[tone]))
			return false;
	}
	return added;
}

static void unref_table(struct libscols_table **table)
{
	scols_unref_table(*table);
}

/* Notes how wide the columns are in a table that was drawn; false: nothing has to be wrapped. */
static bool take_widths(struct libscols_table *table, const struct view *view, size_t *widths)
{
	bool any = false;

	for (size_t i = 0; i < view_columns(view); i++) {
		widths[i] = scols_column_get_width(scols_table_get_column(table, i));
		widths[i] = widths[i] ? widths[i] : 1;
		any |= !view->turned && view->shown[i]->flags & RENDER_WRAP;
	}
	return any && view->width && view_lines(view);
}

static struct kt_error *draw_once(const struct view *view, size_t *widths, bool *again_ret,
				  char **ret)
{
	_cleanup_(unref_table) struct libscols_table *table = scols_new_table();

	if (!table)
		return kt_error_no_memory();
	scols_table_set_termforce(table,
				  view->width ? SCOLS_TERMFORCE_ALWAYS : SCOLS_TERMFORCE_NEVER);
	if (view->width)
		scols_table_set_termwidth(table, view->width);
	scols_table_enable_colors(table, view->color);
	for (size_t i = 0; i < view_columns(view); i++)
		if (!add_column(table, view, i))
			return kt_error_no_memory();
	for (size_t i = 0; i < view_lines(view); i++)
		if (!add_line(table, view, i + 1))
			return kt_error_no_memory();
	*ret = NULL;
	if (view_lines(view) && scols_print_table_to_string(table, ret))
		return kt_error_no_memory();
	*again_ret = take_widths(table, view, widths);
	return NULL;
}

/* The caller frees *ret, which is NULL if there is no line. */
static struct kt_error *draw(const struct view *view, char **ret)
{
	_cleanup_free_ size_t *widths = calloc(view_columns(view) + 1, sizeof(*widths));
	struct view wrapped = *view;
	bool again = false;
	struct kt_error *err;

	if (!widths)
		return kt_error_no_memory();
	err = draw_once(view, widths, &again, ret);
	if (err || !again)
		return err;
	free(kt_take_ptr(*ret));
	wrapped.widths = widths;
	return draw_once(&wrapped, widths, &again, ret);
}

static struct kt_error *append_drawn(const struct view *view, struct kt_buf *out)
{
	_cleanup_free_ char *text = NULL;
	struct kt_error *err = draw(view, &text);

	if (err)
		return err;
	kt_buf_appends(out, text ? text : "");
	if (text && text[0] && out->len && out->data[out->len - 1] != '\n')
		kt_buf_appendc(out, '\n'); /* libsmartcols leaves the last one out */
	return kt_buf_failed(out) ? kt_error_no_memory() : NULL;
}

/* Measured without colors, whose codes take no room. */
static struct kt_error *measure(const struct view *view, bool turned, size_t *ret)
{
	struct view plain = *view;
	_cleanup_free_ char *text = NULL;
	struct kt_error *err;
	size_t widest = 0;

	plain.turned = turned;
	plain.color = false;
	err = draw(&plain, &text);
	if (err)
		return err;
	for (const char *p = text ? text : ""; *p;) {
		size_t len = strcspn(p, "\n"), width = render_text_width(p, len);

		widest = width > widest ? width : widest;
		p += len + (p[len] == '\n');
	}
	*ret = widest;
	return NULL;
}

/* The column that goes first, of those that are shown; n_shown: all have to stay. */
static size_t first_to_leave(const struct view *view)
{
	size_t ret = view->n_shown;

	for (size_t i = 0; i < view->n_shown; i++) {
		unsigned int leave = view->shown[i]->leave;

		if (leave && (ret == view->n_shown || leave < view->shown[ret]->leave))
			ret = i;
	}
	return ret;
}

/* Leaves out columns until the table fits. */
static struct kt_error *fit(struct view *view)
{
	for (;;) {
		size_t width = 0, out = first_to_leave(view);
		struct view plain = *view;
		struct kt_error *err;

		if (out == view->n_shown)
			return NULL;
		plain.width = 0;
		err = measure(&plain, false, &width);
		if (err || width <= view->width)
			return err;
		view->n_shown--;
		memmove(view->shown + out, view->shown + out + 1,
			(view->n_shown - out) * sizeof(*view->shown));
	}
}

struct kt_error *render_grid_table(const struct render_grid *grid, size_t width, bool color,
				   struct kt_buf *out)
{
	_cleanup_(view_deinit) struct view view = {0};
	struct kt_error *err = view_init(grid, &view);

	view.width = width;
	view.color = color;
	if (!err && width && !grid->n_selected)
		err = fit(&view);
	return err ? err : append_drawn(&view, out);
}

/* --- tables that are turned around --- */

/* Whether it is wider than max, and narrower the other way. */
static struct kt_error *should_turn(const struct view *view, size_t max, bool *ret)
{
	struct kt_error *err;
	size_t width, other;

	*ret = false;
	err = measure(view, false, &width);
	if (err || width <= max)
		return err;
	err = measure(view, true, &other);
	*ret = !err && other < width;
	return err;
}

struct kt_error *render_grid_turning_table(const struct render_grid *grid,
					   const struct render_turning *how, struct kt_buf *out)
{
	_cleanup_(view_deinit) struct view view = {0};
	struct kt_error *err = view_init(grid, &view);

	if (err)
		return err;
	view.color = how->color;
	view.turned = how->transpose;
	if (how->width && !how->transpose)
		err = should_turn(&view, how->width, &view.turned);
	return err ? err : append_drawn(&view, out);
}

/* --- lines --- */

/* Appends text in a column of that width, and a blank if another one follows. */
static void append_padded(struct kt_buf *out, const struct render_column *column, const char *text,
			  bool is_last)
{
	size_t width = render_text_width(text, strlen(text));

	for (size_t i = width; column->type->right && i < column->width; i++)
		kt_buf_appendc(out, ' ');
	kt_buf_appends(out, text);
	for (size_t i = width; !is_last && !column->type->right && i < column->width; i++)
		kt_buf_appendc(out, ' ');
	if (!is_last)
		kt_buf_appendc(out, ' ');
}

void render_grid_head(const struct render_grid *grid, struct kt_buf *out)
{
	for (size_t i = 0; i < grid->n_selected; i++)
		append_padded(out, grid->selected[i], grid->selected[i]->head,
			      i + 1 == grid->n_selected);
	kt_buf_appendc(out, '\n');
}

void render_grid_line(const struct render_grid *grid, const void *row, bool color,
		      struct kt_buf *out)
{
	static const char *const colors[] = {
		[RENDER_TONE_PLAIN] = "",
		[RENDER_TONE_GOOD] = "\033[32m",
		[RENDER_TONE_BAD] = "\033[31m",
	};

	for (size_t i = 0; i < grid->n_selected; i++) {
		const struct render_column *column = grid->selected[i];
		struct render_cell cell = render_cell_of(column, row);
		struct kt_buf raw = KT_BUF_INIT, text = KT_BUF_INIT;
		bool colored = color && cell.tone != RENDER_TONE_PLAIN;

		render_append_cell(&raw, column, &cell, false);
		render_append_visible(&text, raw.data ? raw.data : "", false);
		if (text.len)
			shorten(&text, column);
		if (colored)
			kt_buf_appends(out, colors[cell.tone]);
		append_padded(out, column, text.len ? text.data : "-", i + 1 == grid->n_selected);
		if (colored)
			kt_buf_appends(out, "\033[m");
		out->failed |= raw.failed || text.failed;
		kt_buf_deinit(&raw);
		kt_buf_deinit(&text);
	}
	kt_buf_appendc(out, '\n');
}
