/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether the guest is stopped for more of the time than it may be. Internal to watch/. */
#ifndef KT_WATCH_OVERHEAD_H
#define KT_WATCH_OVERHEAD_H

#include <stdbool.h>
#include <stdint.h>

/* One slow stop is none too many: shares are taken over this time, in nanoseconds. */
#define OVERHEAD_SPAN_NS INT64_C(5000000000)

struct overhead {
	double max;        /* the share of time; 0: any */
	int64_t since_ns;  /* the span at hand began; 0: not yet */
	int64_t before_ns; /* of the stops before it */
};

/*
 * To be called at the end of each stop: the time, and how long all stops took so far. True when a
 * span is over in which the guest was stopped for a larger share, which *share_ret gets.
 */
bool overhead_exceeded(struct overhead *overhead, int64_t now_ns, int64_t stopped_ns,
		       double *share_ret);

#endif
