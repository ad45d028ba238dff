// SPDX-License-Identifier: LGPL-2.1-or-later
#include "watch/overhead.h"

bool overhead_exceeded(struct overhead *overhead, int64_t now_ns, int64_t stopped_ns,
		       double *share_ret)
{
	int64_t span_ns = now_ns - overhead->since_ns;
	bool first = !overhead->since_ns;

	if (!first && span_ns < OVERHEAD_SPAN_NS)
		return false;
	*share_ret = first ? 0 : (double)(stopped_ns - overhead->before_ns) / (double)span_ns;
	overhead->since_ns = now_ns;
	overhead->before_ns = stopped_ns;
	return overhead->max > 0 && *share_ret > overhead->max;
}
