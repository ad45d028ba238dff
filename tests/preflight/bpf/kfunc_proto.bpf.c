// SPDX-License-Identifier: LGPL-2.1-or-later
/* A kfunc of 6.1 and later, with a parameter too many. */
#include "lacks.h"

extern void bpf_key_put(void *key, int flags) __ksym;

SEC("tp_btf/sched_switch")
int other_prototype(void *ctx)
{
	bpf_key_put(0, 0);
	return 0;
}

char _license[] SEC("license") = "GPL";
