// SPDX-License-Identifier: LGPL-2.1-or-later
#include "logparse/logs.h"

#include "logparse/anchor.h"
#include "logparse/btf_log.h"
#include "logparse/scan.h"
#include "logparse/trace.h"
#include "util/cleanup.h"

/* Lines before and behind a log in which its loader may speak of it. */
#define LOADER_LINES 12

/* The last lines of a text without a log in which a loader may speak of a load. */
#define NONE_LINES 40

/* Lines behind a log's last line that an error may stand in, with others in between. */
#define ERROR_LINES 12

/* As much of a quote, in bytes, tells whether it is of the log before it. */
#define QUOTE_END 48

/* A log's error and statistics are in its end, where a quote is looked for, in bytes. */
#define LOG_END 16384

#define NOWHERE SIZE_MAX

/* A search through a stretch of text without markers. Offsets are into the stretch. */
struct search {
	struct kt_text text;
	struct kt_logs *out;

	/* Between logs. */
	size_t lead; /* of lines in a row that may belong to the next log; or NOWHERE */
	size_t word; /* the last line that is not blank; or NOWHERE */

	/* In a log. */
	bool in;
	bool executed;  /* an instruction */
	bool rejected;  /* the error is glued to the last instruction, or has come behind it */
	size_t start;   /* of the log */
	size_t end;     /* behind its last line that is the kernel's for sure */
	size_t pending; /* text behind that, which may be the error; or NOWHERE */

	bool failed; /* no memory */
};

static bool is_blank(struct kt_text line)
{
	for (size_t i = 0; i < line.len; i++)
		if (!memchr(" \t\r\n", line.data[i], 4))
			return false;
	return true;
}

static bool is_message(struct kt_text line)
{
	size_t at;

	return log_find_message(line, &at);
}

static struct kt_text first_lines(struct kt_text text, size_t n)
{
	struct kt_text rest = text, line;

	while (n-- && kt_text_next_line(&rest, &line))
		;
	return kt_text_slice(text, 0, text.len - rest.len);
}

static void add_log(struct search *s, size_t begin, size_t end, bool complete)
{
	struct kt_log_block block = {.trace = kt_text_slice(s->text, begin, end),
				     .complete = complete};
	struct kt_text before = block.trace;

	if (kt_loader_take_omitted(&block.trace, &block.loader.left_out))
		block.loader.failed = true;
	else
		block.trace = before;
	block.btf = log_is_btf(block.trace);
	s->failed |= !kt_vec_push(&s->out->v, block);
}

/* A line that goes on with an error: its state, or a source line within. */
static bool is_detail(struct kt_text line)
{
	return (line.len > 1 && line.data[0] == 'R' && line.data[1] >= '0' &&
		line.data[1] <= '9') ||
	       kt_text_starts_with(line, KT_TEXT("cur state:")) ||
	       kt_text_starts_with(line, KT_TEXT("old state:")) ||
	       kt_text_starts_with(line, KT_TEXT("Verification failed: "));
}

/* A line that may be an error nobody knows yet: it is in no way a loader's or a person's. */
static bool may_be_error(struct kt_text line)
{
	return line.len < 160 && !log_is_loader_line(line) && !log_is_elision(line) &&
	       !log_is_fragment(line) && !memchr("`*#-=+|\"'([", line.data[0], 12);
}

/*
 * Where the error ends that begins at s->pending: the first line right behind the trace, if it is
 * not a loader's, and what goes on with it; or a line that is known to be the kernel's, some lines
 * further on.
 */
static size_t end_of_error(const struct search *s, size_t limit)
{
	struct kt_text rest = kt_text_slice(s->text, s->pending, limit), line;
	bool first = s->pending == s->end && !s->rejected, attached = true;
	size_t end = s->end, n = 0;

	while (n < ERROR_LINES && kt_text_next_line(&rest, &line)) {
		if (is_blank(line))
			continue;
		n++;
		if (is_message(line) || (attached && is_detail(line)) ||
		    (first && may_be_error(line))) {
			end = (size_t)(rest.data - s->text.data);
			attached = true;
		} else {
			attached = false;
		}
		first = false;
	}
	return end;
}

/*
 * The log ends, at the latest at `limit`, without "processed ...". What leads to another log is
 * behind it.
 */
static void end_log(struct search *s, size_t limit)
{
	size_t end = s->end;

	if (!s->in)
		return;
	if (s->pending != NOWHERE)
		end = end_of_error(s, limit);
	add_log(s, s->start, end, false);
	s->in = false;
	if (s->lead < end)
		s->lead = NOWHERE;
}

static void begin_log(struct search *s, const struct kt_event *ev)
{
	size_t at = (size_t)(ev->text.data - s->text.data);

	s->in = true;
	s->executed = s->rejected = false;
	s->start = s->lead != NOWHERE ? s->lead : at;
	s->end = at;
	s->pending = s->lead = s->word = NOWHERE;
}

/* The events that stand before a log's first sure line, and may belong to it. */
static bool may_lead(const struct kt_event *ev)
{
	switch (ev->kind) {
	case KT_EVENT_SOURCE:
	case KT_EVENT_NOTE:
	case KT_EVENT_STATE:
	case KT_EVENT_CALL:
	case KT_EVENT_RETURN:
	case KT_EVENT_STATS:
	case KT_EVENT_EXPLANATION: return true;
	case KT_EVENT_TABLE: return ev->text.data[0] != ' ' && ev->text.data[0] != '\t';
	case KT_EVENT_TEXT:
		return is_message(ev->text) || is_detail(ev->text) || log_is_fragment(ev->text);
	default: return false;
	}
}

/* A line that quotes a log's end, with how much was left out. */
static bool take_quote(struct search *s, const struct kt_event *ev)
{
	size_t begin = (size_t)(ev->text.data - s->text.data), at;
	struct kt_text line = ev->text;
	uint32_t left_out;

	if (s->in || ev->kind != KT_EVENT_TEXT || !kt_loader_take_omitted(&line, &left_out) ||
	    !log_find_message(line, &at))
		return false;
	add_log(s, begin + at, begin + ev->text.len, false);
	if (!s->failed)
		s->out->v.data[s->out->v.len - 1].quoted = true;
	s->lead = s->word = NOWHERE;
	return true;
}

/* Keeps what a log may begin with. */
static void on_lead(struct search *s, const struct kt_event *ev)
{
	size_t at = (size_t)(ev->text.data - s->text.data), message;

	if (is_blank(ev->text) || take_quote(s, ev))
		return;
	if (ev->kind != KT_EVENT_STATS)
		s->word = at;
	if (!may_lead(ev)) {
		s->lead = NOWHERE;
		return;
	}
	if (s->lead != NOWHERE)
		return;
	s->lead = at;
	/* A loader's words stand before it, in the same line. */
	if (ev->kind == KT_EVENT_TEXT && log_find_message(ev->text, &message))
		s->lead += message;
}

/* "0: R1=ctx() R10=fp0", "0: (b7) r1 = 0", "func#0 @0": where a log begins. */
static bool is_entry(struct kt_text line)
{
	return kt_text_starts_with(line, KT_TEXT("0: ")) ||
	       kt_text_starts_with(line, KT_TEXT("func#0 @0"));
}

static bool is_processed(struct kt_text line)
{
	return kt_text_starts_with(line, KT_TEXT("processed "));
}

static bool is_mark(struct kt_text line)
{
	return kt_text_starts_with(line, KT_TEXT("--- "));
}

/*
 * "processed ..." of a log that has no trace. The lines before it are its error; one that the
 * catalogue does not know is taken, too.
 */
static void on_statistics_alone(struct search *s, const struct kt_event *ev)
{
	size_t at = (size_t)(ev->text.data - s->text.data), begin = at;

	if (s->lead != NOWHERE)
		begin = s->lead;
	if (s->word != NOWHERE && s->word < begin) {
		struct kt_text line = first_lines(kt_text_slice(s->text, s->word, at), 1);

		if (may_be_error(line))
			begin = s->word;
	}
	add_log(s, begin, at + ev->text.len, true);
	s->lead = s->word = NOWHERE;
}

/* Whether a loader says behind the line that it left out the rest. */
static bool is_last_of_quote(struct kt_text line)
{
	uint32_t left_out;

	return kt_loader_take_omitted(&line, &left_out);
}

/* The log goes on with an event of its trace. */
static void take_event(struct search *s, const struct kt_event *ev)
{
	s->end = (size_t)(ev->text.data - s->text.data) + ev->text.len;
	s->pending = s->lead = NOWHERE;
	s->executed |= ev->kind == KT_EVENT_INSN;
	s->rejected = ev->message.len;
	if (is_last_of_quote(ev->text))
		end_log(s, s->end);
}

/* An event between logs. */
static void on_outside(struct search *s, const struct kt_event *ev)
{
	if (!log_is_anchor(ev->text)) {
		on_lead(s, ev);
		return;
	}
	if (is_processed(ev->text)) {
		on_statistics_alone(s, ev);
		return;
	}
	begin_log(s, ev);
	take_event(s, ev);
}

/* Behind text in a log: does the trace go on with this event? */
static bool resumes(const struct kt_event *ev)
{
	return log_is_anchor(ev->text) || is_mark(ev->text) || ev->kind == KT_EVENT_CALL ||
	       ev->kind == KT_EVENT_RETURN || ev->kind == KT_EVENT_NOTE ||
	       ev->kind == KT_EVENT_STATS || ev->kind == KT_EVENT_EXPLANATION;
}

static void on_inside(struct search *s, const struct kt_event *ev)
{
	size_t at = (size_t)(ev->text.data - s->text.data), end = at + ev->text.len;

	if (is_processed(ev->text)) {
		add_log(s, s->start, end, true);
		s->in = false;
		s->lead = s->word = NOWHERE;
		return;
	}
	if (s->pending != NOWHERE && s->executed && log_is_anchor(ev->text) &&
	    (is_entry(ev->text) || (s->rejected && ev->kind != KT_EVENT_POP))) {
		end_log(s, s->lead != NOWHERE && s->lead > s->pending ? s->lead : at);
		begin_log(s, ev);
		take_event(s, ev);
		return;
	}
	if (ev->kind == KT_EVENT_TEXT && !is_mark(ev->text)) {
		if (s->pending == NOWHERE && !is_blank(ev->text))
			s->pending = at;
		s->rejected |= s->executed && is_message(ev->text);
	} else if (s->pending == NOWHERE || resumes(ev)) {
		take_event(s, ev);
		return;
	}
	on_lead(s, ev);
}

/* A text without a line that is surely the kernel's may have a message, which is in its end. */
#define MESSAGE_BYTES 65536

static bool find_message_alone(struct kt_text text, struct kt_logs *out)
{
	struct search s = {.text = text, .out = out};
	struct kt_text rest = text, line;
	size_t begin = NOWHERE, end = 0, at;

	if (rest.len > MESSAGE_BYTES)
		rest = kt_text_slice(text, text.len - MESSAGE_BYTES, text.len);
	while (kt_text_next_line(&rest, &line)) {
		if (log_find_message(line, &at)) {
			if (begin == NOWHERE)
				begin = (size_t)(line.data - text.data) + at;
			end = (size_t)(rest.data - text.data);
		} else if (begin != NOWHERE) {
			break;
		}
	}
	if (begin != NOWHERE) {
		add_log(&s, begin, end, false);
		if (!s.failed)
			out->v.data[out->v.len - 1].quoted = true;
	}
	return !s.failed;
}

/* The verifier's logs in a stretch of text that has no markers. */
static void find_traces(struct kt_text text, struct search *s)
{
	struct kt_trace trace;
	struct kt_event ev;

	s->text = text;
	s->lead = s->word = s->pending = NOWHERE;
	kt_trace_init(&trace, text);
	while (!s->failed && kt_trace_next(&trace, &ev)) {
		if (s->in)
			on_inside(s, &ev);
		else
			on_outside(s, &ev);
	}
	end_log(s, text.len);
}

/* Where the log of a BTF begins, or the end. */
static size_t find_btf(struct kt_text text)
{
	const char *p = text.data, *end = text.data + text.len;

	/* Lines that begin with these letters are few. */
	for (; p < end; p = log_next_line(p, end)) {
		if ((*p == 'm' || *p == '[') && log_is_btf((struct kt_text){p, (size_t)(end - p)}))
			break;
	}
	return (size_t)(p - text.data);
}

/* All logs in such a stretch. False: no memory. */
static bool find_unmarked(struct kt_text text, struct kt_logs *out)
{
	struct search s = {.out = out};

	while (text.len && !s.failed) {
		size_t btf = find_btf(text);

		find_traces(kt_text_slice(text, 0, btf), &s);
		text = kt_text_slice(text, btf, text.len);
		if (!text.len || s.failed)
			break;
		s.text = text;
		btf = log_btf_len(text);
		add_log(&s, 0, btf, false);
		text = kt_text_slice(text, btf, text.len);
	}
	return !s.failed;
}

/* The lines of a text up to the first blank one behind words. */
static struct kt_text first_paragraph(struct kt_text text)
{
	struct kt_text rest = text, line;
	size_t len = 0;

	while (kt_text_next_line(&rest, &line)) {
		if (!is_blank(line))
			len = text.len - rest.len;
		else if (len)
			break;
	}
	return kt_text_slice(text, 0, len);
}

/*
 * A block without its END has what follows it, too. The log is in there as in a text without
 * markers; if none is found, it is
 * the block's first paragraph.
 */
static bool add_marked(const struct kt_log_block *block, struct kt_logs *out)
{
	struct kt_logs found = {0};
	bool ok = block->complete || find_unmarked(block->trace, &found);
	struct kt_log_block first = *block;

	if (ok && found.v.len)
		first.trace = found.v.data[0].trace;
	else if (!block->complete)
		first.trace = first_paragraph(block->trace);
	ok = ok && kt_vec_push(&out->v, first);
	for (size_t i = 1; ok && i < found.v.len; i++)
		ok = kt_vec_push(&out->v, found.v.data[i]);
	kt_logs_deinit(&found);
	return ok;
}

/* The last lines of a text, or its first ones. */
static struct kt_text last_lines(struct kt_text text, size_t n)
{
	const char *p = text.data + text.len, *nl;

	for (; n && p > text.data; n--) {
		nl = memrchr(text.data, '\n', (size_t)(p - 1 - text.data));
		p = nl ? nl + 1 : text.data;
	}
	return kt_text_slice(text, (size_t)(p - text.data), text.len);
}

/* The lines behind the last blank one. */
static struct kt_text last_paragraph(struct kt_text text)
{
	struct kt_text rest = text, line, ret = text;

	while (kt_text_next_line(&rest, &line))
		if (is_blank(line))
			ret = rest;
	return ret;
}

/* What stood before the first line of `rest`, when that was wrapped. */
static struct kt_text words_before(const struct kt_unwrapped *unwrapped, struct kt_text rest)
{
	struct kt_text line = first_lines(rest, 1), origin;
	const char *p;

	if (!unwrapped || !line.len)
		return (struct kt_text){0};
	origin = kt_unwrapped_origin(unwrapped, line);
	p = memmem(origin.data, origin.len, line.data, line.len < 16 ? line.len : 16);
	return kt_text_slice(origin, 0, p ? (size_t)(p - origin.data) : 0);
}

/*
 * What was said of each log: in its own line before it, and in the lines around it. Behind it,
 * where another log follows, only what names its program; before it, where another log came, only
 * what stands right before it.
 */
static void read_words(struct kt_text text, const struct kt_unwrapped *unwrapped,
		       struct kt_logs *logs)
{
	for (size_t i = 0; i < logs->v.len; i++) {
		struct kt_log_block *log = &logs->v.data[i];
		size_t begin = (size_t)(log->trace.data - text.data), end = begin + log->trace.len;
		size_t floor = 0, limit = text.len;
		struct kt_text before;

		if (i) {
			const struct kt_text *last = &logs->v.data[i - 1].trace;

			floor = (size_t)(last->data + last->len - text.data);
		}
		if (i + 1 < logs->v.len)
			limit = (size_t)(logs->v.data[i + 1].trace.data - text.data);
		log->loader.program = log->program;
		log->loader.of_btf = log_is_btf(log->trace);
		kt_loader_read(words_before(unwrapped, kt_text_slice(text, begin, text.len)), false,
			       &log->loader);
		before = last_lines(kt_text_slice(text, floor, begin), LOADER_LINES);
		kt_loader_read(i ? last_paragraph(before) : before, false, &log->loader);
		kt_loader_read(first_lines(kt_text_slice(text, end, limit), LOADER_LINES),
			       i + 1 < logs->v.len, &log->loader);
		if (!log->program.len)
			log->program = log->loader.program;
	}
}

static struct kt_text trimmed(struct kt_text text)
{
	while (text.len && memchr(" \t\r\n", text.data[text.len - 1], 4))
		text.len--;
	return text;
}

/* Errors of cilium/ebpf, and other messages without the log that they are of. */
static bool is_quote(const struct kt_log_block *log)
{
	return !log->marked && (log->quoted || log->loader.left_out);
}

static struct kt_text end_of(struct kt_text text, size_t n)
{
	return text.len > n ? kt_text_slice(text, text.len - n, text.len) : text;
}

/* Whether a log ends in what the quote ends in: the quote is of that log. */
static bool has_message_of(const struct kt_log_block *log, const struct kt_log_block *quote)
{
	struct kt_text end = end_of(trimmed(quote->trace), QUOTE_END);
	struct kt_text last = end_of(log->trace, LOG_END);

	return end.len && memmem(last.data, last.len, end.data, end.len);
}

/*
 * A loader may quote the end of a log, and then print as much of the log as there is room for. The
 * log has the quote then, in case that it ends before it.
 */
static void merge_quotes(struct kt_logs *logs)
{
	size_t n = 0;

	for (size_t i = 0; i < logs->v.len; i++) {
		struct kt_log_block log = logs->v.data[i];

		if (n && is_quote(&log) && has_message_of(&logs->v.data[n - 1], &log))
			continue;
		if (n && is_quote(&logs->v.data[n - 1]) && !log.marked) {
			const struct kt_log_block quote = logs->v.data[--n];

			log.loader.message = quote.trace;
			log.loader.left_out = quote.loader.left_out;
			log.loader.failed = true;
			if (!log.loader.error)
				log.loader.error = quote.loader.error;
			if (!log.program.len)
				log.program = quote.program;
		}
		logs->v.data[n++] = log;
	}
	logs->v.len = n;
}

/* Removes what an error chain has printed twice. */
static void drop_copies(struct kt_logs *logs)
{
	struct kt_text last = {0};
	size_t n = 0;

	for (size_t i = 0; i < logs->v.len; i++) {
		const struct kt_log_block *log = &logs->v.data[i];
		struct kt_text text = trimmed(log->trace);

		if (n && !log->marked && kt_text_equals(text, last))
			continue;
		last = text;
		logs->v.data[n++] = *log;
	}
	logs->v.len = n;
}

struct kt_error *kt_logs_find(struct kt_text text, const struct kt_unwrapped *unwrapped,
			      struct kt_logs *ret)
{
	_cleanup_(kt_logs_deinit) struct kt_logs logs = {0};
	struct kt_log_block block;
	struct kt_log_blocks it;
	struct kt_text rest = text;
	bool ok = true;

	kt_log_blocks_init(&it, text);
	while (ok && kt_log_blocks_next(&it, &block)) {
		ok = find_unmarked(kt_text_slice(text, (size_t)(rest.data - text.data),
						 (size_t)(block.trace.data - text.data)),
				   &logs) &&
		     add_marked(&block, &logs);
		rest = it.rest;
	}
	ok = ok && find_unmarked(rest, &logs);
	if (ok && !logs.v.len)
		ok = find_message_alone(text, &logs);
	if (!ok)
		return kt_error_no_memory();
	read_words(text, unwrapped, &logs);
	drop_copies(&logs);
	merge_quotes(&logs);
	*ret = logs;
	logs = (struct kt_logs){0};
	return NULL;
}

void kt_logs_deinit(struct kt_logs *logs)
{
	kt_vec_free(&logs->v);
	*logs = (struct kt_logs){0};
}

struct kt_log_block kt_logs_none(struct kt_text text)
{
	struct kt_log_block none = {.trace = text, .complete = true};
	struct kt_text end = text;

	if (end.len > MESSAGE_BYTES)
		end = kt_text_slice(text, text.len - MESSAGE_BYTES, text.len);
	kt_loader_read(last_lines(end, NONE_LINES), false, &none.loader);
	if (!none.loader.failed)
		return none;
	none.program = none.loader.program;
	none.trace = kt_text_slice(text, text.len, text.len);
	none.quoted = true;
	return none;
}
