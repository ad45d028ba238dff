// SPDX-License-Identifier: LGPL-2.1-or-later
/* Programs that refer to what only modules have: functions of veth and dummy, kfuncs of nf_conntrack. */
#include "../fixture.h"

/* Not only declared: libbpf compares kinds of types. */
struct nf_conn {
	__u32 timeout;
} CORE;

struct bpf_ct_opts {
	int netns_id;
	int error;
	__u8 l4proto;
	__u8 dir;
	__u8 reserved[2];
};

struct nf_conn *bpf_skb_ct_lookup(struct __sk_buff *skb, struct bpf_sock_tuple *tuple, __u32 tuple_len,
				  struct bpf_ct_opts *opts, __u32 opts_len) __ksym;
void bpf_ct_release(struct nf_conn *ct) __ksym;

SEC("fentry/veth_dellink")
int BPF_PROG(mod_fentry, void *device)
{
	return 0;
}

SEC("fexit/dummy_xmit")
int BPF_PROG(mod_fexit, void *skb, void *device, long ret)
{
	return 0;
}

SEC("tc")
int mod_kfuncs(struct __sk_buff *skb)
{
	struct bpf_sock_tuple tuple = {.ipv4.daddr = skb->len};
	struct bpf_ct_opts opts = {.netns_id = -1, .l4proto = 6};
	struct nf_conn *ct = bpf_skb_ct_lookup(skb, &tuple, sizeof(tuple.ipv4), &opts, sizeof(opts));

	if (ct)
		bpf_ct_release(ct);
	return !ct;
}
char _license[] SEC("license") = "GPL";
