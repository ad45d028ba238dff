// SPDX-License-Identifier: LGPL-2.1-or-later
/* A struct_ops that every kernel has, with a member that none has. */
#include "lacks.h"

struct sock;

struct tcp_congestion_ops {
	__u32 (*ssthresh)(struct sock *sk);
	void (*cong_avoid)(struct sock *sk, __u32 ack, __u32 acked);
	__u32 (*undo_cwnd)(struct sock *sk);
	__u32 (*undo_cwmd)(struct sock *sk);
	char name[16];
} CORE;

SEC("struct_ops/ssthresh")
__u32 BPF_PROG(of_member, struct sock *sk)
{
	return 1000;
}

SEC("struct_ops/undo_cwnd")
__u32 BPF_PROG(of_other_member, struct sock *sk)
{
	return 1000;
}

SEC("struct_ops/undo_cwmd")
__u32 BPF_PROG(of_wrong_member, struct sock *sk)
{
	return 1000;
}

SEC(".struct_ops")
struct tcp_congestion_ops gone = {
	.ssthresh = (void *)of_member,
	.undo_cwnd = (void *)of_other_member,
	.undo_cwmd = (void *)of_wrong_member,
	.name = "gone",
};

char _license[] SEC("license") = "GPL";
