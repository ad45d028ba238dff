// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lacks.h"

extern const int gone_from_btf __ksym;

__u64 address;

SEC("raw_tp/sched_switch")
int takes_address(void *ctx)
{
	address = (__u64)&gone_from_btf;
	return 0;
}

char _license[] SEC("license") = "GPL";
