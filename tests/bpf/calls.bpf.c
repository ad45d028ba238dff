// SPDX-License-Identifier: LGPL-2.1-or-later
/* Calls from BPF to BPF: static subprograms, a chain of them, global functions, callbacks. */
#include "fixture.h"

HASH(table, 32, __u64);
ARRAY(sums, 4, __u64);

static __attribute__((noinline)) __u32 mix(__u32 a, __u32 b)
{
	a ^= b * 2654435761u;
	a ^= a >> 15;
	return a * 2246822519u;
}

static __attribute__((noinline)) __u32 mix_twice(__u32 a, __u32 b)
{
	return mix(mix(a, b), b + 1);
}

__attribute__((noinline)) int global_clamp(struct __sk_buff *skb, int limit)
{
	int len = (int)skb->len;

	return len > limit ? limit : len;
}

static long sum_element(void *map, __u32 *key, __u64 *val, __u64 *sum)
{
	*sum += *val + mix(*key, 1);
	return 0;
}

static long step(__u32 i, __u64 *sum)
{
	*sum += mix_twice(i, 3);
	return 0;
}

SEC("tc")
int static_call(struct __sk_buff *skb)
{
	return (int)mix(skb->len, skb->mark) & 1;
}

SEC("tc")
int global_call_beside_a_static_one(struct __sk_buff *skb)
{
	return global_clamp(skb, 1500) + (int)mix_twice(skb->mark, skb->len);
}

SEC("socket")
int for_each_callbk(struct __sk_buff *skb)
{
	__u64 sum = 0;

	bpf_for_each_map_elem(&table, sum_element, &sum, 0);
	return (int)sum;
}

SEC("raw_tracepoint/module_put")
int loop_with_a_callback_function(void *ctx)
{
	__u64 sum = 0, *slot;
	__u32 key = 1;

	bpf_loop(50, step, &sum, 0);
	slot = bpf_map_lookup_elem(&sums, &key);
	if (slot)
		*slot = sum;
	return 0;
}

char _license[] SEC("license") = "Dual MIT/GPL";
