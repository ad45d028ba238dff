// SPDX-License-Identifier: LGPL-2.1-or-later
/* What changed between two sweeps, for people. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "model/cells_counts.h"
#include "model/json.h"
#include "model/json_put.h"
#include "render/cells_diff.h"
#include "render/cells_json.h"
#include "render/cells_markdown.h"
#include "render/cells_table.h"
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

/* Why it is as it is now, or how a new one did; NULL: there is nothing to say. */
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

static const char *const heads[] = {"SCHEDULER", "KERNEL", "PROGRAM", "BASELINE",
				    "NOW",       "DELTA",  "%"};
#define N_HEADS (sizeof(heads) / sizeof(*heads))

static void append_field(struct kt_buf *out, const struct kt_cell_insns *insns, size_t field)
{
	const struct cells_program program = {insns->program, insns->nth - 1};
	const struct cells_range a = {insns->a_lo, insns->a_hi, 1},
				 b = {insns->b_lo, insns->b_hi, 1};

	switch (field) {
	case 0: kt_buf_appends(out, insns->scheduler); return;
	case 1: kt_buf_appends(out, insns->kernel); return;
	case 2: cells_append_program(out, &program); return;
	case 3: cells_append_range(out, &a); return;
	case 4: cells_append_range(out, &b); return;
	case 5: kt_buf_printf(out, "%+" PRId64, insns->delta); return;
	default: kt_buf_printf(out, "%+.1f%%", insns->delta_pct);
	}
}

static struct kt_error *append_insns(const struct kt_cells_diff *diff,
				     const struct kt_cells_options *options, struct kt_buf *out)
{
	struct cells_table_options how = {.color = options->color};
	_cleanup_(cells_table_deinit) struct cells_table table = {0};
	struct kt_buf text = KT_BUF_INIT;
	struct kt_error *err = cells_table_init(diff->n_insns, N_HEADS - 1, &table);

	table.numbers = true;
	table.n_texts = 3;
	for (size_t c = 0; c < N_HEADS && !err; c++) {
		kt_buf_appends(&text, heads[c]);
		err = cells_table_set(&table, 0, c, RENDER_TONE_PLAIN, &text);
	}
	for (size_t i = 0; i < diff->n_insns && !err; i++)
		for (size_t c = 0; c < N_HEADS && !err; c++) {
			append_field(&text, &diff->insns[i], c);
			err = cells_table_set(&table, i + 1, c,
					      c < 5                      ? RENDER_TONE_PLAIN
					      : diff->insns[i].delta > 0 ? RENDER_TONE_BAD
									 : RENDER_TONE_GOOD,
					      &text);
		}
	if (!err)
		err = cells_table_print(&table, &how, out);
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
		for (size_t c = 0; c < N_HEADS; c++) {
			struct kt_buf field = KT_BUF_INIT;

			append_field(&field, &diff->insns[i], c);
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
