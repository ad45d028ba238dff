/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Repeats that are alike without being regular: a branch that is taken up again and again, a loop
 * that is entered from many states. The walk comes to the same place of the program, and executes
 * nothing new from there on. Not a public header.
 */
#ifndef KT_LOGPARSE_SIMILAR_H
#define KT_LOGPARSE_SIMILAR_H

#include "logparse/node.h"
#include "util/error.h"

/* Which iterations count as alike. Each includes the one before. */
enum log_likeness {
	LOG_ALIKE,      /* an iteration begins at one place, and executes nothing new */
	LOG_ANY_BRANCH, /* or takes up any branch, and executes nothing new */
	LOG_NO_NUMBERS, /* or executes the same but for constants: unrolled copies */
	LOG_ANYTHING,   /* or something new */
	LOG_FLAT,       /* or is an iteration of another of several nested loops */
	LOG_N_LIKENESSES,
};

struct log_runs {
	KT_VEC(struct log_run) v;
};

/*
 * The repeats in a list of nodes, in order, without overlap: its loops, and similar iterations.
 * Loops of two, and runs of one, are in it, too: the caller searches them for inner repeats.
 */
struct kt_error *log_find_repeats(const struct log_list *list, enum log_likeness likeness,
				  struct log_runs *ret);

#endif
