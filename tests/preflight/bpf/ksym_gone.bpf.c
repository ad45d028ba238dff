// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lacks.h"

extern const void gone_from_kallsyms __ksym;

__u64 address;

SEC("raw_tp/sched_switch")
int takes_address(void *ctx)
{
	address = (__u64)&gone_from_kallsyms;
	return 0;
}

char _license[] SEC("license") = "GPL";
