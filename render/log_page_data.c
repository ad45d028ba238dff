// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render/log_page_data.h"

#include <stdlib.h>
#include <string.h>

#include "logparse/catalog.h"
#include "logparse/collapse.h"
#include "logparse/steps.h"
#include "render/log_last.h"
#include "render/log_page_text.h"
#include "util/cleanup.h"
#include "util/vec.h"

/* A row's letter, by the event that its line belongs to. */
static const char kind_of_event[] = {
	[KT_EVENT_TEXT] = 'o',        [KT_EVENT_INSN] = 'i',  [KT_EVENT_SOURCE] = 's',
	[KT_EVENT_STATE] = 't',       [KT_EVENT_POP] = 'p',   [KT_EVENT_PRUNED] = 'q',
	[KT_EVENT_PRECISION] = 'm',   [KT_EVENT_CALL] = 'c',  [KT_EVENT_RETURN] = 'r',
	[KT_EVENT_SUBPROG] = 'v',     [KT_EVENT_TABLE] = 'l', [KT_EVENT_NOTE] = 'n',
	[KT_EVENT_EXPLANATION] = 'x', [KT_EVENT_STATS] = 'z',
};
enum { KIND_ERROR = 'e', KIND_BLANK = 'b', KIND_DROPPED = 'd' };

struct row {
	size_t offset; /* of its line in the log */
	uint32_t text, behind;
	char kind;
};

struct insn {
	uint32_t text;
	int32_t source; /* -1: not known */
	uint64_t count;
};

struct source {
	uint32_t line; /* the string of the whole line */
	struct kt_source_ref ref;
};

struct step {
	uint32_t row, back, frame, n_changes;
};

struct change {
	uint32_t code, value;
};

struct loop {
	uint32_t start, first_end, last_start, end;
	uint32_t count;
};

struct page_log {
	struct kt_text log;
	struct kt_steps *reader;   /* some values are texts of it */
	size_t drop_from, drop_to; /* lines, from 0, that are left out; equal: none */
	struct log_page_strings strings;
	KT_VEC(struct row) rows;
	KT_VEC(struct insn) insns;
	KT_VEC(struct source) sources;
	KT_VEC(struct step) steps;
	KT_VEC(struct change) changes;
	KT_VEC(struct loop) loops;
	KT_VEC(size_t) open_loops; /* of those, by number */
	KT_VEC(uint32_t) texts;    /* rows that are an error if nothing is executed behind them */
	uint32_t head_steps;       /* kept before the middle that is left out */
	uint32_t dropped_steps;
	int32_t source;     /* the one printed last, or -1 */
	bool source_is_new; /* it stands right before what comes next */
	bool failed;        /* the log has an error */
	const char *end;    /* of what the collapsed log has shown so far */
	uint32_t skipping; /* the loop, + 1, whose iterations were left out before the next piece */
	size_t begun;      /* loops from here on begin with the next piece */
};

static void page_log_deinit(struct page_log *p)
{
	kt_steps_destroy(p->reader);
	log_page_strings_deinit(&p->strings);
	kt_vec_free(&p->rows);
	kt_vec_free(&p->insns);
	kt_vec_free(&p->sources);
	kt_vec_free(&p->steps);
	kt_vec_free(&p->changes);
	kt_vec_free(&p->loops);
	kt_vec_free(&p->open_loops);
	kt_vec_free(&p->texts);
}

static bool is_dropped(const struct page_log *p, size_t line)
{
	return line >= p->drop_from && line < p->drop_to;
}

static bool is_blank(struct kt_text line)
{
	while (line.len && memchr(" \t\r", line.data[line.len - 1], 3))
		line.len--;
	return !line.len;
}

/* --- rows --- */

static bool add_row(struct page_log *p, struct kt_text line, char kind)
{
	struct row row = {.offset = (size_t)(line.data - p->log.data), .kind = kind};

	if (line.len && line.data[line.len - 1] == '\r')
		line.len--;
	return log_page_intern(&p->strings, line, &row.text) && kt_vec_push(&p->rows, row);
}

/* The rows of an event. The first line of the middle that is left out stands for all of it. */
static bool add_rows(struct page_log *p, const struct kt_event *ev)
{
	struct kt_text rest = ev->text, line;

	for (size_t n = ev->line - 1; kt_text_next_line(&rest, &line); n++) {
		char kind = kind_of_event[ev->kind];

		if (n == p->drop_from && is_dropped(p, n) &&
		    !add_row(p, (struct kt_text){line.data, 0}, KIND_DROPPED))
			return false;
		if (is_dropped(p, n))
			continue;
		if (ev->kind == KT_EVENT_TEXT && is_blank(line))
			kind = KIND_BLANK;
		if (kind == 'o' && !kt_vec_push(&p->texts, (uint32_t)p->rows.len))
			return false;
		if (!add_row(p, line, kind))
			return false;
	}
	return true;
}

/* Text that nothing was executed behind is the error. */
static void end_of_trace(struct page_log *p, bool is_error)
{
	kt_vec_for_each (&p->texts, row)
		if (is_error && p->failed && p->steps.len)
			p->rows.data[*row].kind = KIND_ERROR;
	p->texts.len = 0;
}

static bool add_source(struct page_log *p, const struct kt_event *ev)
{
	struct source source = {.ref = ev->source};
	struct kt_text rest = ev->text, line = {0};
	uint32_t *nth;

	if (ev->behind.len)
		line = ev->behind;
	else
		kt_text_next_line(&rest, &line);
	if (!log_page_intern(&p->strings, line, &source.line))
		return false;
	if (ev->behind.len)
		kt_source_ref_read(line, &source.ref);
	nth = &p->strings.all.data[source.line].source;
	if (!*nth) {
		if (!kt_vec_push(&p->sources, source))
			return false;
		*nth = (uint32_t)p->sources.len;
	}
	p->source = (int32_t)*nth - 1;
	p->source_is_new = true;
	return true;
}

/* An instruction was executed, in the last row if it is not of the middle. */
static bool add_insn(struct page_log *p, const struct kt_event *ev)
{
	const char *end = ev->insn.data + ev->insn.len, *line_end;
	struct kt_text text = {ev->text.data, (size_t)(end - ev->text.data)}, behind;
	struct row *row = NULL;
	struct insn *insn;
	uint32_t id, *nth;

	if (!log_page_intern(&p->strings, text, &id))
		return false;
	nth = &p->strings.all.data[id].insn;
	if (!*nth) {
		if (!kt_vec_push(&p->insns, (struct insn){.text = id, .source = -1}))
			return false;
		*nth = (uint32_t)p->insns.len;
	}
	insn = &p->insns.data[*nth - 1];
	insn->count++;
	if (p->source_is_new || insn->source < 0)
		insn->source = p->source;
	p->source_is_new = false;
	if (!is_dropped(p, ev->line - 1))
		row = &p->rows.data[p->rows.len - 1];
	if (row) {
		line_end = ev->text.data + ev->text.len;
		while (line_end > end && strchr(" \t\r\n", line_end[-1]))
			line_end--;
		while (end < line_end && (*end == ' ' || *end == '\t'))
			end++;
		behind = (struct kt_text){end, (size_t)(line_end - end)};
		row->text = id;
		if (!log_page_intern(&p->strings, behind, &row->behind))
			return false;
	}
	return !ev->behind.len || add_source(p, ev);
}

/* --- steps --- */

static uint32_t code_of(const struct kt_change *change)
{
	uint32_t cell = (uint32_t)change->number;

	if (change->place == KT_PLACE_SLOT)
		cell = 12 + (uint32_t)(-change->number / 8);
	else if (change->place != KT_PLACE_REG)
		cell = change->place == KT_PLACE_REFS ? 11 : 12;
	return (change->frame * 1024 + cell) * 4 + change->how;
}

static bool add_changes(struct page_log *p, const struct kt_step *step)
{
	for (size_t i = 0; i < step->n_changes; i++) {
		struct change change = {.code = code_of(&step->changes[i])};

		if (!log_page_intern(&p->strings, step->changes[i].value, &change.value) ||
		    !kt_vec_push(&p->changes, change))
			return false;
	}
	return true;
}

/* A step belongs to the last row of its event. One behind the middle has to say everything. */
static struct kt_error *add_step(struct page_log *p, struct kt_step *step,
				 const struct kt_event *ev)
{
	struct step s = {.row = (uint32_t)p->rows.len - 1};
	uint32_t first_kept = p->head_steps + p->dropped_steps, number = step->number;
	bool behind = ev->line + ev->n_lines - 2 >= p->drop_to;
	struct kt_error *err;

	if (is_dropped(p, ev->line + ev->n_lines - 2)) {
		p->dropped_steps++;
		return NULL;
	}
	if (!behind)
		p->head_steps++;
	if (step->before != KT_STEP_NONE && behind && p->dropped_steps &&
	    step->before >= p->head_steps && step->before < first_kept) {
		err = kt_steps_whole(p->reader, step);
		if (err)
			return err;
	}
	if (step->before != KT_STEP_NONE) {
		s.back = number - step->before;
		if (behind && step->before < p->head_steps)
			s.back -= p->dropped_steps;
	}
	s.frame = step->frame;
	s.n_changes = (uint32_t)step->n_changes;
	return kt_vec_push(&p->steps, s) && add_changes(p, step) ? NULL : kt_error_no_memory();
}

static struct kt_error *add_event(struct page_log *p, const struct kt_event *ev,
				  struct kt_step *step)
{
	bool is_step = step->number != KT_STEP_NONE;

	if (is_step)
		end_of_trace(p, false);
	if (!add_rows(p, ev))
		return kt_error_no_memory();
	if (ev->kind == KT_EVENT_STATS)
		end_of_trace(p, true);
	if (ev->kind == KT_EVENT_SOURCE && !add_source(p, ev))
		return kt_error_no_memory();
	if (ev->kind == KT_EVENT_INSN && !add_insn(p, ev))
		return kt_error_no_memory();
	return is_step ? add_step(p, step, ev) : NULL;
}

static struct kt_error *read_steps(struct page_log *p)
{
	struct kt_error *err = kt_steps_create(p->log, &p->reader);
	struct kt_event ev;
	struct kt_step step;
	bool more = true;

	while (!err && more) {
		err = kt_steps_next(p->reader, &ev, &step, &more);
		if (!err && more)
			err = add_event(p, &ev, &step);
	}
	if (!err)
		end_of_trace(p, true);
	return err;
}

/* --- loops --- */

/* The row of the line that begins at an offset, or the next one. */
static uint32_t row_at(const struct page_log *p, size_t offset)
{
	size_t low = 0, high = p->rows.len;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (p->rows.data[middle].offset < offset)
			low = middle + 1;
		else
			high = middle;
	}
	return (uint32_t)low;
}

static uint32_t row_of_end(const struct page_log *p)
{
	return row_at(p, p->end ? (size_t)(p->end - p->log.data) : 0);
}

/* "--- 8x of the following 10 lines ---", "--- 6 identical iterations omitted ---", "--- end ..."
 */
static bool take_mark(struct page_log *p, struct kt_text mark)
{
	struct loop *loop = NULL;

	if (mark.len && mark.data[0] == '\n')
		mark = (struct kt_text){mark.data + 1, mark.len - 1};
	if (memmem(mark.data, mark.len, "x of the following ", 19)) {
		struct loop begins = {.start = row_of_end(p)};

		begins.count = (uint32_t)strtoul(mark.data + 4, NULL, 10);
		return kt_vec_push(&p->open_loops, p->loops.len) && kt_vec_push(&p->loops, begins);
	}
	if (!p->open_loops.len)
		return true;
	loop = &p->loops.data[p->open_loops.data[p->open_loops.len - 1]];
	if (kt_text_starts_with(mark, KT_TEXT("--- end repeat"))) {
		loop->end = row_of_end(p);
		p->open_loops.len--;
	} else {
		loop->first_end = row_of_end(p);
		p->skipping = (uint32_t)(loop - p->loops.data) + 1;
		p->begun = p->loops.len;
	}
	return true;
}

/* A kt_sink_fn: pieces of the log, and marks. */
static struct kt_error *take_piece(void *arg, struct kt_text piece)
{
	struct page_log *p = arg;
	uint32_t row;

	if (piece.data < p->log.data || piece.data >= p->log.data + p->log.len)
		return take_mark(p, piece) ? NULL : kt_error_no_memory();
	if (p->skipping) {
		row = row_at(p, (size_t)(piece.data - p->log.data));
		p->loops.data[p->skipping - 1].last_start = row;
		for (size_t i = p->begun; i < p->loops.len; i++)
			p->loops.data[i].start = row;
	}
	p->skipping = 0;
	p->end = piece.data + piece.len;
	return NULL;
}

static struct kt_error *read_loops(struct page_log *p)
{
	static const struct kt_collapse_options options = {.keep_precision = true};

	return kt_collapse_cycles_to(p->log, &options, take_piece, p);
}

/* --- output --- */

static void append_numbers(struct kt_buf *out, const char *name)
{
	kt_buf_printf(out, ",\n\"%s\":[", name);
}

/* No comma behind the last one. */
static void end_numbers(struct kt_buf *out)
{
	if (out->len && out->data[out->len - 1] == ',')
		out->len--;
	kt_buf_appendc(out, ']');
}

static void append_number(struct kt_buf *out, uint64_t number)
{
	char digits[24], *p = digits + sizeof(digits);

	*--p = ',';
	do
		*--p = (char)('0' + number % 10);
	while (number /= 10);
	kt_buf_append(out, p, (size_t)(digits + sizeof(digits) - p));
}

static void append_rows(struct kt_buf *out, const struct page_log *p)
{
	kt_buf_appends(out, ",\n\"kinds\":\"");
	kt_vec_for_each (&p->rows, row)
		kt_buf_appendc(out, row->kind);
	kt_buf_appendc(out, '"');
	append_numbers(out, "text");
	kt_vec_for_each (&p->rows, row)
		append_number(out, row->text);
	end_numbers(out);
	append_numbers(out, "behind");
	kt_vec_for_each (&p->rows, row)
		append_number(out, row->behind);
	end_numbers(out);
}

static void append_program(struct kt_buf *out, const struct page_log *p)
{
	append_numbers(out, "insns");
	kt_vec_for_each (&p->insns, insn)
		kt_buf_printf(out, "[%u,%d,%llu],", insn->text, insn->source,
			      (unsigned long long)insn->count);
	end_numbers(out);
	append_numbers(out, "sources");
	kt_vec_for_each (&p->sources, source) {
		kt_buf_printf(out, "[%u,", source->line);
		log_page_append_string(out, source->ref.file);
		kt_buf_printf(out, ",%u,", source->ref.line);
		log_page_append_string(out, source->ref.text);
		kt_buf_appends(out, "],");
	}
	end_numbers(out);
}

static void append_steps(struct kt_buf *out, const struct page_log *p)
{
	uint32_t row = 0;

	append_numbers(out, "steps");
	kt_vec_for_each (&p->steps, step) {
		append_number(out, step->row - row);
		append_number(out, step->back);
		append_number(out, step->frame);
		append_number(out, step->n_changes);
		row = step->row;
	}
	end_numbers(out);
	append_numbers(out, "changes");
	kt_vec_for_each (&p->changes, change) {
		append_number(out, change->code);
		append_number(out, change->value);
	}
	end_numbers(out);
}

static void append_loops(struct kt_buf *out, const struct page_log *p)
{
	append_numbers(out, "loops");
	kt_vec_for_each (&p->loops, loop) {
		append_number(out, loop->start);
		append_number(out, loop->first_end);
		append_number(out, loop->last_start);
		append_number(out, loop->end);
		append_number(out, loop->count);
	}
	end_numbers(out);
	if (p->drop_to > p->drop_from)
		kt_buf_printf(out, ",\n\"dropped\":[%zu,%zu]", p->drop_from,
			      p->drop_to - p->drop_from);
	else
		kt_buf_appends(out, ",\n\"dropped\":null");
}

static void append_c_string(struct kt_buf *out, const char *text)
{
	log_page_append_lines(out, (struct kt_text){text, strlen(text)});
}

/* The row of an instruction that --last names. False: it is in none. */
static bool row_of_insn(const struct page_log *p, const struct kt_last_insn *insn, uint32_t *ret)
{
	if (insn->index == KT_LINE_NO_INDEX || !insn->line.len)
		return false;
	*ret = row_at(p, (size_t)(insn->line.data - p->log.data));
	return *ret < p->rows.len && p->rows.data[*ret].kind == 'i';
}

static struct kt_error *append_about(struct kt_buf *out, const struct page_log *p,
				     const struct render_log_program *program,
				     const struct kt_log_last *last)
{
	_cleanup_(kt_buf_deinit) struct kt_buf about = KT_BUF_INIT;
	struct kt_error *err = render_log_last_of(&program->log, &about);
	uint32_t row;

	if (err)
		return err;
	kt_buf_appends(out, ",\n\"about\":");
	log_page_append_lines(out, (struct kt_text){about.data, about.len});
	kt_buf_printf(out, ",\n\"at\":%d", row_of_insn(p, &last->at, &row) ? (int)row : -1);
	append_numbers(out, "links");
	if (row_of_insn(p, &last->at, &row))
		kt_buf_printf(out, "[%u,%u],", last->at.index, row);
	for (size_t i = 0; i < last->n_subjects; i++) {
		const struct kt_last_subject *subject = &last->subjects[i];

		for (size_t j = 0; j < subject->n_steps; j++)
			if (row_of_insn(p, &subject->steps[j].insn, &row))
				kt_buf_printf(out, "[%u,%u],", subject->steps[j].insn.index, row);
	}
	end_numbers(out);
	return NULL;
}

/* What the catalogue says, unless the kernel does so itself: then it is in "about". */
static struct kt_error *append_why(struct kt_buf *out, const struct kt_log_last *last)
{
	_cleanup_(kt_catalog_why_deinit) struct kt_catalog_why why = {0};
	struct kt_error *err = kt_catalog_explain(last, &why);

	kt_buf_appends(out, ",\n\"why\":");
	if (err || !why.entry || why.by_kernel) {
		kt_buf_appends(out, "null");
		return err;
	}
	kt_buf_appends(out, "{\"class\":");
	log_page_append_string(out, why.class);
	kt_buf_printf(out, ",\"id\":\"%s\",\"reason\":", why.entry->id);
	append_c_string(out, why.reason ? why.reason : "");
	kt_buf_appends(out, ",\"remedies\":[");
	for (size_t i = 0; i < why.n_remedies; i++) {
		kt_buf_appends(out, i ? "," : "");
		append_c_string(out, why.remedies[i]);
	}
	kt_buf_appends(out, "]}");
	return NULL;
}

static struct kt_error *append_all(struct kt_buf *out, const struct page_log *p,
				   const struct render_log_program *program,
				   const struct kt_log_last *last)
{
	struct kt_error *err;

	kt_buf_appends(out, "{\"strings\":[");
	kt_vec_for_each (&p->strings.all, string) {
		log_page_append_string(out, string->text);
		kt_buf_appends(out, ",\n");
	}
	if (p->strings.all.len)
		out->len -= 2;
	kt_buf_appendc(out, ']');
	append_rows(out, p);
	append_program(out, p);
	append_steps(out, p);
	append_loops(out, p);
	err = append_about(out, p, program, last);
	if (!err)
		err = append_why(out, last);
	kt_buf_appends(out, "}");
	return err;
}

struct kt_error *log_page_append_data(struct kt_buf *out, const struct render_log_program *program,
				      const struct kt_log_last *last)
{
	_cleanup_(page_log_deinit) struct page_log p = {
		.log = program->log.trace,
		.source = -1,
		.failed = last->outcome == KT_LAST_FAILED,
	};
	size_t n = kt_text_count_lines(program->log.trace);
	static const struct kt_text none = {"", 0};
	struct kt_error *err;
	uint32_t empty;

	if (n > LOG_PAGE_HEAD + LOG_PAGE_TAIL) {
		p.drop_from = LOG_PAGE_HEAD;
		p.drop_to = n - LOG_PAGE_TAIL;
	}
	if (!log_page_intern(&p.strings, none, &empty))
		return kt_error_no_memory();
	err = read_steps(&p);
	if (!err)
		err = read_loops(&p);
	return err ? err : append_all(out, &p, program, last);
}
