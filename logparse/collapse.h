/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A verifier log with its repeats collapsed: a loop once, how often it ran, and what
 * differs at its end.
 *
 *	--- 8x of the following 10 lines ---
 *	(first iteration)
 *	--- 6 identical iterations omitted ---
 *	(last iteration)
 *	--- end repeat ---
 *
 *	--- 12x of the following 31..118 lines ---
 *	(first iteration)
 *	--- 10 similar iterations omitted, 702 lines ---
 *	(last iteration)
 *	--- end repeat ---
 *
 *	--- 17 lines of precision tracking omitted ---
 *
 * Identical: equal after kt_normalize_verifier_line(). Marks nest. The lines shown and the
 * lines that the marks account for are exactly the lines of the input.
 */
#ifndef KT_LOGPARSE_COLLAPSE_H
#define KT_LOGPARSE_COLLAPSE_H

#include "logparse/text.h"
#include "util/error.h"

struct kt_collapse_options {
	bool keep_precision; /* precision tracking is shown where an iteration is shown */
};

/* Takes a piece of output. Its error ends the work and is returned. */
typedef struct kt_error *(*kt_sink_fn)(void *arg, struct kt_text piece);

/* A sink that appends to its argument, a `struct kt_buf`. */
struct kt_error *kt_sink_append(void *buf, struct kt_text piece);

/*
 * Writes the log with every repeat collapsed to sink, piece by piece from the start on. A log with
 * nothing to collapse comes out byte for byte. options may be NULL. Time is linear in the log.
 * Memory in addition to the log is at most half of its size, but 8 MB are always allowed, and never
 * more than 120 MB. Errors: KT_ERROR_NO_MEMORY, and those of sink.
 */
struct kt_error *kt_collapse_cycles_to(struct kt_text log,
				       const struct kt_collapse_options *options, kt_sink_fn sink,
				       void *arg);

/* The same into a string that the caller frees: NUL-terminated, *ret_len bytes without that. */
struct kt_error *kt_collapse_cycles(struct kt_text log, const struct kt_collapse_options *options,
				    char **ret, size_t *ret_len);

#endif
