// SPDX-License-Identifier: LGPL-2.1-or-later
#include "model/saved_csv.h"

#include <string.h>

#include "model/veristat.h"
#include "util/buf.h"
#include "util/cleanup.h"
#include "util/vec.h"

/* More columns than any of veristat's files has, and than our own. */
#define COLUMNS_MAX 64

/* --- cells --- */

/* Reads one cell after the other. A cell without quotes is a slice of the text. */
struct reader {
	struct kt_text rest;
	size_t line;            /* from 1; where the last cell began */
	size_t newlines;        /* passed so far */
	bool in_row;            /* the last cell was not the last one of its line */
	struct kt_buf unquoted; /* of the last cell, where it had quotes */
};

static void reader_deinit(struct reader *reader)
{
	kt_buf_deinit(&reader->unquoted);
}

static struct kt_text trim(struct kt_text text)
{
	while (text.len && (*text.data == ' ' || *text.data == '\t'))
		text = kt_text_from(text, 1);
	while (text.len && strchr(" \t\r", text.data[text.len - 1]) && text.data[text.len - 1])
		text.len--;
	return text;
}

/* Takes what follows a cell: a comma, a newline or the end. */
static void end_cell(struct reader *reader)
{
	reader->in_row = reader->rest.len && *reader->rest.data == ',';
	if (reader->rest.len && !reader->in_row)
		reader->newlines++;
	if (reader->rest.len)
		reader->rest = kt_text_from(reader->rest, 1);
}

static struct kt_text plain_cell(struct reader *reader)
{
	size_t n = 0;
	struct kt_text cell;

	while (n < reader->rest.len && reader->rest.data[n] != ',' && reader->rest.data[n] != '\n')
		n++;
	cell = kt_text_head(reader->rest, n);
	reader->rest = kt_text_from(reader->rest, n);
	end_cell(reader);
	return trim(cell);
}

static struct kt_error *bad_quotes(const struct reader *reader, const char *what)
{
	return kt_error_new(KT_ERROR_FORMAT, "line %zu: a quoted cell %s", reader->line, what);
}

/* "a ""b"" c" is a "b" c. */
static struct kt_error *quoted_cell(struct reader *reader, struct kt_text *ret)
{
	struct kt_buf *out = &reader->unquoted;

	kt_buf_deinit(out);
	*out = (struct kt_buf)KT_BUF_INIT;
	reader->rest = kt_text_from(reader->rest, 1);
	for (;;) {
		const char *end = reader->rest.len
					  ? memchr(reader->rest.data, '"', reader->rest.len)
					  : NULL;
		size_t n;

		if (!end)
			return bad_quotes(reader, "has no end");
		n = (size_t)(end - reader->rest.data);
		for (size_t i = 0; i < n; i++)
			reader->newlines += reader->rest.data[i] == '\n';
		kt_buf_append(out, reader->rest.data, n);
		reader->rest = kt_text_from(reader->rest, n + 1);
		if (!reader->rest.len || *reader->rest.data != '"')
			break;
		kt_buf_appendc(out, '"');
		reader->rest = kt_text_from(reader->rest, 1);
	}
	if (out->failed)
		return kt_error_no_memory();
	if (reader->rest.len && *reader->rest.data == '\r')
		reader->rest = kt_text_from(reader->rest, 1);
	if (reader->rest.len && *reader->rest.data != ',' && *reader->rest.data != '\n')
		return bad_quotes(reader, "is followed by neither a comma nor a newline");
	end_cell(reader);
	*ret = (struct kt_text){out->data ? out->data : "", out->len};
	return NULL;
}

/* *ret is good until the next call, or, unless it was quoted, as long as the text. */
static struct kt_error *next_cell(struct reader *reader, struct kt_text *ret)
{
	reader->line = reader->newlines + 1;
	if (reader->rest.len && *reader->rest.data == '"')
		return quoted_cell(reader, ret);
	*ret = plain_cell(reader);
	return NULL;
}

/* Passes over empty lines. False: the text has ended. */
static bool begin_row(struct reader *reader)
{
	while (reader->rest.len && (*reader->rest.data == '\n' || *reader->rest.data == '\r')) {
		reader->newlines += *reader->rest.data == '\n';
		reader->rest = kt_text_from(reader->rest, 1);
	}
	reader->in_row = true;
	return reader->rest.len;
}

/* --- columns --- */

struct columns {
	enum kt_veristat_column all[COLUMNS_MAX]; /* KT_N_VERISTAT_COLUMNS: not ours to read */
	size_t n;
	bool has[KT_N_VERISTAT_COLUMNS + 1];
};

static struct kt_text without_bom(struct kt_text text)
{
	struct kt_text bom = KT_TEXT("\xef\xbb\xbf");

	return kt_text_starts_with(text, bom) ? kt_text_from(text, bom.len) : text;
}

static struct kt_error *read_columns(struct reader *reader, struct columns *ret)
{
	struct kt_error *err = NULL;
	struct kt_text name;

	*ret = (struct columns){0};
	while (!err && reader->in_row) {
		enum kt_veristat_column column;

		err = next_cell(reader, &name);
		if (err)
			break;
		column = kt_veristat_find(name);
		/* Of two names for the same, as `--csv -o insns,verified_insns` has, one is read.
		 */
		if (ret->has[column])
			column = KT_N_VERISTAT_COLUMNS;
		if (ret->n == COLUMNS_MAX)
			err = kt_error_new(KT_ERROR_FORMAT, "line %zu: more than %d columns",
					   reader->line, COLUMNS_MAX);
		else
			ret->all[ret->n++] = column;
		ret->has[column] = true;
	}
	return err;
}

/* Whether a line without the names of columns begins as veristat's rows do. */
static bool is_row(struct kt_text text)
{
	_cleanup_(reader_deinit) struct reader reader = {.rest = text, .in_row = true};
	struct kt_text cell = {0};
	struct kt_error *err = NULL;

	for (size_t i = 0; i <= KT_VERISTAT_VERDICT && !err; i++) {
		if (!reader.in_row)
			return false;
		err = next_cell(&reader, &cell);
	}
	if (err) {
		kt_error_destroy(err);
		return false;
	}
	return kt_text_equals(cell, KT_TEXT("success")) || kt_text_equals(cell, KT_TEXT("failure"));
}

/* That of `veristat -C -o csv`: "verdict_a", "total_insns_diff". */
static bool is_comparison(struct kt_text line)
{
	return kt_text_has(line, KT_TEXT("_a,")) && kt_text_has(line, KT_TEXT("_b,")) &&
	       kt_text_has(line, KT_TEXT("prog_name"));
}

static struct kt_text first_line(struct kt_text text)
{
	struct kt_text line = {0};

	kt_text_next_line(&text, &line);
	return line;
}

bool kt_saved_is_csv(struct kt_text text)
{
	_cleanup_(reader_deinit) struct reader reader = {.in_row = true};
	struct columns columns;
	struct kt_error *err;

	text = without_bom(text);
	if (!text.len || *text.data == '{' || *text.data == '[') /* JSON */
		return false;
	if (is_row(text) || is_comparison(first_line(text)))
		return true;
	reader.rest = first_line(text);
	err = read_columns(&reader, &columns);
	if (err) {
		kt_error_destroy(err);
		return columns.has[KT_VERISTAT_PROG_NAME];
	}
	return columns.has[KT_VERISTAT_PROG_NAME] && columns.n > 1;
}

/* --- rows --- */

struct row {
	char *name, *type, *kernel; /* NULL: no such cell, or an empty one */
	struct program_number insns, number[KT_N_TRIAL_NUMBERS];
	bool failed;
};

static void row_deinit(struct row *row)
{
	free(row->name);
	free(row->type);
	free(row->kernel);
}

static struct kt_error *bad_cell(const struct reader *reader, enum kt_veristat_column column,
				 struct kt_text cell, const char *wanted)
{
	return kt_error_new(KT_ERROR_FORMAT, "line %zu: %s is \"%.*s\", not %s", reader->line,
			    kt_veristat_name(column), (int)(cell.len < 40 ? cell.len : 40),
			    cell.len ? cell.data : "", wanted);
}

static struct kt_error *keep(const struct reader *reader, enum kt_veristat_column column,
			     struct kt_text cell, char **ret)
{
	if (!cell.len)
		return NULL;
	if (memchr(cell.data, '\0', cell.len))
		return bad_cell(reader, column, cell, "a name: it has a NUL in it");
	*ret = strndup(cell.data, cell.len);
	return *ret ? NULL : kt_error_no_memory();
}

static struct kt_error *read_count(const struct reader *reader, enum kt_veristat_column column,
				   struct kt_text cell, struct program_number *ret)
{
	uint64_t value = 0;

	for (size_t i = 0; i < cell.len; i++) {
		unsigned digit = (unsigned char)cell.data[i] - (unsigned)'0';

		if (digit > 9)
			return bad_cell(reader, column, cell, "a count");
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, digit, &value))
			return bad_cell(reader, column, cell, "a count of at most 64 bits");
	}
	*ret = (struct program_number){.known = value, .value = value};
	return NULL;
}

/* Of these 0 is a number like any other, but veristat writes 0 where it knows none, too. */
static struct kt_error *read_number(const struct reader *reader, enum kt_veristat_column column,
				    struct kt_text cell, struct program_number *ret)
{
	struct kt_error *err = read_count(reader, column, cell, ret);

	ret->known = !err && cell.len;
	return err;
}

static struct kt_error *read_cell(const struct reader *reader, enum kt_veristat_column column,
				  struct kt_text cell, struct row *row)
{
	static const enum kt_trial_number numbers[KT_N_VERISTAT_COLUMNS] = {
		[KT_VERISTAT_DURATION] = KT_TRIAL_TIME_US,
		[KT_VERISTAT_TOTAL_STATES] = KT_TRIAL_TOTAL_STATES,
		[KT_VERISTAT_PEAK_STATES] = KT_TRIAL_PEAK_STATES,
		[KT_VERISTAT_MAX_STATES_PER_INSN] = KT_TRIAL_MAX_STATES_PER_INSN,
		[KT_VERISTAT_MAX_MARK_READ_LEN] = KT_TRIAL_MARK_READ,
		[KT_VERISTAT_STACK_DEPTH] = KT_TRIAL_STACK,
	};

	switch (column) {
	case KT_VERISTAT_PROG_NAME: return keep(reader, column, cell, &row->name);
	case KT_VERISTAT_PROG_TYPE: return keep(reader, column, cell, &row->type);
	case KT_VERISTAT_KERNEL: return keep(reader, column, cell, &row->kernel);
	case KT_VERISTAT_TOTAL_INSNS: return read_count(reader, column, cell, &row->insns);
	case KT_VERISTAT_VERDICT:
		row->failed = kt_text_equals(cell, KT_TEXT("failure"));
		if (row->failed || kt_text_equals(cell, KT_TEXT("success")))
			return NULL;
		return bad_cell(reader, column, cell, "\"success\" or \"failure\"");
	default: break;
	}
	/* KT_TRIAL_INSNS is 0: a column that is not in the table. */
	if (column >= KT_N_VERISTAT_COLUMNS || !numbers[column])
		return NULL;
	return read_number(reader, column, cell, &row->number[numbers[column]]);
}

static struct kt_error *read_row(struct reader *reader, const struct columns *columns,
				 struct row *ret)
{
	struct kt_error *err = NULL;
	size_t line = reader->newlines + 1, n = 0;

	while (!err && reader->in_row) {
		struct kt_text cell;

		err = next_cell(reader, &cell);
		if (!err && n < columns->n)
			err = read_cell(reader, columns->all[n], cell, ret);
		n++;
	}
	if (!err && n != columns->n)
		err = kt_error_new(KT_ERROR_FORMAT, "line %zu has %zu columns, not %zu", line, n,
				   columns->n);
	if (!err && !ret->name)
		err = kt_error_new(KT_ERROR_FORMAT, "line %zu has no program's name", line);
	return err;
}

/* All rows are of the same kernel. */
static struct kt_error *check_kernel(const struct reader *reader, struct row *row, char **kernel)
{
	if (row->kernel && *kernel && strcmp(row->kernel, *kernel))
		return kt_error_hint(
			kt_error_new(KT_ERROR_FORMAT,
				     "line %zu is of another kernel than those before it",
				     reader->line),
			"two results are compared: keep the lines of one kernel");
	if (!*kernel)
		*kernel = kt_take_ptr(row->kernel);
	return NULL;
}

static struct kt_error *add_row(struct reader *reader, const struct columns *columns,
				struct kt_prog_stats_list *list, char **kernel)
{
	_cleanup_(row_deinit) struct row row = {0};
	struct kt_error *err = read_row(reader, columns, &row);
	struct kt_prog_stats stats;

	if (!err)
		err = check_kernel(reader, &row, kernel);
	if (err)
		return err;
	stats = (struct kt_prog_stats){
		.name = row.name,
		.type = row.type,
		.verified_insns = row.insns,
		.failed = row.failed,
	};
	memcpy(stats.more, row.number, sizeof(stats.more));
	return kt_prog_stats_add(list, &stats);
}

/* --- the text --- */

static struct kt_error *begin(struct reader *reader, struct columns *ret)
{
	if (is_comparison(first_line(reader->rest)))
		return kt_error_hint(kt_error_new(KT_ERROR_FORMAT,
						  "it is a comparison of two results"),
				     "`veristat -o csv OBJECT` prints one result");
	if (!is_row(reader->rest)) {
		reader->in_row = true;
		return read_columns(reader, ret);
	}
	*ret = (struct columns){.n = 0};
	for (size_t i = 0; i < KT_N_VERISTAT_CSV; i++)
		ret->all[ret->n++] = (enum kt_veristat_column)i;
	return NULL;
}

/* Rows without the names of columns may be of an older veristat, which has fewer. */
static void count_columns(const struct reader *reader, struct columns *columns)
{
	struct kt_text line = first_line(reader->rest);
	size_t n = 1;

	for (size_t i = 0; i < line.len; i++)
		n += line.data[i] == ',';
	if (n < columns->n)
		columns->n = n;
}

struct kt_error *kt_saved_read_csv(struct kt_text text, struct kt_prog_stats_list *ret,
				   char **kernel_ret)
{
	_cleanup_(reader_deinit) struct reader reader = {.rest = without_bom(text)};
	_cleanup_free_ char *kernel = NULL;
	struct columns columns;
	struct kt_error *err = begin(&reader, &columns);

	*kernel_ret = NULL;
	if (!err && !reader.newlines)
		count_columns(&reader, &columns);
	while (!err && begin_row(&reader))
		err = add_row(&reader, &columns, ret, &kernel);
	if (!err)
		*kernel_ret = kt_take_ptr(kernel);
	return err;
}
