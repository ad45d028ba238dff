// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Cells as JUnit's XML, in the form that Jenkins and GitLab read: a <testsuite> for each scheduler,
 * with a <testcase> for each cell.
 */

#include <string.h>

#include "model/cells_index.h"
#include "render/cells.h"
#include "render/markup.h"
#include "util/cleanup.h"

static void append_attribute(struct kt_buf *out, const char *name, const char *value)
{
	kt_buf_printf(out, " %s=\"", name);
	render_append_markup(out, value, false);
	kt_buf_appendc(out, '"');
}

static double seconds(const struct cells_cell *cell)
{
	double s = cell->record->duration_s;

	return s > 0 && s < 1e9 ? s : 0;
}

/* An error, for JUnit: whether the cell passes could not be found out. */
static bool is_error(const struct cells_cell *cell)
{
	return cell->state == CELLS_FAILED && kt_cell_is_unknown(cell->record);
}

static void append_counts(struct kt_buf *out, const struct cells_cell *cells, size_t n)
{
	size_t failed = 0, errors = 0, skipped = 0;
	double time = 0;

	for (size_t i = 0; i < n; i++) {
		errors += is_error(&cells[i]);
		failed += cells[i].state == CELLS_FAILED && !is_error(&cells[i]);
		skipped += cells[i].state == CELLS_SKIPPED;
		time += seconds(&cells[i]);
	}
	kt_buf_printf(out,
		      " tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" skipped=\"%zu\" "
		      "time=\"%.3f\"",
		      n, failed, errors, skipped, time);
}

static const char *reason_of(const struct kt_cell_record *record)
{
	if (record->reason && record->reason[0])
		return record->reason;
	if (record->verdict && record->verdict[0])
		return record->verdict;
	return record->skipped ? "skipped" : "failed";
}

static void append_case(struct kt_buf *out, const struct cells_cell *cell)
{
	const struct kt_cell_record *record = cell->record;

	kt_buf_appends(out, "    <testcase classname=\"verifier.");
	render_append_markup(out, record->scheduler, false);
	kt_buf_appends(out, "\" name=\"verifier/");
	render_append_markup(out, record->scheduler, false);
	kt_buf_appendc(out, '/');
	render_append_markup(out, record->kernel, false);
	kt_buf_appendc(out, '/');
	render_append_markup(out, record->topology, false);
	kt_buf_printf(out, "\" time=\"%.3f\"", seconds(cell));
	if (cell->state == CELLS_PASSED) {
		kt_buf_appends(out, "/>\n");
		return;
	}
	kt_buf_printf(out, ">\n      <%s",
		      is_error(cell)                ? "error"
		      : cell->state == CELLS_FAILED ? "failure"
						    : "skipped");
	append_attribute(out, "message", reason_of(record));
	if (cell->state == CELLS_FAILED)
		append_attribute(out, "type",
				 record->verdict && record->verdict[0] ? record->verdict
								       : "failed");
	if (cell->state == CELLS_FAILED && record->last && record->last[0]) {
		kt_buf_appendc(out, '>');
		render_append_markup(out, record->last, true);
		kt_buf_printf(out, "</%s>\n    </testcase>\n",
			      is_error(cell) ? "error" : "failure");
		return;
	}
	kt_buf_appends(out, "/>\n    </testcase>\n");
}

static void append_suite(struct kt_buf *out, const struct cells_index *index, size_t scheduler)
{
	size_t first, end;

	cells_index_scheduler(index, scheduler, &first, &end);
	kt_buf_appends(out, "  <testsuite");
	append_attribute(out, "name", index->schedulers.all[scheduler]);
	append_counts(out, index->cells + first, end - first);
	kt_buf_appends(out, ">\n");
	for (size_t i = first; i < end; i++)
		append_case(out, &index->cells[i]);
	kt_buf_appends(out, "  </testsuite>\n");
}

struct kt_error *kt_format_cells_junit(const struct kt_cell_records *records, char **ret)
{
	_cleanup_(cells_index_deinit) struct cells_index index = {0};
	struct kt_error *err = cells_index_init(records, &index);
	struct kt_buf out = KT_BUF_INIT;

	if (err)
		return err;
	kt_buf_appends(&out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
			     "<testsuites name=\"verifier\"");
	append_counts(&out, index.cells, index.n);
	kt_buf_appends(&out, ">\n");
	for (size_t s = 0; s < index.schedulers.n; s++)
		append_suite(&out, &index, s);
	kt_buf_appends(&out, "</testsuites>\n");
	return kt_buf_finish(&out, ret);
}
