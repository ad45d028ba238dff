// SPDX-License-Identifier: LGPL-2.1-or-later
#include "many.h"

#define PROGRAM(n, bad)                                                                            \
	SEC("tc") int tc_##n(struct __sk_buff *skb)                                                \
	{                                                                                          \
		return sum((void *)(long)skb->data, (void *)(long)skb->data_end, n + 9, bad);      \
	}
MANY;
