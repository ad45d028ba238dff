/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is around the trace of a log and at its end: what stands before its first line and behind
 * its last one, its error and its statistics. None of that is a part of a repeat. Not a public
 * header.
 */
#ifndef KT_LOGPARSE_BOUNDS_H
#define KT_LOGPARSE_BOUNDS_H

#include "logparse/line.h"

struct log_bounds {
	bool whole;   /* the text is one with a beginning and an end, and no part of a log */
	bool outside; /* no line of a log has come yet, or its last one has */
	bool ended;   /* the latter: only what is surely the kernel's begins another log */

	/* The run of text lines at hand: where it ends, and whether the log ends with it. */
	const char *run_end;
	bool last;
};

/* whole: see above. Nothing to release. */
static inline struct log_bounds log_bounds_of(bool whole)
{
	return (struct log_bounds){.whole = whole, .outside = whole};
}

/*
 * Whether a line is around a trace, or of its end. rest is what follows the line. To be called for
 * each line in turn; but while `outside` is false, only for KT_LINE_TEXT, and for an instruction
 * that log_bounds_may_end_at() is true of. Linear over all calls.
 */
bool log_bounds_take(struct log_bounds *bounds, struct kt_text line, const struct kt_line *read,
		     struct kt_text rest);

/* A quick test of an instruction: may the log end with it? */
static inline bool log_bounds_may_end_at(const struct log_bounds *bounds, struct kt_text rest)
{
	return rest.len ? *rest.data == 'p' || *rest.data == 'v' : bounds->whole;
}

/* Is this the heading of what is listed before a trace (level 2)? */
bool log_is_heading(struct kt_text line);

#endif
