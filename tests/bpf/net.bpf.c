// SPDX-License-Identifier: LGPL-2.1-or-later
/* Networking types; names of fewer than, exactly and more than 15 characters; 0 to 3 maps. */
#include "fixture.h"

ARRAY(packets, 256, __u64);
HASH(flows, 128, __u64);
ARRAY(settings, 1, __u32);

static __always_inline void count(void *map, __u32 key)
{
	__u64 *n = bpf_map_lookup_elem(map, &key);

	if (n)
		__sync_fetch_and_add(n, 1);
}

SEC("socket")
int sock_len(struct __sk_buff *skb)
{
	count(&packets, skb->protocol & 255);
	return (int)skb->len;
}

SEC("tc")
int exactly_15_char(struct __sk_buff *skb)
{
	return skb->mark == 7 ? 2 : 0;
}

SEC("tc")
int classify_every_packet_by_its_mark(struct __sk_buff *skb)
{
	__u32 mark = skb->mark, zero = 0;
	__u64 first = 1;
	__u32 *limit = bpf_map_lookup_elem(&settings, &zero);

	count(&packets, mark & 255);
	if (!limit || mark > *limit)
		return 0;
	bpf_map_update_elem(&flows, &mark, &first, BPF_NOEXIST);
	return -1;
}

SEC("xdp")
int xdp_parse_ethernet_header(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	__u16 *proto = data + 12;

	if ((void *)(proto + 1) > end)
		return XDP_DROP;
	count(&packets, *proto & 255);
	return XDP_PASS;
}

SEC("xdp")
int xdp_pass(struct xdp_md *ctx)
{
	return XDP_PASS;
}

SEC("cgroup_skb/egress")
int cg_egress(struct __sk_buff *skb)
{
	return skb->len < 65536;
}

SEC("cgroup/connect4")
int connect4_no_telnet(struct bpf_sock_addr *ctx)
{
	return ctx->user_port != 0x1700;
}

SEC("sockops")
int sockops_rtt(struct bpf_sock_ops *ops)
{
	count(&flows, ops->op);
	return 1;
}

SEC("cgroup/sysctl")
int sysctl_read_only_for_the_containers(struct bpf_sysctl *ctx)
{
	return !ctx->write;
}

SEC("sk_lookup")
int same_name(struct bpf_sk_lookup *ctx)
{
	return ctx->local_port == 7 ? SK_DROP : SK_PASS;
}

/* No helper here is for GPL programs only. */
char _license[] SEC("license") = "Proprietary";
