// SPDX-License-Identifier: LGPL-2.1-or-later
/* What the verifier surely comes to, of small programs whose paths a reader can follow. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <linux/bpf.h>
#include <stdlib.h>

#include "preflight/reach.h"

#define N PF_REACH_NEVER
#define M PF_REACH_MAYBE
#define S PF_REACH_SURELY

#define MOV                                                                                        \
	{                                                                                          \
		.code = BPF_ALU64 | BPF_MOV | BPF_K                                                \
	}
#define EXIT                                                                                       \
	{                                                                                          \
		.code = BPF_JMP | BPF_EXIT                                                         \
	}
#define JA(o)                                                                                      \
	{                                                                                          \
		.code = BPF_JMP | BPF_JA, .off = (o)                                               \
	}
#define JA32(o)                                                                                    \
	{                                                                                          \
		.code = BPF_JMP32 | BPF_JA, .imm = (o)                                             \
	}
#define JEQ(r, o)                                                                                  \
	{                                                                                          \
		.code = BPF_JMP | BPF_JEQ | BPF_K, .dst_reg = (r), .off = (o)                      \
	}
#define JNE(r, o)                                                                                  \
	{                                                                                          \
		.code = BPF_JMP | BPF_JNE | BPF_K, .dst_reg = (r), .off = (o)                      \
	}
#define CALL(f)                                                                                    \
	{                                                                                          \
		.code = BPF_JMP | BPF_CALL, .imm = (f)                                             \
	}
#define SUBPROG(o)                                                                                 \
	{                                                                                          \
		.code = BPF_JMP | BPF_CALL, .src_reg = BPF_PSEUDO_CALL, .imm = (o)                 \
	}
#define WIDE                                                                                       \
	{.code = BPF_LD | BPF_IMM | BPF_DW},                                                       \
	{                                                                                          \
		0                                                                                  \
	}

#define EXPECT(throws, insns, ...)                                                                 \
	do {                                                                                       \
		const uint8_t want[] = {__VA_ARGS__};                                              \
		uint8_t *got;                                                                      \
		assert_null(pf_reach_in(insns, sizeof(insns) / sizeof(*(insns)), throws, &got));   \
		assert_int_equal(sizeof(want), sizeof(insns) / sizeof(*(insns)));                  \
		for (size_t i = 0; i < sizeof(want); i++)                                          \
			assert_int_equal(got[i], want[i]);                                         \
		free(got);                                                                         \
	} while (0)

static void test_branches(void **state)
{
	const struct bpf_insn line[] = {MOV, WIDE, EXIT, MOV};
	const struct bpf_insn guarded[] = {JEQ(1, 1), CALL(181), MOV, EXIT};
	const struct bpf_insn early[] = {JEQ(1, 1), EXIT, CALL(181), EXIT};
	const struct bpf_insn diamond[] = {JEQ(1, 2), MOV, JA(1), MOV, CALL(181), EXIT};
	const struct bpf_insn jumps[] = {JA32(1), MOV, JA(0), EXIT};

	(void)state;
	EXPECT(false, line, S, S, N, S, N);
	EXPECT(false, guarded, S, M, S, S);
	EXPECT(false, early, S, M, M, M);
	EXPECT(false, diamond, S, M, M, M, S, S);
	EXPECT(false, jumps, S, N, S, S);
}

static void test_loops(void **state)
{
	const struct bpf_insn loop[] = {MOV, JEQ(1, 2), MOV, JA(-3), CALL(5), EXIT};
	const struct bpf_insn endless[] = {MOV, JA(-2)};
	const struct bpf_insn part[] = {JEQ(1, 1), EXIT, MOV, JA(-2)};

	(void)state;
	EXPECT(false, loop, S, S, M, M, S, S);
	EXPECT(false, endless, M, M); /* nothing is known of what has no end */
	EXPECT(false, part, S, S, M, M);
}

/* The side of a null check where the element is there is surely walked. */
static void test_null_check(void **state)
{
	const struct bpf_insn jeq[] = {CALL(BPF_FUNC_map_lookup_elem), JEQ(0, 2), CALL(181), MOV,
				       EXIT};
	const struct bpf_insn jne[] = {CALL(BPF_FUNC_map_lookup_elem), JNE(0, 1), EXIT, CALL(181),
				       EXIT};
	const struct bpf_insn other[] = {CALL(BPF_FUNC_get_prandom_u32), JEQ(0, 2), CALL(181), MOV,
					 EXIT};
	/* Something jumps to the check, from where r0 is another one. */
	const struct bpf_insn jumped[] = {JEQ(1, 1), CALL(BPF_FUNC_map_lookup_elem), JEQ(0, 1),
					  CALL(181), EXIT};

	(void)state;
	EXPECT(false, jeq, S, S, S, S, S);
	EXPECT(false, jne, S, S, M, S, S);
	EXPECT(false, other, S, S, M, M, S);
	EXPECT(false, jumped, S, M, S, M, S);
}

static void test_exceptions(void **state)
{
	const struct bpf_insn call[] = {SUBPROG(2), MOV, EXIT};

	(void)state;
	EXPECT(false, call, S, S, S);
	EXPECT(true, call, S, M, M);
}

/* Jumps out of the function, and no exit at its end: no matter what, no byte beyond is looked at.
 */
static void test_hostile(void **state)
{
	const struct bpf_insn far[] = {JEQ(1, 32000), JA(-32000), JA32(INT32_MAX), JA32(INT32_MIN)};
	const struct bpf_insn half[] = {{.code = BPF_LD | BPF_IMM | BPF_DW}};

	(void)state;
	EXPECT(false, far, S, M, N, N);
	EXPECT(false, half, S);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_branches),   cmocka_unit_test(test_loops),
		cmocka_unit_test(test_null_check), cmocka_unit_test(test_exceptions),
		cmocka_unit_test(test_hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
