// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lacks.h"

SEC("no_such_section/x")
int in_no_section(void *ctx)
{
	return 0;
}

SEC("xdp")
int in_xdp(struct xdp_md *ctx)
{
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
