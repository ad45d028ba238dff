/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Two hundred programs: eight objects of a type each, which has 25 with another constant in each,
 * so that the verifier has other work. Every fifth is rejected.
 */
#ifndef KTSTR_MANY_H
#define KTSTR_MANY_H

#include "../fixture.h"

struct task_struct {
	int pid;
	int tgid;
	char comm[16];
} CORE;

ARRAY(numbers, 64, __u64);
HASH(seen, 64, __u64);

static __always_inline void note(__u32 key, __u64 n)
{
	__u64 *value = bpf_map_lookup_elem(&numbers, &key);

	if (value)
		__sync_fetch_and_add(value, n);
}

/* Sums n bytes of a packet; one byte too far where it is to be rejected. */
static __always_inline int sum(void *data, void *data_end, int n, int bad)
{
	unsigned char *p = data;
	__u32 sum = 0;

	if (data + n > data_end)
		return 0;
#pragma clang loop unroll(full)
	for (int i = 0; i < n; i++)
		sum = (sum << 1 | sum >> 31) ^ p[i + bad];
	note(n, sum);
	return (int)(sum & 1);
}

/* Branches, each way of which the verifier has to follow. */
static __always_inline int ways(__u64 x, int n, int bad)
{
	__u64 sum = 0;

#pragma clang loop unroll(full)
	for (int i = 0; i < n % 8 + 1; i++) {
		__u32 key = i;

		if (x >> i & 1)
			sum += bpf_get_prandom_u32();
		else
			bpf_map_update_elem(&seen, &key, &sum, 0);
	}
	if (bad)
		return *(int *)sum;
	note(n, sum);
	return 0;
}

static __always_inline int look(struct task_struct *task, int n, int bad)
{
	int sum = task->pid;

#pragma clang loop unroll(full)
	for (int i = 0; i < n % 16 + 1; i++)
		sum += task->comm[i] == 'a' + n % 26;
	if (bad)
		sum += *((char *)task + 1000000);
	note(n, task->tgid + sum);
	return 0;
}

/* PROGRAM(n, bad) is the object's. */
#define FIVE(a, b, c, d, e) PROGRAM(a, 0) PROGRAM(b, 0) PROGRAM(c, 0) PROGRAM(d, 0) PROGRAM(e, 1)
#define MANY                                                                                       \
	FIVE(1, 2, 3, 4, 5)                                                                        \
	FIVE(6, 7, 8, 9, 10)                                                                       \
	FIVE(11, 12, 13, 14, 15)                                                                   \
	FIVE(16, 17, 18, 19, 20)                                                                   \
	FIVE(21, 22, 23, 24, 25)                                                                   \
	char _license[] SEC("license") = "GPL"

#endif
