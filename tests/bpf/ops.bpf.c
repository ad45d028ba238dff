// SPDX-License-Identifier: LGPL-2.1-or-later
/* struct_ops: a congestion control that never slows down. */
#include "fixture.h"

struct sock;

struct tcp_congestion_ops {
	__u32 (*ssthresh)(struct sock *sk);
	void (*cong_avoid)(struct sock *sk, __u32 ack, __u32 acked);
	__u32 (*undo_cwnd)(struct sock *sk);
	char name[16];
} CORE;

SEC("struct_ops/ssthresh")
__u32 BPF_PROG(fixture_ssthresh, struct sock *sk)
{
	return 1000;
}

SEC("struct_ops/cong_avoid")
void BPF_PROG(fixture_congestion_avoidance, struct sock *sk, __u32 ack, __u32 acked)
{
}

SEC("struct_ops/undo_cwnd")
__u32 BPF_PROG(fixture_undo, struct sock *sk)
{
	return 1000;
}

SEC(".struct_ops")
struct tcp_congestion_ops fixture = {
	.ssthresh = (void *)fixture_ssthresh,
	.cong_avoid = (void *)fixture_congestion_avoidance,
	.undo_cwnd = (void *)fixture_undo,
	.name = "fixture",
};

char _license[] SEC("license") = "GPL";
