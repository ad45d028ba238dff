// SPDX-License-Identifier: LGPL-2.1-or-later
/* Reachability within one function: immediate postdominators, found as by Cooper, Harvey, Kennedy.
 */
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>

#include "preflight/reach.h"
#include "util/cleanup.h"

#define NONE UINT32_MAX

/* Node n is the exit; the others are the instructions. */
struct graph {
	const struct bpf_insn *insns;
	uint32_t n;
	bool throws;
	uint32_t (*next)[2]; /* successors; NONE: there is none */
	uint32_t *left;      /* the nodes, in the order in which they are left */
	uint32_t n_left;
	uint32_t *ipdom; /* NONE: it has no way to the exit */
};

static bool is_jump(const struct bpf_insn *insn)
{
	return BPF_CLASS(insn->code) == BPF_JMP || BPF_CLASS(insn->code) == BPF_JMP32;
}

static bool is_wide(const struct bpf_insn *insn)
{
	return insn->code == (BPF_LD | BPF_IMM | BPF_DW);
}

static bool is_store(const struct bpf_insn *insn)
{
	return BPF_CLASS(insn->code) == BPF_ST ||
	       (BPF_CLASS(insn->code) == BPF_STX && BPF_MODE(insn->code) == BPF_MEM);
}

static uint32_t at(const struct graph *g, int64_t i)
{
	return i < 0 || i >= g->n ? g->n : (uint32_t)i;
}

static void find_next(struct graph *g, uint32_t i)
{
	const struct bpf_insn *insn = &g->insns[i];
	uint32_t *next = g->next[i];
	uint8_t op = BPF_OP(insn->code);

	next[0] = at(g, (int64_t)i + 1 + is_wide(insn));
	next[1] = NONE;
	if (!is_jump(insn))
		return;
	if (op == BPF_EXIT)
		next[0] = g->n;
	else if (op == BPF_JA)
		next[0] = at(g,
			     (int64_t)i + 1 +
				     (BPF_CLASS(insn->code) == BPF_JMP32 ? insn->imm : insn->off));
	else if (op != BPF_CALL)
		next[1] = at(g, (int64_t)i + 1 + insn->off);
	else if (g->throws && insn->src_reg)
		next[1] = g->n;
}

/* Without recursion, since a function may have a million instructions. False: no memory. */
static bool walk(struct graph *g)
{
	_cleanup_free_ uint32_t *stack = calloc((size_t)g->n + 2, sizeof(*stack));
	_cleanup_free_ uint8_t *state = calloc((size_t)g->n + 1, 1);
	uint32_t depth = 0;

	if (!stack || !state)
		return false;
	stack[depth++] = 0;
	state[0] = 1; /* 1 + the successors that were taken */
	while (depth) {
		uint32_t i = stack[depth - 1];

		if (i < g->n && state[i] <= 2) {
			uint32_t next = g->next[i][state[i]++ - 1];

			if (next != NONE && !state[next]) {
				state[next] = 1;
				stack[depth++] = next;
			}
			continue;
		}
		g->left[g->n_left++] = i;
		depth--;
	}
	return true;
}

/* The graph backwards from the exit. */
struct backwards {
	uint32_t *first, *next_edge, *from; /* the edges into a node */
	uint32_t *position;                 /* reverse postorder; NONE: no way to the exit */
	uint32_t *nodes;                    /* in that order */
	uint32_t n;
};

static void backwards_deinit(struct backwards *b)
{
	free(b->first);
	free(b->next_edge);
	free(b->from);
	free(b->position);
	free(b->nodes);
}

static bool find_edges(const struct graph *g, struct backwards *b)
{
	size_t nodes = (size_t)g->n + 1;
	uint32_t n_edges = 0;

	b->first = malloc(nodes * sizeof(*b->first));
	b->next_edge = calloc(2 * nodes, sizeof(*b->next_edge));
	b->from = calloc(2 * nodes, sizeof(*b->from));
	b->position = malloc(nodes * sizeof(*b->position));
	b->nodes = calloc(nodes, sizeof(*b->nodes));
	if (!b->first || !b->next_edge || !b->from || !b->position || !b->nodes)
		return false;
	memset(b->first, 0xff, nodes * sizeof(*b->first));
	memset(b->position, 0xff, nodes * sizeof(*b->position));
	for (uint32_t k = 0; k < g->n_left; k++) {
		uint32_t i = g->left[k];

		for (int s = 0; i < g->n && s < 2; s++) {
			uint32_t next = g->next[i][s];

			if (next == NONE)
				continue;
			b->from[n_edges] = i;
			b->next_edge[n_edges] = b->first[next];
			b->first[next] = n_edges++;
		}
	}
	return true;
}

static bool walk_back(const struct graph *g, struct backwards *b)
{
	size_t nodes = (size_t)g->n + 1;
	_cleanup_free_ uint32_t *stack = calloc(nodes, sizeof(*stack));
	_cleanup_free_ uint32_t *edge = malloc(nodes * sizeof(*edge));
	_cleanup_free_ bool *seen = calloc(nodes, sizeof(*seen));
	uint32_t depth = 0, end = g->n + 1;

	if (!stack || !edge || !seen)
		return false;
	memcpy(edge, b->first, nodes * sizeof(*edge));
	stack[depth++] = g->n;
	seen[g->n] = true;
	while (depth) {
		uint32_t i = stack[depth - 1], e = edge[i];

		if (e == NONE) {
			b->nodes[--end] = i;
			depth--;
			continue;
		}
		edge[i] = b->next_edge[e];
		if (!seen[b->from[e]]) {
			seen[b->from[e]] = true;
			stack[depth++] = b->from[e];
		}
	}
	b->n = g->n + 1 - end;
	memmove(b->nodes, b->nodes + end, b->n * sizeof(*b->nodes));
	for (uint32_t k = 0; k < b->n; k++)
		b->position[b->nodes[k]] = k;
	return true;
}

static uint32_t meet(const struct graph *g, const struct backwards *b, uint32_t x, uint32_t y)
{
	while (x != y) {
		while (b->position[x] > b->position[y])
			x = g->ipdom[x];
		while (b->position[y] > b->position[x])
			y = g->ipdom[y];
	}
	return x;
}

static bool settle(struct graph *g, const struct backwards *b, uint32_t i)
{
	uint32_t found = NONE;

	for (int s = 0; s < 2; s++) {
		uint32_t next = g->next[i][s];

		if (next == NONE || g->ipdom[next] == NONE)
			continue;
		found = found == NONE ? next : meet(g, b, found, next);
	}
	if (found == g->ipdom[i])
		return false;
	g->ipdom[i] = found;
	return true;
}

static bool find_ipdom(struct graph *g)
{
	_cleanup_(backwards_deinit) struct backwards b = {0};
	bool changed = true;

	if (!find_edges(g, &b) || !walk_back(g, &b))
		return false;
	memset(g->ipdom, 0xff, ((size_t)g->n + 1) * sizeof(*g->ipdom));
	g->ipdom[g->n] = g->n;
	while (changed) {
		changed = false;
		for (uint32_t k = 1; k < b.n; k++)
			changed |= settle(g, &b, b.nodes[k]);
	}
	return true;
}

/* Whether the register has, before instruction i, what a lookup in the lines before it returned. */
static bool is_looked_up(const struct graph *g, const bool *jumped, uint32_t i, uint8_t reg)
{
	while (i && !jumped[i]) {
		const struct bpf_insn *insn = &g->insns[--i];

		if (insn->code == (BPF_ALU64 | BPF_MOV | BPF_X) && insn->dst_reg == reg &&
		    !insn->off) {
			reg = insn->src_reg;
			continue;
		}
		if (is_jump(insn))
			return insn->code == (BPF_JMP | BPF_CALL) && !insn->src_reg && !reg &&
			       insn->imm == BPF_FUNC_map_lookup_elem;
		if (insn->dst_reg == reg && !is_store(insn))
			return false;
	}
	return false;
}

/*
 *	call bpf_map_lookup_elem#1
 *	r6 = r0
 *	if r6 == 0 goto ...			(or !=)
 *
 * The successor where it is not NULL; NONE: another branch.
 */
static uint32_t checked_side(const struct graph *g, const bool *jumped, uint32_t i)
{
	const struct bpf_insn *insn = &g->insns[i];
	uint8_t op = BPF_OP(insn->code);

	if (BPF_CLASS(insn->code) != BPF_JMP || BPF_SRC(insn->code) != BPF_K || insn->imm ||
	    (op != BPF_JEQ && op != BPF_JNE) || !is_looked_up(g, jumped, i, insn->dst_reg))
		return NONE;
	return g->next[i][op == BPF_JNE];
}

static bool *find_jumped(const struct graph *g)
{
	bool *jumped = calloc((size_t)g->n + 1, sizeof(*jumped));

	for (uint32_t i = 0; jumped && i < g->n; i++) {
		if (!is_jump(&g->insns[i]))
			continue;
		if (BPF_OP(g->insns[i].code) == BPF_JA)
			jumped[g->next[i][0]] = true;
		else if (g->next[i][1] != NONE)
			jumped[g->next[i][1]] = true;
	}
	return jumped;
}

/* From the entry, and from each side that is sure, all that postdominates it. */
static bool mark(const struct graph *g, uint8_t *reach)
{
	_cleanup_free_ bool *jumped = find_jumped(g);
	_cleanup_free_ uint32_t *todo = calloc((size_t)g->n + 1, sizeof(*todo));
	size_t n = 0;

	if (!jumped || !todo)
		return false;
	for (uint32_t k = 0; k < g->n_left; k++)
		if (g->left[k] < g->n)
			reach[g->left[k]] = PF_REACH_MAYBE;
	if (g->ipdom[0] != NONE)
		todo[n++] = 0;
	while (n) {
		uint32_t i = todo[--n];

		for (; i < g->n && reach[i] != PF_REACH_SURELY; i = g->ipdom[i]) {
			uint32_t side = checked_side(g, jumped, i);

			reach[i] = PF_REACH_SURELY;
			if (side != NONE && g->ipdom[side] != NONE)
				todo[n++] = side;
		}
	}
	return true;
}

struct kt_error *pf_reach_in(const struct bpf_insn *insns, size_t n, bool throws, uint8_t **ret)
{
	struct graph g = {.insns = insns, .n = (uint32_t)n, .throws = throws};
	_cleanup_free_ uint8_t *reach = calloc(n + 1, 1);
	bool ok;

	g.next = calloc(n + 1, sizeof(*g.next));
	g.left = calloc(n + 1, sizeof(*g.left));
	g.ipdom = calloc(n + 1, sizeof(*g.ipdom));
	ok = reach && g.next && g.left && g.ipdom;
	for (uint32_t i = 0; ok && i < n; i++)
		find_next(&g, i);
	ok = ok && walk(&g) && find_ipdom(&g) && mark(&g, reach);
	free(g.next);
	free(g.left);
	free(g.ipdom);
	if (!ok)
		return kt_error_no_memory();
	*ret = kt_take_ptr(reach);
	return NULL;
}
