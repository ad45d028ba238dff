// SPDX-License-Identifier: LGPL-2.1-or-later
/* Global variables of every kind, and programs whose cost depends on them. */
#include <linux/bpf.h>
#include <stdbool.h>

#include <bpf/bpf_helpers.h>

char _license[] SEC("license") = "GPL";

enum mode { MODE_OFF, MODE_ON = 3, MODE_LOW = -2 };

struct limits {
	__u8 low;
	__u16 high;
	struct {
		__s32 inner;
	};
	__u32 flag : 3;
	__u64 per_node[4];
	char label[8];
};

struct bits {
	__u32 three : 3;
	__s32 seven : 7;
	__u32 across : 13;
	_Bool one : 1;
	enum mode mode : 4;
	__u64 wide : 61;
};

const volatile __u32 bound = 3;
const volatile __s8 small = -1;
const volatile __u64 wide = 1;
const volatile bool verbose = false;
const volatile enum mode mode = MODE_ON;
const volatile __s32 table[2][3] = {{1, 2, 3}, {4, 5, 6}};
const volatile char comm[8] = "abc";
const volatile struct limits limits = {.low = 1, .high = 2};
const volatile struct bits bits = {5, -3, 1000, true, MODE_ON, 1};
const volatile unsigned __int128 huge = 1;
const volatile __int128 huge_signed = -1;
const volatile double ratio = 0.5;
const char *const text = "a pointer";
int counter = 7;
int zeroed;
volatile __u16 elsewhere SEC(".data.mine") = 9;

SEC("socket")
int loops(struct __sk_buff *skb)
{
	__u64 sum = 0;

	for (__u32 i = 0; i < bound; i++)
		sum += skb->len ^ bpf_get_prandom_u32();
	return sum > 100;
}

/* Other constants lead elsewhere: what is never reached does not count. */
SEC("socket")
int branches(struct __sk_buff *skb)
{
	int sum = counter + zeroed + elsewhere + (text[0] == 'a');

	if (verbose && mode == MODE_OFF && table[1][2] == 60 && limits.per_node[3] == 33 && comm[0] == 'x' &&
	    bits.three == 6 && bits.seven == -40 && bits.across == 8000 && bits.wide == 0x123456789abcdef &&
	    huge >> 64 == 7)
		for (int i = 0; i < 50; i++)
			sum += bpf_get_prandom_u32();
	return sum + small + (int)wide;
}
