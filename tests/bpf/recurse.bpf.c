// SPDX-License-Identifier: LGPL-2.1-or-later
/* Attached to the function that it calls: each run but the outermost is a recursion miss. */
#include "fixture.h"

HASH(outer, 1, __u64);
HASH(inner, 1, __u64);

SEC("fentry/htab_map_delete_elem")
int BPF_PROG(delete_within_delete)
{
	__u32 key = 0;

	bpf_map_delete_elem(&inner, &key);
	return 0;
}

char _license[] SEC("license") = "GPL";
