// SPDX-License-Identifier: LGPL-2.1-or-later
#include <string.h>

#include "logparse/blocks.h"
#include "logparse/btf_log.h"

/* Longer than any logger's prefix, and than any program's name. */
#define MAX_PREFIX 256
#define MAX_NAME   512 /* KSYM_NAME_LEN: libbpf prints the name of the function */

struct marker_form {
	struct kt_text text;
	bool begins;
	bool old; /* of libbpf before 0.7 */
};

/*
 * All end in the same bytes, so one pass over gigabytes finds them all. The third dash of a DUMP
 * LOG marker is skipped separately.
 */
#define NEEDLE " LOG --"
/* clang-format off */
#define FORM(s) {s, sizeof(s) - 1}
/* clang-format on */
static const struct marker_form forms[] = {
	{FORM("-- BEGIN PROG LOAD LOG --"), true, false},
	{FORM("-- END PROG LOAD LOG --"), false, false},
	{FORM("-- BEGIN DUMP LOG --"), true, true},
	{FORM("-- END LOG --"), false, true},
	{FORM("-- BEGIN BTF LOAD LOG --"), true, false},
	{FORM("-- END BTF LOAD LOG --"), false, false},
};

static const struct kt_text libbpf_prefix = FORM("libbpf: ");
static const struct kt_text prog_prefix = FORM("prog '");
static const struct kt_text prog_suffix = FORM("': ");

/* A walk over the markers. line is the start of the line that pos is in. */
struct scan {
	struct kt_text text;
	size_t pos, line;
};

/* A marker and what its line says about it. Offsets into the text of the scan. */
struct marker {
	const struct marker_form *form;
	size_t cut;          /* where its line starts, or its part of the line */
	size_t end;          /* right behind it */
	struct kt_text name; /* of the program */
	bool own;            /* libbpf's words are before it */
	bool in_code;        /* its line starts as one of a trace */
	bool in_source;      /* likewise, and it is a source line */
	bool alone;          /* only libbpf's words or a logger's prefix are before it */
	bool last;           /* nothing comes behind it in its line */
};

/* Takes suffix off the end of text. */
static bool drop_suffix(struct kt_text *text, struct kt_text suffix)
{
	bool found = kt_text_ends_with(*text, suffix);

	if (found)
		text->len -= suffix.len;
	return found;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Takes "prog 'NAME': " off the end of text. */
static bool drop_program(struct kt_text *text, struct kt_text *ret_name)
{
	struct kt_text before = *text, name;
	const char *quote;
	size_t reach;

	if (!drop_suffix(&before, prog_suffix))
		return false;
	reach = before.len < MAX_NAME ? before.len : MAX_NAME;
	if (!reach)
		return false;
	quote = memrchr(before.data + before.len - reach, '\'', reach);
	if (!quote)
		return false;
	name = kt_text_slice(before, (size_t)(quote - before.data) + 1, before.len);
	before.len = (size_t)(quote - before.data) + 1;
	if (!drop_suffix(&before, prog_prefix))
		return false;
	*ret_name = name;
	*text = before;
	return true;
}

/*
 * Does the line start as one of a trace does: "; int i = 0;", or "12: (b7) r0 = 0"? A time,
 * "12:33:01 ", is no instruction.
 */
static bool starts_as_code(struct kt_text line, bool *ret_source)
{
	size_t i = 0, digits;

	while (i < line.len && i < 16 && is_blank(line.data[i]))
		i++;
	*ret_source = i < line.len && line.data[i] == ';';
	for (digits = 0; i < line.len && digits < 10 && is_digit(line.data[i]); i++)
		digits++;
	if (*ret_source)
		return true;
	if (!digits || i == line.len || line.data[i] != ':')
		return false;
	return i + 1 == line.len || !is_digit(line.data[i + 1]);
}

/*
 * True for an empty text or a logger's prefix: "[12:33:01] ", "Nov 23 host loader[7]: "; before
 * libbpf's words (own) also for any other text, "12:33:01 ". The blank tells it from a line of a
 * trace that was cut off, "caller:".
 */
static bool is_logger_prefix(struct kt_text text, bool own)
{
	size_t len = text.len;

	if (len > MAX_PREFIX)
		return false;
	while (len && is_blank(text.data[len - 1]))
		len--;
	return !len || (len < text.len && (own || memchr(":]|>", text.data[len - 1], 4)));
}

/* White space and then a line's end, or the escape sequence that ends a coloured line. */
static bool is_last_in_line(struct kt_text text, size_t pos)
{
	while (pos < text.len && is_blank(text.data[pos]))
		pos++;
	return pos == text.len || text.data[pos] == '\n' || text.data[pos] == '\033';
}

/* start: of the marker itself. */
static void look_around(const struct scan *s, size_t start, struct marker *m)
{
	struct kt_text before = kt_text_slice(s->text, s->line, start);

	m->name = kt_text_slice(s->text, start, start);
	m->own = drop_program(&before, &m->name);
	m->own = drop_suffix(&before, libbpf_prefix) || m->own;
	m->in_code = starts_as_code(before, &m->in_source);
	m->alone = !m->in_code && is_logger_prefix(before, m->own);
	m->cut = m->alone ? s->line : s->line + before.len;
	m->last = is_last_in_line(s->text, m->end);
}

static const struct marker_form *form_that_ends_at(struct kt_text text)
{
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (kt_text_ends_with(text, forms[i].text))
			return &forms[i];
	}
	return NULL;
}

/* "-- BEGIN DUMP LOG ---", but not "-- END PROG LOAD LOG ---- BEGIN", which are two. */
static size_t has_third_dash(struct kt_text text, size_t pos)
{
	return pos < text.len && text.data[pos] == '-' &&
	       (pos + 1 == text.len || text.data[pos + 1] != '-');
}

/*
 * The next text that looks like a marker. It looks at a bounded part of the text around, or back to
 * the marker before. So time is linear, however many markers a line has.
 */
static bool next_marker(struct scan *s, struct marker *ret)
{
	while (s->pos < s->text.len) {
		const char *from = s->text.data + s->pos, *hit, *newline;
		size_t end;

		hit = memmem(from, s->text.len - s->pos, NEEDLE, sizeof(NEEDLE) - 1);
		if (!hit)
			break;
		newline = memrchr(from, '\n', (size_t)(hit - from));
		if (newline)
			s->line = (size_t)(newline - s->text.data) + 1;
		end = (size_t)(hit - s->text.data) + sizeof(NEEDLE) - 1;
		ret->form = form_that_ends_at(kt_text_slice(s->text, s->pos, end));
		ret->end = end + has_third_dash(s->text, end);
		s->pos = end;
		if (!ret->form)
			continue;
		s->pos = ret->end;
		look_around(s, end - ret->form->text.len, ret);
		return true;
	}
	s->pos = s->text.len;
	return false;
}

static bool is_begin(const struct marker *m)
{
	return m->form->begins && (m->in_code ? m->own && m->last : m->own || m->last);
}

static bool is_end(const struct marker *m)
{
	return !m->form->begins && (m->alone || (m->last && (!m->in_source || m->own)));
}

/* An END that counts if there is no better one. */
static bool may_be_end(const struct marker *m)
{
	return !m->form->begins && (m->last || !m->in_source);
}

/* Where the trace of this BEGIN starts. */
static size_t trace_start(struct kt_text text, const struct marker *m)
{
	const char *newline = memchr(text.data + m->end, '\n', text.len - m->end);
	struct kt_text rest, line;

	if (!newline)
		return text.len;
	rest = kt_text_slice(text, (size_t)(newline - text.data) + 1, text.len);
	line = rest;
	if (m->form->old && kt_text_next_line(&rest, &line)) {
		while (line.len && is_blank(line.data[line.len - 1]))
			line.len--;
		if (line.len == libbpf_prefix.len - 1 &&
		    memcmp(line.data, libbpf_prefix.data, line.len) == 0)
			line = rest;
	}
	return (size_t)(line.data - text.data);
}

struct trace_end {
	size_t cut;  /* where the trace ends */
	size_t next; /* where to go on */
	bool complete;
};

/*
 * The END for a trace that starts where s is. The text after a doubtful END is read again by the
 * next call, but never a third time: that call ends after it.
 */
static struct trace_end find_end(struct scan *s)
{
	struct trace_end ret = {s->text.len, s->text.len, false};
	struct marker m;

	while (next_marker(s, &m)) {
		if (is_end(&m))
			return (struct trace_end){m.cut, m.end, true};
		if (is_begin(&m)) {
			if (!ret.complete)
				ret = (struct trace_end){m.cut, m.cut, false};
			break;
		}
		if (may_be_end(&m))
			ret = (struct trace_end){m.cut, m.end, true};
	}
	return ret;
}

void kt_log_blocks_init(struct kt_log_blocks *it, struct kt_text blob)
{
	it->rest = blob;
}

bool kt_log_blocks_next(struct kt_log_blocks *it, struct kt_log_block *ret)
{
	struct scan s = {.text = it->rest};
	struct trace_end end;
	struct marker m;
	size_t start;

	do {
		if (!next_marker(&s, &m)) {
			it->rest.len = 0;
			return false;
		}
	} while (!is_begin(&m));
	start = trace_start(s.text, &m);
	s.pos = s.line = start;
	end = find_end(&s);
	it->rest = kt_text_slice(s.text, end.next, s.text.len);
	*ret = (struct kt_log_block){
		.program = m.name,
		.trace = kt_text_slice(s.text, start, end.cut),
		.complete = end.complete,
		.marked = true,
	};
	ret->btf = log_is_btf(ret->trace);
	return true;
}

bool kt_extract_verifier_log(struct kt_text blob, struct kt_text *ret)
{
	struct kt_log_blocks it;
	struct kt_log_block block;

	kt_log_blocks_init(&it, blob);
	do {
		if (!kt_log_blocks_next(&it, &block))
			return false;
	} while (!block.complete);
	while (block.trace.len && (block.trace.data[block.trace.len - 1] == '\n' ||
				   block.trace.data[block.trace.len - 1] == '\r'))
		block.trace.len--;
	*ret = block.trace;
	return true;
}

struct kt_error *kt_collapse_blocks_to(struct kt_text blob,
				       const struct kt_collapse_options *options, kt_sink_fn sink,
				       void *arg)
{
	struct kt_log_blocks it;
	struct kt_log_block block;
	struct kt_error *err = NULL;
	size_t done = 0;

	kt_log_blocks_init(&it, blob);
	while (!err && kt_log_blocks_next(&it, &block)) {
		size_t start = (size_t)(block.trace.data - blob.data);

		if (start > done)
			err = sink(arg, kt_text_slice(blob, done, start));
		if (!err && block.trace.len)
			err = kt_collapse_cycles_to(block.trace, options, sink, arg);
		done = start + block.trace.len;
	}
	if (!err && done < blob.len)
		err = sink(arg, kt_text_slice(blob, done, blob.len));
	return err;
}
