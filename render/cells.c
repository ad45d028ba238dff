// SPDX-License-Identifier: LGPL-2.1-or-later
#include <langinfo.h>
#include <stdlib.h>

#include "model/cells_counts.h"
#include "model/cells_index.h"
#include "render/cells.h"
#include "render/grid.h"
#include "render/text.h"
#include "util/cleanup.h"

struct symbols {
	const char *pass, *fail;
};

/* libsmartcols prints only what the locale has. */
static struct symbols symbols(void)
{
	bool utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;

	return utf8 ? (struct symbols){"✓", "✗"} : (struct symbols){"ok", "FAIL"};
}

static struct render_turning turning(const struct kt_cells_options *options)
{
	return (struct render_turning){options->width, options->color, options->transpose};
}

static void append_bold(struct kt_buf *out, const char *text, bool color)
{
	kt_buf_appends(out, color ? "\033[1m" : "");
	render_append_visible(out, text, false);
	kt_buf_appends(out, color ? "\033[0m\n" : "\n");
}

/* --- instruction counts --- */

struct count_row {
	const char *kernel;
	const struct cells_counts *counts;
	size_t nth; /* of the kernels */
};

static struct render_cell get_count(const void *row, size_t program)
{
	const struct count_row *r = row;
	const struct cells_range *range = cells_counts_at(r->counts, r->nth, program);

	return (struct render_cell){
		.known = range->n > 0,
		.number = range->lo,
		.second = range->hi,
	};
}

/* A column for the kernel's name, and one for each program. Both are the caller's to free. */
struct count_columns {
	struct render_column *all;
	char **heads;
	size_t n;
};

static void count_columns_deinit(struct count_columns *columns)
{
	for (size_t i = 0; columns->heads && i < columns->n; i++)
		free(columns->heads[i]);
	free(columns->heads);
	free(columns->all);
}

static struct kt_error *count_columns_init(const struct cells_counts *counts,
					   struct count_columns *ret)
{
	size_t n = counts->n_programs;
	struct kt_error *err = NULL;

	*ret = (struct count_columns){
		.all = calloc(n + 1, sizeof(*ret->all)),
		.heads = calloc(n + 1, sizeof(*ret->heads)),
	};
	if (!ret->all || !ret->heads)
		return kt_error_no_memory();
	ret->all[0] = (struct render_column){
		.head = "KERNEL",
		.type = &render_as_text,
		RENDER_STRING(struct count_row, kernel),
		.flags = RENDER_ALWAYS,
	};
	for (; ret->n < n && !err; ret->n++) {
		struct kt_buf head = KT_BUF_INIT;

		cells_append_program(&head, &counts->programs[ret->n]);
		err = kt_buf_finish(&head, &ret->heads[ret->n]);
		ret->all[ret->n + 1] = (struct render_column){
			.head = ret->heads[ret->n],
			.type = &render_as_range,
			RENDER_GET_NTH(get_count, ret->n),
			.flags = RENDER_ALWAYS,
		};
	}
	return err;
}

/* "scx_mine", "scx_mine: peak_states". */
static void append_counts_title(const char *scheduler, enum kt_trial_number number, bool color,
				struct kt_buf *out)
{
	struct kt_buf title = KT_BUF_INIT;

	kt_buf_appends(&title, scheduler);
	if (number != KT_TRIAL_INSNS)
		kt_buf_printf(&title, ": %s", kt_trial_number_name(number));
	append_bold(out, title.data ? title.data : "", color);
	out->failed |= title.failed;
	kt_buf_deinit(&title);
}

static struct kt_error *append_counts(const struct cells_index *index, size_t scheduler,
				      enum kt_trial_number number,
				      const struct kt_cells_options *options, struct kt_buf *out)
{
	_cleanup_(cells_counts_deinit) struct cells_counts counts = {0};
	_cleanup_(count_columns_deinit) struct count_columns columns = {0};
	_cleanup_free_ struct count_row *rows = NULL;
	struct render_turning how = turning(options);
	struct kt_error *err = cells_counts_init(index, scheduler, number, &counts);
	struct render_grid grid;

	if (err || !counts.n_kernels || (number != KT_TRIAL_INSNS && !cells_counts_any(&counts)))
		return err;
	err = count_columns_init(&counts, &columns);
	if (err)
		return err;
	rows = calloc(counts.n_kernels, sizeof(*rows));
	if (!rows)
		return kt_error_no_memory();
	for (size_t i = 0; i < counts.n_kernels; i++)
		rows[i] = (struct count_row){index->kernel_labels[counts.kernels[i]], &counts, i};
	grid = (struct render_grid){.columns = columns.all,
				    .n_columns = columns.n + 1,
				    .rows = rows,
				    .row_size = sizeof(*rows),
				    .n_rows = counts.n_kernels};
	kt_buf_appends(out, out->len ? "\n" : "");
	append_counts_title(index->schedulers.all[scheduler], number, options->color, out);
	return render_grid_turning_table(&grid, &how, out);
}

/* --- results --- */

/* A topology with a ratio for each column. */
struct result_row {
	const char *topology;
	const struct cells_ratio *ratios;
};

static struct render_cell get_ratio(const void *row, size_t nth)
{
	const struct cells_ratio *ratio = &((const struct result_row *)row)->ratios[nth];

	return (struct render_cell){
		.known = ratio->ran > 0,
		.object = ratio,
		.tone = !ratio->ran                   ? RENDER_TONE_PLAIN
			: ratio->passed == ratio->ran ? RENDER_TONE_GOOD
						      : RENDER_TONE_BAD,
	};
}

static void print_ratio(const struct render_cell *cell, bool exact, struct kt_buf *out)
{
	const struct cells_ratio *ratio = cell->object;
	struct symbols symbol = symbols();

	(void)exact;
	kt_buf_appends(out, ratio->passed == ratio->ran ? symbol.pass : symbol.fail);
	if (ratio->passed && ratio->passed != ratio->ran)
		kt_buf_printf(out, " %zu/%zu", ratio->passed, ratio->ran);
}

static const struct render_type as_ratio = {.print = print_ratio};

/* The ratios of topology 0 with all of names, then those of topology 1. labels: NULL: the names. */
static struct kt_error *append_ratios(const struct cells_names *topologies,
				      const struct cells_names *names, char *const *labels,
				      const struct cells_ratio *ratios,
				      const struct kt_cells_options *options, struct kt_buf *out)
{
	struct render_turning how = turning(options);
	_cleanup_free_ struct render_column *columns = calloc(names->n + 1, sizeof(*columns));
	_cleanup_free_ struct result_row *rows = calloc(topologies->n, sizeof(*rows));
	struct render_grid grid = {.columns = columns,
				   .n_columns = names->n + 1,
				   .rows = rows,
				   .row_size = sizeof(*rows),
				   .n_rows = topologies->n};

	if (!columns || !rows)
		return kt_error_no_memory();
	columns[0] = (struct render_column){
		.head = "TOPOLOGY",
		.type = &render_as_text,
		RENDER_STRING(struct result_row, topology),
		.flags = RENDER_ALWAYS,
	};
	for (size_t i = 0; i < names->n; i++)
		columns[i + 1] = (struct render_column){
			.head = labels ? labels[i] : names->all[i],
			.type = &as_ratio,
			RENDER_GET_NTH(get_ratio, i),
			.flags = RENDER_ALWAYS,
		};
	for (size_t i = 0; i < topologies->n; i++)
		rows[i] = (struct result_row){topologies->all[i], &ratios[i * names->n]};
	return render_grid_turning_table(&grid, &how, out);
}

/* One grid of all schedulers. */
static struct kt_error *append_grid(const struct cells_index *index,
				    const struct kt_cells_options *options, struct kt_buf *out)
{
	_cleanup_free_ struct cells_ratio *ratios = NULL;
	struct kt_error *err = cells_ratios(index, &ratios);

	if (!err)
		err = append_ratios(&index->topologies, &index->schedulers, NULL, ratios, options,
				    out);
	return err;
}

static struct cells_ratio ratio_of(const struct cells_cell *cell)
{
	if (!cell || cell->state == CELLS_SKIPPED)
		return (struct cells_ratio){0};
	return (struct cells_ratio){cell->state == CELLS_PASSED, 1};
}

/* The grid of one scheduler, with a column for each kernel. */
static struct kt_error *append_kernel_grid(const struct cells_index *index, size_t scheduler,
					   const struct kt_cells_options *options,
					   struct kt_buf *out)
{
	size_t n = index->kernels.n;
	_cleanup_free_ struct cells_ratio *ratios = calloc(index->topologies.n * n,
							   sizeof(*ratios));
	struct kt_error *err;

	if (!ratios)
		return kt_error_no_memory();
	for (size_t t = 0; t < index->topologies.n; t++)
		for (size_t k = 0; k < n; k++)
			ratios[t * n + k] = ratio_of(cells_index_find(index, scheduler, k, t));
	append_bold(out, index->schedulers.all[scheduler], options->color);
	err = append_ratios(&index->topologies, &index->kernels, index->kernel_labels, ratios,
			    options, out);
	kt_buf_appendc(out, '\n');
	return err;
}

static struct kt_error *append_grids(const struct cells_index *index,
				     const struct kt_cells_options *options, struct kt_buf *out)
{
	struct kt_error *err = NULL;

	if (options->by_kernel) {
		err = cells_check_size(index, true);
		for (size_t s = 0; s < index->schedulers.n && !err; s++)
			err = append_kernel_grid(index, s, options, out);
		return err;
	}
	err = append_grid(index, options, out);
	kt_buf_appendc(out, '\n');
	return err;
}

static void append_tally(const struct cells_index *index, struct kt_buf *out)
{
	kt_buf_printf(out, "%zu cell%s: %zu passed, %zu failed, %zu skipped\n", index->n,
		      index->n == 1 ? "" : "s", index->passed, index->failed, index->skipped);
}

static void append_failing(const struct cells_index *index, bool color, struct kt_buf *out)
{
	if (!index->failed)
		return;
	kt_buf_appendc(out, '\n');
	append_bold(out, "Failed:", color);
	for (size_t i = 0; i < index->n; i++) {
		const struct kt_cell_record *record = index->cells[i].record;

		if (index->cells[i].state != CELLS_FAILED)
			continue;
		kt_buf_appends(out, "  ");
		render_append_visible(out, record->scheduler, false);
		kt_buf_appends(out, " / ");
		render_append_visible(out, record->kernel, false);
		kt_buf_appends(out, " / ");
		render_append_visible(out, record->topology, false);
		if (record->reason && record->reason[0]) {
			kt_buf_appends(out, ": ");
			render_append_visible(out, record->reason, false);
		}
		kt_buf_appendc(out, '\n');
	}
}

static struct kt_error *append_results(const struct cells_index *index,
				       const struct kt_cells_options *options, struct kt_buf *out)
{
	struct kt_error *err = append_grids(index, options, out);

	append_tally(index, out);
	append_failing(index, options->color, out);
	return err;
}

static struct kt_error *append_all_counts(const struct cells_index *index,
					  const struct kt_cells_options *options,
					  struct kt_buf *out)
{
	unsigned numbers = options->numbers ? options->numbers : 1u << KT_TRIAL_INSNS;
	struct kt_error *err = NULL;

	for (size_t s = 0; s < index->schedulers.n && !err; s++)
		for (unsigned i = 0; i < KT_N_TRIAL_NUMBERS && !err; i++)
			if (numbers & 1u << i)
				err = append_counts(index, s, (enum kt_trial_number)i, options,
						    out);
	return err;
}

typedef struct kt_error *(*append_fn)(const struct cells_index *index,
				      const struct kt_cells_options *options, struct kt_buf *out);

static struct kt_error *render(const struct kt_cell_records *records,
			       const struct kt_cells_options *options, append_fn append, char **ret)
{
	static const struct kt_cells_options plain;
	struct cells_index index = {0};
	struct kt_buf out = KT_BUF_INIT;
	struct kt_error *err = cells_index_init(records, &index);

	kt_buf_appends(&out, "");
	if (!err && index.n)
		err = append(&index, options ? options : &plain, &out);
	cells_index_deinit(&index);
	if (!err)
		return kt_buf_finish(&out, ret);
	kt_buf_deinit(&out);
	return err;
}

struct kt_error *kt_render_instruction_count_tables(const struct kt_cell_records *records,
						    const struct kt_cells_options *options,
						    char **ret)
{
	return render(records, options, append_all_counts, ret);
}

struct kt_error *kt_render_result_table(const struct kt_cell_records *records,
					const struct kt_cells_options *options, char **ret)
{
	return render(records, options, append_results, ret);
}
