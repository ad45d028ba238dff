/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From lines to nodes. A node is a line with the lines that hang on it: the blank and source line
 * before an instruction, the state and the precision tracking behind it. Not a public header.
 */
#ifndef KT_LOGPARSE_SCAN_H
#define KT_LOGPARSE_SCAN_H

#include "logparse/bounds.h"
#include "logparse/line.h"
#include "logparse/node.h"

/* Blocks of precision tracking longer than this are left out, and listings of as many rows. */
#define PRECISION_SHOWN 3
#define LISTING_SHOWN   7

struct log_scan {
	struct kt_text rest; /* behind the line at hand */
	const char *end;

	/* The line at hand; line.data is NULL at the end. */
	struct kt_text line;
	struct kt_line read;
	uint64_t token;
	bool fixed; /* it is around the trace, or of its end */
	struct log_bounds bounds;

	uint32_t last_index; /* of the instruction before */
	bool path_ended;     /* by the node before */
};

/* whole: the text is no part of a log, but all of it, with what stands around it. */
void log_scan_init(struct log_scan *scan, struct kt_text log, bool whole);

/* The next node; false at the end. */
bool log_scan_next(struct log_scan *scan, struct log_node *ret);

/* One line on its own: equal for two lines when they are equal after normalisation. */
uint64_t log_line_token(struct kt_text line, const struct kt_line *l);

/* Whether two lines are equal after normalisation, and without their instruction index. */
bool log_lines_equal(struct kt_text a, struct kt_text b);

/* The start of the line that ends at p, which is behind its newline or at the text's end. */
const char *log_line_before(const char *p, const char *start);

/* Behind the newline of the line at p, or the end. */
const char *log_next_line(const char *p, const char *end);

/*
 * A run of equal iterations may begin before its first whole node, and end behind its last:
 * widens its start and its end by equal lines, at most `limit` each and within lo..hi, and
 * returns how many lines it added. The rest of the run is as before.
 */
size_t log_widen(struct log_run *run, const char *lo, const char *hi, size_t limit);

/* Whether a line within precision tracking is its state, which has a line of its own in 5.10. */
bool log_is_in_precision(const struct kt_line *l, struct kt_text rest);

/* Whether a line of this kind is the title of a listing whose rows are the rest's first lines. */
bool log_is_listing_title(struct kt_text line, enum kt_line_kind kind, struct kt_text rest);

#endif
