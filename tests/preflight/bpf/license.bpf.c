// SPDX-License-Identifier: LGPL-2.1-or-later
/* Not under the GPL. */
#include "lacks.h"

__u64 sink;

SEC("tc")
int prints(struct __sk_buff *skb)
{
	bpf_printk("hello");
	return 0;
}

SEC("tc")
int asks_the_time(struct __sk_buff *skb)
{
	sink = bpf_get_prandom_u32();
	return 0;
}

SEC("lsm/file_open")
int hook(void *ctx)
{
	return 0;
}

char _license[] SEC("license") = "Proprietary";
