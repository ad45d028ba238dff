/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Finds runs of alike iterations in a stream of nodes, as they come: a stack on which two
 * equal stretches side by side become a loop, and an equal stretch behind a loop one more
 * iteration of it. A loop compares by its body and not by its count, so that an outer loop
 * is found whose inner one runs a different number of times. Not a public header.
 */
#ifndef KT_LOGPARSE_REDUCE_H
#define KT_LOGPARSE_REDUCE_H

#include "logparse/node.h"
#include "util/error.h"

struct reducer {
	struct log_node *stack;
	size_t len, cap;
	bool by_shape;
	uint32_t *table; /* hash of cls -> the topmost node in that slot, plus one */
	size_t table_mask;
	uint64_t *power;
};

/* cap: nodes that are kept at most; a loop's body has at most half of that. */
struct kt_error *reducer_init(struct reducer *r, size_t cap, bool by_shape);
void reducer_deinit(struct reducer *r);

static inline bool reducer_full(const struct reducer *r)
{
	return r->len == r->cap;
}

/* Adds what follows in the log; there must be room. */
void reducer_push(struct reducer *r, const struct log_node *node);

/* Forgets the n oldest nodes. They may be read before, at stack[0..n). */
void reducer_drop(struct reducer *r, size_t n);

#endif
