// SPDX-License-Identifier: LGPL-2.1-or-later
#include <langinfo.h>
#include <string.h>

#include "model/cells_counts.h"
#include "model/cells_index.h"
#include "render/cells.h"
#include "render/cells_table.h"
#include "render/text.h"
#include "util/cleanup.h"

/* What a cell of a grid says. */
struct symbols {
	const char *pass, *fail;
};

/* libsmartcols cannot print the others in a locale that has them not. */
static struct symbols symbols(void)
{
	bool utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;

	return utf8 ? (struct symbols){"✓", "✗"} : (struct symbols){"ok", "FAIL"};
}

static struct cells_table_options table_options(const struct kt_cells_options *options)
{
	return (struct cells_table_options){options->width, options->color, options->transpose};
}

static struct kt_error *set_text(struct cells_table *table, size_t row, size_t column,
				 const char *text)
{
	struct kt_buf buf = KT_BUF_INIT;

	kt_buf_appends(&buf, text);
	return cells_table_set(table, row, column, RENDER_TONE_PLAIN, &buf);
}

static struct kt_error *set_names(struct cells_table *table, const struct cells_names *names,
				  bool rows)
{
	struct kt_error *err = NULL;

	for (size_t i = 0; i < names->n && !err; i++)
		err = set_text(table, rows ? i + 1 : 0, rows ? 0 : i + 1, names->all[i]);
	return err;
}

static void append_bold(struct kt_buf *out, const char *text, bool color)
{
	kt_buf_appends(out, color ? "\033[1m" : "");
	render_append_visible(out, text, false);
	kt_buf_appends(out, color ? "\033[0m\n" : "\n");
}

/* --- instruction counts --- */

static struct kt_error *fill_counts(const struct cells_index *index,
				    const struct cells_counts *counts, struct cells_table *table)
{
	struct kt_error *err = set_text(table, 0, 0, "KERNEL");
	struct kt_buf text = KT_BUF_INIT;

	for (size_t i = 0; i < counts->n_programs && !err; i++) {
		cells_append_program(&text, &counts->programs[i]);
		err = cells_table_set(table, 0, i + 1, RENDER_TONE_PLAIN, &text);
	}
	for (size_t k = 0; k < counts->n_kernels && !err; k++) {
		err = set_text(table, k + 1, 0, index->kernels.all[counts->kernels[k]]);
		for (size_t i = 0; i < counts->n_programs && !err; i++) {
			cells_append_range(&text, cells_counts_at(counts, k, i));
			err = cells_table_set(table, k + 1, i + 1, RENDER_TONE_PLAIN, &text);
		}
	}
	return err;
}

static struct kt_error *append_counts(const struct cells_index *index, size_t scheduler,
				      const struct kt_cells_options *options, struct kt_buf *out)
{
	struct cells_table_options how = table_options(options);
	_cleanup_(cells_table_deinit) struct cells_table table = {0};
	_cleanup_(cells_counts_deinit) struct cells_counts counts = {0};
	struct kt_error *err = cells_counts_init(index, scheduler, &counts);

	if (err || !counts.n_kernels)
		return err;
	err = cells_table_init(counts.n_kernels, counts.n_programs, &table);
	if (err)
		return err;
	table.numbers = true;
	err = fill_counts(index, &counts, &table);
	if (err)
		return err;
	kt_buf_appends(out, out->len ? "\n" : "");
	append_bold(out, index->schedulers.all[scheduler], options->color);
	return cells_table_print(&table, &how, out);
}

/* --- results --- */

static struct kt_error *set_ratio(struct cells_table *table, size_t row, size_t column,
				  struct cells_ratio ratio)
{
	struct symbols symbol = symbols();
	struct kt_buf text = KT_BUF_INIT;
	enum render_tone tone = RENDER_TONE_BAD;

	if (!ratio.ran) {
		kt_buf_appendc(&text, '-');
		tone = RENDER_TONE_PLAIN;
	} else if (ratio.passed == ratio.ran) {
		kt_buf_appends(&text, symbol.pass);
		tone = RENDER_TONE_GOOD;
	} else if (!ratio.passed) {
		kt_buf_appends(&text, symbol.fail);
	} else {
		kt_buf_printf(&text, "%s %zu/%zu", symbol.fail, ratio.passed, ratio.ran);
	}
	return cells_table_set(table, row, column, tone, &text);
}

/* A grid of all schedulers. */
static struct kt_error *append_grid(const struct cells_index *index,
				    const struct kt_cells_options *options, struct kt_buf *out)
{
	struct cells_table_options how = table_options(options);
	_cleanup_(cells_table_deinit) struct cells_table table = {0};
	_cleanup_free_ struct cells_ratio *ratios = NULL;
	size_t n = index->schedulers.n;
	struct kt_error *err = cells_ratios(index, &ratios);

	if (!err)
		err = cells_table_init(index->topologies.n, n, &table);
	if (!err)
		err = set_text(&table, 0, 0, "TOPOLOGY");
	if (!err)
		err = set_names(&table, &index->topologies, true);
	if (!err)
		err = set_names(&table, &index->schedulers, false);
	for (size_t t = 0; t < index->topologies.n && !err; t++)
		for (size_t s = 0; s < n && !err; s++)
			err = set_ratio(&table, t + 1, s + 1, ratios[t * n + s]);
	return err ? err : cells_table_print(&table, &how, out);
}

static struct cells_ratio ratio_of(const struct cells_cell *cell)
{
	if (!cell || cell->state == CELLS_SKIPPED)
		return (struct cells_ratio){0};
	return (struct cells_ratio){cell->state == CELLS_PASSED, 1};
}

/* One of a scheduler, by kernel. */
static struct kt_error *append_kernel_grid(const struct cells_index *index, size_t scheduler,
					   const struct kt_cells_options *options,
					   struct kt_buf *out)
{
	struct cells_table_options how = table_options(options);
	_cleanup_(cells_table_deinit) struct cells_table table = {0};
	struct kt_error *err = cells_table_init(index->topologies.n, index->kernels.n, &table);

	append_bold(out, index->schedulers.all[scheduler], options->color);
	if (!err)
		err = set_text(&table, 0, 0, "TOPOLOGY");
	if (!err)
		err = set_names(&table, &index->topologies, true);
	if (!err)
		err = set_names(&table, &index->kernels, false);
	for (size_t t = 0; t < index->topologies.n && !err; t++)
		for (size_t k = 0; k < index->kernels.n && !err; k++)
			err = set_ratio(&table, t + 1, k + 1,
					ratio_of(cells_index_find(index, scheduler, k, t)));
	if (!err)
		err = cells_table_print(&table, &how, out);
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
	struct kt_error *err = NULL;

	for (size_t s = 0; s < index->schedulers.n && !err; s++)
		err = append_counts(index, s, options, out);
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
