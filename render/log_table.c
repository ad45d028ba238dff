// SPDX-License-Identifier: LGPL-2.1-or-later
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "logparse/last.h"
#include "logparse/source.h"
#include "logparse/stats.h"
#include "render/grid.h"
#include "render/log_table.h"
#include "render/text.h"
#include "util/cleanup.h"

/* --- a line a program --- */

struct stats_row {
	struct render_log_program program;
	struct kt_log_outcome outcome;
	uint64_t lines, bytes;
};

static struct render_cell get_verdict(const void *row)
{
	switch (((const struct stats_row *)row)->outcome.outcome) {
	case KT_LAST_PASSED: return render_string_cell("passed");
	case KT_LAST_FAILED: return render_string_cell("failed");
	case KT_LAST_CUT: return render_string_cell("cut");
	default: return (struct render_cell){0};
	}
}

/* stat is an enum kt_stat. */
static struct render_cell get_stat(const void *row, size_t stat)
{
	const struct kt_verifier_stats *stats = &((const struct stats_row *)row)->outcome.stats;

	return render_number_cell(stats->has[stat], stats->value[stat]);
}

/*
 * The depths as the kernel prints them, "8+0+0", which sort by their sum. 7.3 prints only the
 * largest.
 */
static struct render_cell get_stack(const void *row)
{
	const struct kt_verifier_stats *stats = &((const struct stats_row *)row)->outcome.stats;
	struct render_cell cell = get_stat(row, KT_STAT_STACK_MAX);

	if (stats->stack.len) {
		cell = render_text_cell(stats->stack);
		for (size_t i = 0; i < stats->n_stack; i++)
			cell.number += stats->stack_depth[i];
	}
	return cell;
}

/* The kernel prints at most 1024 bytes at a time; what is longer is damage. */
static struct render_cell get_error(const void *row)
{
	struct kt_text error = ((const struct stats_row *)row)->outcome.headline;

	if (error.len > 1024)
		error.len = 1024;
	return render_text_cell(error);
}

enum { STATS_FILE = 1 };

/* clang-format off */
#define SLICE(member) RENDER_SLICE(struct stats_row, member)
#define U64(member)   RENDER_U64(struct stats_row, member)
#define STAT(stat)    RENDER_GET_NTH(get_stat, KT_STAT_##stat)

static const struct render_column stats_columns[] = {
	{"program", "name", "PROGRAM", &render_as_text, SLICE(program.log.program), .longest = 24},
	[STATS_FILE] = {"file", NULL, "FILE", &render_as_text, SLICE(program.file), .flags = RENDER_TAIL, .longest = 16},
	{"verdict", NULL, "VERDICT", &render_as_text, RENDER_GET(get_verdict), .flags = RENDER_ALWAYS},
	{"processed_insns", "insns", "INSNS", &render_as_number, STAT(PROCESSED), .flags = RENDER_ALWAYS},
	{"limit", NULL, "LIMIT", &render_as_number, STAT(LIMIT), .flags = RENDER_NOT_IN_TABLE},
	{"peak_states", "peak", "PEAK", &render_as_number, STAT(PEAK_STATES)},
	{"total_states", "states", "STATES", &render_as_number, STAT(TOTAL_STATES)},
	{"max_states_per_insn", "max", "MAX", &render_as_number, STAT(MAX_STATES_PER_INSN)},
	{"mark_read", NULL, "MARK", &render_as_number, STAT(MARK_READ), .flags = RENDER_NOT_IN_TABLE},
	{"verification_time_us", "time", "US", &render_as_number, STAT(TIME)},
	{"stack_depth", "stack", "STACK", &render_as_number, RENDER_GET(get_stack)},
	{"lines", NULL, "LINES", &render_as_number, U64(lines)},
	{"bytes", NULL, "BYTES", &render_as_number, U64(bytes)},
	{"error", NULL, "ERROR", &render_as_text, RENDER_GET(get_error), .flags = RENDER_CUT},
};
#undef SLICE
#undef U64
/* clang-format on */
#define N_STATS_COLUMNS (sizeof(stats_columns) / sizeof(stats_columns[0]))

static struct render_grid stats_grid(struct stats_row *rows, size_t n)
{
	return (struct render_grid)RENDER_GRID(stats_columns, rows, n);
}

struct kt_error *render_log_stats_check_sort(const char *sort)
{
	struct render_grid grid = stats_grid(NULL, 0);

	return render_grid_check_sort(&grid, sort);
}

/* Names are enough to tell the programs apart if each has one, and all are from one file. */
static bool needs_files(const struct render_log_program *programs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!programs[i].log.program.len ||
		    !kt_text_equals(programs[i].file, programs[0].file))
			return true;
	return false;
}

static struct kt_error *print_stats(struct render_grid *grid,
				    const struct render_log_table_options *options, bool with_files,
				    struct kt_buf *out)
{
	struct render_column columns[N_STATS_COLUMNS];
	struct kt_error *err = render_grid_sort(grid, options->sort);

	if (err)
		return err;
	if (options->csv)
		return render_grid_csv(grid, out);
	memcpy(columns, stats_columns, sizeof(columns));
	if (!with_files)
		columns[STATS_FILE].flags |= RENDER_NOT_IN_TABLE;
	grid->columns = columns;
	return render_grid_table(grid, options->width, options->color, out);
}

struct kt_error *render_log_stats(const struct render_log_program *programs, size_t n,
				  const struct render_log_table_options *options, char **ret)
{
	_cleanup_free_ struct stats_row *rows = calloc(n + 1, sizeof(*rows));
	struct kt_error *err = render_log_stats_check_sort(options->sort);
	struct render_grid grid = stats_grid(rows, n);
	struct kt_buf out = KT_BUF_INIT;

	if (err)
		return err;
	if (!rows)
		return kt_error_no_memory();
	for (size_t i = 0; i < n; i++) {
		rows[i].program = programs[i];
		rows[i].bytes = programs[i].log.trace.len;
		rows[i].lines = kt_text_count_lines(programs[i].log.trace);
		kt_log_find_outcome_of(&programs[i].log, &rows[i].outcome);
	}
	err = print_stats(&grid, options, needs_files(programs, n), &out);
	if (!err)
		return kt_buf_finish(&out, ret);
	kt_buf_deinit(&out);
	return err;
}

/* --- a line a source line --- */

struct source_row {
	struct render_log_program program;
	struct kt_source_line line;
	uint64_t share, sum; /* of the program's instructions in the log, in tenths of a percent */
};

static struct render_cell get_line_number(const void *row)
{
	uint32_t line = ((const struct source_row *)row)->line.source.line;

	return render_number_cell(line > 0, line);
}

/* "good.bpf.c:37", as it stands in the log. */
static struct render_cell get_location(const void *row)
{
	const struct source_row *r = row;
	const char *end = r->program.log.trace.data + r->program.log.trace.len;
	struct kt_text place = r->line.source.file;
	const char *p;

	if (!place.len || !r->line.source.line)
		return (struct render_cell){0};
	p = place.data + place.len;
	while (p < end && (*p == ':' || (*p >= '0' && *p <= '9')))
		p++;
	place.len = (size_t)(p - place.data);
	return render_text_cell(place);
}

/* The compiler gives some instructions no line, and the log lacks the line of others. */
static struct render_cell get_source_or_none(const void *row)
{
	struct render_cell cell = render_text_cell(
		((const struct source_row *)row)->line.source.text);

	return cell.known || get_line_number(row).known ? cell
							: render_string_cell("(no line is known)");
}

/* clang-format off */
#define SLICE(member) RENDER_SLICE(struct source_row, member)
#define U64(member)   RENDER_U64(struct source_row, member)

static const struct render_column source_columns[] = {
	{"log", NULL, "LOG", &render_as_text, SLICE(program.file), .flags = RENDER_NOT_IN_TABLE},
	{"program", NULL, "PROGRAM", &render_as_text, SLICE(program.log.program), .flags = RENDER_NOT_IN_TABLE},
	{"insns", NULL, "INSNS", &render_as_number, U64(line.insns), .flags = RENDER_ALWAYS},
	{"percent", NULL, "%", &render_as_tenths, U64(share), .flags = RENDER_ALWAYS},
	{"cumulative", "sum", "SUM %", &render_as_tenths, U64(sum), .flags = RENDER_ALWAYS},
	{"distinct", NULL, "DISTINCT", &render_as_number, U64(line.distinct), .flags = RENDER_ALWAYS},
	{"safe", "pruned", "SAFE", &render_as_number, U64(line.safe), .flags = RENDER_ALWAYS},
	{"pops", "branches", "POPS", &render_as_number, U64(line.pops), .flags = RENDER_ALWAYS},
	{"file", NULL, "FILE", &render_as_text, SLICE(line.source.file), .flags = RENDER_NOT_IN_TABLE},
	{"line", NULL, "LINE", &render_as_id, RENDER_GET(get_line_number), .flags = RENDER_NOT_IN_TABLE},
	{"location", NULL, "LINE", &render_as_text, RENDER_GET(get_location), .flags = RENDER_TAIL, .longest = 24},
	{"source", "text", "SOURCE", &render_as_text, SLICE(line.source.text), .flags = RENDER_ALWAYS | RENDER_CUT},
};
/* clang-format on */

#define N_SOURCE_COLUMNS (sizeof(source_columns) / sizeof(source_columns[0]))

/* One program's part of the output. */
struct source_part {
	struct kt_source_counts counts;
	struct kt_verifier_stats stats;
};

struct source_parts {
	struct source_part *all;
	size_t n;
	KT_VEC(struct source_row) rows;
};

static struct render_grid source_grid(struct source_row *rows, size_t n)
{
	return (struct render_grid)RENDER_GRID(source_columns, rows, n);
}

struct kt_error *render_log_source_check_sort(const char *sort)
{
	struct render_grid grid = source_grid(NULL, 0);

	return render_grid_check_sort(&grid, sort);
}

static void source_parts_deinit(struct source_parts *parts)
{
	for (size_t i = 0; i < parts->n; i++)
		kt_source_counts_deinit(&parts->all[i].counts);
	free(parts->all);
	kt_vec_free(&parts->rows);
}

/* n of total in tenths of a percent, rounded. */
static uint64_t share_of(uint64_t n, uint64_t total)
{
	return total ? (uint64_t)((double)n * 1000 / (double)total + 0.5) : 0;
}

static struct kt_error *add_row(struct source_parts *parts, const struct source_part *part,
				const struct render_log_program *program,
				const struct kt_source_line *line, uint64_t *sum)
{
	uint64_t total = part->counts.total.insns;
	struct source_row row = {*program, *line, share_of(line->insns, total), 0};

	*sum += line->insns;
	row.sum = share_of(*sum, total);
	return kt_vec_push(&parts->rows, row) ? NULL : kt_error_no_memory();
}

/*
 * A row for each line, the most instructions first. Instructions without a line get one row, at its
 * place in that order.
 */
static struct kt_error *add_rows(struct source_parts *parts, const struct source_part *part,
				 const struct render_log_program *program)
{
	const struct kt_source_line *unknown = &part->counts.unknown;
	struct kt_error *err = NULL;
	uint64_t sum = 0;

	if (!unknown->insns && !unknown->safe && !unknown->pops)
		unknown = NULL;
	for (size_t i = 0; i < part->counts.lines.len && !err; i++) {
		const struct kt_source_line *line = &part->counts.lines.data[i];

		if (unknown && unknown->insns > line->insns) {
			err = add_row(parts, part, program, unknown, &sum);
			unknown = NULL;
		}
		if (!err)
			err = add_row(parts, part, program, line, &sum);
	}
	if (unknown && !err)
		err = add_row(parts, part, program, unknown, &sum);
	return err;
}

/* "all 905 processed instructions are in the log: 893 executed, 12 pruned" */
static void append_footer(struct kt_buf *out, const struct source_part *part)
{
	const struct kt_source_line *total = &part->counts.total;
	const struct kt_verifier_stats *stats = &part->stats;
	uint64_t there = total->insns + total->safe, processed = stats->value[KT_STAT_PROCESSED];
	uint64_t share = share_of(there, processed);

	if (!stats->has[KT_STAT_PROCESSED])
		kt_buf_printf(out,
			      "%" PRIu64 " instructions are in the log, which does not say how "
			      "many there were",
			      there);
	else if (there == processed)
		kt_buf_printf(out, "all %" PRIu64 " processed instructions are in the log", there);
	else
		kt_buf_printf(out,
			      "%" PRIu64 " of %" PRIu64 " processed instructions are in the log "
			      "(%" PRIu64 ".%" PRIu64 " %%)",
			      there, processed, share / 10, share % 10);
	kt_buf_printf(out, ": %" PRIu64 " executed, %" PRIu64 " pruned\n", total->insns,
		      total->safe);
}

static void append_title(struct kt_buf *out, const struct render_log_program *program, bool color)
{
	kt_buf_appends(out, out->len ? "\n" : "");
	kt_buf_appends(out, color ? "\033[1m" : "");
	render_append_visible_bytes(out, program->log.program.data, program->log.program.len,
				    false);
	if (program->log.program.len && program->file.len)
		kt_buf_appends(out, " in ");
	render_append_visible_bytes(out, program->file.data, program->file.len, false);
	kt_buf_appends(out, color ? "\033[0m\n" : "\n");
}

static struct kt_error *print_part(struct source_parts *parts, const struct source_part *part,
				   const struct render_log_program *program,
				   const struct render_log_table_options *options,
				   struct kt_buf *out)
{
	struct render_column columns[N_SOURCE_COLUMNS];
	struct render_grid grid;
	struct kt_error *err;

	if (!part->counts.total.insns) {
		if (!part->stats.has[KT_STAT_PROCESSED])
			kt_buf_appends(out, "no instruction is in it, and no statistics: is it a "
					    "verifier log?\n");
		else if (!part->stats.value[KT_STAT_PROCESSED])
			kt_buf_appends(out, "the verifier came to no instruction\n");
		else
			kt_buf_appends(out, "no instruction is in the log: at level 1 it has none "
					    "of a program that passes; load it with log_level 2\n");
		return NULL;
	}
	parts->rows.len = 0;
	err = add_rows(parts, part, program);
	if (err)
		return err;
	grid = source_grid(parts->rows.data, parts->rows.len);
	memcpy(columns, source_columns, sizeof(columns));
	columns[N_SOURCE_COLUMNS - 1].source = RENDER_FROM_GET;
	columns[N_SOURCE_COLUMNS - 1].get = get_source_or_none;
	grid.columns = columns;
	err = render_grid_sort(&grid, options->sort);
	if (!err)
		err = render_grid_table(&grid, options->width, options->color, out);
	if (!err)
		append_footer(out, part);
	return err;
}

static struct kt_error *print_csv(struct source_parts *parts,
				  const struct render_log_program *programs, const char *sort,
				  struct kt_buf *out)
{
	struct render_grid grid;
	struct kt_error *err = NULL;

	for (size_t i = 0; i < parts->n && !err; i++)
		err = add_rows(parts, &parts->all[i], &programs[i]);
	if (err)
		return err;
	grid = source_grid(parts->rows.data, parts->rows.len);
	err = render_grid_sort(&grid, sort);
	return err ? err : render_grid_csv(&grid, out);
}

static struct kt_error *print_source(struct source_parts *parts,
				     const struct render_log_program *programs,
				     const struct render_log_table_options *options,
				     struct kt_buf *out)
{
	struct kt_error *err = NULL;

	if (options->csv)
		return print_csv(parts, programs, options->sort, out);
	for (size_t i = 0; i < parts->n && !err; i++) {
		if (parts->n > 1)
			append_title(out, &programs[i], options->color);
		err = print_part(parts, &parts->all[i], &programs[i], options, out);
	}
	return err;
}

struct kt_error *render_log_source(const struct render_log_program *programs, size_t n,
				   const struct render_log_table_options *options, char **ret)
{
	_cleanup_(source_parts_deinit) struct source_parts parts = {0};
	struct kt_error *err = render_log_source_check_sort(options->sort);
	struct kt_buf out = KT_BUF_INIT;

	if (err)
		return err;
	parts.all = calloc(n + 1, sizeof(*parts.all));
	if (!parts.all)
		return kt_error_no_memory();
	for (; parts.n < n && !err; parts.n++) {
		struct source_part *part = &parts.all[parts.n];

		err = kt_count_source_lines(programs[parts.n].log.trace, &part->counts);
		kt_parse_verifier_stats(programs[parts.n].log.trace, &part->stats, NULL, NULL);
	}
	if (!err)
		err = print_source(&parts, programs, options, &out);
	if (!err)
		return kt_buf_finish(&out, ret);
	kt_buf_deinit(&out);
	return err;
}
