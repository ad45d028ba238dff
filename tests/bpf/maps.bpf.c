// SPDX-License-Identifier: LGPL-2.1-or-later
/* One program that uses 20 maps, beside one of the same object that uses a single one. */
#include "fixture.h"

#define FOR_20(X)                                                                                  \
	X(0)                                                                                       \
	X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15) X(16)     \
		X(17) X(18) X(19)

#define DECLARE(n) ARRAY(m##n, 1, __u64);
FOR_20(DECLARE)

#define BUMP(n)                                                                                    \
	value = bpf_map_lookup_elem(&m##n, &zero);                                                 \
	if (value)                                                                                 \
		*value += n;

SEC("sk_msg")
int twenty_maps(struct sk_msg_md *msg)
{
	__u32 zero = 0;
	__u64 *value;

	FOR_20(BUMP)
	return SK_PASS;
}

SEC("cgroup/dev")
int one_map(struct bpf_cgroup_dev_ctx *ctx)
{
	__u32 zero = 0;
	__u64 *value;

	BUMP(7)
	return 1;
}

char _license[] SEC("license") = "GPL";
