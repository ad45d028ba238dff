// SPDX-License-Identifier: LGPL-2.1-or-later
/* A map of a type that came with Linux 6.1. */
#include "lacks.h"

struct {
	__uint(type, 31);
	__uint(max_entries, 4096);

} user_ringbuf SEC(".maps");

SEC("tc")
int beside_map_user_ringbuf(struct __sk_buff *skb)
{
	return 0;
}

char _license[] SEC("license") = "GPL";
