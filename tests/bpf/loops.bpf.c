// SPDX-License-Identifier: LGPL-2.1-or-later
/* Little code that costs the verifier much: it walks every turn of a bounded loop. */
#include "fixture.h"

ARRAY(bytes, 64, __u64);

SEC("socket")
int loop_2000(struct __sk_buff *skb)
{
	__u32 sum = skb->len;

	for (int i = 0; i < 2000; i++) {
		sum = sum * 33 + (__u32)i;
		asm volatile("" : "+r"(sum));
	}
	return (int)sum;
}

SEC("tc")
int loop_nested_with_map_lookups(struct __sk_buff *skb)
{
	__u64 total = 0;

	for (__u32 i = 0; i < 20; i++) {
		for (__u32 j = 0; j < 20; j++) {
			__u32 key = (i * 20 + j) & 63;
			__u64 *n = bpf_map_lookup_elem(&bytes, &key);

			if (!n)
				return 0;
			total += *n;
		}
	}
	return total > skb->len;
}

/* Unrolled: many instructions rather than many turns. */
SEC("xdp")
int unrolled(struct xdp_md *ctx)
{
	__u32 sum = ctx->rx_queue_index;

#pragma unroll
	for (int i = 0; i < 500; i++) {
		sum = sum * 31 + (__u32)i;
		asm volatile("" : "+r"(sum));
	}
	return sum & 1 ? XDP_PASS : XDP_DROP;
}

char _license[] SEC("license") = "GPL";
