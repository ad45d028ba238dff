// SPDX-License-Identifier: LGPL-2.1-or-later
#include "logparse/reduce.h"

#include <stdlib.h>

/* How far a node looks back for its like, and for a loop that it may be the end of. */
#define MAX_TRIES 32
#define MAX_LOOPS 8

struct kt_error *reducer_init(struct reducer *r, size_t cap, bool by_shape)
{
	size_t slots = 16;

	while (slots < cap)
		slots *= 2;
	*r = (struct reducer){.cap = cap, .by_shape = by_shape, .table_mask = slots - 1};
	r->stack = malloc(cap * sizeof(*r->stack));
	r->table = calloc(slots, sizeof(*r->table));
	r->power = malloc((cap / 2 + 2) * sizeof(*r->power));
	if (!r->stack || !r->table || !r->power) {
		reducer_deinit(r);
		return kt_error_no_memory();
	}
	r->power[0] = 1;
	for (size_t i = 1; i < cap / 2 + 2; i++)
		r->power[i] = r->power[i - 1] * NODE_BASE;
	return NULL;
}

void reducer_deinit(struct reducer *r)
{
	free(r->stack);
	free(r->table);
	free(r->power);
	*r = (struct reducer){0};
}

static uint32_t *slot(struct reducer *r, uint64_t cls)
{
	return &r->table[(cls ^ cls >> 32) & r->table_mask];
}

/* Puts a node on top as it is. */
static void put(struct reducer *r, const struct log_node *node)
{
	static const struct log_node ground;
	const struct log_node *below = r->len ? &r->stack[r->len - 1] : &ground;
	struct log_node *n = &r->stack[r->len];
	uint32_t *head;

	*n = *node;
	if (r->by_shape)
		node_find_root(n);
	n->cls = r->by_shape ? n->shape : n->count ? node_mix(n->body, NODE_LOOP) : n->exact;
	head = slot(r, n->cls);
	n->same = *head;
	n->hash = below->hash * NODE_BASE + n->cls;
	n->loop = r->len && below->count ? (uint32_t)r->len : below->loop;
	n->pops = below->pops + !!(n->flags & NODE_POP);
	n->leaders = below->leaders + !!(n->flags & NODE_LEADER);
	*head = (uint32_t)++r->len;
}

static void take_off(struct reducer *r, size_t n)
{
	while (n--) {
		struct log_node *top = &r->stack[--r->len];

		*slot(r, top->cls) = top->same;
	}
}

/* The hash of the nodes from first on, n of them. */
static uint64_t window(const struct reducer *r, size_t first, size_t n)
{
	uint64_t before = first ? r->stack[first - 1].hash : 0;

	return r->stack[first + n - 1].hash - before * r->power[n];
}

/* One iteration: the nodes from first on, n of them. */
struct iteration {
	size_t lines, shown;
	uint64_t exact;
};

static struct iteration iteration_of(const struct reducer *r, size_t first, size_t n)
{
	struct iteration it = {.exact = n};

	for (size_t i = first; i < first + n; i++) {
		it.lines += r->stack[i].lines;
		it.shown += r->stack[i].shown;
		it.exact = node_mix(it.exact, r->stack[i].exact);
	}
	return it;
}

/* Adds one more iteration to a loop. */
static void extend(struct log_node *loop, const struct iteration *it, const char *start,
		   const char *end)
{
	loop->count++;
	loop->lines += it->lines;
	loop->exact = node_mix(loop->exact, it->exact);
	if (it->exact != loop->iteration)
		loop->flags |= NODE_UNLIKE;
	loop->last_start = start;
	loop->end = end;
	loop->last_lines = it->lines;
	if (it->lines < loop->min)
		loop->min = it->lines;
	if (it->lines > loop->max)
		loop->max = it->lines;
}

/* Adds the iterations of a loop that follows. */
static void append_loop(struct log_node *loop, const struct log_node *next)
{
	loop->count += next->count;
	loop->lines += next->lines;
	loop->exact = node_mix(loop->exact, next->exact);
	loop->flags |= next->flags & NODE_UNLIKE;
	if (next->iteration != loop->iteration)
		loop->flags |= NODE_UNLIKE;
	loop->last_start = next->last_start;
	loop->end = next->end;
	loop->last_lines = next->last_lines;
	if (next->min < loop->min)
		loop->min = next->min;
	if (next->max > loop->max)
		loop->max = next->max;
}

/* Loops side by side that compare equal are one. */
static bool merge_loops(struct reducer *r)
{
	struct log_node *top, *below;

	if (r->len < 2)
		return false;
	top = &r->stack[r->len - 1];
	below = top - 1;
	if (!top->count || !below->count || top->cls != below->cls)
		return false;
	node_split(top);
	node_split(below);
	append_loop(below, top);
	take_off(r, 1);
	return true;
}

/* The nodes below a loop on top may be its first iteration. */
static bool prepend_iteration(struct reducer *r)
{
	struct log_node loop = r->stack[r->len - 1], whole;
	size_t n = loop.body_len, first;
	struct iteration it;

	if (!loop.count || r->len - 1 < n)
		return false;
	first = r->len - 1 - n;
	if (window(r, first, n) != loop.body)
		return false;
	node_split(&loop);
	it = iteration_of(r, first, n);
	whole = loop;
	whole.start = r->stack[first].start;
	whole.first_end = loop.start;
	whole.exact = node_mix(it.exact, n);
	whole.iteration = it.exact;
	whole.lines = whole.min = whole.max = whole.first_lines = it.lines;
	whole.count = 1;
	append_loop(&whole, &loop);
	take_off(r, n + 1);
	put(r, &whole);
	return true;
}

/* The top nodes may be one more iteration of a loop just below them. */
static bool extend_loop(struct reducer *r)
{
	uint32_t at = r->stack[r->len - 1].loop;

	for (int i = 0; at && i < MAX_LOOPS; i++) {
		struct log_node *loop = &r->stack[at - 1];
		size_t n = r->len - at;

		if (n == loop->body_len && window(r, at, n) == loop->body) {
			struct iteration it = iteration_of(r, at, n);

			node_split(loop);
			extend(loop, &it, r->stack[at].start, r->stack[r->len - 1].end);
			take_off(r, n);
			return true;
		}
		at = loop->loop;
	}
	return false;
}

/*
 * Where an iteration may begin: at a branch that was taken up, if it has one; else at an
 * instruction that was jumped to, if it has one. The same loop is so cut at the same place,
 * wherever in it the walk began.
 */
static bool begins_well(const struct reducer *r, size_t first, size_t n)
{
	const struct log_node *a = &r->stack[first], *z = &r->stack[first + n - 1];

	if (z->pops - a->pops + !!(a->flags & NODE_POP))
		return a->flags & NODE_POP;
	if (z->leaders - a->leaders + !!(a->flags & NODE_LEADER))
		return a->flags & NODE_LEADER;
	return true;
}

static void make_loop(struct reducer *r, size_t n)
{
	size_t first = r->len - 2 * n, second = r->len - n;
	struct iteration a = iteration_of(r, first, n), b = iteration_of(r, second, n);
	struct log_node loop = {
		.start = r->stack[first].start,
		.exact = node_mix(a.exact, n),
		.key = r->stack[second].key,
		.lines = a.lines,
		.shown = a.shown + b.shown + 3,
		.flags = r->stack[second].flags & (NODE_POP | NODE_LEADER | NODE_STEP),
		.count = 1,
		.body_len = (uint32_t)n,
		.body = window(r, second, n),
		.iteration = a.exact,
		.first_end = r->stack[second].start,
		.min = a.lines,
		.max = a.lines,
		.first_lines = a.lines,
	};

	for (size_t i = second; i < r->len; i++) {
		loop.body_shape = loop.body_shape * NODE_BASE + r->stack[i].shape;
		if (r->stack[i].count)
			loop.flags |= NODE_NESTED;
	}
	loop.shape = node_mix(loop.body_shape, NODE_LOOP);
	extend(&loop, &b, loop.first_end, r->stack[r->len - 1].end);
	take_off(r, 2 * n);
	put(r, &loop);
}

/* Two equal stretches on top become a loop; the shortest that there are. */
static bool find_loop(struct reducer *r)
{
	size_t top = r->len - 1;
	uint64_t cls = r->stack[top].cls;
	uint32_t at = r->stack[top].same;

	if (r->stack[top].count)
		return false; /* a loop of loops is what merge_loops() makes one of */
	for (int i = 0; at && i < MAX_TRIES; at = r->stack[at - 1].same) {
		size_t n = top - (at - 1);

		if (2 * n > r->len)
			return false;
		if (r->stack[at - 1].cls != cls)
			continue;
		i++;
		if (begins_well(r, r->len - n, n) &&
		    window(r, r->len - n, n) == window(r, r->len - 2 * n, n)) {
			make_loop(r, n);
			return true;
		}
	}
	return false;
}

void reducer_push(struct reducer *r, const struct log_node *node)
{
	put(r, node);
	if (node->flags & NODE_FIXED)
		return;
	while (merge_loops(r) || prepend_iteration(r) || extend_loop(r) || find_loop(r))
		;
}

void reducer_drop(struct reducer *r, size_t n)
{
	size_t left = r->len - n;

	memset(r->table, 0, (r->table_mask + 1) * sizeof(*r->table));
	memmove(r->stack, r->stack + n, left * sizeof(*r->stack));
	r->len = 0;
	for (size_t i = 0; i < left; i++) {
		struct log_node node = r->stack[i];

		put(r, &node);
	}
}
