// SPDX-License-Identifier: LGPL-2.1-or-later
/* The same, weak: a check before the call is all that is needed. */
#include "lacks.h"

extern void bpf_key_putt(void *key) __ksym __weak;

SEC("tp_btf/sched_switch")
int asks_before(void *ctx)
{
	if (bpf_key_putt)
		bpf_key_putt(0);
	return 0;
}

SEC("tp_btf/sched_switch")
int does_not_ask(void *ctx)
{
	bpf_key_putt(0);
	return 0;
}

SEC("socket")
int has_none(void *ctx)
{
	return 0;
}

char _license[] SEC("license") = "GPL";
