// SPDX-License-Identifier: LGPL-2.1-or-later
/* A struct_ops that no kernel has. */
#include "lacks.h"

struct sock;

struct tcp_congestion_opts {
	__u32 (*ssthresh)(struct sock *sk);
	char name[16];
} CORE;

SEC("struct_ops/ssthresh")
__u32 BPF_PROG(of_no_kernel, struct sock *sk)
{
	return 1000;
}

SEC(".struct_ops")
struct tcp_congestion_opts gone = {.ssthresh = (void *)of_no_kernel, .name = "gone"};

char _license[] SEC("license") = "GPL";
