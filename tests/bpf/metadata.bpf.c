// SPDX-License-Identifier: LGPL-2.1-or-later
/* Programs with metadata: constants of each kind that bpftool shows by the beginning of their names. */
#include <linux/bpf.h>
#include <stdbool.h>

#include <bpf/bpf_helpers.h>

char _license[] SEC("license") = "GPL";

struct version {
	__u16 major, minor;
	char suffix[8];
};

enum level { LEVEL_LOW = 1, LEVEL_HIGH = 9 };

volatile const char bpf_metadata_author[] SEC(".rodata") = "a \"name\"";
volatile const __u64 bpf_metadata_large SEC(".rodata") = 0xfedcba9876543210;
volatile const __s32 bpf_metadata_below SEC(".rodata") = -7;
volatile const bool bpf_metadata_debug SEC(".rodata") = true;
volatile const struct version bpf_metadata_version SEC(".rodata") = {1, 20, "rc3"};
volatile const __u8 bpf_metadata_bytes[3] SEC(".rodata") = {1, 2, 255};
volatile const enum level bpf_metadata_level SEC(".rodata") = LEVEL_HIGH;
volatile const int other SEC(".rodata") = 5;

/* apart/replace.bpf.c has another one. */
__attribute__((noinline)) int md_replaced(struct __sk_buff *skb)
{
	return skb->len > 3;
}

SEC("socket")
int md_uses(struct __sk_buff *skb)
{
	return skb->len > (__u32)other && md_replaced(skb);
}

/* libbpf binds the map to it. */
SEC("socket")
int md_uses_not(struct __sk_buff *skb)
{
	return 0;
}
