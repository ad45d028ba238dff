/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finds the repeat in some lines whose collapsing leaves the least text. */
#ifndef KT_LOGPARSE_CYCLE_H
#define KT_LOGPARSE_CYCLE_H

#include "logparse/text.h"
#include "util/error.h"

#define KT_CYCLE_MIN_PERIOD 5 /* lines */
#define KT_CYCLE_MIN_COUNT  3 /* repetitions */

struct kt_cycle {
	size_t start;  /* the first line of it, counted from 0 */
	size_t period; /* lines of one repetition */
	size_t count;  /* whole repetitions; 0: there is no repeat */
};

/*
 * Finds in n lines the block of at least KT_CYCLE_MIN_PERIOD lines that stands there at least
 * KT_CYCLE_MIN_COUNT times in a row. Lines are compared as kt_normalize_verifier_line() has
 * them, and without their leading instruction index. Of several blocks it is the one whose
 * collapsing leaves the fewest lines, then the earliest start, then the shortest period.
 * O(n log^2 n). Errors: KT_ERROR_NO_MEMORY.
 */
struct kt_error *kt_detect_cycle(const struct kt_text *lines, size_t n, struct kt_cycle *ret);

#endif
