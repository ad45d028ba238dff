// SPDX-License-Identifier: LGPL-2.1-or-later
/* The end of a sweep: reads the records back, shows them, and decides the exit status. */
#include <string.h>

#include "cli/sweep.h"
#include "sweep/nextest.h"
#include "sweep/records.h"
#include "util/cleanup.h"

static void warn(void *arg, const char *file, const struct kt_error *why)
{
	(void)arg;
	cli_note("%s is left out: %s", file, kt_error_message(why));
}

static bool any_failed(const struct kt_cell_records *records)
{
	for (size_t i = 0; i < records->n; i++)
		if (!records->all[i].passed && !records->all[i].skipped)
			return true;
	return false;
}

/* Cells that were all skipped have no table, but a reason. */
static bool none_ran(const struct kt_cell_records *records)
{
	for (size_t i = 0; i < records->n; i++)
		if (!records->all[i].skipped)
			return false;
	return records->n;
}

static int show_cells(const struct kt_cell_records *records)
{
	const struct kt_cells_options options = {
		.width = cli_table_width(),
		.color = cli_color_on(CLI_COLOR_AUTO, stdout),
	};
	_cleanup_free_ char *text = NULL;
	struct kt_error *err;

	if (none_ran(records)) {
		cli_note("no cell ran: %zu skipped; %s", records->n,
			 records->all[0].reason ? records->all[0].reason : "no reason is known");
		return CLI_DONE;
	}
	err = cli_format_cells(records, &options, &text);
	return err ? cli_fail(err) : cli_print(text);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Whether the record is that of a cell in names, which are sorted. True without memory. */
static bool is_of(const struct kt_cell_record *record, const char *const *names, size_t n)
{
	_cleanup_free_ char *name = NULL;

	if (asprintf(&name, "verifier/%s/%s/%s", record->scheduler, record->kernel,
		     record->topology) < 0)
		return true;
	return bsearch(&name, names, n, sizeof(*names), by_name);
}

/*
 * Leaves out what is no result of this sweep: records of cells that another file or filter chose,
 * and of cells that did not start, so that their records are from before.
 */
static struct kt_error *keep_only(const struct sweep_cells *cells, const char *results,
				  struct kt_cell_records *records)
{
	_cleanup_free_ const char **names = calloc(cells->v.len + 1, sizeof(*names));
	size_t kept = 0, others = 0, old = 0;
	struct kt_error *err = NULL;

	if (!names)
		return kt_error_no_memory();
	for (size_t i = 0; i < cells->v.len; i++)
		names[i] = cells->v.data[i].name;
	qsort(names, cells->v.len, sizeof(*names), by_name);
	for (size_t i = 0; i < records->n && !err; i++) {
		struct kt_cell_record record = records->all[i];
		bool due = false;

		if (!is_of(&record, names, cells->v.len)) {
			others++;
			continue;
		}
		err = kt_cell_is_due(results, record.scheduler, record.kernel, record.topology,
				     &due);
		if (due) {
			old++;
			continue;
		}
		records->all[i] = records->all[kept];
		records->all[kept++] = record;
	}
	if (err)
		return err;
	while (records->n > kept)
		kt_cell_record_deinit(&records->all[--records->n]);
	if (old)
		cli_note("%zu cells did not start; their records from before are kept in %s", old,
			 results);
	if (others)
		cli_note("%zu records of other cells in %s are not shown; `ktstr-gdb report` does",
			 others, results);
	return NULL;
}

int sweep_conclude(const struct sweep_scope *scope, bool success, int exit_code)
{
	struct kt_cell_records records = {0};
	_cleanup_free_ char *message = NULL;
	enum kt_run_outcome outcome;
	struct kt_error *err = kt_read_cell_records(scope->results, warn, NULL, &records);
	int status = CLI_DONE, code = 0;

	if (!err && scope->cells)
		err = keep_only(scope->cells, scope->results, &records);
	if (err) {
		kt_cell_records_deinit(&records);
		return cli_fail(err);
	}
	err = kt_classify_run_outcome(success, !records.n, any_failed(&records), scope->scheduler,
				      exit_code, &outcome, &message, &code);
	if (err)
		status = cli_fail(err);
	else if (scope->show)
		status = show_cells(&records);
	if (!err && message)
		cli_note("%s", message);
	if (status == CLI_DONE && outcome != KT_RUN_SUCCESS)
		status = code ? code : CLI_TEST_FAILED;
	kt_cell_records_deinit(&records);
	return status;
}
