// SPDX-License-Identifier: LGPL-2.1-or-later
/* A map of a type that came with Linux 5.16. */
#include "lacks.h"

struct {
	__uint(type, 30);
	__uint(max_entries, 16);

	__uint(value_size, 8);

} bloom SEC(".maps");

SEC("tc")
int beside_map_bloom(struct __sk_buff *skb)
{
	return 0;
}

char _license[] SEC("license") = "GPL";
