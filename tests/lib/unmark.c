// SPDX-License-Identifier: LGPL-2.1-or-later
#include <inttypes.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "logparse/line.h"
#include "tests/lib/unmark.h"
#include "util/buf.h"

/*
 *	--- 8x of the following 10 lines ---
 *	--- 12x of the following 31..118 lines ---
 *	--- 6 identical iterations omitted ---
 *	--- 10 similar iterations omitted, 702 lines ---
 *	--- 17 lines of precision tracking omitted ---
 *	--- end repeat ---
 */
enum mark_kind {
	MARK_NONE,
	MARK_HEADER,    /* a: count, b: lines */
	MARK_SPREAD,    /* a: count, b..c: lines */
	MARK_IDENTICAL, /* a: iterations */
	MARK_SIMILAR,   /* a: iterations, b: lines */
	MARK_PRECISION, /* a: lines */
	MARK_END,
};

struct mark {
	enum mark_kind kind;
	size_t n[3];
};

/* '#' stands for a number without leading zeros. */
static const char *const mark_patterns[] = {
	[MARK_HEADER] = "--- #x of the following # lines ---",
	[MARK_SPREAD] = "--- #x of the following #..# lines ---",
	[MARK_IDENTICAL] = "--- # identical iterations omitted ---",
	[MARK_SIMILAR] = "--- # similar iterations omitted, # lines ---",
	[MARK_PRECISION] = "--- # lines of precision tracking omitted ---",
	[MARK_END] = "--- end repeat ---",
};

static bool take_number(const char **p, const char *end, size_t *ret)
{
	const char *start = *p;
	size_t n = 0;

	while (*p < end && **p >= '0' && **p <= '9' && n < SIZE_MAX / 16)
		n = n * 10 + (size_t)(*(*p)++ - '0');
	*ret = n;
	return *p > start && (*start != '0' || *p == start + 1);
}

static bool match(const char *pattern, struct kt_text line, size_t *numbers)
{
	const char *p = line.data, *end = p + line.len;

	for (; *pattern; pattern++) {
		if (*pattern == '#') {
			if (!take_number(&p, end, numbers++))
				return false;
		} else if (p == end || *p++ != *pattern) {
			return false;
		}
	}
	return p == end;
}

static struct mark mark_read(struct kt_text line)
{
	struct mark m = {MARK_NONE, {0}};

	if (line.len < 4 || memcmp(line.data, "--- ", 4) != 0)
		return m;
	for (int kind = MARK_HEADER; kind <= MARK_END; kind++) {
		if (match(mark_patterns[kind], line, m.n)) {
			m.kind = (enum mark_kind)kind;
			return m;
		}
	}
	return m;
}

bool unmark_is_mark(struct kt_text line)
{
	return mark_read(line).kind != MARK_NONE;
}

/* A repeat that is being read. */
struct level {
	size_t repeat; /* index in unmark.repeats */
	size_t part;   /* where the iteration that is being read began, in lines of the input */
	size_t first;  /* lines of the first iteration; 0: still in it */
};

struct line {
	struct kt_text text; /* without the newline */
	bool newline;
};

struct walk {
	struct unmark *u;
	KT_VEC(struct line) in;
	uint8_t *seen; /* for each line of the input: SHOWN, SIMILAR, or neither */
	size_t pos;    /* the next line of the input */
	size_t last_shown;
	KT_VEC(struct level) levels;
};

enum { SHOWN = 1, SIMILAR = 2 };

static void must(bool ok)
{
	if (!ok)
		abort();
}

__attribute__((format(printf, 2, 3))) static bool problem(struct walk *w, const char *fmt, ...)
{
	va_list ap;
	int n = snprintf(w->u->problem, sizeof(w->u->problem),
			 "output line %zu, input line %zu: ", w->u->out_lines, w->pos + 1);

	va_start(ap, fmt);
	vsnprintf(w->u->problem + n, sizeof(w->u->problem) - (size_t)n, fmt, ap);
	va_end(ap);
	return false;
}

static bool same(struct kt_text a, struct kt_text b)
{
	return a.len == b.len && (!a.len || memcmp(a.data, b.data, a.len) == 0);
}

static bool starts(struct kt_text t, const char *prefix)
{
	return t.len >= strlen(prefix) && memcmp(t.data, prefix, strlen(prefix)) == 0;
}

/*
 * 6.12: "mark_precise: frame0: regs=r1 stack= before 8: (bf) r2 = r3"; 7.2: "force_precise:
 * frame0: forcing r1 to be precise"; 6.1: "last_idx 9 first_idx 0", "regs=2 stack=0 before 8:
 * ...", "parent didn't have regs=2 stack=0 marks: R1_rw=P3"; 5.10 has the state of that last
 * one in a line before it, " R1_rw=invP3"; 6.x: "frame 0: propagating r1".
 */
static bool is_precision(struct kt_text t)
{
	return starts(t, "mark_precise: ") || starts(t, "force_precise: ") ||
	       starts(t, "last_idx ") || starts(t, "regs=") || starts(t, "parent didn't have ") ||
	       starts(t, "parent already had ") || starts(t, " R") || starts(t, " frame") ||
	       (starts(t, "frame ") && memmem(t.data, t.len, ": propagating ", 14));
}

/* Without the leading index, which unrolled copies do not share. */
static void normalize(struct kt_text line, struct kt_buf *out)
{
	size_t digits = 0;

	out->len = 0;
	kt_normalize_verifier_line(line, out);
	while (digits < out->len && out->data[digits] >= '0' && out->data[digits] <= '9')
		digits++;
	if (digits && digits < out->len && out->data[digits] == ':')
		kt_buf_consume(
			out, digits + 1 + (digits + 1 < out->len && out->data[digits + 1] == ' '));
}

/* Equal after normalisation. */
static bool alike(struct kt_text a, struct kt_text b, struct kt_buf room[2])
{
	if (same(a, b))
		return true;
	normalize(a, &room[0]);
	normalize(b, &room[1]);
	return same((struct kt_text){room[0].data, room[0].len},
		    (struct kt_text){room[1].data, room[1].len});
}

static bool on_text(struct walk *w, struct line line)
{
	if (w->pos == w->in.len)
		return problem(w, "there is no such line in the input any more: %.*s",
			       (int)line.text.len, line.text.data);
	if (!same(line.text, w->in.data[w->pos].text))
		return problem(w, "not verbatim the next line: \"%.*s\" is due, not \"%.*s\"",
			       (int)w->in.data[w->pos].text.len, w->in.data[w->pos].text.data,
			       (int)line.text.len, line.text.data);
	if (line.newline != w->in.data[w->pos].newline && !w->levels.len)
		return problem(w, "a newline came or went");
	w->seen[w->pos] = SHOWN;
	w->last_shown = ++w->pos;
	w->u->shown++;
	return true;
}

static bool on_precision(struct walk *w, size_t n)
{
	if (n <= 3)
		return problem(w, "%zu lines of precision tracking are to be shown", n);
	if (n > w->in.len - w->pos)
		return problem(w, "omits %zu lines, the input has %zu", n, w->in.len - w->pos);
	for (size_t i = 0; i < n; i++, w->pos++) {
		struct kt_text t = w->in.data[w->pos].text;

		if (!is_precision(t))
			return problem(w, "not precision tracking: %.*s", (int)t.len, t.data);
	}
	w->u->by_precision += n;
	return true;
}

static bool on_header(struct walk *w, const struct mark *m)
{
	struct unmark_repeat r = {.depth = w->levels.len, .start = w->pos, .count = m->n[0]};

	r.lo = m->n[1];
	r.hi = m->kind == MARK_SPREAD ? m->n[2] : r.lo;
	if (r.count < 3)
		return problem(w, "%zu repetitions are fewer than 3", r.count);
	if (!r.lo || r.lo > r.hi || (m->kind == MARK_SPREAD && r.lo == r.hi))
		return problem(w, "a spread of %zu..%zu lines", r.lo, r.hi);
	must(kt_vec_push(&w->levels, (struct level){w->u->repeats.len, w->pos, 0}));
	must(kt_vec_push(&w->u->repeats, r));
	if (w->levels.len > w->u->max_depth)
		w->u->max_depth = w->levels.len;
	return true;
}

/* Each omitted iteration equals the first, line by line, once normalised. */
static bool check_identical(struct walk *w, const struct level *level, size_t lines)
{
	struct kt_buf room[2] = {KT_BUF_INIT, KT_BUF_INIT};
	size_t i;

	for (i = 0; i < lines; i++)
		if (!alike(w->in.data[level->part + i % level->first].text,
			   w->in.data[w->pos + i].text, room))
			break;
	kt_buf_deinit(&room[0]);
	kt_buf_deinit(&room[1]);
	return i == lines ||
	       problem(w,
		       "input line %zu differs from line %zu of the first "
		       "iteration, and they are called identical: \"%.*s\"",
		       w->pos + i + 1, i % level->first + 1, (int)w->in.data[w->pos + i].text.len,
		       w->in.data[w->pos + i].text.data);
}

static bool on_omission(struct walk *w, const struct mark *m)
{
	struct level *level = w->levels.len ? &w->levels.data[w->levels.len - 1] : NULL;
	struct unmark_repeat *r;
	size_t lines;

	if (!level || level->first)
		return problem(w, "iterations omitted where no first one was shown");
	r = &w->u->repeats.data[level->repeat];
	level->first = w->pos - level->part;
	r->identical = m->kind == MARK_IDENTICAL;
	if (level->first < r->lo || level->first > r->hi)
		return problem(w, "the first iteration has %zu lines, not %zu..%zu", level->first,
			       r->lo, r->hi);
	if (m->n[0] != r->count - 2)
		return problem(w, "%zu iterations omitted of %zu", m->n[0], r->count);
	if (r->identical && r->lo != r->hi)
		return problem(w, "identical iterations of %zu..%zu lines", r->lo, r->hi);
	lines = r->identical ? m->n[0] * r->lo : m->n[1];
	if (lines > w->in.len - w->pos || lines < m->n[0])
		return problem(w, "omits %zu lines, the input has %zu", lines, w->in.len - w->pos);
	if (r->identical && !check_identical(w, level, lines))
		return false;
	r->omitted = lines;
	if (!r->identical)
		memset(w->seen + w->pos, SIMILAR, lines);
	w->u->by_repeats += lines;
	w->pos += lines;
	level->part = w->pos;
	return true;
}

/* The shortest and the longest that the header names are there, and the sum fits them. */
static bool check_spread(struct walk *w, const struct unmark_repeat *r, size_t first, size_t last)
{
	size_t omitted = r->count - 2, some_lo, some_hi;

	some_lo = r->lo < r->hi && first != r->lo && last != r->lo;
	some_hi = r->lo < r->hi && first != r->hi && last != r->hi;
	if (last < r->lo || last > r->hi)
		return problem(w, "the last iteration has %zu lines, not %zu..%zu", last, r->lo,
			       r->hi);
	if (some_lo + some_hi > omitted ||
	    r->omitted < (omitted - some_hi) * r->lo + some_hi * r->hi ||
	    r->omitted > (omitted - some_lo) * r->hi + some_lo * r->lo)
		return problem(
			w,
			"%zu iterations of %zu..%zu lines are never %zu lines, with %zu in the "
			"first and %zu in the last",
			omitted, r->lo, r->hi, r->omitted, first, last);
	return true;
}

static bool on_end(struct walk *w)
{
	struct level *level = w->levels.len ? &w->levels.data[w->levels.len - 1] : NULL;

	if (!level || !level->first)
		return problem(w, "a repeat ends that had no second part");
	w->levels.len--;
	return check_spread(w, &w->u->repeats.data[level->repeat], level->first,
			    w->pos - level->part);
}

static bool on_line(struct walk *w, struct line line)
{
	struct mark m = mark_read(line.text);

	w->u->out_lines++;
	if (!w->levels.len && w->pos < w->in.len && same(line.text, w->in.data[w->pos].text))
		return on_text(w, line);
	w->u->marks += m.kind != MARK_NONE;
	switch (m.kind) {
	case MARK_HEADER:
	case MARK_SPREAD: return on_header(w, &m);
	case MARK_IDENTICAL:
	case MARK_SIMILAR: return on_omission(w, &m);
	case MARK_PRECISION: return on_precision(w, m.n[0]);
	case MARK_END: return on_end(w);
	case MARK_NONE: break;
	}
	return on_text(w, line);
}

static bool next_line(struct kt_text *rest, struct line *ret)
{
	if (!kt_text_next_line(rest, &ret->text))
		return false;
	ret->newline = rest->data != ret->text.data + ret->text.len;
	return true;
}

static bool check_walk(struct walk *w, struct kt_text in, struct kt_text out)
{
	struct kt_text rest = out;
	struct line line;

	while (next_line(&rest, &line))
		if (!on_line(w, line))
			return false;
	if (w->levels.len)
		return problem(w, "the output ends within a repeat");
	if (w->pos != w->in.len || w->u->shown + w->u->by_repeats + w->u->by_precision != w->pos)
		return problem(w, "lines of the input are missing at the end, of %zu", w->in.len);
	if (!w->u->marks && !same(in, out))
		return problem(w, "no marks, but other bytes");
	/* Where precision tracking is the last there is, its mark may stand for it. */
	if (w->last_shown != w->in.len && !is_precision(w->in.data[w->in.len - 1].text))
		return problem(w, "the last line is not shown");
	return true;
}

static int by_text(const void *a, const void *b)
{
	const struct kt_text *x = a, *y = b;
	int order = memcmp(x->data, y->data, x->len < y->len ? x->len : y->len);

	return order ? order : (x->len > y->len) - (x->len < y->len);
}

struct keys {
	KT_VEC(struct kt_text) v;
	struct kt_buf bytes;
};

/* The normalised lines that are marked so, sorted, each once. Nothing of precision tracking. */
static void collect(const struct walk *w, uint8_t which, struct keys *ret)
{
	struct kt_buf room = KT_BUF_INIT;
	size_t n = 0;

	for (size_t i = 0; i < w->in.len; i++) {
		if (w->seen[i] != which || is_precision(w->in.data[i].text))
			continue;
		normalize(w->in.data[i].text, &room);
		must(kt_vec_push(&ret->v, (struct kt_text){(char *)ret->bytes.len, room.len}));
		kt_buf_append(&ret->bytes, room.data, room.len);
		kt_buf_appendc(&ret->bytes, 0);
	}
	kt_buf_deinit(&room);
	must(!ret->bytes.failed);
	kt_vec_for_each (&ret->v, t)
		t->data = ret->bytes.data + (uintptr_t)t->data;
	if (ret->v.len)
		qsort(ret->v.data, ret->v.len, sizeof(*ret->v.data), by_text);
	for (size_t i = 0; i < ret->v.len; i++)
		if (!i || !same(ret->v.data[i], ret->v.data[n - 1]))
			ret->v.data[n++] = ret->v.data[i];
	ret->v.len = n;
}

/*
 * Part of the verifier's walk or of its listings (7.2: "subprog#0: analyzing (depth 0)...",
 * "stack use/def subprog#0 main (d0,cs0):"), as the first bytes say. Not so: what is wrong.
 */
static bool is_walk(struct kt_text t)
{
	static const char *const prefixes[] = {
		"from ",
		"caller:",
		"callee:",
		"returning from callee:",
		"to caller at ",
		"SCC ",
		"frame",
		"subprog#",
		"stack use/def ",
		"Live regs ",
		"topo_order[",
		";",
		" ",
		"safe",
	};

	if (!t.len || (t.data[0] >= '0' && t.data[0] <= '9'))
		return true;
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (starts(t, prefixes[i]))
			return true;
	return false;
}

static void count_unseen(struct walk *w)
{
	struct keys shown = {0}, similar = {0};

	collect(w, SHOWN, &shown);
	collect(w, SIMILAR, &similar);
	kt_vec_for_each (&similar.v, t) {
		if (shown.v.len && bsearch(t, shown.v.data, shown.v.len, sizeof(*t), by_text))
			continue;
		if (t->len > 4 && t->data[0] == '(' && t->data[3] == ')')
			w->u->unseen_insns++;
		else if (!is_walk(*t))
			w->u->unseen_text++;
		else
			continue;
		snprintf(w->u->unseen_example, sizeof(w->u->unseen_example), "%.*s", (int)t->len,
			 t->data);
	}
	kt_vec_free(&shown.v);
	kt_vec_free(&similar.v);
	kt_buf_deinit(&shown.bytes);
	kt_buf_deinit(&similar.bytes);
}

bool unmark_check(struct kt_text in, struct kt_text out, struct unmark *ret)
{
	struct walk w = {.u = ret};
	struct kt_text rest = in;
	struct line line;
	bool ok;

	memset(ret, 0, sizeof(*ret));
	while (next_line(&rest, &line))
		must(kt_vec_push(&w.in, line));
	ret->in_lines = w.in.len;
	w.seen = calloc(w.in.len + 1, 1);
	must(w.seen);
	ok = check_walk(&w, in, out);
	if (ok)
		count_unseen(&w);
	free(w.seen);
	kt_vec_free(&w.in);
	kt_vec_free(&w.levels);
	return ok;
}

void unmark_deinit(struct unmark *u)
{
	kt_vec_free(&u->repeats);
}
