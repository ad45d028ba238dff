// SPDX-License-Identifier: LGPL-2.1-or-later
/* What only a module has, nf_conntrack: it fails where that is not loaded. */
#include "lacks.h"

struct nf_conn;

/* Since 6.1. */
extern int bpf_ct_change_timeout(struct nf_conn *ct, __u32 timeout) __ksym __weak;

SEC("tc")
int kfunc_in_module(struct __sk_buff *skb)
{
	return bpf_ct_change_timeout(0, 1);
}

SEC("fentry/nf_conntrack_in")
int fentry_in_module(void *ctx)
{
	return 0;
}

char _license[] SEC("license") = "GPL";
