// SPDX-License-Identifier: LGPL-2.1-or-later
/* Shows a running sweep: a line for each cell that ends, and on a terminal the state of all. */
#include <string.h>
#include <unistd.h>

#include "cli/sweep.h"
#include "model/json.h"
#include "model/json_put.h"
#include "sweep/records.h"
#include "util/cleanup.h"
#include "util/clock.h"

struct sweep_view {
	const struct sweep_cells *cells;
	const char *results;
	bool json, terminal;
	bool *runs, *ended; /* by cell */
	size_t n_run, n_ended, n_failed, n_skipped;
	int64_t began_ns;
};

struct kt_error *sweep_view_create(const struct sweep_cells *cells, const char *results, bool json,
				   struct sweep_view **ret)
{
	struct sweep_view *view = calloc(1, sizeof(*view));

	if (!view)
		return kt_error_no_memory();
	view->cells = cells;
	view->results = results;
	view->json = json;
	view->terminal = isatty(STDERR_FILENO);
	view->began_ns = kt_now_ns();
	view->runs = calloc(cells->v.len + 1, sizeof(*view->runs));
	view->ended = calloc(cells->v.len + 1, sizeof(*view->ended));
	if (!view->runs || !view->ended) {
		sweep_view_destroy(view);
		return kt_error_no_memory();
	}
	*ret = view;
	return NULL;
}

void sweep_view_destroy(struct sweep_view *view)
{
	if (!view)
		return;
	cli_progress(NULL);
	free(view->runs);
	free(view->ended);
	free(view);
}

size_t sweep_view_failed(const struct sweep_view *view)
{
	return view->n_failed;
}

/* Appends how long the rest takes, if it goes on at the speed so far. */
static void append_left(const struct sweep_view *view, struct kt_buf *out)
{
	size_t left = view->cells->v.len - view->n_ended;
	double took = (double)(kt_now_ns() - view->began_ns) / 1e9;

	if (view->n_ended && left)
		kt_buf_printf(out, ", about %.0f s left",
			      took / (double)view->n_ended * (double)left);
}

static void show_state(const struct sweep_view *view)
{
	_cleanup_(kt_buf_deinit) struct kt_buf text = KT_BUF_INIT;
	size_t named = 0;

	if (!view->terminal)
		return;
	kt_buf_printf(&text, "%zu of %zu cells, %zu running", view->n_ended, view->cells->v.len,
		      view->n_run);
	if (view->n_failed)
		kt_buf_printf(&text, ", %zu failed", view->n_failed);
	append_left(view, &text);
	for (size_t i = 0; i < view->cells->v.len && view->n_run && named < 2; i++)
		if (view->runs[i])
			kt_buf_printf(&text, "%s%.40s", named++ ? ", " : ": ",
				      view->cells->v.data[i].name + strlen("verifier/"));
	if (!text.failed)
		cli_progress(text.data);
}

void sweep_view_begun(void *arg, size_t cell)
{
	struct sweep_view *view = arg;

	view->n_run += !view->runs[cell];
	view->runs[cell] = true;
	show_state(view);
}

static const char *state_of(const struct kt_cell_record *record)
{
	return record->skipped ? "skipped" : record->passed ? "pass" : "fail";
}

static void print_json(const struct sweep_cell *cell, const struct kt_cell_record *record)
{
	json_t *object = json_object();
	_cleanup_free_ char *text = NULL;
	struct kt_error *err;

	json_object_set_new(object, "cell", kt_json_text(cell->name));
	json_object_set_new(object, "state", json_string(record ? state_of(record) : "no record"));
	json_object_set_new(object, "reason", kt_json_text(record ? record->reason : NULL));
	json_object_set_new(object, "duration_s",
			    record ? json_real(record->duration_s) : json_null());
	err = kt_json_dump_line(object, &text);
	if (err)
		cli_fail(kt_error_wrap(err, "%s", cell->name));
	else
		printf("%s\n", text);
	fflush(stdout);
}

static void print_line(const struct sweep_view *view, const struct sweep_cell *cell,
		       const struct kt_cell_record *record)
{
	struct kt_error *full = record ? NULL : sweep_check_disk(view->results);

	if (full)
		cli_note("%s: it has no record: %s", cell->name, kt_error_message(full));
	else if (!record)
		cli_note("%s: ended without a new record; its output is in %s/.logs/%s.out",
			 cell->name, view->results, cell->name);
	else if (record->skipped || (!record->passed && record->reason))
		cli_note("%s: %s: %s", cell->name, record->skipped ? "skipped" : "FAIL",
			 record->reason ? record->reason : "");
	else if (!view->terminal)
		cli_note("%s: %s, %.1f s", cell->name, record->passed ? "PASS" : "FAIL",
			 record->duration_s);
	kt_error_destroy(full);
}

void sweep_view_ended(void *arg, size_t nth)
{
	struct sweep_view *view = arg;
	const struct sweep_cell *cell = &view->cells->v.data[nth];
	struct kt_cell_record record = {0};
	struct kt_error *err;
	bool known;

	if (view->ended[nth])
		return;
	err = sweep_read_record(view->results, cell, &record);
	known = !err;
	kt_error_destroy(err);
	view->ended[nth] = true;
	view->n_ended++;
	view->n_run -= view->runs[nth];
	view->runs[nth] = false;
	view->n_skipped += known && record.skipped;
	view->n_failed += !known || (!record.passed && !record.skipped);
	if (view->json)
		print_json(cell, known ? &record : NULL);
	else
		print_line(view, cell, known ? &record : NULL);
	kt_cell_record_deinit(&record);
	show_state(view);
}
