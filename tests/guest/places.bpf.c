// SPDX-License-Identifier: LGPL-2.1-or-later
/* For attaching.sh: places that are not a device, a cgroup or a target. Each program counts its runs. */
#include "../bpf/fixture.h"

__u64 runs;

#define COUNTING(section, name, context, result)                                                   \
	SEC(section) int name(context *ctx)                                                        \
	{                                                                                          \
		__sync_fetch_and_add(&runs, 1);                                                    \
		return result;                                                                     \
	}

COUNTING("uprobe", at_function, void, 0)
COUNTING("uprobe//bin/no-such-program:main", at_function_of_a_program, void, 0)
COUNTING("uretprobe", at_return, void, 0)
COUNTING("uprobe.multi", at_functions, void, 0)
COUNTING("lwt_in", route_in, struct __sk_buff, 0)
COUNTING("lwt_out", route_out, struct __sk_buff, 0)
COUNTING("lwt_xmit", route_xmit, struct __sk_buff, 0)
COUNTING("netfilter", local_input, void, 1)
COUNTING("usdt", at_no_probe, void, 0)

/* 7 as it is, 40 replaced. */
__attribute__((noinline)) int replaceable(struct xdp_md *ctx)
{
	volatile int result = 7;

	return ctx ? result : 0;
}

SEC("xdp")
int target(struct xdp_md *ctx)
{
	return replaceable(ctx);
}

SEC("freplace/replaceable")
int replacement(struct xdp_md *ctx)
{
	return 40;
}

SEC("freplace/nothing_here")
int of_nothing(struct xdp_md *ctx)
{
	return 41;
}

char _license[] SEC("license") = "GPL";
