// SPDX-License-Identifier: LGPL-2.1-or-later
/* Helpers of no kernel, of 5.17, and how to ask for one. */
#include "lacks.h"

static long (*bpf_gone)(void) = (void *)4242;

enum bpf_func_id___x {
	BPF_FUNC_loop___x = 181,
};

__u64 sink;

static long callback(__u32 i, void *ctx)
{
	return 0;
}

SEC("tc")
int helper_gone(struct __sk_buff *skb)
{
	return bpf_gone();
}

SEC("tc")
int helper_loop(struct __sk_buff *skb)
{
	return bpf_loop(4, callback, 0, 0);
}

SEC("tc")
int helper_loop_guarded(struct __sk_buff *skb)
{
	if (bpf_core_enum_value_exists(enum bpf_func_id___x, BPF_FUNC_loop___x))
		return bpf_loop(4, callback, 0, 0);
	return 0;
}

SEC("tc")
int helper_on_a_side(struct __sk_buff *skb)
{
	if (skb->len == 77)
		return bpf_gone();
	return 0;
}

SEC("kprobe/do_sys_open")
int helper_probe_read(void *ctx)
{
	return bpf_probe_read_kernel(&sink, sizeof(sink), ctx);
}

char _license[] SEC("license") = "GPL";
