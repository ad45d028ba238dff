// SPDX-License-Identifier: LGPL-2.1-or-later
/* Programs over kernels: one column of each load. */
#include <stdlib.h>
#include <string.h>

#include "model/cells_index.h"
#include "render/grid.h"
#include "render/text.h"
#include "render/trials.h"
#include "render/trials_columns.h"
#include "util/cleanup.h"

/* What a pipe is taken for. */
#define DEFAULT_WIDTH 80

/* --- kernels' names --- */

static const char *full_name(const struct render_kernel_trials *kernel)
{
	return kernel->release ? kernel->release : kernel->asked;
}

static size_t name_length(const struct render_kernel_trials *kernels, size_t n, size_t i)
{
	const char *name = full_name(&kernels[i]);
	size_t len = kernels[i].release ? cells_release_length(name) : strlen(name);

	for (size_t k = 0; k < n; k++) {
		const char *other = full_name(&kernels[k]);

		if (k != i && kernels[k].release && cells_release_length(other) == len &&
		    !strncmp(name, other, len))
			return strlen(name);
	}
	return len;
}

/* Two builds of one release are told apart by what was asked for. */
static bool has_twin(const struct render_kernel_trials *kernels, size_t n, size_t i)
{
	for (size_t k = 0; k < n; k++)
		if (k != i && !strcmp(full_name(&kernels[k]), full_name(&kernels[i])))
			return true;
	return false;
}

const char *render_kernel_long_name(const struct render_kernel_trials *kernels, size_t n, size_t i)
{
	return has_twin(kernels, n, i) ? kernels[i].asked : full_name(&kernels[i]);
}

void render_kernel_name(const struct render_kernel_trials *kernels, size_t n, size_t i,
			struct kt_buf *out)
{
	if (has_twin(kernels, n, i))
		kt_buf_appends(out, kernels[i].asked);
	else
		kt_buf_append(out, full_name(&kernels[i]), name_length(kernels, n, i));
}

/* --- rows --- */

/* A program, and its trial on each kernel; NULL: it was not tried there. */
struct program_row {
	const struct matrix *m;
	const struct kt_trial *first;
	const struct kt_trial **on; /* by kernel */
};

struct matrix {
	size_t n_kernels;
	const struct render_column *shown; /* of the trials' columns that of all cells */
	KT_VEC(struct program_row) rows;
	KT_VEC(struct render_column) columns;
	KT_VEC(char *) heads;
};

static void matrix_deinit(struct matrix *m)
{
	kt_vec_for_each (&m->rows, row)
		free(row->on);
	kt_vec_for_each (&m->heads, head)
		free(*head);
	kt_vec_free(&m->rows);
	kt_vec_free(&m->columns);
	kt_vec_free(&m->heads);
}

static bool is_of(const struct program_row *row, const struct kt_trial *trial)
{
	return !strcmp(row->first->object, trial->object) &&
	       !strcmp(row->first->name, trial->name) &&
	       !strcmp(row->first->section, trial->section);
}

/*
 * The row of a program on a kernel, of those that have none there yet: names need not be unique.
 * The search begins behind the row of the program before, since kernels mostly have the same order.
 */
static struct program_row *find_row(struct matrix *m, const struct kt_trial *trial, size_t kernel,
				    size_t *hint)
{
	for (size_t i = 0; i < m->rows.len; i++) {
		size_t at = (*hint + i) % m->rows.len;

		if (m->rows.data[at].on[kernel] || !is_of(&m->rows.data[at], trial))
			continue;
		*hint = at + 1;
		return &m->rows.data[at];
	}
	return NULL;
}

static struct kt_error *add_trial(struct matrix *m, const struct kt_trial *trial, size_t kernel,
				  size_t *hint)
{
	struct program_row *row = find_row(m, trial, kernel, hint);

	if (!row) {
		struct program_row added = {m, trial, calloc(m->n_kernels, sizeof(*added.on))};

		if (!added.on || !kt_vec_push(&m->rows, added)) {
			free(added.on);
			return kt_error_no_memory();
		}
		row = &m->rows.data[m->rows.len - 1];
	}
	row->on[kernel] = trial;
	return NULL;
}

static struct kt_error *make_rows(struct matrix *m, const struct render_kernel_trials *kernels)
{
	struct kt_error *err = NULL;

	for (size_t k = 0; k < m->n_kernels; k++) {
		size_t hint = 0;

		if (!kernels[k].trials)
			continue;
		kt_vec_for_each (&kernels[k].trials->v, trial) {
			err = add_trial(m, trial, k, &hint);
			if (err)
				return err;
		}
	}
	return NULL;
}

/* --- cells --- */

static struct render_cell trial_cell(const struct kt_trial *trial,
				     const struct render_column *shown)
{
	const struct trials_row row = {.trial = trial};

	if (!trial)
		return (struct render_cell){0};
	if (!trial->passed && !trials_column_tells_failure(shown))
		return (struct render_cell){
			.known = true,
			.text = {RENDER_TRIAL_CROSS, strlen(RENDER_TRIAL_CROSS)},
			.tone = RENDER_TONE_BAD,
		};
	return render_cell_of(shown, &row);
}

static struct render_cell get_on(const void *row, size_t kernel)
{
	const struct program_row *program = row;

	return trial_cell(program->on[kernel], program->m->shown);
}

static struct render_cell get_object(const void *row)
{
	return render_string_cell(((const struct program_row *)row)->first->object);
}

static struct render_cell get_name(const void *row)
{
	const char *name = ((const struct program_row *)row)->first->name;

	return render_string_cell(name[0] ? name : NULL);
}

/* clang-format off */
static const struct render_column names[] = {
	{"file_name", "file", "FILE", &render_as_text, RENDER_GET(get_object), .flags = RENDER_CUT, .width = 10},
	{"prog_name", "full_name", "PROGRAM", &render_as_text, RENDER_GET(get_name), .flags = RENDER_CUT, .width = 16},
};
/* clang-format on */

static struct kt_error *make_columns(struct matrix *m, const struct render_kernel_trials *kernels)
{
	m->columns.len = 0;
	for (size_t i = 0; i < 2; i++)
		if (!kt_vec_push(&m->columns, names[i]))
			return kt_error_no_memory();
	for (size_t k = 0; k < m->n_kernels; k++) {
		struct kt_buf head = KT_BUF_INIT;
		struct render_column column = {
			.type = m->shown->type,
			RENDER_GET_NTH(get_on, k),
			.flags = RENDER_ALWAYS | (m->shown->flags & RENDER_CUT),
		};
		char *text;
		struct kt_error *err;

		render_kernel_name(kernels, m->n_kernels, k, &head);
		err = kt_buf_finish(&head, &text);
		if (err)
			return err;
		if (!kt_vec_push(&m->heads, text)) {
			free(text);
			return kt_error_no_memory();
		}
		column.name = column.head = text;
		if (!kt_vec_push(&m->columns, column))
			return kt_error_no_memory();
	}
	return NULL;
}

/* --- what fits --- */

static size_t cell_width(const struct render_column *column, const void *row)
{
	_cleanup_(kt_buf_deinit) struct kt_buf text = KT_BUF_INIT;
	struct render_cell cell = render_cell_of(column, row);

	if (cell.text.data)
		return render_text_width(cell.text.data, cell.text.len);
	if (cell.known)
		render_append_cell(&text, column, &cell, false);
	return text.len ? render_text_width(text.data, text.len) : 1;
}

/* Bytes, which for names of programs, files and kernels are characters. */
static size_t column_width(const struct matrix *m, const struct render_column *column)
{
	size_t widest = strlen(column->head);

	kt_vec_for_each (&m->rows, row) {
		size_t width = cell_width(column, row);

		widest = width > widest ? width : widest;
	}
	return widest;
}

/* Selects the names and as many kernels from `first` on as fit; at least one. Returns the next. */
static size_t select_kernels(const struct matrix *m, struct render_grid *grid, size_t first,
			     size_t max)
{
	size_t width = 0, k = first;

	grid->n_selected = 0;
	for (size_t i = 0; i < 2; i++) {
		grid->selected[grid->n_selected++] = &m->columns.data[i];
		width += column_width(m, &m->columns.data[i]) + 1;
	}
	for (; k < m->n_kernels && grid->n_selected < RENDER_SELECTED_MAX; k++) {
		const struct render_column *column = &m->columns.data[2 + k];

		width += column_width(m, column) + 1;
		if (k > first && width > max)
			break;
		grid->selected[grid->n_selected++] = column;
	}
	return k;
}

/* --- turned around: a line for each kernel --- */

struct kernel_row {
	const struct matrix *m;
	size_t kernel;
	const char *name;
};

static struct render_cell get_kernel(const void *row)
{
	return render_string_cell(((const struct kernel_row *)row)->name);
}

static struct render_cell get_program(const void *row, size_t program)
{
	const struct kernel_row *kernel = row;

	return trial_cell(kernel->m->rows.data[program].on[kernel->kernel], kernel->m->shown);
}

static bool one_object(const struct matrix *m)
{
	kt_vec_for_each (&m->rows, row)
		if (strcmp(row->first->object, m->rows.data[0].first->object) != 0)
			return false;
	return true;
}

struct turned {
	KT_VEC(struct render_column) columns;
	KT_VEC(struct kernel_row) rows;
	KT_VEC(char *) heads;
};

static void turned_deinit(struct turned *t)
{
	kt_vec_for_each (&t->heads, head)
		free(*head);
	kt_vec_free(&t->columns);
	kt_vec_free(&t->rows);
	kt_vec_free(&t->heads);
}

static struct kt_error *turn(const struct matrix *m, struct turned *ret)
{
	struct render_column kernel = {
		.head = "KERNEL", .type = &render_as_text, RENDER_GET(get_kernel)};
	bool files = !one_object(m);

	if (!kt_vec_push(&ret->columns, kernel))
		return kt_error_no_memory();
	for (size_t i = 0; i < m->rows.len; i++) {
		const struct kt_trial *trial = m->rows.data[i].first;
		struct render_column column = {
			.type = m->shown->type,
			RENDER_GET_NTH(get_program, i),
			.flags = RENDER_ALWAYS | (m->shown->flags & RENDER_CUT),
		};
		char *head;

		if (asprintf(&head, "%s%s%s", files ? trial->object : "",
			     files && trial->name[0] ? ":" : "",
			     trial->name[0] || files ? trial->name : trial->object) < 0)
			return kt_error_no_memory();
		if (!kt_vec_push(&ret->heads, head)) {
			free(head);
			return kt_error_no_memory();
		}
		column.name = column.head = head;
		if (!kt_vec_push(&ret->columns, column))
			return kt_error_no_memory();
	}
	for (size_t k = 0; k < m->n_kernels; k++)
		if (!kt_vec_push(&ret->rows,
				 (struct kernel_row){m, k, m->columns.data[2 + k].head}))
			return kt_error_no_memory();
	return NULL;
}

static size_t turned_width(const struct matrix *m)
{
	size_t width = strlen("KERNEL"), longest = 0;
	bool files = !one_object(m);

	for (size_t k = 0; k < m->n_kernels; k++) {
		size_t len = strlen(m->columns.data[2 + k].head);

		longest = len > longest ? len : longest;
	}
	width = longest > width ? longest : width;
	kt_vec_for_each (&m->rows, row) {
		size_t len = strlen(row->first->name) +
			     (files || !row->first->name[0] ? strlen(row->first->object) + 1 : 0);

		for (size_t k = 0; k < m->n_kernels; k++) {
			size_t cell = cell_width(&m->columns.data[2 + k], row);

			len = cell > len ? cell : len;
		}
		width += len + 1;
	}
	return width;
}

/* --- tables --- */

static struct kt_error *append_turned(const struct matrix *m,
				      const struct render_trials_options *options,
				      struct kt_buf *out)
{
	_cleanup_(turned_deinit) struct turned t = {0};
	struct kt_error *err = turn(m, &t);
	struct render_grid grid = {
		.columns = t.columns.data,
		.n_columns = t.columns.len,
		.rows = t.rows.data,
		.row_size = sizeof(*t.rows.data),
		.n_rows = t.rows.len,
	};

	return err ? err : render_grid_table(&grid, options->width, options->color, out);
}

static struct kt_error *append_tables(const struct matrix *m, size_t width,
				      const struct render_trials_options *options,
				      struct kt_buf *out)
{
	struct render_grid grid = {
		.columns = m->columns.data,
		.n_columns = m->columns.len,
		.rows = m->rows.data,
		.row_size = sizeof(*m->rows.data),
		.n_rows = m->rows.len,
	};
	struct kt_error *err = NULL;

	for (size_t first = 0, next; first < m->n_kernels && !err; first = next) {
		next = select_kernels(m, &grid, first, width);
		if (first)
			kt_buf_appendc(out, '\n');
		err = render_grid_table(&grid, options->width, options->color, out);
	}
	return err;
}

static struct kt_error *append_column(struct matrix *m, const struct render_kernel_trials *kernels,
				      const struct render_trials_options *options,
				      struct kt_buf *out)
{
	size_t width = options->width ? options->width : DEFAULT_WIDTH;
	struct render_grid grid = {.columns = NULL};
	struct kt_error *err = make_columns(m, kernels);

	if (err)
		return err;
	if (select_kernels(m, &grid, 0, width) < m->n_kernels && turned_width(m) <= width)
		return append_turned(m, options, out);
	return append_tables(m, width, options, out);
}

/* --- which columns --- */

/* *grid refers to columns. A matrix has a table of its own for each column that is selected. */
static struct kt_error *select_shown(const char *chosen, struct trials_columns *columns,
				     struct render_grid *grid)
{
	struct kt_error *err = trials_columns_init(columns);

	*grid = (struct render_grid){.columns = columns->v.data, .n_columns = columns->v.len};
	if (!err)
		err = render_grid_select(grid,
					 chosen ? chosen : kt_trial_number_name(KT_TRIAL_INSNS));
	for (size_t i = 0; !err && i < grid->n_selected; i++)
		if (trials_column_names_row(grid->selected[i]))
			err = kt_error_new(KT_ERROR_USAGE,
					   "column \"%s\": a table over several kernels has it "
					   "anyway; -o chooses what is compared",
					   grid->selected[i]->name);
	return err;
}

struct kt_error *render_matrix_check(const char *chosen)
{
	_cleanup_(trials_columns_deinit) struct trials_columns columns = {0};
	struct render_grid grid;

	return select_shown(chosen, &columns, &grid);
}

struct kt_error *render_trials_matrix(const struct render_kernel_trials *kernels, size_t n,
				      const struct render_trials_options *options,
				      struct kt_buf *out)
{
	_cleanup_(trials_columns_deinit) struct trials_columns columns = {0};
	_cleanup_(matrix_deinit) struct matrix m = {.n_kernels = n};
	struct render_grid shown;
	struct kt_error *err = select_shown(options->columns, &columns, &shown);

	if (!err)
		err = make_rows(&m, kernels);
	for (size_t i = 0; i < shown.n_selected && m.rows.len && !err; i++) {
		m.shown = shown.selected[i];
		if (shown.n_selected > 1)
			kt_buf_printf(out, "%s%s\n", i ? "\n" : "", trials_column_title(m.shown));
		err = append_column(&m, kernels, options, out);
	}
	return err ? err : kt_buf_failed(out) ? kt_error_no_memory() : NULL;
}
