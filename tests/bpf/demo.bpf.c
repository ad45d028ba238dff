// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The programs of `make demo`: six small tools of the kind that people write, of six types. Most
 * cost the verifier next to nothing; checksum_payload costs it ten thousand instructions,
 * for a loop of three lines.
 */
#include "fixture.h"

#define ETH_HLEN  14
#define ETH_P_IP  0x0800
#define PROTO_TCP 6
#define PROTO_UDP 17
#define PORT_DNS  53
#define EPERM     1
#define TC_ACT_OK 0
#define PAYLOAD   700

#define bswap16(x) __builtin_bswap16(x)

struct task_struct {
	int pid;
	int tgid;
	char comm[16];
} CORE;

struct opened {
	__u64 when;
	int pid;
	char comm[16];
};

/* Packets by IP protocol. */
ARRAY(by_protocol, 256, __u64);
/* Bytes by address of the peer. */
HASH(by_peer, 4096, __u64);
/* When each thread began to start a module. */
HASH(started, 1024, __u64);
/* Durations, by power of two of microseconds. */
ARRAY(latency, 32, __u64);
/* Processes that asked for a new program. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 64 * 1024);
} opened SEC(".maps");

static __always_inline void add(void *map, __u32 key, __u64 n)
{
	__u64 *value = bpf_map_lookup_elem(map, &key);

	if (value)
		__sync_fetch_and_add(value, n);
}

/* Counts packets by protocol; drops what is no whole IPv4 header. */
SEC("xdp")
int count_protocols(struct xdp_md *ctx)
{
	unsigned char *p = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;

	if (p + ETH_HLEN + 20 > end)
		return XDP_DROP;
	if (*(__u16 *)(p + 12) == bswap16(ETH_P_IP))
		add(&by_protocol, p[ETH_HLEN + 9], 1);
	return XDP_PASS;
}

/* A checksum over the payload, byte by byte, as a first version is written. */
SEC("tc")
int checksum_payload(struct __sk_buff *skb)
{
	unsigned char *p = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
	__u32 sum = 0;

	for (int i = 0; i < PAYLOAD; i++) {
		if (p + i + 1 > end)
			break;
		sum = (sum << 1 | sum >> 31) ^ p[i];
	}
	skb->mark = sum;
	return TC_ACT_OK;
}

/* Bytes sent, by peer; DNS is free of charge. */
SEC("cgroup_skb/egress")
int account_bytes_by_peer(struct __sk_buff *skb)
{
	__u32 peer = 0;
	__u64 first = skb->len;
	__u8 proto = 0;
	__u16 port = 0;

	if (skb->protocol != bswap16(ETH_P_IP) || bpf_skb_load_bytes(skb, 16, &peer, 4) ||
	    bpf_skb_load_bytes(skb, 9, &proto, 1) || bpf_skb_load_bytes(skb, 22, &port, 2))
		return 1;
	if (proto == PROTO_UDP && port == bswap16(PORT_DNS))
		return 1;
	if (bpf_map_update_elem(&by_peer, &peer, &first, BPF_NOEXIST))
		add(&by_peer, peer, skb->len);
	return 1;
}

/* How long a module's init takes: where it starts ... */
SEC("kprobe/do_init_module")
int module_init_begins(struct pt_regs *ctx)
{
	__u32 tid = (__u32)bpf_get_current_pid_tgid();
	__u64 now = bpf_ktime_get_ns();

	bpf_map_update_elem(&started, &tid, &now, BPF_ANY);
	return 0;
}

static __attribute__((noinline)) __u32 log2_of(__u64 v)
{
	__u32 r = 0;

	for (int i = 0; i < 31 && v > 1; i++) {
		v >>= 1;
		r++;
	}
	return r;
}

/* ... and where it ends, into a histogram. */
SEC("fexit/do_init_module")
int BPF_PROG(module_init_histogram)
{
	__u32 tid = (__u32)bpf_get_current_pid_tgid();
	__u64 *begin = bpf_map_lookup_elem(&started, &tid);

	if (!begin)
		return 0;
	add(&latency, log2_of((bpf_ktime_get_ns() - *begin) / 1000), 1);
	bpf_map_delete_elem(&started, &tid);
	return 0;
}

/* Tells who loads BPF programs, and refuses it to one process name. */
SEC("lsm/bpf")
int BPF_PROG(watch_bpf_syscall, int cmd)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct opened *e;

	if (cmd != BPF_PROG_LOAD)
		return 0;
	e = bpf_ringbuf_reserve(&opened, sizeof(*e), 0);
	if (!e)
		return 0;
	e->when = bpf_ktime_get_ns();
	e->pid = task->tgid;
	bpf_get_current_comm(e->comm, sizeof(e->comm));
	if (e->comm[0] == 'e' && e->comm[1] == 'v' && e->comm[2] == 'i' && e->comm[3] == 'l') {
		bpf_ringbuf_submit(e, 0);
		return -EPERM;
	}
	bpf_ringbuf_submit(e, 0);
	return 0;
}

char _license[] SEC("license") = "GPL";
