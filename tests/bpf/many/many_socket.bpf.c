// SPDX-License-Identifier: LGPL-2.1-or-later
#include "many.h"

#define PROGRAM(n, bad)                                                                            \
	SEC("socket") int socket_##n(struct __sk_buff *skb)                                        \
	{                                                                                          \
		return ways(skb->len, n, bad);                                                     \
	}
MANY;
