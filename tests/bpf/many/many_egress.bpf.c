// SPDX-License-Identifier: LGPL-2.1-or-later
#include "many.h"

#define PROGRAM(n, bad)                                                                            \
	SEC("cgroup_skb/egress") int egress_##n(struct __sk_buff *skb)                             \
	{                                                                                          \
		return ways(skb->len, n + 3, bad) & 1;                                             \
	}
MANY;
