// SPDX-License-Identifier: LGPL-2.1-or-later
/* Symbols that are there, and one that is weak. */
#include "lacks.h"

extern const void bpf_prog_put __ksym;
extern const void gone_from_kallsyms __ksym __weak;
extern const int gone_from_btf __ksym __weak;

__u64 address;

SEC("raw_tp/sched_switch")
int takes_addresses(void *ctx)
{
	address = (__u64)&bpf_prog_put + (__u64)&gone_from_kallsyms + (__u64)&gone_from_btf;
	return 0;
}

char _license[] SEC("license") = "GPL";
