/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A log on its way to being collapsed: a list of nodes that cover it without a gap. A leaf is
 * one instruction (or another line that stands for itself) with the lines that hang on it;
 * a loop is a run of iterations that were found alike. Not a public header.
 */
#ifndef KT_LOGPARSE_NODE_H
#define KT_LOGPARSE_NODE_H

#include <stdint.h>

#include "logparse/text.h"
#include "util/vec.h"

enum {
	NODE_POP = 1,       /* begins with "from A to B" */
	NODE_LEADER = 2,    /* begins where the walk jumped to */
	NODE_FIXED = 4,     /* a mark in the input: never part of a repeat */
	NODE_UNLIKE = 8,    /* a loop whose iterations are not all equal, line by line */
	NODE_NESTED = 16,   /* a loop with loops in it */
	NODE_STEP = 64,     /* a step of the kernel's causal path */
	NODE_MULTIPLE = 32, /* a loop whose iterations are several of its body each, alike but
			       not equal; see node_split() */
};

struct log_node {
	const char *start, *end;
	uint64_t exact; /* all of its lines, as kt_normalize_verifier_line() has them */
	uint64_t shape; /* what is executed, without what hangs on it */
	uint64_t key;   /* the place in the program; 0: none */
	size_t lines;
	size_t shown; /* an estimate of the lines that will be left of it */
	uint8_t flags;

	/* Of a loop; count is 0 for a leaf. The first iteration begins at start. */
	size_t count;
	uint32_t body_len;   /* nodes of an iteration */
	uint64_t body;       /* hash of an iteration, as the reducer compares them */
	uint64_t body_shape; /* the same of the nodes' shapes */
	uint64_t iteration;  /* `exact` of one iteration; the same for all unless NODE_UNLIKE */
	const char *first_end, *last_start;
	size_t min, max, first_lines, last_lines; /* lines of an iteration */

	/* The reducer's own. */
	uint64_t cls;           /* what it compares: exact or shape */
	uint64_t hash;          /* of all cls up to here */
	uint32_t same;          /* the node before with the same slot in the table, plus one */
	uint32_t loop;          /* the loop before, plus one */
	uint32_t pops, leaders; /* how many up to here */
};

struct log_nodes {
	KT_VEC(struct log_node) v;
};

#define NODE_BASE 0x9fb21c651e98df25ull /* of hashes over several nodes; odd, many bits */
#define NODE_LOOP 0x6c6f6f70ull

/* Well mixed, as all hashes here have to be. */
static inline uint64_t node_mix(uint64_t a, uint64_t b)
{
	unsigned __int128 m = (unsigned __int128)(a ^ 0x9e3779b97f4a7c15ull) *
			      (b ^ 0xd6e8feb86659fd93ull);

	return (uint64_t)m ^ (uint64_t)(m >> 64) ^ a;
}

/*
 * A loop of equal iterations may be one of fewer nodes that are alike: what is executed is
 * the same, and what hangs on it differs in turn. node_find_root() makes body and body_len
 * those of the shorter one, by shape, and sets NODE_MULTIPLE; node_split() then makes the
 * loop itself so. Both do nothing to a leaf.
 */
void node_find_root(struct log_node *loop);
void node_split(struct log_node *loop);

#endif
