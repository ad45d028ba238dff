/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Finds runs of alike iterations in a stream of nodes, on a stack. Two equal stretches side by side
 * become a loop, and an equal stretch behind a loop becomes its next iteration. A loop is compared
 * by its body and not by its count. So an outer loop is found even if its inner one runs a
 * different number of times. Not a public header.
 */
#ifndef KT_LOGPARSE_REDUCE_H
#define KT_LOGPARSE_REDUCE_H

#include "logparse/node.h"
#include "util/error.h"

/* Iterations of up to this many nodes are foreseen: most logs are long because of a short loop. */
#define MAX_FORESEEN 64

struct reducer {
	struct log_node *stack;
	size_t len, cap;
	struct log_loop *loops; /* of nodes on the stack */
	uint32_t *free_loops;   /* places in it that are free again */
	size_t n_loops, n_free;
	bool by_shape;
	uint32_t *table; /* hash of cls -> the topmost node in that slot, plus one */
	size_t table_mask;
	uint64_t *power; /* of NODE_BASE, as many as are needed so far */
	size_t n_power;

	/*
	 * If a loop without inner loops is on top: its next iteration as foreseen, and the nodes of
	 * it that came so far, which are not on the stack yet.
	 */
	uint64_t foreseen[MAX_FORESEEN];
	struct log_node ahead[MAX_FORESEEN];
	size_t n_foreseen, n_ahead;
};

/* cap: nodes that are kept at most; a loop's body has at most half of that. */
struct kt_error *reducer_init(struct reducer *r, size_t cap, bool by_shape);
void reducer_deinit(struct reducer *r);

static inline bool reducer_full(const struct reducer *r)
{
	return r->len + r->n_ahead >= r->cap;
}

/*
 * Adds the node that follows in the log; there must be room. loop: of a node that is a loop, else
 * NULL.
 */
void reducer_push(struct reducer *r, const struct log_node *node, const struct log_loop *loop);

/* Everything that was pushed goes onto the stack; before that is looked at. */
void reducer_settle(struct reducer *r);

/* The n oldest nodes; good until the next push or drop. `end` is where their text ends. */
struct log_list reducer_oldest(const struct reducer *r, size_t n, const char *end);

/* Forgets the n oldest nodes. */
void reducer_drop(struct reducer *r, size_t n);

#endif
