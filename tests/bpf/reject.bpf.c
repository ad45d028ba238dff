// SPDX-License-Identifier: LGPL-2.1-or-later
/* One program that the verifier rejects, beside one that passes. */
#include "fixture.h"

ARRAY(counters, 16, __u64);

SEC("tc")
int accepted(struct __sk_buff *skb)
{
	__u32 key = skb->protocol & 15;
	__u64 *n = bpf_map_lookup_elem(&counters, &key);

	if (n)
		*n += 1;
	return 0;
}

/* The lookup may give NULL: "R0 invalid mem access 'map_value_or_null'". */
SEC("tc")
int rejected_null_unchecked(struct __sk_buff *skb)
{
	__u32 key = skb->protocol & 15;
	__u64 *n = bpf_map_lookup_elem(&counters, &key);

	*n += 1;
	return 0;
}

char _license[] SEC("license") = "GPL";
