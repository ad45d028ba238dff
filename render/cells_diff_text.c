// SPDX-License-Identifier: LGPL-2.1-or-later
/* The changes between two sweeps, as text, Markdown and JSON. */
#include <math.h>
#include <string.h>

#include "model/cells_counts.h"
#include "model/json.h"
#include "model/json_put.h"
#include "render/cells_diff.h"
#include "render/cells_json.h"
#include "render/cells_markdown.h"
#include "render/grid.h"
#include "render/text.h"
#include "util/cleanup.h"

static const struct {
	enum kt_cell_change change;
	const char *title;
} shown[] = {
	{KT_CELL_BROKEN, "Passed in the baseline, fails now:"},
	{KT_CELL_FIXED, "Failed in the baseline, passes now:"},
	{KT_CELL_NEW, "New, or skipped in the baseline:"},
	{KT_CELL_GONE, "Gone, or skipped now:"},
};
#define N_SHOWN (sizeof(shown) / sizeof(*shown))

static const struct kt_cell_record *record_of(const struct kt_cell_diff *cell)
{
	return cell->b ? cell->b : cell->a;
}

/* The reason of its state now, or how a new one did; NULL: none. */
static const char *note_of(const struct kt_cell_diff *cell)
{
	const struct kt_cell_record *b = cell->b;

	if (!b || (b->passed && !b->skipped))
		return cell->change == KT_CELL_NEW ? "passed" : NULL;
	if (b->reason && b->reason[0])
		return b->reason;
	return b->skipped ? "skipped" : "failed";
}

static void append_cell(struct kt_buf *out, const struct kt_cell_diff *cell)
{
	const struct kt_cell_record *record = record_of(cell);

	kt_buf_appends(out, "  ");
	render_append_visible(out, record->scheduler, false);
	kt_buf_appends(out, " / ");
	render_append_visible(out, record->kernel, false);
	kt_buf_appends(out, " / ");
	render_append_visible(out, record->topology, false);
	if (note_of(cell)) {
		kt_buf_appends(out, ": ");
		render_append_visible(out, note_of(cell), false);
	}
	kt_buf_appendc(out, '\n');
}

static void append_cells(const struct kt_cells_diff *diff, size_t nth, bool color,
			 struct kt_buf *out)
{
	enum kt_cell_change change = shown[nth].change;

	if (!diff->counts[change])
		return;
	kt_buf_printf(out, "%s%s%s\n",
		      !color                     ? ""
		      : change == KT_CELL_BROKEN ? "\033[1;31m"
						 : "\033[1m",
		      shown[nth].title, color ? "\033[0m" : "");
	for (size_t i = 0; i < diff->n_cells; i++)
		if (diff->cells[i].change == change)
			append_cell(out, &diff->cells[i]);
	kt_buf_appendc(out, '\n');
}

/* --- verified_insns --- */

static void print_program(const struct render_cell *cell, bool exact, struct kt_buf *out)
{
	const struct kt_cell_insns *insns = cell->object;

	(void)exact;
	cells_append_program(out, &(struct cells_program){insns->program, insns->nth - 1});
}

/* "NAME", or "NAME#2" of the second of that name. */
static const struct render_type as_program = {.print = print_program};

static struct render_cell get_program(const void *row)
{
	return (struct render_cell){.known = true, .object = row};
}

static struct render_cell get_baseline(const void *row)
{
	const struct kt_cell_insns *insns = row;

	return (struct render_cell){.known = true, .number = insns->a_lo, .second = insns->a_hi};
}

static struct render_cell get_now(const void *row)
{
	const struct kt_cell_insns *insns = row;

	return (struct render_cell){.known = true, .number = insns->b_lo, .second = insns->b_hi};
}

static struct render_cell get_delta(const void *row)
{
	const struct kt_cell_insns *insns = row;

	return (struct render_cell){
		.known = true,
		.number = (uint64_t)insns->delta,
		.real = insns->delta_pct,
		.tone = insns->delta > 0 ? RENDER_TONE_BAD : RENDER_TONE_GOOD,
	};
}

/* clang-format off */
#define STRING(member) RENDER_STRING(struct kt_cell_insns, member)

static const struct render_column insns_columns[] = {
	{"scheduler", NULL, "SCHEDULER", &render_as_text, STRING(scheduler)},
	{"kernel", NULL, "KERNEL", &render_as_text, STRING(kernel)},
	{"program", NULL, "PROGRAM", &as_program, RENDER_GET(get_program)},
	{"baseline", NULL, "BASELINE", &render_as_range, RENDER_GET(get_baseline)},
	{"now", NULL, "NOW", &render_as_range, RENDER_GET(get_now)},
	{"delta", NULL, "DELTA", &render_as_signed, RENDER_GET(get_delta)},
	{"delta_pct", NULL, "%", &render_as_percent, RENDER_GET(get_delta)},
};
/* clang-format on */
#define N_COLUMNS (sizeof(insns_columns) / sizeof(*insns_columns))

static struct kt_error *append_insns(const struct kt_cells_diff *diff,
				     const struct kt_cells_options *options, struct kt_buf *out)
{
	struct render_grid grid = RENDER_GRID(insns_columns, diff->insns, diff->n_insns);
	struct kt_error *err = render_grid_table(&grid, 0, options->color, out);

	kt_buf_appendc(out, '\n');
	return err;
}

static void append_tally(const struct kt_cells_diff *diff, struct kt_buf *out)
{
	const size_t *n = diff->counts;

	kt_buf_printf(out,
		      "%zu broken, %zu fixed, %zu new, %zu gone, %zu still failing, %zu unchanged; "
		      "verified_insns of %zu program%s changed\n",
		      n[KT_CELL_BROKEN], n[KT_CELL_FIXED], n[KT_CELL_NEW], n[KT_CELL_GONE],
		      n[KT_CELL_STILL_FAILS], n[KT_CELL_UNCHANGED], diff->n_insns,
		      diff->n_insns == 1 ? "" : "s");
}

struct kt_error *kt_format_cells_diff(const struct kt_cells_diff *diff,
				      const struct kt_cells_options *options, char **ret)
{
	static const struct kt_cells_options plain;
	struct kt_buf out = KT_BUF_INIT;
	struct kt_error *err = NULL;

	options = options ? options : &plain;
	for (size_t i = 0; i < N_SHOWN; i++)
		append_cells(diff, i, options->color, &out);
	if (diff->n_insns)
		err = append_insns(diff, options, &out);
	append_tally(diff, &out);
	if (!err)
		return kt_buf_finish(&out, ret);
	kt_buf_deinit(&out);
	return err;
}

/* --- Markdown --- */

static void append_markdown_cells(const struct kt_cells_diff *diff, size_t nth, struct kt_buf *out)
{
	if (!diff->counts[shown[nth].change])
		return;
	kt_buf_printf(out, "**%s**\n\n", shown[nth].title);
	for (size_t i = 0; i < diff->n_cells; i++) {
		const struct kt_cell_record *record = record_of(&diff->cells[i]);
		const char *note = note_of(&diff->cells[i]);

		if (diff->cells[i].change != shown[nth].change)
			continue;
		kt_buf_appends(out, "- ");
		cells_append_markdown(out, record->scheduler);
		kt_buf_appends(out, " / ");
		cells_append_markdown(out, record->kernel);
		kt_buf_appends(out, " / ");
		cells_append_markdown(out, record->topology);
		kt_buf_appends(out, note ? ": " : "");
		cells_append_markdown(out, note ? note : "");
		kt_buf_appendc(out, '\n');
	}
	kt_buf_appendc(out, '\n');
}

static void append_markdown_insns(const struct kt_cells_diff *diff, struct kt_buf *out)
{
	kt_buf_appends(out, "| scheduler | kernel | program | baseline | now | delta | % |\n"
			    "|---|---|---|---:|---:|---:|---:|\n");
	for (size_t i = 0; i < diff->n_insns; i++) {
		for (size_t c = 0; c < N_COLUMNS; c++) {
			const struct render_column *column = &insns_columns[c];
			struct render_cell cell = render_cell_of(column, &diff->insns[i]);
			struct kt_buf field = KT_BUF_INIT;

			render_append_cell(&field, column, &cell, false);
			kt_buf_appends(out, "| ");
			cells_append_markdown(out, field.data ? field.data : "");
			kt_buf_appendc(out, ' ');
			out->failed |= field.failed;
			kt_buf_deinit(&field);
		}
		kt_buf_appends(out, "|\n");
	}
	kt_buf_appendc(out, '\n');
}

struct kt_error *kt_format_cells_diff_markdown(const struct kt_cells_diff *diff,
					       const struct kt_cell_records *b, kt_cell_log_fn log,
					       void *arg, char **ret)
{
	_cleanup_(cells_index_deinit) struct cells_index index = {0};
	struct kt_error *err = cells_index_init(b, &index);
	struct kt_buf out = KT_BUF_INIT;

	if (err)
		return err;
	kt_buf_appends(&out, "## Against the baseline\n\n");
	append_tally(diff, &out);
	kt_buf_appendc(&out, '\n');
	for (size_t i = 0; i < N_SHOWN; i++)
		append_markdown_cells(diff, i, &out);
	if (diff->n_insns)
		append_markdown_insns(diff, &out);
	err = cells_markdown(&index, log, arg, &out);
	if (!err)
		return kt_buf_finish(&out, ret);
	kt_buf_deinit(&out);
	return err;
}

/* --- JSON --- */

static json_t *json_cell(const struct kt_cell_diff *cell)
{
	json_t *object = cells_json_name(record_of(cell));

	json_object_set_new(object, "change", json_string(kt_cell_change_name(cell->change)));
	json_object_set_new(object, "was",
			    cell->a ? json_string(cells_state_name(cells_state(cell->a)))
				    : json_null());
	json_object_set_new(object, "is",
			    cell->b ? json_string(cells_state_name(cells_state(cell->b)))
				    : json_null());
	json_object_set_new(object, "reason", kt_json_text(cell->b ? cell->b->reason : NULL));
	return object;
}

static json_t *json_insns(const struct kt_cell_insns *insns)
{
	json_t *object = json_object();

	json_object_set_new(object, "scheduler", kt_json_text(insns->scheduler));
	json_object_set_new(object, "kernel", kt_json_text(insns->kernel));
	json_object_set_new(object, "program", kt_json_text(insns->program));
	json_object_set_new(object, "nth", kt_json_u64(insns->nth));
	json_object_set_new(object, "a_lo", kt_json_u64(insns->a_lo));
	json_object_set_new(object, "a_hi", kt_json_u64(insns->a_hi));
	json_object_set_new(object, "b_lo", kt_json_u64(insns->b_lo));
	json_object_set_new(object, "b_hi", kt_json_u64(insns->b_hi));
	json_object_set_new(object, "delta", json_integer(insns->delta));
	json_object_set_new(object, "delta_pct",
			    isfinite(insns->delta_pct) ? json_real(insns->delta_pct) : json_null());
	json_object_set_new(object, "topologies", kt_json_u64(insns->topologies));
	return object;
}

static json_t *json_changes(const struct kt_cells_diff *diff)
{
	json_t *object = json_object(), *tally = json_object();
	json_t *cells = json_array(), *insns = json_array();

	for (int i = 0; i < KT_N_CELL_CHANGES; i++)
		json_object_set_new(tally, kt_cell_change_name((enum kt_cell_change)i),
				    kt_json_u64(diff->counts[i]));
	for (size_t i = 0; i < diff->n_cells; i++)
		if (diff->cells[i].change < KT_CELL_STILL_FAILS)
			json_array_append_new(cells, json_cell(&diff->cells[i]));
	for (size_t i = 0; i < diff->n_insns; i++)
		json_array_append_new(insns, json_insns(&diff->insns[i]));
	json_object_set_new(object, "tally", tally);
	json_object_set_new(object, "cells", cells);
	json_object_set_new(object, "instructions", insns);
	return object;
}

struct kt_error *kt_format_cells_diff_json(const struct kt_cells_diff *diff,
					   const struct kt_cell_records *b, char **ret)
{
	_cleanup_(cells_index_deinit) struct cells_index index = {0};
	struct kt_error *err = cells_index_init(b, &index);
	json_t *root;

	if (!err)
		err = cells_json(&index, &root);
	if (err)
		return err;
	json_object_set_new(root, "changes", json_changes(diff));
	return kt_json_dump(root, ret);
}
