// SPDX-License-Identifier: LGPL-2.1-or-later
/* The end of a sweep: its records are read back and shown, and what they come to. */
#include "cli/sweep.h"
#include "render/cells.h"
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

static int show_cells(const struct kt_cell_records *records)
{
	const struct kt_cells_options options = {
		.width = cli_terminal_width(),
		.color = cli_color_on(CLI_COLOR_AUTO, stdout),
	};
	_cleanup_free_ char *counts = NULL, *results = NULL;
	struct kt_error *err = kt_render_instruction_count_tables(records, &options, &counts);
	int status;

	if (!err)
		err = kt_render_result_table(records, &options, &results);
	if (err)
		return cli_fail(err);
	status = counts[0] ? cli_print(counts) : CLI_DONE;
	if (status == CLI_DONE && counts[0])
		status = cli_print("\n");
	return status == CLI_DONE ? cli_print(results) : status;
}

int sweep_conclude(const char *results, const char *scheduler, bool show, bool success,
		   int exit_code)
{
	struct kt_cell_records records = {0};
	_cleanup_free_ char *message = NULL;
	enum kt_run_outcome outcome;
	struct kt_error *err = kt_read_cell_records(results, warn, NULL, &records);
	int status = CLI_DONE, code = 0;

	if (err)
		return cli_fail(err);
	err = kt_classify_run_outcome(success, !records.n, any_failed(&records), scheduler,
				      exit_code, &outcome, &message, &code);
	if (err)
		status = cli_fail(err);
	else if (show)
		status = show_cells(&records);
	if (!err && message)
		cli_note("%s", message);
	if (status == CLI_DONE && outcome != KT_RUN_SUCCESS)
		status = code ? code : CLI_TEST_FAILED;
	kt_cell_records_deinit(&records);
	return status;
}
