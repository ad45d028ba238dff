// SPDX-License-Identifier: LGPL-2.1-or-later
#include "logparse/reduce.h"

#include <stdlib.h>

#include "logparse/loop.h"

/* How far a node looks back for an equal node, and for a loop that it may end. */
#define MAX_TRIES 4
#define MAX_LOOPS 4

struct kt_error *reducer_init(struct reducer *r, size_t cap, bool by_shape)
{
	size_t slots = 16;

	while (slots < cap)
		slots *= 2;
	*r = (struct reducer){.cap = cap, .by_shape = by_shape, .table_mask = slots - 1};
	r->stack = malloc(cap * sizeof(*r->stack));
	r->loops = malloc(cap * sizeof(*r->loops));
	r->free_loops = malloc(cap * sizeof(*r->free_loops));
	r->table = calloc(slots, sizeof(*r->table));
	r->power = malloc((cap + 1) * sizeof(*r->power));
	if (!r->stack || !r->loops || !r->free_loops || !r->table || !r->power) {
		reducer_deinit(r);
		return kt_error_no_memory();
	}
	r->power[0] = 1;
	r->n_power = 1;
	return NULL;
}

void reducer_deinit(struct reducer *r)
{
	free(r->stack);
	free(r->loops);
	free(r->free_loops);
	free(r->table);
	free(r->power);
	*r = (struct reducer){0};
}

static struct log_loop *loop_of(struct reducer *r, const struct log_node *node)
{
	return node->loop ? &r->loops[node->loop - 1] : NULL;
}

/* Nodes are looked up together with those before, GRAM in all: most have one like them. */
#define GRAM 4

static uint32_t *slot(struct reducer *r, const struct log_node *node)
{
	uint64_t gram = node->hash;

	if (node - r->stack >= GRAM)
		gram -= node[-GRAM].hash * r->power[GRAM];
	gram ^= gram >> 32;
	return &r->table[gram & r->table_mask];
}

static uint64_t class_of(const struct reducer *r, const struct log_node *node,
			 const struct log_loop *loop)
{
	return r->by_shape ? node->shape : loop ? node_mix(loop->body, NODE_LOOP) : node->exact;
}

/* Puts a node on top as it is. */
static void put(struct reducer *r, const struct log_node *node, const struct log_loop *loop)
{
	static const struct log_node ground;
	const struct log_node *below = r->len ? &r->stack[r->len - 1] : &ground;
	struct log_node *n = &r->stack[r->len];
	uint32_t *head;

	*n = *node;
	n->loop = 0;
	if (loop) {
		n->loop = r->n_free ? r->free_loops[--r->n_free] : (uint32_t)++r->n_loops;
		r->loops[n->loop - 1] = *loop;
	}
	n->cls = class_of(r, n, loop);
	n->hash = below->hash * NODE_BASE + n->cls;
	head = slot(r, n);
	n->same = *head;
	n->below = below->loop ? (uint32_t)r->len : below->below;
	n->pops = below->pops + !!(n->flags & NODE_POP);
	n->leaders = below->leaders + !!(n->flags & NODE_LEADER);
	*head = (uint32_t)++r->len;
	for (; r->n_power <= r->len; r->n_power++)
		r->power[r->n_power] = r->power[r->n_power - 1] * NODE_BASE;
}

static void take_off(struct reducer *r, size_t n)
{
	while (n--) {
		struct log_node *top = &r->stack[--r->len];

		*slot(r, top) = top->same;
		if (top->loop)
			r->free_loops[r->n_free++] = top->loop;
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
	struct log_run run;
	size_t shown;
	uint64_t exact;
};

static struct iteration iteration_of_nodes(const struct log_node *nodes, size_t n)
{
	struct iteration it = {.exact = n};
	size_t lines = 0;

	for (size_t i = 0; i < n; i++) {
		lines += nodes[i].lines;
		it.shown += nodes[i].shown;
		it.exact = node_mix(it.exact, nodes[i].exact);
	}
	it.run = run_of_one(nodes[0].start, nodes[n - 1].end, lines);
	return it;
}

static struct iteration iteration_of(const struct reducer *r, size_t first, size_t n)
{
	return iteration_of_nodes(&r->stack[first], n);
}

/* The n nodes are an iteration of the loop that is on top now: the next will be like it. */
static void foresee(struct reducer *r, const struct log_node *nodes, size_t n)
{
	r->n_foreseen = 0;
	if (n > MAX_FORESEEN || loop_of(r, &r->stack[r->len - 1])->nested)
		return;
	for (size_t i = 0; i < n; i++)
		r->foreseen[i] = nodes[i].cls;
	r->n_foreseen = n;
}

/* The node of a loop whose run has grown at its end. */
static void grow_node(struct log_node *node, const struct log_loop *loop, uint64_t exact)
{
	node->lines = loop->run.lines;
	node->end = loop->run.end;
	node->exact = node_mix(node->exact, exact);
}

static void add_iteration(struct log_loop *loop, const struct iteration *it)
{
	run_append(&loop->run, &it->run);
	if (it->exact != loop->iteration)
		loop->run.unlike = true;
}

/* Adds the iterations of a loop that follows; both are split already. */
static void add_loop(struct log_loop *loop, const struct log_loop *next)
{
	if (next->core.count > loop->core.count) {
		loop->core = next->core;
		loop->in_core = next->in_core;
	}
	run_append(&loop->run, &next->run);
	if (next->iteration != loop->iteration)
		loop->run.unlike = true;
}

/* Loops side by side that compare equal are one. */
static bool merge_loops(struct reducer *r)
{
	struct log_node *top = &r->stack[r->len - 1], *below = top - 1;
	struct log_loop *a, *b;

	if (r->len < 2 || !top->loop || !below->loop || top->cls != below->cls)
		return false;
	a = loop_of(r, below);
	b = loop_of(r, top);
	loop_split(a);
	loop_split(b);
	add_loop(a, b);
	grow_node(below, a, top->exact);
	take_off(r, 1);
	return true;
}

/* The nodes below a loop on top may be its first iteration. */
static bool prepend_iteration(struct reducer *r)
{
	struct log_node node = r->stack[r->len - 1];
	struct log_loop loop, *next = loop_of(r, &node);
	struct iteration it;
	size_t n, first;

	if (!next || r->len - 1 < next->body_len)
		return false;
	n = next->body_len;
	first = r->len - 1 - n;
	if (window(r, first, n) != next->body)
		return false;
	loop_split(next);
	it = iteration_of(r, first, n);
	loop = *next;
	loop.run = it.run;
	loop.iteration = it.exact;
	add_loop(&loop, next);
	node.start = it.run.start;
	grow_node(&node, &loop, it.exact);
	take_off(r, n + 1);
	put(r, &node, &loop);
	return true;
}

/* The top nodes may be one more iteration of a loop just below them. */
static bool extend_loop(struct reducer *r)
{
	uint32_t at = r->stack[r->len - 1].below;

	for (int i = 0; at && i < MAX_LOOPS; i++) {
		struct log_node *node = &r->stack[at - 1];
		struct log_loop *loop = loop_of(r, node);
		size_t n = r->len - at;

		if (n == loop->body_len && window(r, at, n) == loop->body) {
			struct iteration it = iteration_of(r, at, n);

			loop_split(loop);
			add_iteration(loop, &it);
			grow_node(node, loop, it.exact);
			take_off(r, n);
			foresee(r, &r->stack[at], n);
			return true;
		}
		at = node->below;
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
	struct log_loop loop = {
		.run = a.run,
		.iteration = a.exact,
		.body = window(r, second, n),
		.body_len = (uint32_t)n,
	};
	struct log_node node = {
		.start = a.run.start,
		.exact = a.exact,
		.key = r->stack[second].key,
		.shown = a.shown + b.shown + 3,
		.flags = r->stack[second].flags & (NODE_POP | NODE_LEADER | NODE_STEP),
	};

	for (size_t i = second; i < r->len; i++) {
		loop.shapes = loop.shapes * NODE_BASE + r->stack[i].shape;
		loop.nested |= r->stack[i].loop > 0;
	}
	node.shape = node_mix(loop.shapes, NODE_LOOP);
	add_iteration(&loop, &b);
	grow_node(&node, &loop, b.exact);
	take_off(r, 2 * n);
	put(r, &node, &loop);
	if (n > 1)
		foresee(r, &r->stack[first + n], n);
}

/* Makes the n nodes on top and the n before them a loop if they are equal. */
static bool try_loop(struct reducer *r, size_t n)
{
	if (window(r, r->len - n, n) != window(r, r->len - 2 * n, n) ||
	    !begins_well(r, r->len - n, n))
		return false;
	make_loop(r, n);
	return true;
}

/* Two equal stretches on top become a loop; the shortest that there are. */
static bool find_loop(struct reducer *r)
{
	size_t top = r->len - 1, n;
	const struct log_node *s = r->stack;

	if (s[top].loop)
		return false; /* merge_loops() does that for a loop of loops */
	for (n = 1; n < GRAM && 2 * n <= r->len; n++)
		if (s[top].cls == s[top - n].cls && try_loop(r, n))
			return true;
	n = s[top].same ? top + 1 - s[top].same : SIZE_MAX;
	for (int i = 0; n <= r->len / 2 && i < MAX_TRIES; i++) {
		uint32_t before = s[top - n].same;

		if (s[top].cls == s[top - n].cls && n >= GRAM && try_loop(r, n))
			return true;
		if (!before)
			return false;
		n = top + 1 - before;
	}
	return false;
}

/* Makes a loop of equal iterations one that is compared by shape. */
static void make_comparable(struct log_node *node, struct log_loop *loop)
{
	if (!loop->run.unlike && !loop->in_core) {
		loop->core = loop->run;
		loop->in_core = loop->run.count;
	}
	loop_find_root(loop);
	node->shape = node_mix(loop->body, NODE_LOOP);
}

static void push(struct reducer *r, const struct log_node *node, const struct log_loop *loop)
{
	r->n_foreseen = 0;
	put(r, node, loop);
	while (merge_loops(r) || prepend_iteration(r) || extend_loop(r) || find_loop(r))
		;
}

/* The nodes that were foreseen are not a whole iteration. */
void reducer_settle(struct reducer *r)
{
	size_t n = r->n_ahead;

	r->n_ahead = 0;
	for (size_t i = 0; i < n; i++)
		push(r, &r->ahead[i], NULL);
}

/* The next node of a foreseen iteration. The last one of it adds an iteration to the loop. */
static void go_ahead(struct reducer *r, const struct log_node *node)
{
	struct log_node *top = &r->stack[r->len - 1];
	struct log_loop *loop;
	struct iteration it;

	r->ahead[r->n_ahead++] = *node;
	if (r->n_ahead < r->n_foreseen)
		return;
	r->n_ahead = 0;
	loop = loop_of(r, top);
	it = iteration_of_nodes(r->ahead, r->n_foreseen);
	loop_split(loop);
	add_iteration(loop, &it);
	grow_node(top, loop, it.exact);
}

void reducer_push(struct reducer *r, const struct log_node *node, const struct log_loop *loop)
{
	struct log_node n;
	struct log_loop l;

	if (!loop && r->n_foreseen && class_of(r, node, NULL) == r->foreseen[r->n_ahead]) {
		go_ahead(r, node);
		return;
	}
	if (r->n_ahead)
		reducer_settle(r);
	if (!loop || !r->by_shape) {
		push(r, node, loop);
		return;
	}
	n = *node;
	l = *loop;
	make_comparable(&n, &l);
	push(r, &n, &l);
}

struct log_list reducer_oldest(const struct reducer *r, size_t n, const char *end)
{
	return (struct log_list){r->stack, n, r->loops, end};
}

void reducer_drop(struct reducer *r, size_t n)
{
	size_t left = r->len - n;

	r->n_foreseen = 0;
	for (size_t i = 0; i < n; i++)
		if (r->stack[i].loop)
			r->free_loops[r->n_free++] = r->stack[i].loop;
	for (size_t i = r->len; i--;)
		*slot(r, &r->stack[i]) = 0;
	memmove(r->stack, r->stack + n, left * sizeof(*r->stack));
	r->len = 0;
	if (!left)
		r->n_loops = r->n_free = 0;
	for (size_t i = 0; i < left; i++) {
		struct log_node node = r->stack[i];
		struct log_loop loop;

		if (!node.loop) {
			put(r, &node, NULL);
			continue;
		}
		loop = *loop_of(r, &node);
		r->free_loops[r->n_free++] = node.loop;
		put(r, &node, &loop);
	}
}
