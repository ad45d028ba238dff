// SPDX-License-Identifier: LGPL-2.1-or-later
/* A map of a type that no kernel has. */
#include "lacks.h"

struct {
	__uint(type, 99);
	__uint(max_entries, 4096);
	__uint(key_size, 4);
	__uint(value_size, 8);

} gone SEC(".maps");

SEC("tc")
int beside_map_gone(struct __sk_buff *skb)
{
	return 0;
}

char _license[] SEC("license") = "GPL";
