// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * For collect.sh: programs that fail in the middle of a function, in a subprogram of another
 * section, and in one whose line is there twice.
 */
#include "../bpf/fixture.h"

ARRAY(numbers, 4, __u64);

static __attribute__((noinline)) int deep(__u32 key)
{
	__u64 *n = bpf_map_lookup_elem(&numbers, &key);

	return (int)*n + 7;
}

static __attribute__((noinline)) int twice_a(__u32 key)
{
	__u64 *n = bpf_map_lookup_elem(&numbers, &key);

	return (int)*n;
}

static __attribute__((noinline)) int twice_b(__u32 key)
{
	__u64 *n = bpf_map_lookup_elem(&numbers, &key);

	return (int)*n;
}

SEC("tc")
int passes(struct __sk_buff *skb)
{
	return 0;
}

SEC("tc")
int fails_here(struct __sk_buff *skb)
{
	__u32 key = skb->mark & 3;
	__u64 *n = bpf_map_lookup_elem(&numbers, &key);

	key = 1;
	return (int)*n == 9;
}

SEC("tc")
int fails_in_subprogram(struct __sk_buff *skb)
{
	return deep(skb->mark) + deep(skb->len);
}

SEC("tc")
int fails_somewhere(struct __sk_buff *skb)
{
	return skb->mark ? twice_a(skb->len) : twice_b(skb->mark);
}

char _license[] SEC("license") = "GPL";
