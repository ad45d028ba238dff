// SPDX-License-Identifier: LGPL-2.1-or-later
/* Cells as CSV: a line for each program of a cell, or one if it has none. */
#include "model/cells_index.h"
#include "render/cells.h"
#include "render/grid.h"
#include "util/cleanup.h"
#include "util/vec.h"

struct row {
	enum cells_state state;
	struct kt_cell_record record; /* with the strings of the original, as program is */
	bool has_program;
	struct kt_prog_stats program;
};

static struct render_cell get_result(const void *row)
{
	return render_string_cell(cells_state_name(((const struct row *)row)->state));
}

static struct render_cell get_duration(const void *row)
{
	double s = ((const struct row *)row)->record.duration_s;

	return (struct render_cell){.known = s > 0, .real = s};
}

static struct render_cell get_attempts(const void *row)
{
	unsigned n = ((const struct row *)row)->record.attempts;

	return render_number_cell(n > 0, n);
}

static struct render_cell get_load(const void *row)
{
	const struct row *r = row;

	if (!r->has_program)
		return (struct render_cell){0};
	return render_string_cell(r->program.failed ? "failed" : "loaded");
}

/* clang-format off */
#define STRING(member) RENDER_STRING(struct row, member)
#define MORE(number)   RENDER_KNOWN(struct row, program.more[number])

/* Only a CSV is made of these, so that they have no heads. */
static const struct render_column columns[] = {
	{"scheduler", NULL, "", &render_as_text, STRING(record.scheduler)},
	{"kernel", NULL, "", &render_as_text, STRING(record.kernel)},
	{"topology", NULL, "", &render_as_text, STRING(record.topology)},
	{"result", NULL, "", &render_as_text, RENDER_GET(get_result)},
	{"verdict", NULL, "", &render_as_text, STRING(record.verdict)},
	{"reason", NULL, "", &render_as_text, STRING(record.reason)},
	{"release", NULL, "", &render_as_text, STRING(record.release)},
	{"duration_s", NULL, "", &render_as_seconds, RENDER_GET(get_duration)},
	{"attempts", NULL, "", &render_as_number, RENDER_GET(get_attempts)},
	{"program", NULL, "", &render_as_text, STRING(program.name)},
	{"type", NULL, "", &render_as_text, STRING(program.type)},
	{"verified_insns", NULL, "", &render_as_number, RENDER_KNOWN(struct row, program.verified_insns)},
	{"load", NULL, "", &render_as_text, RENDER_GET(get_load)},
	{"total_states", NULL, "", &render_as_number, MORE(KT_TRIAL_TOTAL_STATES)},
	{"peak_states", NULL, "", &render_as_number, MORE(KT_TRIAL_PEAK_STATES)},
	{"max_states_per_insn", NULL, "", &render_as_number, MORE(KT_TRIAL_MAX_STATES_PER_INSN)},
	{"mark_read", NULL, "", &render_as_number, MORE(KT_TRIAL_MARK_READ)},
	{"stack_depth", NULL, "", &render_as_number, MORE(KT_TRIAL_STACK)},
	{"verification_time_us", NULL, "", &render_as_number, MORE(KT_TRIAL_TIME_US)},
	{"log_bytes", NULL, "", &render_as_number, MORE(KT_TRIAL_LOG_BYTES)},
};
/* clang-format on */

struct rows {
	KT_VEC(struct row) v;
};

static void rows_deinit(struct rows *rows)
{
	kt_vec_free(&rows->v);
}

static bool add_rows(struct rows *rows, const struct cells_cell *cell)
{
	const struct kt_prog_stats_list *stats = &cell->record->stats;
	struct row row = {.state = cell->state, .record = *cell->record};
	bool ok = stats->n || kt_vec_push(&rows->v, row);

	row.has_program = true;
	for (size_t i = 0; i < stats->n && ok; i++) {
		row.program = stats->all[i];
		ok = kt_vec_push(&rows->v, row);
	}
	return ok;
}

struct kt_error *kt_format_cells_csv(const struct kt_cell_records *records, char **ret)
{
	_cleanup_(cells_index_deinit) struct cells_index index = {0};
	_cleanup_(rows_deinit) struct rows rows = {0};
	struct kt_error *err = cells_index_init(records, &index);
	struct kt_buf out = KT_BUF_INIT;
	struct render_grid grid;

	for (size_t i = 0; i < index.n && !err; i++)
		err = add_rows(&rows, &index.cells[i]) ? NULL : kt_error_no_memory();
	if (err)
		return err;
	grid = (struct render_grid)RENDER_GRID(columns, rows.v.data, rows.v.len);
	err = render_grid_csv(&grid, &out);
	if (!err)
		return kt_buf_finish(&out, ret);
	kt_buf_deinit(&out);
	return err;
}
