// SPDX-License-Identifier: LGPL-2.1-or-later
/* Cells as CSV: a line for each program, so that it can be summed up as it is. */
#include "model/cells_index.h"
#include "render/cells.h"
#include "render/grid.h"
#include "util/cleanup.h"
#include "util/vec.h"

struct row {
	const struct cells_cell *cell;
	const struct kt_prog_stats *stats; /* NULL: the cell has none */
};

static struct render_cell text(const char *string)
{
	if (!string)
		return (struct render_cell){0};
	return (struct render_cell){.known = true, .text = {string, strlen(string)}};
}

static const struct kt_cell_record *record_of(const void *row)
{
	return ((const struct row *)row)->cell->record;
}

static const struct kt_prog_stats *stats_of(const void *row)
{
	return ((const struct row *)row)->stats;
}

static struct render_cell get_scheduler(const void *row)
{
	return text(record_of(row)->scheduler);
}

static struct render_cell get_kernel(const void *row)
{
	return text(record_of(row)->kernel);
}

static struct render_cell get_topology(const void *row)
{
	return text(record_of(row)->topology);
}

static struct render_cell get_result(const void *row)
{
	return text(cells_state_name(((const struct row *)row)->cell->state));
}

static struct render_cell get_verdict(const void *row)
{
	return text(record_of(row)->verdict);
}

static struct render_cell get_reason(const void *row)
{
	return text(record_of(row)->reason);
}

static struct render_cell get_release(const void *row)
{
	return text(record_of(row)->release);
}

static struct render_cell get_duration(const void *row)
{
	double s = record_of(row)->duration_s;

	return (struct render_cell){.known = s > 0, .real = s};
}

static struct render_cell get_attempts(const void *row)
{
	unsigned n = record_of(row)->attempts;

	return (struct render_cell){.known = n > 0, .number = n};
}

static struct render_cell get_program(const void *row)
{
	return stats_of(row) ? text(stats_of(row)->name) : text(NULL);
}

static struct render_cell get_type(const void *row)
{
	return stats_of(row) ? text(stats_of(row)->type) : text(NULL);
}

static struct render_cell get_insns(const void *row)
{
	const struct kt_prog_stats *stats = stats_of(row);

	return (struct render_cell){.known = stats && stats->verified_insns.known,
				    .number = stats ? stats->verified_insns.value : 0};
}

static struct render_cell get_load(const void *row)
{
	if (!stats_of(row))
		return text(NULL);
	return text(stats_of(row)->failed ? "failed" : "loaded");
}

/* clang-format off */
static const struct render_grid_column columns[] = {
	{"scheduler", NULL, "", RENDER_GRID_TEXT, 0, get_scheduler, 0},
	{"kernel", NULL, "", RENDER_GRID_TEXT, 0, get_kernel, 0},
	{"topology", NULL, "", RENDER_GRID_TEXT, 0, get_topology, 0},
	{"result", NULL, "", RENDER_GRID_TEXT, 0, get_result, 0},
	{"verdict", NULL, "", RENDER_GRID_TEXT, 0, get_verdict, 0},
	{"reason", NULL, "", RENDER_GRID_TEXT, 0, get_reason, 0},
	{"release", NULL, "", RENDER_GRID_TEXT, 0, get_release, 0},
	{"duration_s", NULL, "", RENDER_GRID_PERCENT, 0, get_duration, 0},
	{"attempts", NULL, "", RENDER_GRID_NUMBER, 0, get_attempts, 0},
	{"program", NULL, "", RENDER_GRID_TEXT, 0, get_program, 0},
	{"type", NULL, "", RENDER_GRID_TEXT, 0, get_type, 0},
	{"verified_insns", NULL, "", RENDER_GRID_NUMBER, 0, get_insns, 0},
	{"load", NULL, "", RENDER_GRID_TEXT, 0, get_load, 0},
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
	bool ok = stats->n || kt_vec_push(&rows->v, (struct row){cell, NULL});

	for (size_t i = 0; i < stats->n && ok; i++)
		ok = kt_vec_push(&rows->v, (struct row){cell, &stats->all[i]});
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
	grid = (struct render_grid){columns, sizeof(columns) / sizeof(*columns), rows.v.data,
				    sizeof(struct row), rows.v.len};
	err = render_grid_csv(&grid, &out);
	if (!err)
		return kt_buf_finish(&out, ret);
	kt_buf_deinit(&out);
	return err;
}
