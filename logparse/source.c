// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdlib.h>
#include <string.h>

#include "logparse/line.h"
#include "logparse/source.h"

/* The kernel prints no more at a time (BPF_VERIFIER_TMP_LOG_SIZE). A longer line is damaged. */
#define MAX_TEXT 1024
/* What the kernel takes from root, BPF_COMPLEXITY_LIMIT_INSNS; an index above is damage. */
#define MAX_INSNS 1000000
/* More different source lines than that are kept as one. Real programs have thousands. */
#define MAX_LINES 1000000

/* An instruction of the program. */
struct insn {
	struct kt_text source; /* the whole line; data is NULL while it is not known */
	uint64_t insns, safe, pops;
	bool used; /* it is in counter.used */
};

struct counter {
	KT_VEC(struct insn) insns; /* by index; of the log that is being read */
	KT_VEC(uint32_t) used;     /* indices into it */
	struct insn lost;          /* of instructions without a usable index */
	struct kt_text in_force;   /* the source line printed last; data is NULL before the first */
	bool fresh;                /* it stands directly before what comes next */
	bool listing;              /* in a table of the program's instructions */
	bool returned;             /* between "to caller at 31:" and the next instruction */
	size_t merged;             /* lines at the last merge_lines() */

	/* source.text is the whole line until the end. */
	struct kt_source_counts out;
};

static struct insn *insn_at(struct counter *c, uint32_t index)
{
	struct insn *insn;

	if (index >= MAX_INSNS)
		return &c->lost;
	if (index >= c->insns.len) {
		if (!kt_vec_reserve(&c->insns, (size_t)index + 1))
			return NULL;
		memset(c->insns.data + c->insns.len, 0,
		       (c->insns.cap - c->insns.len) * sizeof(*c->insns.data));
		c->insns.len = c->insns.cap;
	}
	insn = &c->insns.data[index];
	if (!insn->used && !kt_vec_push(&c->used, index))
		return NULL;
	insn->used = true;
	return insn;
}

static bool count_insn(struct counter *c, const struct kt_line *line)
{
	struct insn *insn = insn_at(c, line->index);

	if (!insn)
		return false;
	if (insn != &c->lost && (c->fresh || !insn->source.data))
		insn->source = c->in_force;
	c->fresh = c->returned = false;
	insn->insns++;
	return true;
}

static bool count_safe(struct counter *c, const struct kt_line *line)
{
	struct insn *insn = insn_at(c, line->index);

	if (!insn)
		return false;
	insn->safe++;
	return true;
}

/*
 * A branch that is taken up, or (pruned) found to bring nothing new:
 *	from 41 to 48: R0=...
 *	from 41 to 48: safe
 * Behind a return the verifier prints the same, though no branch was put off:
 *	to caller at 31:
 *	 frame1: R0=scalar(umax=30064771065,var_off=(0x0; 0x7ffffffff)) R6=0 R8=0 R9=0 R10=fp0
 *
 *	from 58 to 31: frame1: R0=scalar(...
 */
static bool count_pop(struct counter *c, const struct kt_line *line, bool pruned)
{
	struct insn *insn;

	if (!c->returned) {
		insn = insn_at(c, line->from);
		if (!insn)
			return false;
		insn->pops++;
	}
	c->returned = false;
	return !pruned || count_safe(c, line);
}

static void add(struct kt_source_line *to, const struct kt_source_line *more)
{
	to->insns += more->insns;
	to->distinct += more->distinct;
	to->safe += more->safe;
	to->pops += more->pops;
}

static int compare_text(const struct kt_text *a, const struct kt_text *b)
{
	size_t len = a->len < b->len ? a->len : b->len;
	int cmp = len ? memcmp(a->data, b->data, len) : 0;

	return cmp ? cmp : (a->len > b->len) - (a->len < b->len);
}

static int by_place(const void *a, const void *b)
{
	const struct kt_source_line *x = a, *y = b;

	return (x->source.text.data > y->source.text.data) -
	       (x->source.text.data < y->source.text.data);
}

static int by_text(const void *a, const void *b)
{
	const struct kt_source_line *x = a, *y = b;
	int cmp = compare_text(&x->source.text, &y->source.text);

	/* The earliest of equal lines comes first, and stays when they are merged. */
	return cmp ? cmp : by_place(a, b);
}

static int by_insns(const void *a, const void *b)
{
	const struct kt_source_line *x = a, *y = b;

	if (x->insns != y->insns)
		return x->insns < y->insns ? 1 : -1;
	return (x->source.text.data > y->source.text.data) -
	       (x->source.text.data < y->source.text.data);
}

static void merge_equal(struct counter *c, int (*compare)(const void *, const void *),
			bool (*equal)(const struct kt_text *, const struct kt_text *))
{
	struct kt_source_line *lines = c->out.lines.data;
	size_t n = 0;

	if (c->out.lines.len)
		qsort(lines, c->out.lines.len, sizeof(*lines), compare);
	for (size_t i = 0; i < c->out.lines.len; i++) {
		if (n && equal(&lines[n - 1].source.text, &lines[i].source.text))
			add(&lines[n - 1], &lines[i]);
		else
			lines[n++] = lines[i];
	}
	c->out.lines.len = n;
}

static bool same_place(const struct kt_text *a, const struct kt_text *b)
{
	return a->data == b->data;
}

static bool same_text(const struct kt_text *a, const struct kt_text *b)
{
	return compare_text(a, b) == 0;
}

/*
 * Merges the counts of one source line. Most often they refer to the same place in the log, and
 * these are merged first. Then only different parts of the log are compared as text, so time is
 * linear.
 */
static void merge_lines(struct counter *c)
{
	merge_equal(c, by_place, same_place);
	merge_equal(c, by_text, same_text);
	for (; c->out.lines.len > MAX_LINES; c->out.lines.len--)
		add(&c->out.unknown, &c->out.lines.data[c->out.lines.len - 1]);
	c->merged = c->out.lines.len;
}

static bool flush_insn(struct counter *c, struct insn *insn)
{
	struct kt_source_line line = {
		.source.text = insn->source,
		.insns = insn->insns,
		.distinct = insn->insns > 0,
		.safe = insn->safe,
		.pops = insn->pops,
	};

	memset(insn, 0, sizeof(*insn));
	add(&c->out.total, &line);
	if (line.source.text.data)
		return kt_vec_push(&c->out.lines, line);
	add(&c->out.unknown, &line);
	return true;
}

/* The end of a log: the rest may be the log of another program, with other source lines. */
static bool flush_insns(struct counter *c)
{
	kt_vec_for_each (&c->used, index)
		if (!flush_insn(c, &c->insns.data[*index]))
			return false;
	c->used.len = 0;
	if (!flush_insn(c, &c->lost))
		return false;
	c->in_force = (struct kt_text){0};
	c->fresh = c->listing = c->returned = false;
	/* Doubles the size, so many small logs cost no more than a large one. */
	if (c->out.lines.len > 2 * c->merged + 4096)
		merge_lines(c);
	return true;
}

/*
 * Before the trace, Linux 7.2 lists the program's instructions at level 2, more than once. From
 * the thousandth on a row looks as an instruction of the trace does:
 *
 *	subprog#0: analyzing (depth 0)...
 *	subprog#0 big_straight:
 *	  0: (18) r6 = 0xff2f5e2e41876008
 *	...
 *	1000: (af) r7 ^= r1
 *	stack use/def subprog#0 big_straight (d0,cs0):
 *	Live regs before insn:
 */
static bool starts_listing(struct kt_text line)
{
	return kt_text_starts_with(line, KT_TEXT("subprog#")) ||
	       kt_text_starts_with(line, KT_TEXT("stack use/def ")) ||
	       kt_text_starts_with(line, KT_TEXT("Live regs before insn:"));
}

/*
 * Whether a line can matter here. Most of a log at level 2 is precision tracking, which starts with
 * none of these bytes.
 */
static bool may_matter(struct kt_text line)
{
	if (!line.len)
		return false;
	switch (line.data[0]) {
	case '0' ... '9':
	case ';': /* a source line */
	case 'f': /* "from 18 to 3: " */
	case ' ': /* a row of a table */ return true;
	default: return false;
	}
}

static bool ends_safe(struct kt_text line)
{
	static const char safe[] = ": safe";
	size_t len = sizeof(safe) - 1;

	if (line.len && line.data[line.len - 1] == '\r')
		line.len--;
	return line.len > len && memcmp(line.data + line.len - len, safe, len) == 0;
}

static bool count_line(struct counter *c, struct kt_text text)
{
	struct kt_line line;

	kt_line_read(text, &line);
	if (line.kind == KT_LINE_TABLE)
		c->listing = true;
	if (line.kind == KT_LINE_STATE || line.kind == KT_LINE_SOURCE || line.kind == KT_LINE_POP)
		c->listing = false;
	switch (line.kind) {
	case KT_LINE_INSN: return c->listing || count_insn(c, &line);
	case KT_LINE_POP: return count_pop(c, &line, ends_safe(text));
	case KT_LINE_SAFE: return count_safe(c, &line);
	case KT_LINE_SOURCE:
		c->in_force = text;
		c->fresh = true;
		return true;
	default: return true;
	}
}

static bool count_trace(struct counter *c, struct kt_text trace)
{
	struct kt_text rest = trace, line;

	if (kt_text_next_line(&rest, &line) && kt_source_line_is_rest(line))
		trace = rest;
	while (kt_text_next_line(&trace, &line)) {
		if (may_matter(line)) {
			if (!count_line(c, line))
				return false;
		} else if (kt_text_starts_with(line, KT_TEXT("processed "))) {
			if (!flush_insns(c))
				return false;
		} else if (kt_text_starts_with(line, KT_TEXT("to caller at "))) {
			c->returned = true;
		} else if (starts_listing(line)) {
			c->listing = true;
		}
	}
	return flush_insns(c);
}

/* "; ", ";  @ bad.bpf.c:0": instructions that the compiler gave no line. */
static void name_lines(struct kt_source_counts *counts)
{
	size_t n = 0;

	kt_vec_for_each (&counts->lines, line) {
		struct kt_text text = line->source.text;

		line->source = (struct kt_source_ref){0};
		kt_source_ref_read(text, &line->source);
		if (line->source.text.len > MAX_TEXT)
			line->source.text.len = MAX_TEXT;
		if (line->source.text.len || line->source.line)
			counts->lines.data[n++] = *line;
		else
			add(&counts->unknown, line);
	}
	counts->lines.len = n;
}

struct kt_error *kt_count_source_lines(struct kt_text trace, struct kt_source_counts *ret)
{
	struct counter c = {0};
	bool ok = count_trace(&c, trace);

	kt_vec_free(&c.insns);
	kt_vec_free(&c.used);
	if (!ok) {
		kt_source_counts_deinit(&c.out);
		return kt_error_no_memory();
	}
	merge_lines(&c);
	if (c.out.lines.len)
		qsort(c.out.lines.data, c.out.lines.len, sizeof(*c.out.lines.data), by_insns);
	name_lines(&c.out);
	*ret = c.out;
	return NULL;
}

void kt_source_counts_deinit(struct kt_source_counts *counts)
{
	kt_vec_free(&counts->lines);
}
