// SPDX-License-Identifier: LGPL-2.1-or-later
/* A program that keeps the verifier busy for seconds, between two that do not. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

SEC("socket")
int before(void *ctx)
{
	return 0;
}

SEC("socket")
int long_walk(void *ctx)
{
	volatile unsigned long sum = 0;

#pragma clang loop unroll(disable)
	for (int i = 0; i < 24000; i++)
		sum += bpf_get_prandom_u32();
	return (int)sum;
}

SEC("socket")
int behind(void *ctx)
{
	return 1;
}
