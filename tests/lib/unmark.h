/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A checker of collapsed verifier logs, written from what the marks mean (see
 * logparse/collapse.h) and not from how they are made. It walks the output and the input side
 * by side: a line that is no mark must be the very next line of the input; a mark that
 * accounts for N lines moves N lines on. What it accepts is therefore lossless in count,
 * verbatim and in order, at every depth.
 *
 * A line of the input may look like a mark (a collapsed log, collapsed again). Outside of
 * every repeat such a line is read as text when it is the input's next line; within a repeat
 * it is always read as a mark, so the collapser must not put one there.
 */
#ifndef KT_TESTS_UNMARK_H
#define KT_TESTS_UNMARK_H

#include <stdbool.h>
#include <stddef.h>

#include "logparse/text.h"
#include "util/vec.h"

struct unmark_repeat {
	size_t depth;  /* 0: not within another */
	size_t start;  /* of the first iteration, in lines of the input from 0 */
	size_t count;  /* iterations, all of them */
	size_t lo, hi; /* lines of the shortest and the longest; equal: a period */
	size_t omitted;
	bool identical;
};

struct unmark {
	char problem[400]; /* empty: the output is right */
	size_t in_lines, out_lines;
	size_t shown; /* lines of the input that the output has */
	size_t marks;
	size_t by_repeats, by_precision; /* lines that are accounted for by marks */
	size_t max_depth;
	KT_VEC(struct unmark_repeat) repeats; /* in the order of their headers */

	/* Of lines that "similar" left out, those that no shown line equals when normalised. */
	size_t unseen_insns; /* "12: (07) ...", whatever the index; each counted once */
	size_t unseen_text;  /* what is no part of the verifier's walk: an error, say */
	char unseen_example[120];
};

/* False: ret->problem says what is wrong. Aborts without memory. For unmark_deinit(), always. */
bool unmark_check(struct kt_text in, struct kt_text out, struct unmark *ret);
void unmark_deinit(struct unmark *u);

/* Whether the line (without its newline) is one of the marks, whatever its numbers. */
bool unmark_is_mark(struct kt_text line);

#endif
