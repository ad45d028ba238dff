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

/* Iterations, one behind the other. */
struct log_run {
	const char *start, *first_end, *last_start, *end;
	size_t count;
	size_t lines; /* of all */
	size_t first_lines, last_lines;
	size_t min, max; /* lines of one, of all but the last; SIZE_MAX and 0 when there is one */
	bool unlike;     /* not all are equal, line by line */
};

static inline struct log_run run_of_one(const char *start, const char *end, size_t lines)
{
	return (struct log_run){
		.start = start,
		.first_end = end,
		.last_start = start,
		.end = end,
		.count = 1,
		.lines = lines,
		.first_lines = lines,
		.last_lines = lines,
		.min = SIZE_MAX,
	};
}

static inline size_t run_min(const struct log_run *run)
{
	return run->last_lines < run->min ? run->last_lines : run->min;
}

static inline size_t run_max(const struct log_run *run)
{
	return run->last_lines > run->max ? run->last_lines : run->max;
}

/* Adds the iterations that follow. */
static inline void run_append(struct log_run *run, const struct log_run *next)
{
	size_t min = run_min(run), max = run_max(run);

	run->min = next->min < min ? next->min : min;
	run->max = next->max > max ? next->max : max;
	run->count += next->count;
	run->lines += next->lines;
	run->last_lines = next->last_lines;
	run->last_start = next->last_start;
	run->end = next->end;
	run->unlike |= next->unlike;
}

enum {
	NODE_POP = 1,    /* begins with "from A to B" */
	NODE_LEADER = 2, /* begins where the walk jumped to */
	NODE_STEP = 4,   /* a step of the kernel's causal path */
	NODE_TEXT = 16,  /* is text of the verifier, but not about calls and returns */
	NODE_FIXED = 8,  /* has a mark that was in the input: no node of a list */
};

struct log_node {
	const char *start, *end;
	uint64_t exact; /* all of its lines, as kt_normalize_verifier_line() has them */
	uint64_t shape; /* what is executed, without what hangs on it */
	uint64_t key;   /* the place in the program; 0: none */
	size_t lines;
	size_t shown;  /* an estimate of the lines that will be left of it */
	uint32_t loop; /* its place among the list's loops, plus one; 0: a leaf */
	uint8_t flags;

	/* The reducer's own. */
	uint64_t cls;           /* what it compares: exact or shape */
	uint64_t hash;          /* of all cls up to here */
	uint32_t same;          /* the node before with the same slot in the table, plus one */
	uint32_t below;         /* the loop before, plus one */
	uint32_t pops, leaders; /* how many up to here */
};

/* A loop's members in addition to a leaf's. */
struct log_loop {
	struct log_run run;

	/*
	 * The longest part of equal iterations, if there is one, and how many of the run's
	 * iterations it has. They may be fewer than core.count times some number, see
	 * logparse/loop.h.
	 */
	struct log_run core;
	size_t in_core;

	uint64_t iteration; /* `exact` of an iteration, while all are equal */
	uint64_t body;      /* hash of an iteration's nodes, as the reducer compares them */
	uint64_t shapes;    /* the same of their shapes */
	uint32_t body_len;  /* nodes of an iteration */
	bool nested;        /* some of which are loops */
	bool multiple;      /* see logparse/loop.h */
};

/* A list of nodes, and the loops that some of them refer to. */
struct log_list {
	const struct log_node *nodes;
	size_t n;
	const struct log_loop *loops;
	const char *end; /* of the text */
};

static inline const struct log_loop *list_loop(const struct log_list *list, size_t node)
{
	uint32_t loop = list->nodes[node].loop;

	return loop ? &list->loops[loop - 1] : NULL;
}

#define NODE_BASE 0x9fb21c651e98df25ull /* of hashes over several nodes; odd, many bits */
#define NODE_LOOP 0x6c6f6f70ull

/* Well mixed, as all hashes here have to be. */
static inline uint64_t node_mix(uint64_t a, uint64_t b)
{
	unsigned __int128 m = (unsigned __int128)(a ^ 0x9e3779b97f4a7c15ull) *
			      (b ^ 0xd6e8feb86659fd93ull);

	return (uint64_t)m ^ (uint64_t)(m >> 64) ^ a;
}

#endif
