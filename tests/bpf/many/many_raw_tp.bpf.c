// SPDX-License-Identifier: LGPL-2.1-or-later
#include "many.h"

#define PROGRAM(n, bad)                                                                            \
	SEC("raw_tp/sched_switch") int raw_tp_##n(void *ctx)                                       \
	{                                                                                          \
		return ways(bpf_ktime_get_ns(), n + 7, bad);                                       \
	}
MANY;
