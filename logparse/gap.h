/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lines that are missing in a log: somebody left them out, and may or may not say so. */
#ifndef KT_LOGPARSE_GAP_H
#define KT_LOGPARSE_GAP_H

#include "logparse/trace.h"

struct kt_gap {
	uint32_t next; /* where the last instruction leads to, or NO_INDEX: any place */
	bool elided;   /* somebody said so ("...", "[snip]") since the user set this to false */
};

/* clang-format off */
#define KT_GAP_INIT {.next = KT_LINE_NO_INDEX}
/* clang-format on */

/*
 * Whether lines are missing before the event: somebody says so, or an instruction that is no jump
 * is not followed by one of the next.
 */
bool kt_gap_before(const struct kt_gap *gap, const struct kt_event *ev);

/* Takes in an event, in the order of the log. */
void kt_gap_add(struct kt_gap *gap, const struct kt_event *ev);

#endif
