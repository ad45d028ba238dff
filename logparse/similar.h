/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Repeats that are alike without being regular: a branch that is taken up again and again,
 * a loop that is entered from many states. The walk comes to the same place of the program,
 * and nothing that it executes from there on is new. Not a public header.
 */
#ifndef KT_LOGPARSE_SIMILAR_H
#define KT_LOGPARSE_SIMILAR_H

#include "logparse/node.h"
#include "util/error.h"

/* A stretch of the log that is to be shown as its first and its last iteration. */
struct log_repeat {
	const char *start, *first_end, *last_start, *end;
	size_t count;
	size_t lines; /* of all iterations */
	size_t first_lines, last_lines, min, max;
	bool unlike; /* iterations are not all equal, line by line */
};

struct log_repeats {
	KT_VEC(struct log_repeat) v;
};

/* How much may be taken for alike. Each includes the one before. */
enum log_likeness {
	LOG_ALIKE,      /* an iteration begins at one place, and executes nothing new */
	LOG_ANY_BRANCH, /* or takes up any branch, and executes nothing new */
	LOG_NO_NUMBERS, /* or executes the same but for constants: unrolled copies */
	LOG_ANYTHING,   /* or something new */
	LOG_FLAT,       /* or is an iteration of another of several nested loops */
	LOG_N_LIKENESSES,
};

/*
 * The repeats in n nodes, which end at `end`, in order and apart from each other: the loops
 * among them, and what is similar. Those of count 2 too, for their insides' sake.
 */
struct kt_error *log_find_repeats(const struct log_node *nodes, size_t n, const char *end,
				  enum log_likeness likeness, struct log_repeats *ret);

#endif
