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

static struct render_cell text_cell(struct kt_text text)
{
	return (struct render_cell){.known = text.len > 0, .text = text};
}

static struct render_cell number_cell(uint64_t number)
{
	return (struct render_cell){.known = true, .number = number};
}

/* --- a line a program --- */

struct stats_row {
	const struct render_log_program *program;
	struct kt_log_outcome outcome;
	uint64_t lines;
};

static struct render_cell get_program(const void *row)
{
	return text_cell(((const struct stats_row *)row)->program->program);
}

static struct render_cell get_file(const void *row)
{
	return text_cell(((const struct stats_row *)row)->program->file);
}

static struct render_cell get_verdict(const void *row)
{
	switch (((const struct stats_row *)row)->outcome.outcome) {
	case KT_LAST_PASSED: return text_cell(KT_TEXT("passed"));
	case KT_LAST_FAILED: return text_cell(KT_TEXT("failed"));
	case KT_LAST_CUT: return text_cell(KT_TEXT("cut"));
	default: return (struct render_cell){0};
	}
}

static struct render_cell stat_cell(const void *row, enum kt_stat stat)
{
	const struct kt_verifier_stats *stats = &((const struct stats_row *)row)->outcome.stats;

	return (struct render_cell){.known = stats->has[stat], .number = stats->value[stat]};
}

#define STAT_GETTER(name, stat)                                                                    \
	static struct render_cell get_##name(const void *row)                                      \
	{                                                                                          \
		return stat_cell(row, stat);                                                       \
	}
STAT_GETTER(processed, KT_STAT_PROCESSED)
STAT_GETTER(limit, KT_STAT_LIMIT)
STAT_GETTER(peak, KT_STAT_PEAK_STATES)
STAT_GETTER(total, KT_STAT_TOTAL_STATES)
STAT_GETTER(per_insn, KT_STAT_MAX_STATES_PER_INSN)
STAT_GETTER(mark_read, KT_STAT_MARK_READ)
STAT_GETTER(time, KT_STAT_TIME)

/* The depths as the kernel has them, "8+0+0", which sort by their sum; 7.3 has only the most. */
static struct render_cell get_stack(const void *row)
{
	const struct kt_verifier_stats *stats = &((const struct stats_row *)row)->outcome.stats;
	struct render_cell cell = stat_cell(row, KT_STAT_STACK_MAX);

	if (stats->stack.len) {
		cell = text_cell(stats->stack);
		for (size_t i = 0; i < stats->n_stack; i++)
			cell.number += stats->stack_depth[i];
	}
	return cell;
}

static struct render_cell get_lines(const void *row)
{
	return number_cell(((const struct stats_row *)row)->lines);
}

static struct render_cell get_bytes(const void *row)
{
	return number_cell(((const struct stats_row *)row)->program->trace.len);
}

/* The kernel prints no more than 1024 bytes at a time; what is longer is damage. */
static struct render_cell get_error(const void *row)
{
	struct kt_text error = ((const struct stats_row *)row)->outcome.headline;

	if (error.len > 1024)
		error.len = 1024;
	return text_cell(error);
}

enum { STATS_FILE = 1 };

/* clang-format off */
static const struct render_grid_column stats_columns[] = {
	{"program", "name", "PROGRAM", RENDER_GRID_TEXT, 0, get_program, 24},
	[STATS_FILE] = {"file", NULL, "FILE", RENDER_GRID_TEXT, RENDER_GRID_TAIL, get_file, 16},
	{"verdict", NULL, "VERDICT", RENDER_GRID_TEXT, RENDER_GRID_ALWAYS, get_verdict, 0},
	{"processed_insns", "insns", "INSNS", RENDER_GRID_NUMBER, RENDER_GRID_ALWAYS, get_processed, 0},
	{"limit", NULL, "LIMIT", RENDER_GRID_NUMBER, RENDER_GRID_CSV_ONLY, get_limit, 0},
	{"peak_states", "peak", "PEAK", RENDER_GRID_NUMBER, 0, get_peak, 0},
	{"total_states", "states", "STATES", RENDER_GRID_NUMBER, 0, get_total, 0},
	{"max_states_per_insn", "max", "MAX", RENDER_GRID_NUMBER, 0, get_per_insn, 0},
	{"mark_read", NULL, "MARK", RENDER_GRID_NUMBER, RENDER_GRID_CSV_ONLY, get_mark_read, 0},
	{"verification_time_us", "time", "US", RENDER_GRID_NUMBER, 0, get_time, 0},
	{"stack_depth", "stack", "STACK", RENDER_GRID_NUMBER, 0, get_stack, 0},
	{"lines", NULL, "LINES", RENDER_GRID_NUMBER, 0, get_lines, 0},
	{"bytes", NULL, "BYTES", RENDER_GRID_NUMBER, 0, get_bytes, 0},
	{"error", NULL, "ERROR", RENDER_GRID_TEXT, RENDER_GRID_CUT, get_error, 0},
};
/* clang-format on */
#define N_STATS_COLUMNS (sizeof(stats_columns) / sizeof(stats_columns[0]))

static struct render_grid stats_grid(struct stats_row *rows, size_t n)
{
	return (struct render_grid){
		.columns = stats_columns,
		.n_columns = N_STATS_COLUMNS,
		.rows = rows,
		.row_size = sizeof(*rows),
		.n_rows = n,
	};
}

struct kt_error *render_log_stats_check_sort(const char *sort)
{
	struct render_grid grid = stats_grid(NULL, 0);

	return render_grid_check_sort(&grid, sort);
}

static bool same_text(struct kt_text a, struct kt_text b)
{
	return a.len == b.len && (!a.len || memcmp(a.data, b.data, a.len) == 0);
}

/* Names alone tell the programs apart when each has one, and all are from one file. */
static bool needs_files(const struct render_log_program *programs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!programs[i].program.len || !same_text(programs[i].file, programs[0].file))
			return true;
	return false;
}

static struct kt_error *print_stats(struct render_grid *grid,
				    const struct render_log_table_options *options, bool with_files,
				    struct kt_buf *out)
{
	struct render_grid_column columns[N_STATS_COLUMNS];
	struct kt_error *err = render_grid_sort(grid, options->sort);

	if (err)
		return err;
	if (options->csv)
		return render_grid_csv(grid, out);
	memcpy(columns, stats_columns, sizeof(columns));
	if (!with_files)
		columns[STATS_FILE].flags |= RENDER_GRID_CSV_ONLY;
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
		rows[i].program = &programs[i];
		rows[i].lines = kt_text_count_lines(programs[i].trace);
		kt_log_find_outcome(programs[i].trace, &rows[i].outcome);
	}
	err = print_stats(&grid, options, needs_files(programs, n), &out);
	if (!err)
		return kt_buf_finish(&out, ret);
	kt_buf_deinit(&out);
	return err;
}

/* --- a line a source line --- */

struct source_row {
	const struct render_log_program *program;
	const struct kt_source_line *line;
	uint64_t share, sum; /* of the program's instructions in the log, in tenths of a percent */
};

static struct render_cell get_line_log(const void *row)
{
	return text_cell(((const struct source_row *)row)->program->file);
}

static struct render_cell get_line_program(const void *row)
{
	return text_cell(((const struct source_row *)row)->program->program);
}

static struct render_cell get_insns(const void *row)
{
	return number_cell(((const struct source_row *)row)->line->insns);
}

static struct render_cell get_share(const void *row)
{
	return number_cell(((const struct source_row *)row)->share);
}

static struct render_cell get_sum(const void *row)
{
	return number_cell(((const struct source_row *)row)->sum);
}

static struct render_cell get_distinct(const void *row)
{
	return number_cell(((const struct source_row *)row)->line->distinct);
}

static struct render_cell get_safe(const void *row)
{
	return number_cell(((const struct source_row *)row)->line->safe);
}

static struct render_cell get_pops(const void *row)
{
	return number_cell(((const struct source_row *)row)->line->pops);
}

static struct render_cell get_line_file(const void *row)
{
	return text_cell(((const struct source_row *)row)->line->source.file);
}

static struct render_cell get_line_number(const void *row)
{
	uint32_t line = ((const struct source_row *)row)->line->source.line;

	return (struct render_cell){.known = line > 0, .number = line};
}

/* "good.bpf.c:37", which stands so in the log. */
static struct render_cell get_location(const void *row)
{
	const struct source_row *r = row;
	const char *end = r->program->trace.data + r->program->trace.len;
	struct kt_text place = r->line->source.file;
	const char *p;

	if (!place.len || !r->line->source.line)
		return (struct render_cell){0};
	p = place.data + place.len;
	while (p < end && (*p == ':' || (*p >= '0' && *p <= '9')))
		p++;
	place.len = (size_t)(p - place.data);
	return text_cell(place);
}

static struct render_cell get_source(const void *row)
{
	return text_cell(((const struct source_row *)row)->line->source.text);
}

/* Of instructions that the compiler gave no line, or whose line is not in the log. */
static struct render_cell get_source_or_none(const void *row)
{
	struct render_cell cell = get_source(row);

	return cell.known || get_line_number(row).known ? cell
							: text_cell(KT_TEXT("(no line is known)"));
}

/* clang-format off */
static const struct render_grid_column source_columns[] = {
	{"log", NULL, "LOG", RENDER_GRID_TEXT, RENDER_GRID_CSV_ONLY, get_line_log, 0},
	{"program", NULL, "PROGRAM", RENDER_GRID_TEXT, RENDER_GRID_CSV_ONLY, get_line_program, 0},
	{"insns", NULL, "INSNS", RENDER_GRID_NUMBER, RENDER_GRID_ALWAYS, get_insns, 0},
	{"percent", NULL, "%", RENDER_GRID_TENTHS, RENDER_GRID_ALWAYS, get_share, 0},
	{"cumulative", "sum", "SUM %", RENDER_GRID_TENTHS, RENDER_GRID_ALWAYS, get_sum, 0},
	{"distinct", NULL, "DISTINCT", RENDER_GRID_NUMBER, RENDER_GRID_ALWAYS, get_distinct, 0},
	{"safe", "pruned", "SAFE", RENDER_GRID_NUMBER, RENDER_GRID_ALWAYS, get_safe, 0},
	{"pops", "branches", "POPS", RENDER_GRID_NUMBER, RENDER_GRID_ALWAYS, get_pops, 0},
	{"file", NULL, "FILE", RENDER_GRID_TEXT, RENDER_GRID_CSV_ONLY, get_line_file, 0},
	{"line", NULL, "LINE", RENDER_GRID_RISING, RENDER_GRID_CSV_ONLY, get_line_number, 0},
	{"location", NULL, "LINE", RENDER_GRID_TEXT, RENDER_GRID_TAIL, get_location, 24},
	{"source", "text", "SOURCE", RENDER_GRID_TEXT, RENDER_GRID_ALWAYS | RENDER_GRID_CUT, get_source, 0},
};
/* clang-format on */

#define N_SOURCE_COLUMNS (sizeof(source_columns) / sizeof(source_columns[0]))

/* What is shown of one program. */
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
	return (struct render_grid){
		.columns = source_columns,
		.n_columns = N_SOURCE_COLUMNS,
		.rows = rows,
		.row_size = sizeof(*rows),
		.n_rows = n,
	};
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
	struct source_row row = {program, line, share_of(line->insns, total), 0};

	*sum += line->insns;
	row.sum = share_of(*sum, total);
	return kt_vec_push(&parts->rows, row) ? NULL : kt_error_no_memory();
}

/* The lines, the most instructions first, and those without one at their place among them. */
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
	render_append_visible_bytes(out, program->program.data, program->program.len, false);
	if (program->program.len && program->file.len)
		kt_buf_appends(out, " in ");
	render_append_visible_bytes(out, program->file.data, program->file.len, false);
	kt_buf_appends(out, color ? "\033[0m\n" : "\n");
}

static struct kt_error *print_part(struct source_parts *parts, const struct source_part *part,
				   const struct render_log_program *program,
				   const struct render_log_table_options *options,
				   struct kt_buf *out)
{
	struct render_grid_column columns[N_SOURCE_COLUMNS];
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

		err = kt_count_source_lines(programs[parts.n].trace, &part->counts);
		kt_parse_verifier_stats(programs[parts.n].trace, &part->stats, NULL, NULL);
	}
	if (!err)
		err = print_source(&parts, programs, options, &out);
	if (!err)
		return kt_buf_finish(&out, ret);
	kt_buf_deinit(&out);
	return err;
}
