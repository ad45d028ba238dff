// SPDX-License-Identifier: LGPL-2.1-or-later
#include "many.h"

#define PROGRAM(n, bad)                                                                            \
	SEC("xdp") int xdp_##n(struct xdp_md *ctx)                                                 \
	{                                                                                          \
		return sum((void *)(long)ctx->data, (void *)(long)ctx->data_end, n, bad) + 1;      \
	}
MANY;
