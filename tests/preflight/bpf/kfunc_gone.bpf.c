// SPDX-License-Identifier: LGPL-2.1-or-later
/* A kfunc that no kernel has: libbpf loads none of the object's programs. */
#include "lacks.h"

extern void bpf_key_putt(void *key) __ksym;

SEC("tp_btf/sched_switch")
int calls_it(void *ctx)
{
	bpf_key_putt(0);
	return 0;
}

SEC("socket")
int does_not(void *ctx)
{
	return 0;
}

char _license[] SEC("license") = "GPL";
