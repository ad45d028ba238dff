// SPDX-License-Identifier: LGPL-2.1-or-later
/* A program that replaces a function of one of metadata.bpf.c. Who loads it has to name that program. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

char _license[] SEC("license") = "GPL";

SEC("freplace/md_replaced")
int replaces(struct __sk_buff *skb)
{
	return skb->len == 7;
}
