// SPDX-License-Identifier: LGPL-2.1-or-later
#include "logparse/collapse.h"

#include "logparse/cycle.h"
#include "logparse/loose.h"
#include "logparse/reduce.h"
#include "logparse/scan.h"
#include "logparse/similar.h"
#include "util/buf.h"
#include "util/cleanup.h"

/* Repeats within repeats; deeper ones are not collapsed. */
#define MAX_DEPTH 16

/*
 * Nodes that are compared by shape together; their number depends on the size of the input. Lines
 * that are equal are found in a window that fits a processor's cache. A longer period is found by
 * shape.
 */
#define MIN_NODES      16384
#define MAX_NODES      262144
#define BYTES_PER_NODE 640
#define EQUAL_NODES    4096

#define LOOKED_INTO 24 /* lines; repeats in a shorter text do not matter */

struct collapser {
	const struct kt_collapse_options *options;
	kt_sink_fn sink;
	void *arg;
	const char *protect; /* precision tracking from here on leads to the error */
	char last;           /* the byte that went out last */
	enum log_likeness likeness;
};

static struct kt_error *put(struct collapser *c, const char *from, const char *to)
{
	if (from == to)
		return NULL;
	c->last = to[-1];
	return c->sink(c->arg, (struct kt_text){from, (size_t)(to - from)});
}

static struct kt_error *mark(struct collapser *c, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static struct kt_error *mark(struct collapser *c, const char *fmt, ...)
{
	_cleanup_(kt_buf_deinit) struct kt_buf buf = KT_BUF_INIT;
	va_list ap;

	if (c->last != '\n')
		kt_buf_appendc(&buf, '\n');
	va_start(ap, fmt);
	kt_buf_vprintf(&buf, fmt, ap);
	va_end(ap);
	if (kt_buf_failed(&buf))
		return kt_error_no_memory();
	return put(c, buf.data, buf.data + buf.len);
}

/* --- Text that is not part of a repeat --- */

static struct kt_error *put_listing(struct collapser *c, const char *from, const char *to,
				    size_t rows)
{
	const char *second = log_next_line(from, to), *last = log_line_before(to, from);
	struct kt_error *err;

	err = mark(c, "--- %zux of the following 1 lines ---\n", rows);
	if (!err)
		err = put(c, from, second);
	if (!err)
		err = mark(c, "--- %zu similar iterations omitted, %zu lines ---\n", rows - 2,
			   rows - 2);
	if (!err)
		err = put(c, last, to);
	return err ? err : mark(c, "--- end repeat ---\n");
}

/* A block of precision tracking or a listing, shortened if it is long. */
static struct kt_error *put_block(struct collapser *c, enum kt_line_kind kind, const char *from,
				  const char *to, size_t n)
{
	if (kind == KT_LINE_PRECISION && n > PRECISION_SHOWN && !(c->protect && from >= c->protect))
		return mark(c, "--- %zu lines of precision tracking omitted ---\n", n);
	if (kind == KT_LINE_TABLE && n > LISTING_SHOWN)
		return put_listing(c, from, to, n);
	return put(c, from, to);
}

static struct kt_error *put_text(struct collapser *c, const char *from, const char *to)
{
	enum kt_line_kind kind = KT_LINE_TEXT;
	const char *block = from;
	struct kt_error *err;
	struct kt_text line, rest;
	size_t n = 0;

	if (c->options->keep_precision)
		return put(c, from, to);
	for (const char *p = from, *next; p < to; p = next) {
		struct kt_line l = {.kind = KT_LINE_TEXT};

		next = log_next_line(p, to);
		line = (struct kt_text){p, (size_t)(next - p - (next[-1] == '\n'))};
		/* A quick test of the first byte: most lines begin no block. */
		if (kind != KT_LINE_TEXT || (!(*p >= '0' && *p <= '9') && *p != ';'))
			kt_line_read(line, &l);
		rest = (struct kt_text){next, (size_t)(to - next)};
		if (kind == KT_LINE_TABLE && log_is_listing_title(line, l.kind, rest))
			l.kind = kind;
		if (kind == KT_LINE_PRECISION && log_is_in_precision(&l, rest))
			l.kind = kind;
		if (l.kind != KT_LINE_PRECISION && l.kind != KT_LINE_TABLE)
			l.kind = KT_LINE_TEXT;
		if (l.kind != kind) {
			err = put_block(c, kind, block, p, n);
			if (err)
				return err;
			block = p;
			kind = l.kind;
			n = 0;
		}
		n++;
	}
	return put_block(c, kind, block, to, n);
}

/* --- Repeats --- */

/*
 * The whole run of equal iterations, from its earliest start, in whole periods of at least
 * KT_CYCLE_MIN_PERIOD lines. False when that leaves too few.
 */
static bool settle_equal(struct log_run *r, const char *lo, const char *hi)
{
	size_t period = r->first_lines, all;

	all = r->count * period + log_widen(r, lo, hi, period);
	if (period < KT_CYCLE_MIN_PERIOD)
		period *= (KT_CYCLE_MIN_PERIOD + period - 1) / period;
	r->count = all / period;
	if (r->count < KT_CYCLE_MIN_COUNT)
		return false;
	for (size_t i = all - r->count * period; i--;)
		r->end = log_line_before(r->end, r->start);
	r->last_start = r->end;
	for (size_t i = period; i--;)
		r->last_start = log_line_before(r->last_start, r->start);
	r->first_end = r->start;
	for (size_t i = period; i--;)
		r->first_end = log_next_line(r->first_end, r->end);
	r->first_lines = r->last_lines = r->min = r->max = period;
	r->lines = r->count * period;
	return true;
}

static struct kt_error *collapse_text(struct collapser *c, const char *from, const char *to,
				      size_t lines, int depth);

static struct kt_error *put_repeat(struct collapser *c, const struct log_run *r, int depth)
{
	size_t omitted = r->lines - r->first_lines - r->last_lines;
	struct kt_error *err;

	if (run_min(r) == run_max(r))
		err = mark(c, "--- %zux of the following %zu lines ---\n", r->count, run_min(r));
	else
		err = mark(c, "--- %zux of the following %zu..%zu lines ---\n", r->count,
			   run_min(r), run_max(r));
	if (!err)
		err = collapse_text(c, r->start, r->first_end, r->first_lines, depth + 1);
	if (!err)
		err = r->unlike
			      ? mark(c, "--- %zu similar iterations omitted, %zu lines ---\n",
				     r->count - 2, omitted)
			      : mark(c, "--- %zu identical iterations omitted ---\n", r->count - 2);
	if (!err)
		err = collapse_text(c, r->last_start, r->end, r->last_lines, depth + 1);
	return err ? err : mark(c, "--- end repeat ---\n");
}

/* Text that is no repeat, but may have repeats in it. */
static struct kt_error *put_inside(struct collapser *c, const struct log_run *r, int depth)
{
	struct kt_error *err;

	err = collapse_text(c, r->start, r->first_end, r->first_lines, depth + 1);
	if (err || r->count == 1)
		return err;
	return collapse_text(c, r->last_start, r->end, r->last_lines, depth + 1);
}

/*
 * How a run is shown. A run that is worth it becomes a repeat. Else, if it has one or two
 * iterations, they are searched for repeats of their own. lo..hi is the text around it that is in
 * no other run.
 */
enum fate { FATE_TEXT, FATE_REPEAT, FATE_INSIDE };

static enum fate settle(struct log_run *r, const char *lo, const char *hi)
{
	struct log_run equal = *r;

	if (r->count >= 2 && !r->unlike && settle_equal(&equal, lo, hi)) {
		*r = equal;
		return FATE_REPEAT;
	}
	if (r->count >= 3 && r->unlike && r->first_lines + r->last_lines + 3 < r->lines)
		return FATE_REPEAT;
	return r->count <= 2 && r->lines > LOOKED_INTO ? FATE_INSIDE : FATE_TEXT;
}

/* The text from lo to hi, in which runs were found. */
static struct kt_error *put_repeats(struct collapser *c, const struct log_runs *runs,
				    const char *lo, const char *hi, int depth)
{
	struct kt_error *err = NULL;
	const char *at = lo;

	for (size_t i = 0; !err && i < runs->v.len; i++) {
		struct log_run r = runs->v.data[i];
		const char *next = i + 1 < runs->v.len ? runs->v.data[i + 1].start : hi;
		enum fate fate;

		if (r.start < at)
			continue; /* a part of the run before */
		fate = settle(&r, at, next);
		if (fate == FATE_TEXT)
			continue;
		err = put_text(c, at, r.start);
		if (!err)
			err = fate == FATE_REPEAT ? put_repeat(c, &r, depth)
						  : put_inside(c, &r, depth);
		at = r.end;
	}
	return err ? err : put_text(c, at, hi);
}

static struct kt_error *put_found(struct collapser *c, const struct log_list *list, int depth)
{
	struct log_runs runs = {0};
	struct kt_error *err;

	err = log_find_repeats(list, c->likeness, &runs);
	if (!err)
		err = put_repeats(c, &runs, list->nodes[0].start, list->end, depth);
	kt_vec_free(&runs.v);
	return err;
}

/* The same with unrolled copies reduced. */
static struct kt_error *put_loosely(struct collapser *c, const struct log_list *list, int depth)
{
	_cleanup_(reducer_deinit) struct reducer loose = {0};
	struct kt_error *err;
	struct log_list reduced;

	err = reducer_init(&loose, list->n, true);
	if (err)
		return err;
	for (size_t i = 0; i < list->n; i++) {
		struct log_node node = list->nodes[i];

		node.shape = node_loose_shape(&node);
		reducer_push(&loose, &node, list_loop(list, i));
	}
	reducer_settle(&loose);
	reduced = reducer_oldest(&loose, loose.len, list->end);
	return put_found(c, &reduced, depth);
}

/*
 * The same without the loops that are alike: so every visit to a place within them can be
 * the beginning of an iteration, and nested loops are one.
 */
static struct kt_error *put_flat(struct collapser *c, const struct log_list *list, int depth)
{
	_cleanup_(reducer_deinit) struct reducer equal = {0};
	const char *start = list->nodes[0].start;
	struct log_list flat;
	struct kt_error *err;
	struct log_scan scan;
	struct log_node node;

	err = reducer_init(&equal, MIN_NODES, false);
	if (err)
		return err;
	log_scan_init(&scan, (struct kt_text){start, (size_t)(list->end - start)}, false);
	while (log_scan_next(&scan, &node)) {
		if (reducer_full(&equal))
			return put_found(c, list, depth);
		reducer_push(&equal, &node, NULL);
	}
	reducer_settle(&equal);
	flat = reducer_oldest(&equal, equal.len, list->end);
	return put_found(c, &flat, depth);
}

static struct kt_error *put_nodes(struct collapser *c, const struct log_list *list, int depth)
{
	if (!list->n)
		return NULL;
	switch (c->likeness) {
	case LOG_FLAT: return put_flat(c, list, depth);
	case LOG_ANYTHING:
	case LOG_NO_NUMBERS: return put_loosely(c, list, depth);
	default: return put_found(c, list, depth);
	}
}

/* --- How much has to be taken for alike, so that what is left can be read --- */

#define READABLE_LINES 300
#define READABLE_PART  100 /* of the log, what is more */

/*
 * A sink that keeps its input, and gives up if that has too many lines. What comes from the log is
 * kept as where it is, so that who gets it in the end can tell it from marks.
 */
struct attempt_piece {
	const char *data; /* in the log; NULL: a mark, the next in `marks` */
	size_t len;
};

struct attempt {
	KT_VEC(struct attempt_piece) pieces;
	struct kt_buf marks;
	struct kt_text log;
	size_t bytes, lines, limit;
	size_t max_bytes;
};

static void attempt_deinit(struct attempt *attempt)
{
	kt_vec_free(&attempt->pieces);
	kt_buf_deinit(&attempt->marks);
}

static struct kt_error *keep_lines(void *arg, struct kt_text piece)
{
	struct attempt *attempt = arg;
	struct attempt_piece kept = {piece.data, piece.len};
	bool mark = piece.data < attempt->log.data ||
		    piece.data >= attempt->log.data + attempt->log.len;

	if (piece.len > attempt->max_bytes - attempt->bytes)
		return kt_error_new(KT_ERROR_CANCELLED, "too many bytes");
	attempt->bytes += piece.len;
	attempt->lines += kt_text_count_lines(piece);
	if (attempt->lines > attempt->limit)
		return kt_error_new(KT_ERROR_CANCELLED, "too many lines");
	if (mark) {
		kept.data = NULL;
		kt_buf_append(&attempt->marks, piece.data, piece.len);
	}
	if (kt_buf_failed(&attempt->marks) || !kt_vec_push(&attempt->pieces, kept))
		return kt_error_no_memory();
	return NULL;
}

static struct kt_error *put_attempt(struct collapser *c, const struct attempt *attempt)
{
	const char *marks = attempt->marks.data;
	struct kt_error *err = NULL;

	for (size_t i = 0; i < attempt->pieces.len && !err; i++) {
		const struct attempt_piece *piece = &attempt->pieces.data[i];

		err = put(c, piece->data ? piece->data : marks,
			  (piece->data ? piece->data : marks) + piece->len);
		if (!piece->data)
			marks += piece->len;
	}
	return err;
}

/* The largest part of the log that is kept for that. */
#define KEPT_PART  8
#define KEPT_BYTES 65536

/* Too long to look for the shortest. */
#define HOPELESS 16 /* times what is readable */

/* Tries c's likeness. Replaces *better if the output has fewer lines. */
static struct kt_error *try_nodes(const struct collapser *c, const struct log_list *list,
				  struct attempt *better)
{
	_cleanup_error_ struct kt_error *err = NULL;
	struct attempt attempt = {
		.limit = better->lines - 1,
		.max_bytes = better->max_bytes,
		.log = {list->nodes[0].start, (size_t)(list->end - list->nodes[0].start)},
	};
	struct collapser dry = *c;

	dry.sink = keep_lines;
	dry.arg = &attempt;
	err = put_nodes(&dry, list, 0);
	if (!err) {
		attempt_deinit(better);
		*better = attempt;
		return NULL;
	}
	attempt_deinit(&attempt);
	return kt_error_code(err) == KT_ERROR_CANCELLED ? NULL : kt_take_ptr(err);
}

/* Uses the first likeness whose output is readable, or else the one with the shortest output. */
static struct kt_error *put_readable(struct collapser *c, const struct log_list *list)
{
	struct attempt best = {0};
	struct kt_error *err = NULL;
	size_t lines = 0, readable, places = 0;

	for (size_t i = 0; i < list->n; i++) {
		lines += list->nodes[i].lines;
		places += list->nodes[i].key != 0;
	}
	c->likeness = LOG_ALIKE;
	readable = lines / READABLE_PART < READABLE_LINES ? READABLE_LINES : lines / READABLE_PART;
	if (places < list->n / 2 || lines <= readable)
		return put_nodes(c, list, 0); /* no walk to be alike, or short as it is */
	best.max_bytes = (size_t)(list->end - list->nodes[0].start) / KEPT_PART + KEPT_BYTES;
	best.lines = HOPELESS * readable + 1;
	for (; !err && c->likeness < LOG_N_LIKENESSES && best.lines > readable; c->likeness++)
		err = try_nodes(c, list, &best);
	c->likeness = LOG_FLAT;
	if (!err)
		err = best.pieces.len ? put_attempt(c, &best) : put_nodes(c, list, 0);
	attempt_deinit(&best);
	return err;
}

static struct kt_error *put_reduced(struct collapser *c, const struct log_list *list, int depth)
{
	return depth ? put_nodes(c, list, depth) : put_readable(c, list);
}

/* --- From the text to nodes: equal ones are reduced first, and those by shape --- */

/* Moves the n oldest nodes of `equal` to `alike`. If that is full, its oldest go to the output. */
static struct kt_error *hand_on(struct collapser *c, struct reducer *equal, struct reducer *alike,
				size_t n, int depth)
{
	const struct log_list list = reducer_oldest(equal, n, NULL);
	struct log_list out;
	struct kt_error *err;

	for (size_t i = 0; i < n; i++) {
		if (reducer_full(alike)) {
			size_t last;

			reducer_settle(alike);
			last = alike->len - 1; /* may be a loop that goes on */
			out = reducer_oldest(alike, last, alike->stack[last].start);
			err = put_reduced(c, &out, depth);
			if (err)
				return err;
			reducer_drop(alike, last);
		}
		reducer_push(alike, &list.nodes[i], list_loop(&list, i));
	}
	reducer_drop(equal, n);
	return NULL;
}

/* Writes everything that is left, up to `end`. */
static struct kt_error *flush(struct collapser *c, struct reducer *equal, struct reducer *alike,
			      const char *end, int depth)
{
	struct log_list list;
	struct kt_error *err;

	reducer_settle(equal);
	err = hand_on(c, equal, alike, equal->len, depth);
	if (err)
		return err;
	reducer_settle(alike);
	if (!alike->len)
		return NULL;
	list = reducer_oldest(alike, alike->len, end);
	err = put_reduced(c, &list, depth);
	reducer_drop(alike, alike->len);
	return err;
}

static struct kt_error *reduce_text(struct collapser *c, struct reducer *equal,
				    struct reducer *alike, struct kt_text text, int depth)
{
	struct kt_error *err = NULL;
	struct log_scan scan;
	struct log_node node;

	log_scan_init(&scan, text, depth == 0);
	while (!err && log_scan_next(&scan, &node)) {
		if (node.flags & NODE_FIXED) {
			err = flush(c, equal, alike, node.start, depth);
			if (!err)
				err = put(c, node.start, node.end);
			continue;
		}
		if (reducer_full(equal)) {
			reducer_settle(equal);
			err = hand_on(c, equal, alike, equal->len / 2, depth);
		}
		if (!err)
			reducer_push(equal, &node, NULL);
	}
	return err ? err : flush(c, equal, alike, text.data + text.len, depth);
}

static struct kt_error *collapse_text(struct collapser *c, const char *from, const char *to,
				      size_t lines, int depth)
{
	_cleanup_(reducer_deinit) struct reducer equal = {0}, alike = {0};
	size_t len = (size_t)(to - from), cap = len / BYTES_PER_NODE;
	struct kt_error *err;

	if (lines < 2 * KT_CYCLE_MIN_PERIOD || depth > MAX_DEPTH)
		return put_text(c, from, to);
	cap = cap < MIN_NODES ? MIN_NODES : cap > MAX_NODES ? MAX_NODES : cap;
	cap >>= depth < 4 ? depth : 4; /* those outside are still held */
	if (cap > lines + 2)
		cap = lines + 2;
	err = reducer_init(&equal, cap < EQUAL_NODES ? cap : EQUAL_NODES, false);
	if (!err)
		err = reducer_init(&alike, cap, true);
	return err ? err : reduce_text(c, &equal, &alike, (struct kt_text){from, len}, depth);
}

/* --- The whole log --- */

/*
 * The block of precision tracking before the error, or NULL. There is an error if the log ends in
 * other lines than those that the verifier prints for every program.
 */
static const char *before_error(const char *from, const char *to)
{
	const char *p = to, *line, *block = NULL;
	bool error = false;

	for (int i = 0; p > from && i < 64; p = line, i++) {
		struct kt_text text;
		struct kt_line l;

		line = log_line_before(p, from);
		text = (struct kt_text){line, (size_t)(p - line)};
		text.len -= text.data[text.len - 1] == '\n';
		kt_line_read(text, &l);
		if (l.kind != KT_LINE_TEXT && l.kind != KT_LINE_BLANK && l.kind != KT_LINE_STATE)
			break;
		error = l.kind == KT_LINE_TEXT &&
			!kt_text_starts_with(text, KT_TEXT("processed ")) &&
			!kt_text_starts_with(text, KT_TEXT("verification time ")) &&
			!kt_text_starts_with(text, KT_TEXT("stack depth ")) &&
			!kt_text_starts_with(text, KT_TEXT("insns processed ")) &&
			!kt_text_starts_with(text, KT_TEXT("subprog "));
	}
	while (error && p > from) {
		struct kt_line l;

		line = log_line_before(p, from);
		kt_line_read((struct kt_text){line, (size_t)(p - line)}, &l);
		if (l.kind == KT_LINE_PRECISION)
			block = line;
		else if (l.kind != KT_LINE_STATE || l.index_len) /* which 5.10 has in there */
			break;
		p = line;
	}
	return block;
}

struct kt_error *kt_collapse_cycles_to(struct kt_text log,
				       const struct kt_collapse_options *options, kt_sink_fn sink,
				       void *arg)
{
	static const struct kt_collapse_options plain;
	struct collapser c = {
		.options = options ? options : &plain,
		.sink = sink,
		.arg = arg,
		.last = '\n',
	};

	if (!log.len)
		return NULL;
	c.protect = before_error(log.data, log.data + log.len);
	return collapse_text(&c, log.data, log.data + log.len, log.len, 0);
}

struct kt_error *kt_sink_append(void *buf, struct kt_text piece)
{
	kt_buf_append(buf, piece.data, piece.len);
	return kt_buf_failed(buf) ? kt_error_no_memory() : NULL;
}

struct kt_error *kt_collapse_cycles(struct kt_text log, const struct kt_collapse_options *options,
				    char **ret, size_t *ret_len)
{
	_cleanup_(kt_buf_deinit) struct kt_buf buf = KT_BUF_INIT;
	struct kt_error *err;
	size_t len;

	err = kt_collapse_cycles_to(log, options, kt_sink_append, &buf);
	if (err)
		return err;
	len = buf.len;
	err = kt_buf_finish(&buf, ret);
	if (!err)
		*ret_len = len;
	return err;
}
