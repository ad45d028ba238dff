// SPDX-License-Identifier: LGPL-2.1-or-later
/* What is made of the lines inside of wrappings is put into these again. */
#include "logparse/unwrap.h"
#include "logparse/unwrap_layer.h"

/* Where the line that begins at an offset inside begins in the input. */
static uint64_t line_outside(const struct kt_unwrapped *u, uint64_t at)
{
	for (size_t i = u->n; i--;) {
		const struct wrap_layer *layer = &u->layers[i];
		const struct wrap_line *line;

		if (at >= layer->inner_len) {
			at = layer->outer.len;
			continue;
		}
		line = wrap_line_at(layer, at);
		at = line->outer + (line->code == WRAP_PLAIN ? at - line->inner : 0);
	}
	return at;
}

/* Where the byte at an offset inside is in the input, or where it would be at a line's end. */
static uint64_t byte_outside(const struct kt_unwrapped *u, uint64_t line, uint64_t at)
{
	for (size_t i = u->n; i--;) {
		const struct wrap_layer *layer = &u->layers[i];
		const struct wrap_line *l;
		struct kt_text outer;
		const char *p, *end;
		char unit[4];
		uint64_t len;
		size_t n;

		if (line >= layer->inner_len)
			return layer->outer.len;
		l = wrap_line_at(layer, line);
		len = at - line;
		if (l->code == WRAP_PLAIN) {
			line = l->outer + (line - l->inner);
			at = line + len;
			continue;
		}
		outer = wrap_line_outer(layer, l);
		p = outer.data + l->prefix;
		end = outer.data + outer.len;
		for (; len && p < end; len -= n < len ? n : len)
			p = wrap_decode(l->code, p, end, unit, &n);
		/* The end of a line may be broken off. */
		if (l->code == WRAP_QUOTED_PRINTABLE && p < end) {
			const char *next = wrap_decode(l->code, p, end, unit, &n);

			p = n ? p : next;
		}
		line = l->outer;
		at = (uint64_t)(p - layer->outer.data);
	}
	return at;
}

static struct kt_text input_of(const struct kt_unwrapped *u)
{
	return u->layers[0].outer;
}

static struct kt_text between(const struct kt_unwrapped *u, uint64_t from, uint64_t to)
{
	return (struct kt_text){input_of(u).data + from, to - from};
}

static uint64_t offset_of(const struct kt_unwrapped *u, const char *p)
{
	return (uint64_t)(p - kt_unwrapped_text(u).data);
}

struct kt_text kt_unwrapped_origin(const struct kt_unwrapped *u, struct kt_text lines)
{
	uint64_t from = offset_of(u, lines.data);

	return between(u, line_outside(u, from), line_outside(u, from + lines.len));
}

/*
 * Where a line ends in the input, whose text ends at `to`. An empty line without a newline, of
 * which nothing is inside, may follow the last line inside: `end` is behind both.
 */
static uint64_t end_of_own_line(const struct kt_unwrapped *u, struct kt_text line, uint64_t to,
				uint64_t end)
{
	struct kt_text input = input_of(u), inner = kt_unwrapped_text(u);
	const char *newline;

	if (!line.len || line.data + line.len != inner.data + inner.len ||
	    line.data[line.len - 1] != '\n')
		return end;
	newline = memchr(input.data + to, '\n', end - to);
	return newline ? (uint64_t)(newline + 1 - input.data) : end;
}

/* A line, and what the input has before, around and behind it. */
struct around {
	struct kt_text before, after;
	bool first; /* in the input's line, or alone in it */
	bool last;  /* likewise */
};

static struct around around_of(const struct kt_unwrapped *u, struct kt_text line)
{
	struct kt_text input = input_of(u), text = line;
	uint64_t at = offset_of(u, line.data), begin, end, from, to;

	text.len -= text.len && text.data[text.len - 1] == '\n';
	text.len -= text.len && text.data[text.len - 1] == '\r';
	begin = line_outside(u, at);
	end = line_outside(u, at + line.len);
	from = byte_outside(u, at, at);
	to = text.len ? byte_outside(u, at, at + text.len) : from;
	if (from > end)
		from = end;
	if (to < from || to > end)
		to = end;
	/* Of several lines in one, what follows the last ends that one. */
	if (!begin || input.data[begin - 1] == '\n')
		end = end_of_own_line(u, line, to, end);
	return (struct around){
		.before = between(u, begin, from),
		.after = between(u, to, end),
		.first = !begin || input.data[begin - 1] == '\n',
		.last = end > begin && (end == input.len || input.data[end - 1] == '\n'),
	};
}

struct kt_text kt_unwrapped_line(const struct kt_unwrapped *u, struct kt_text line,
				 struct kt_text *before, struct kt_text *after)
{
	struct around around = around_of(u, line);
	const char *begin = around.before.data + around.before.len;

	*before = around.before;
	*after = around.after;
	return (struct kt_text){begin, (size_t)(around.after.data - begin)};
}

static struct kt_error *put(struct kt_rewrap *r, struct kt_text piece)
{
	if (!piece.len)
		return NULL;
	r->last = piece.data[piece.len - 1];
	return r->sink(r->arg, piece);
}

void kt_rewrap_init(struct kt_rewrap *r, const struct kt_unwrapped *unwrapped, kt_sink_fn sink,
		    void *arg)
{
	*r = (struct kt_rewrap){.unwrapped = unwrapped, .sink = sink, .arg = arg, .last = '\n'};
}

static struct kt_text first_line(struct kt_text lines)
{
	const char *newline = memchr(lines.data, '\n', lines.len);

	return (struct kt_text){lines.data,
				newline ? (size_t)(newline + 1 - lines.data) : lines.len};
}

static struct kt_text last_line(struct kt_text lines)
{
	size_t len = lines.len - (lines.data[lines.len - 1] == '\n');
	const char *newline = len ? memrchr(lines.data, '\n', len) : NULL;
	size_t from = newline ? (size_t)(newline + 1 - lines.data) : 0;

	return (struct kt_text){lines.data + from, lines.len - from};
}

/* A mark on a line of its own, as the line `around` has it. */
static struct kt_error *put_mark(struct kt_rewrap *r, const struct around *around,
				 struct kt_text mark)
{
	struct kt_error *err = NULL;

	if (r->last != '\n' && around->first && around->last)
		err = put(r, KT_TEXT("\n"));
	if (!err)
		err = put(r, around->before);
	if (!err)
		err = put(r, mark);
	if (!err)
		err = put(r, around->after);
	if (!err && (!around->after.len || (around->first && around->last &&
					    around->after.data[around->after.len - 1] != '\n')))
		err = put(r, KT_TEXT("\n"));
	return err;
}

/* The marks that wait, before the line. *ret: the part of its `before` that is out already. */
static struct kt_error *put_marks(struct kt_rewrap *r, struct kt_text line, size_t *ret)
{
	struct around around = around_of(r->unwrapped, line);
	struct kt_text rest = {r->marks.data, r->marks.len}, mark;
	struct kt_error *err = NULL;

	*ret = 0;
	if (rest.len && around.first && !around.last) {
		err = put(r, around.before);
		*ret = around.before.len;
		around.before.len = 0;
	}
	while (!err && kt_text_next_line(&rest, &mark))
		err = put_mark(r, &around, mark);
	r->marks.len = 0;
	return err;
}

/* Behind the last of several lines in one of the input's, before what ends that. */
static struct kt_error *put_inside(struct kt_rewrap *r, struct kt_text mark)
{
	struct kt_text inner = kt_unwrapped_text(r->unwrapped), newline = {0};
	uint64_t at = offset_of(r->unwrapped, r->line.data);
	struct kt_error *err;

	if (at)
		newline =
			around_of(r->unwrapped, last_line((struct kt_text){inner.data, at})).after;
	err = put(r, newline);
	return err ? err : put(r, mark);
}

static struct kt_error *put_tail(struct kt_rewrap *r)
{
	struct kt_text tail = r->tail;

	r->tail = (struct kt_text){0};
	return put(r, tail);
}

/* Marks behind the last line that went out. */
static struct kt_error *put_behind(struct kt_rewrap *r, struct kt_text marks)
{
	struct around around;
	struct kt_error *err = NULL;
	struct kt_text mark;

	if (!r->line.data)
		return put(r, marks);
	around = around_of(r->unwrapped, r->line);
	while (!err && kt_text_next_line(&marks, &mark)) {
		if (r->tail.len)
			err = put_inside(r, mark);
		else
			err = put_mark(r, &around, mark);
	}
	return err;
}

static struct kt_error *put_lines(struct kt_rewrap *r, struct kt_text lines)
{
	struct kt_text origin = kt_unwrapped_origin(r->unwrapped, lines);
	struct around around;
	struct kt_error *err = put_tail(r);
	size_t out = 0;

	if (!err && r->marks.len)
		err = put_marks(r, first_line(lines), &out);
	if (err)
		return err;
	r->line = last_line(lines);
	around = around_of(r->unwrapped, r->line);
	if (!around.first && around.last) {
		r->tail = around.after;
		origin.len -= around.after.len;
	}
	return put(r, (struct kt_text){origin.data + out, origin.len - out});
}

struct kt_error *kt_rewrap_put(void *rewrap, struct kt_text piece)
{
	static const struct kt_text end = KT_TEXT("--- end repeat ---");
	struct kt_rewrap *r = rewrap;
	struct kt_text inner = kt_unwrapped_text(r->unwrapped);

	if (piece.data >= inner.data && piece.data < inner.data + inner.len)
		return put_lines(r, piece);
	if (piece.len && piece.data[0] == '\n') {
		piece.data++;
		piece.len--;
	}
	if (kt_text_starts_with(piece, end) && !r->marks.len)
		return put_behind(r, piece);
	kt_buf_append(&r->marks, piece.data, piece.len);
	return kt_buf_failed(&r->marks) ? kt_error_no_memory() : NULL;
}

struct kt_error *kt_rewrap_end(struct kt_rewrap *r)
{
	struct kt_text marks = {r->marks.data, r->marks.len};
	struct kt_error *err = marks.len ? put_behind(r, marks) : NULL;

	if (!err)
		err = put_tail(r);
	kt_buf_deinit(&r->marks);
	return err;
}
