// SPDX-License-Identifier: LGPL-2.1-or-later
/* Programs that are libbpf's probes, and the share of time that a watch may take. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include <linux/bpf.h>
#include <string.h>

#include "watch/overhead.h"
#include "watch/probe.h"

/* As libbpf makes them (src/features.c), with the kernel's own macros' meaning. */
static const struct bpf_insn return_0[PROBE_INSNS] = {
	{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 0},
	{.code = BPF_JMP | BPF_EXIT},
};

static enum bpf_load_probe probe(const char *name, uint32_t type, size_t n,
				 const struct bpf_insn *insns)
{
	return probe_of(name, type, n, (const uint8_t *)insns);
}

static void test_probes(void **state)
{
	struct bpf_insn other[PROBE_INSNS];

	(void)state;
	assert_int_equal(probe("libbpf_nametest", BPF_PROG_TYPE_SOCKET_FILTER, 2, return_0),
			 BPF_LOAD_IS_PROBE);
	assert_int_equal(probe("", BPF_PROG_TYPE_SOCKET_FILTER, 2, return_0), BPF_LOAD_MAYBE_PROBE);
	assert_int_equal(probe("", BPF_PROG_TYPE_TRACEPOINT, 2, return_0), BPF_LOAD_MAYBE_PROBE);
	/* A user's program: by its name, its type, its length, an instruction. */
	assert_int_equal(probe("mine", BPF_PROG_TYPE_SOCKET_FILTER, 2, return_0),
			 BPF_LOAD_NO_PROBE);
	assert_int_equal(probe("libbpf_nametest", BPF_PROG_TYPE_XDP, 2, return_0),
			 BPF_LOAD_NO_PROBE);
	assert_int_equal(probe("", BPF_PROG_TYPE_SOCKET_FILTER, 3, return_0), BPF_LOAD_NO_PROBE);
	memcpy(other, return_0, sizeof(other));
	other[0].imm = 1;
	assert_int_equal(probe("", BPF_PROG_TYPE_SOCKET_FILTER, 2, other), BPF_LOAD_NO_PROBE);
	other[0].imm = 0;
	other[0].dst_reg = BPF_REG_1;
	assert_int_equal(probe("", BPF_PROG_TYPE_SOCKET_FILTER, 2, other), BPF_LOAD_NO_PROBE);
}

static void test_overhead(void **state)
{
	struct overhead overhead = {.max = 0.1};
	double share = -1;
	int64_t now = 1000;

	(void)state;
	assert_false(overhead_exceeded(&overhead, now, 0, &share));
	/* One long stop in a span is not looked at before the span is over. */
	assert_false(overhead_exceeded(&overhead, now + OVERHEAD_SPAN_NS - 1, OVERHEAD_SPAN_NS / 2,
				       &share));
	now += OVERHEAD_SPAN_NS;
	assert_true(overhead_exceeded(&overhead, now, OVERHEAD_SPAN_NS / 2, &share));
	assert_true(share > 0.49 && share < 0.51);
	/* The next span counts for itself. */
	now += OVERHEAD_SPAN_NS;
	assert_false(overhead_exceeded(&overhead, now, OVERHEAD_SPAN_NS / 2 + OVERHEAD_SPAN_NS / 20,
				       &share));
	overhead = (struct overhead){0};
	assert_false(overhead_exceeded(&overhead, 1, 0, &share));
	assert_false(overhead_exceeded(&overhead, 1 + OVERHEAD_SPAN_NS, OVERHEAD_SPAN_NS, &share));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_probes),
		cmocka_unit_test(test_overhead),
	};

	return cmocka_run_group_tests_name("watch probe", tests, NULL, NULL);
}
