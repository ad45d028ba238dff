// SPDX-License-Identifier: LGPL-2.1-or-later
/* Any bytes as a cell's record: read, shown in every form, and written again. */
#include <stdint.h>
#include <stdlib.h>

#include "model/cell_json.h"
#include "render/cells.h"
#include "render/cells_diff.h"
#include "render/html.h"

typedef struct kt_error *(*format_fn)(const struct kt_cell_records *records, char **ret);

static struct kt_error *format_counts(const struct kt_cell_records *records, char **ret)
{
	return kt_render_instruction_count_tables(records, NULL, ret);
}

static struct kt_error *format_results(const struct kt_cell_records *records, char **ret)
{
	return kt_render_result_table(records, NULL, ret);
}

static void put_log(void *arg, const struct kt_cell_record *record, struct kt_buf *out)
{
	(void)arg;
	kt_buf_appends(out, record->reason ? record->reason : "");
}

static struct kt_error *format_markdown(const struct kt_cell_records *records, char **ret)
{
	return kt_format_cells_markdown(records, put_log, NULL, ret);
}

static void put_dump(void *arg, const struct kt_cell_record *record, struct kt_buf *sum,
		     struct kt_buf *all)
{
	put_log(arg, record, sum);
	kt_buf_appends(all, record->dump);
}

static struct kt_error *format_html(const struct kt_cell_records *records, char **ret)
{
	return kt_format_cells_html(
		records, &(struct kt_html_options){.log = put_log, .dump = put_dump}, ret);
}

static void check(bool ok)
{
	if (!ok)
		abort();
}

/* A record that was read can be written, and read again. */
static void write_again(const struct kt_cell_record *record)
{
	struct kt_cell_record again;
	char *text;

	check(!kt_cell_record_encode(record, &text));
	check(!kt_cell_record_decode((struct kt_text){text, strlen(text)}, &again));
	check(again.stats.n == record->stats.n);
	kt_cell_record_deinit(&again);
	free(text);
}

static void diff(const struct kt_cell_records *records)
{
	struct kt_cells_diff changes;
	char *text;

	check(!kt_build_cells_diff(records, records, &changes));
	check(!changes.counts[KT_CELL_BROKEN] && !changes.n_insns);
	check(!kt_format_cells_diff_json(&changes, records, &text));
	free(text);
	kt_cells_diff_deinit(&changes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const format_fn formats[] = {
		format_counts,        format_results,      format_markdown,       format_html,
		kt_format_cells_json, kt_format_cells_csv, kt_format_cells_junit,
	};
	struct kt_cell_record record;
	struct kt_cell_records records = {&record, 1};
	struct kt_error *err;
	char *text;

	err = kt_cell_record_decode((struct kt_text){(const char *)data, size}, &record);
	if (err) {
		kt_error_destroy(err);
		return 0;
	}
	for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++) {
		check(!formats[i](&records, &text));
		check(!strpbrk(text, "\033\007"));
		free(text);
	}
	write_again(&record);
	diff(&records);
	kt_cell_record_deinit(&record);
	return 0;
}
