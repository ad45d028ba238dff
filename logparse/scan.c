// SPDX-License-Identifier: LGPL-2.1-or-later
#include "logparse/scan.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

/* Runs once for each of millions of lines. */
#define ALWAYS_INLINE inline __attribute__((always_inline))

static uint64_t load(const char *p, size_t n)
{
	uint64_t v = 0;

	memcpy(&v, p, n);
	return v;
}

/* Most texts are too short for a hash that is made for long input. */
static ALWAYS_INLINE uint64_t hash(const char *p, size_t len, uint64_t seed)
{
	uint64_t h;

	if (len > 32)
		return XXH3_64bits_withSeed(p, len, seed);
	seed += len << 8;
	if (len > 16) {
		h = node_mix(load(p, 8) + seed, load(p + 8, 8));
		return node_mix(h + load(p + len - 16, 8), load(p + len - 8, 8));
	}
	if (len >= 8)
		return node_mix(load(p, 8) + seed, load(p + len - 8, 8));
	if (len >= 4)
		return node_mix(load(p, 4) + seed, load(p + len - 4, 4));
	h = len ? (uint64_t)(unsigned char)p[0] << 16 | (uint64_t)(unsigned char)p[len / 2] << 8 |
			    (unsigned char)p[len - 1]
		: 0;
	return node_mix(h, seed);
}

/*
 * Of "mark_precise: frame0: regs=r1 stack= before 8: (bf) r2 = r3" the frame and the
 * instruction, which is what stands behind the last colon; of others what they are.
 */
static ALWAYS_INLINE uint64_t precision_token(struct kt_text line)
{
	const char *end = line.data + line.len, *p = memrchr(line.data, ':', line.len), *before = p;
	struct kt_text what, insn;
	unsigned char frame = KT_LINE_PRECISION;

	while (before && before > line.data && before[-1] >= '0' && before[-1] <= '9')
		before--;
	if (p && before - line.data > 7 && memcmp(before - 7, "before ", 7) == 0 && end - p > 5 &&
	    p[1] == ' ' && p[2] == '(' && p[5] == ')') {
		if (end[-1] == '\r')
			end--;
		if (line.len > 19 && *line.data == 'm')
			frame = (unsigned char)line.data[19];
		return hash(p, (size_t)(end - p), frame);
	}
	kt_precision_parts(line, &what, &insn);
	return hash(what.data, what.len, KT_LINE_PRECISION);
}

uint64_t log_line_token(struct kt_text line, const struct kt_line *l)
{
	if (l->kind == KT_LINE_PRECISION)
		return precision_token(line);
	if (l->kind == KT_LINE_TABLE)
		return hash(line.data, l->fixed_len, l->kind);
	return hash(line.data + l->index_len, l->fixed_len - l->index_len, l->kind);
}

/* Lines of state one after the other that may hang on a node; 5.10 has two behind a jump. */
#define STATES 4

/* Lines of this kind hang on the line before. */
static bool hangs_on(enum kt_line_kind kind)
{
	return kind == KT_LINE_STATE || kind == KT_LINE_PRECISION || kind == KT_LINE_NOTE;
}

/* What a node is built from, line by line. */
struct building {
	struct log_node *node;
	size_t precision; /* lines of the block at hand */
	size_t rows;      /* of the listing at hand */
	size_t states;
	bool entry; /* of the kernel's causal path, up to a blank line */
};

static ALWAYS_INLINE void add_line(struct building *b, uint64_t token, enum kt_line_kind kind,
				   bool indexed)
{
	struct log_node *n = b->node;

	if (b->precision && kind == KT_LINE_STATE && !indexed)
		kind = KT_LINE_PRECISION;

	n->lines++;
	n->shown++;
	n->exact = node_mix(n->exact, token);
	b->precision = kind == KT_LINE_PRECISION ? b->precision + 1 : 0;
	if (b->precision > PRECISION_SHOWN)
		n->shown -= b->precision == PRECISION_SHOWN + 1 ? PRECISION_SHOWN : 1;
	b->rows = kind == KT_LINE_TABLE || b->rows ? b->rows + 1 : 0;
	if (b->rows > LISTING_SHOWN)
		n->shown -= b->rows == LISTING_SHOWN + 1 ? 3 : 1;
}

/*
 * A step of the kernel's explanation (7.3), of which a loop makes many:
 *	  bad_oob_nested @ bad.bpf.c:33:8
 *	  Source context:
 */
static bool is_causal_entry(struct kt_text line)
{
	return kt_text_starts_with(line, KT_TEXT("  ")) && line.len > 8 && line.data[2] != ' ' &&
	       memmem(line.data, line.len, " @ ", 3) && memchr(line.data, ':', line.len);
}

/* Goes on with such a step. A line that is not indented is somebody else's, and is shown. */
static bool is_of_entry(struct kt_text line, enum kt_line_kind kind)
{
	return kind != KT_LINE_BLANK && kind != KT_LINE_MARK &&
	       kt_text_starts_with(line, KT_TEXT("  "));
}

/* A line about a call or a return, other than its state. */
static bool is_of_frame(struct kt_text line)
{
	return kt_text_starts_with(line, KT_TEXT("caller:")) ||
	       kt_text_starts_with(line, KT_TEXT("callee:")) ||
	       kt_text_starts_with(line, KT_TEXT("returning from callee:")) ||
	       kt_text_starts_with(line, KT_TEXT("to caller at "));
}

/* The line that the node stands for. */
static void add_own(struct log_scan *scan, struct building *b, struct kt_text line,
		    const struct kt_line *l, uint64_t token)
{
	struct log_node *n = b->node;

	n->shape = node_mix(n->shape, l->kind == KT_LINE_STATE ? l->index : token);
	switch (l->kind) {
	case KT_LINE_INSN:
		n->key = node_mix(token, l->index);
		if (scan->last_index != KT_LINE_NO_INDEX && l->index != scan->last_index + 1 &&
		    l->index != scan->last_index + 2)
			n->flags |= NODE_LEADER;
		scan->last_index = l->index;
		break;
	case KT_LINE_POP:
		n->key = node_mix(l->from, ~(uint64_t)l->index);
		n->flags |= NODE_POP;
		scan->last_index = KT_LINE_NO_INDEX;
		break;
	case KT_LINE_TEXT:
		if (!is_of_frame(line))
			n->flags |= NODE_TEXT;
		b->entry = is_causal_entry(line);
		if (b->entry) {
			n->key = node_mix(token, KT_LINE_TEXT);
			n->flags |= NODE_LEADER | NODE_STEP;
		}
		break;
	case KT_LINE_MARK: n->flags |= NODE_FIXED; break;
	case KT_LINE_STATE:
		/* 5.10, level 2: a branch is taken up without a "from A to B". */
		if (scan->path_ended) {
			n->key = node_mix(KT_LINE_STATE, ~(uint64_t)l->index);
			n->flags |= NODE_POP;
			scan->last_index = KT_LINE_NO_INDEX;
		}
		break;
	case KT_LINE_TABLE:
		n->shape = KT_LINE_TABLE; /* listings are alike, whatever they list */
		break;
	default: break;
	}
}

static ALWAYS_INLINE void advance(struct log_scan *scan)
{
	if (!kt_text_next_line(&scan->rest, &scan->line)) {
		scan->line = (struct kt_text){0};
		return;
	}
	/* Most of a level-2 log is this, and it needs no closer look. */
	if (kt_text_starts_with(scan->line, KT_TEXT("mark_precise: ")) ||
	    kt_text_starts_with(scan->line, KT_TEXT("regs="))) {
		scan->read.kind = KT_LINE_PRECISION;
		scan->read.index_len = 0;
	} else {
		kt_line_read(scan->line, &scan->read);
	}
	scan->token = log_line_token(scan->line, &scan->read);
	scan->fixed = (scan->bounds.outside || scan->read.kind == KT_LINE_TEXT ||
		       (scan->read.kind == KT_LINE_INSN &&
			log_bounds_may_end_at(&scan->bounds, scan->rest))) &&
		      log_bounds_take(&scan->bounds, scan->line, &scan->read, scan->rest);
}

void log_scan_init(struct log_scan *scan, struct kt_text log, bool whole)
{
	*scan = (struct log_scan){
		.rest = log,
		.end = log.data + log.len,
		.last_index = KT_LINE_NO_INDEX,
		.bounds = log_bounds_of(whole),
	};
	advance(scan);
}

/*
 * Whether a line of this kind comes before the line that its node stands for. A node has at most
 * one blank and one source line there, or the title of a listing.
 */
static bool is_ahead(struct kt_text line, enum kt_line_kind kind, const struct log_scan *scan)
{
	enum kt_line_kind next = scan->read.kind;

	if (!scan->line.data || scan->fixed || hangs_on(next) || next == KT_LINE_BLANK)
		return false;
	switch (kind) {
	case KT_LINE_BLANK: return true;
	case KT_LINE_SOURCE: return next != KT_LINE_SOURCE;
	case KT_LINE_TEXT: return next == KT_LINE_TABLE && log_is_heading(line);
	default: return false;
	}
}

bool log_lines_equal(struct kt_text a, struct kt_text b)
{
	struct kt_line la, lb;

	kt_line_read(a, &la);
	kt_line_read(b, &lb);
	return la.kind == lb.kind && la.kind != KT_LINE_MARK &&
	       log_line_token(a, &la) == log_line_token(b, &lb);
}

const char *log_line_before(const char *p, const char *start)
{
	const char *nl;

	if (p - start < 2)
		return start;
	nl = memrchr(start, '\n', (size_t)(p - 1 - start));
	return nl ? nl + 1 : start;
}

const char *log_next_line(const char *p, const char *end)
{
	const char *nl = memchr(p, '\n', (size_t)(end - p));

	return nl ? nl + 1 : end;
}

static struct kt_text line_at(const char *from, const char *to)
{
	size_t len = (size_t)(to - from);

	return (struct kt_text){from, len - (len && to[-1] == '\n')};
}

size_t log_widen(struct log_run *run, const char *lo, const char *hi, size_t limit)
{
	const char *a, *b, *pa, *pb;
	size_t added = 0;

	for (a = run->start, b = run->first_end; a > lo && added < limit; added++) {
		pa = log_line_before(a, lo);
		pb = log_line_before(b, run->start);
		if (!log_lines_equal(line_at(pa, a), line_at(pb, b)))
			break;
		a = pa;
		b = pb;
	}
	run->start = a;
	limit += added;
	for (a = run->last_start, b = run->end; b < hi && added < limit; added++) {
		pa = log_next_line(a, hi);
		pb = log_next_line(b, hi);
		if (!log_lines_equal(line_at(a, pa), line_at(b, pb)))
			break;
		a = pa;
		b = pb;
	}
	run->end = b;
	return added;
}

bool log_is_in_precision(const struct kt_line *l, struct kt_text rest)
{
	struct kt_text line;
	struct kt_line next;

	if (l->kind != KT_LINE_STATE || l->index_len || !kt_text_next_line(&rest, &line))
		return false;
	kt_line_read(line, &next);
	return next.kind == KT_LINE_PRECISION;
}

bool log_is_listing_title(struct kt_text line, enum kt_line_kind kind, struct kt_text rest)
{
	struct kt_line l;

	if (kind != KT_LINE_TEXT || !log_is_heading(line) || !kt_text_next_line(&rest, &line))
		return false;
	kt_line_read(line, &l);
	return l.kind == KT_LINE_TABLE;
}

/* Nothing follows "15: safe" and "53: (95) exit" but another branch. */
static bool ends_path(struct kt_text line, const struct kt_line *l)
{
	return l->kind == KT_LINE_SAFE ||
	       (l->kind == KT_LINE_INSN && line.len >= l->index_len + 4 &&
		memcmp(line.data + l->index_len, "(95)", 4) == 0);
}

/* All lines in a row that are no part of a repeat. */
static void take_fixed(struct log_scan *scan, struct log_node *n)
{
	n->flags = NODE_FIXED;
	while (scan->line.data && scan->fixed) {
		n->lines++;
		n->shown++;
		advance(scan);
	}
	scan->last_index = KT_LINE_NO_INDEX;
	scan->path_ended = false;
	n->end = scan->line.data ? scan->line.data : scan->end;
}

bool log_scan_next(struct log_scan *scan, struct log_node *ret)
{
	struct building b = {.node = ret};
	enum kt_line_kind kind;

	*ret = (struct log_node){.start = scan->line.data};
	if (!scan->line.data)
		return false;
	if (scan->fixed) {
		take_fixed(scan, ret);
		return true;
	}
	do {
		struct kt_text line = scan->line;
		struct kt_line l = scan->read;
		uint64_t token = scan->token;

		advance(scan);
		add_line(&b, token, l.kind, l.index_len);
		kind = l.kind;
		if (!is_ahead(line, kind, scan)) {
			add_own(scan, &b, line, &l, token);
			scan->path_ended = ends_path(line, &l);
			break;
		}
	} while (true);
	while (scan->line.data) {
		enum kt_line_kind next = scan->read.kind;

		if (scan->fixed)
			break;
		if (!hangs_on(next) && !(b.entry && is_of_entry(scan->line, next)) &&
		    !(kind == KT_LINE_TABLE &&
		      (next == kind || log_is_listing_title(scan->line, next, scan->rest))))
			break;
		if (next != KT_LINE_STATE)
			b.states = 0;
		else if (scan->path_ended && scan->read.index_len)
			break;
		else if (b.states++ == STATES)
			break;
		add_line(&b, scan->token, next, scan->read.index_len);
		advance(scan);
	}
	ret->end = scan->line.data ? scan->line.data : scan->end;
	return true;
}
