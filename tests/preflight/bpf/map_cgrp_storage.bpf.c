// SPDX-License-Identifier: LGPL-2.1-or-later
/* A map of a type that came with Linux 6.2. */
#include "lacks.h"

struct {
	__uint(type, 32);

	__type(key, int);
	__type(value, __u64);
	__uint(map_flags, BPF_F_NO_PREALLOC);
} cgrp_storage SEC(".maps");

SEC("tc")
int beside_map_cgrp_storage(struct __sk_buff *skb)
{
	return 0;
}

char _license[] SEC("license") = "GPL";
