// SPDX-License-Identifier: LGPL-2.1-or-later
/* Instructions as the verifier prints them, and what a register's value says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include "logparse/insn.h"
#include "logparse/op.h"
#include "logparse/value.h"
#include "tests/logparse/errors.h"

static struct kt_text text_of(const char *s)
{
	return (struct kt_text){s, strlen(s)};
}

/* "load dst 1 base 0 +4 size 4": the members that are set. */
static const char *describe_op(const char *insn)
{
	static const char *const kinds[] = {
		[KT_OP_OTHER] = "other",   [KT_OP_CONST] = "const", [KT_OP_COPY] = "copy",
		[KT_OP_ALTER] = "alter",   [KT_OP_LOAD] = "load",   [KT_OP_STORE] = "store",
		[KT_OP_ATOMIC] = "atomic", [KT_OP_CALL] = "call",   [KT_OP_JUMP] = "jump",
	};
	struct kt_text copy = copy_text(insn, strlen(insn));
	static char out[200];
	struct kt_op op;
	int n;

	kt_op_read(copy, &op);
	n = snprintf(out, sizeof(out), "%s", kinds[op.kind]);
	if (op.op)
		n += snprintf(out + n, sizeof(out) - (size_t)n, " %c", op.op);
	if (op.dst != KT_OP_NO_REG)
		n += snprintf(out + n, sizeof(out) - (size_t)n, " dst %u", op.dst);
	if (op.src != KT_OP_NO_REG)
		n += snprintf(out + n, sizeof(out) - (size_t)n, " src %u", op.src);
	if (op.base != KT_OP_NO_REG)
		n += snprintf(out + n, sizeof(out) - (size_t)n, " base %u %+d size %u", op.base,
			      op.offset, op.size);
	if (op.value.len)
		n += snprintf(out + n, sizeof(out) - (size_t)n, " value %.*s", (int)op.value.len,
			      op.value.data);
	if (op.name.len)
		n += snprintf(out + n, sizeof(out) - (size_t)n, " name %.*s", (int)op.name.len,
			      op.name.data);
	if (op.narrow)
		snprintf(out + n, sizeof(out) - (size_t)n, " narrow");
	free((char *)copy.data);
	return out;
}

/* As print_bpf_insn() of Linux 5.10 to 7.3 prints them. */
static void test_ops(void **state)
{
	static const char *const cases[][2] = {
		{"(b7) r1 = 7", "const dst 1 value 7"},
		{"(b7) r1 = -1", "const dst 1 value -1"},
		{"(b4) w10 = 7", "const dst 10 value 7 narrow"},
		{"(18) r1 = 0xffff888103d4b000", "const dst 1 value 0xffff888103d4b000"},
		{"(bf) r6 = r10", "copy dst 6 src 10"},
		{"(bc) w2 = w0", "copy dst 2 src 0 narrow"},
		{"(bc) w2 = w2", "alter dst 2 src 2 narrow"},
		{"(bf) r1 = (s8)r2", "alter dst 1 src 2 narrow"},
		{"(07) r1 += -8", "alter + dst 1 value -8"},
		{"(0f) r3 += r4", "alter + dst 3 src 4"},
		{"(1f) r3 -= r4", "alter - dst 3 src 4"},
		{"(57) r2 &= 16383", "alter & dst 2 value 16383"},
		{"(54) w2 &= 7", "alter & dst 2 value 7 narrow"},
		{"(67) r2 <<= 32", "alter < dst 2 value 32"},
		{"(c7) r2 s>>= 32", "alter > dst 2 value 32"},
		{"(37) r2 s/= 3", "alter / dst 2 value 3"},
		{"(87) r1 = -r1", "alter dst 1 src 1"},
		{"(84) w1 = -w1", "alter dst 1 src 1 narrow"},
		{"(dc) r1 = be16 r1", "alter dst 1 src 1 narrow"},
		{"(d7) r3 = bswap64 r3", "alter dst 3 src 3 narrow"},
		{"(bf) r1 = addr_space_cast(r2, 0, 1)", "alter dst 1 src 2 narrow"},
		{"(61) r1 = *(u32 *)(r0 +4)", "load dst 1 base 0 +4 size 4"},
		{"(79) r1 = *(u64 *)(r10 -16)", "load dst 1 base 10 -16 size 8"},
		{"(91) r1 = *(s8 *)(r2 +0)", "load dst 1 base 2 +0 size 1"},
		{"(db) r1 = load_acquire((u64 *)(r2 +8))", "load dst 1 base 2 +8 size 8"},
		{"(63) *(u32 *)(r10 -4) = r1", "store src 1 base 10 -4 size 4"},
		{"(7a) *(u64 *)(r10 -8) = 0", "store base 10 -8 size 8 value 0"},
		{"(db) store_release((u64 *)(r10 -8), r1)", "store src 1 base 10 -8 size 8"},
		{"(db) lock *(u64 *)(r1 +0) += r2", "atomic base 1 +0 size 8"},
		{"(db) r2 = atomic64_fetch_add((u64 *)(r10 -8), r2)",
		 "atomic dst 2 base 10 -8 size 8"},
		{"(85) call bpf_skb_pull_data#39", "call name bpf_skb_pull_data"},
		{"(85) call pc+5", "call"},
		{"(8d) callx r1", "call"},
		{"(15) if r0 == 0x0 goto pc+3", "jump dst 0 value 0x0"},
		{"(2d) if r3 > r2 goto pc+3", "jump dst 3 src 2"},
		{"(05) goto pc+2", "jump"},
		{"(30) r0 = *(u8 *)skb[23]", "other dst 0"},
		{"<invalid kfunc call>", "other"},
		{"(bf) r1", "other dst 1"},
		{"(bf) r1 = ", "other dst 1"},
		{"(bf) r1 = r", "other dst 1"},
		{"(bf) r11 = r1", "other"},
		{"(61) r1 = *(u32 *)(r0", "other dst 1 base 0 +0 size 0"},
		{"(0f) r3 += ", "alter + dst 3"},
		{"(0f) r3", "other dst 3"},
		{"", "other"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_string_equal(describe_op(cases[i][0]), cases[i][1]);
	}
}

static void test_ranks(void **state)
{
	static const struct {
		const char *value;
		enum kt_value_rank rank;
	} cases[] = {
		{"", KT_VALUE_NONE},
		{"scalar()", KT_VALUE_SCALAR},
		{"Pscalar(umax=7,var_off=(0x0; 0x7))", KT_VALUE_SCALAR},
		{"inv(id=0)", KT_VALUE_SCALAR},
		{"invP(id=0,umax_value=7,var_off=(0x0; 0x7))", KT_VALUE_SCALAR},
		{"inv5", KT_VALUE_SCALAR},
		{"invP0", KT_VALUE_SCALAR},
		{"P0", KT_VALUE_SCALAR},
		{"-300", KT_VALUE_SCALAR},
		{"0xffffffff80000000", KT_VALUE_SCALAR},
		{"imm5", KT_VALUE_SCALAR},
		{"mmmm????", KT_VALUE_SCALAR},
		{"0000mmmm", KT_VALUE_SCALAR},
		{"pkt(r=0)", KT_VALUE_POINTER},
		{"map_value_or_null(id=1,map=arr,ks=4,vs=32)", KT_VALUE_POINTER},
		{"fp-8", KT_VALUE_POINTER},
		{"fp0", KT_VALUE_POINTER},
		{"fp[1]-8", KT_VALUE_POINTER},
		{"iter_num(id=1,state=active,depth=0)", KT_VALUE_POINTER},
		{"trusted_ptr_task_struct()", KT_VALUE_POINTER},
		{"untrusted_ptr_task_struct()", KT_VALUE_UNTRUSTED},
		{"rcu_ptr_or_null_task_struct(id=2)", KT_VALUE_POINTER},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(kt_value_rank(text_of(cases[i].value)), cases[i].rank);
}

static void test_bounds(void **state)
{
	static const struct {
		const char *value;
		bool has_min, has_max;
		int64_t min;
		uint64_t max;
	} cases[] = {
		{"scalar()", false, false, 0, 0},
		{"scalar(smin=smin32=0,smax=umax=smax32=umax32=16383,var_off=(0x0; 0x3fff))", true,
		 true, 0, 16383},
		{"scalar(umax=7,var_off=(0x0; 0x7))", true, true, 0, 7},
		{"inv(id=0,umax_value=4294967295,var_off=(0x0; 0xffffffff))", true, true, 0,
		 UINT32_MAX},
		{"inv(id=0,smin_value=-3,smax_value=31)", true, false, -3, 0},
		{"scalar(smin=smin32=-8,smax=smax32=-4,umin=0xfffffffffffffff8,"
		 "umax=0xfffffffffffffffc)",
		 true, true, -8, UINT64_MAX - 3},
		{"scalar(smin=0x8000000000000001,smax=2)", true, false, INT64_MIN + 1, 0},
		{"scalar(id=1,umin=1)", true, false, 1, 0},
		{"scalar(umax32=7)", false, false, 0, 0},
		{"map_value(map=umax,ks=4,vs=8,smin=umin=3,smax=umax=0x1f)", true, true, 3, 31},
		{"7", true, true, 7, 7},
		{"-1", true, true, -1, UINT64_MAX},
		{"invP0", true, true, 0, 0},
		{"scalar(umax=", false, false, 0, 0},
		{"scalar(umax", false, false, 0, 0},
		{"ctx()", false, false, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kt_text value = text_of(cases[i].value);
		uint64_t max = 0;
		int64_t min = 0;

		assert_int_equal(kt_value_max(value, &max), cases[i].has_max);
		assert_int_equal(kt_value_min(value, &min), cases[i].has_min);
		assert_true(max == cases[i].max && min == cases[i].min);
	}
	assert_int_equal(kt_value_ref(text_of("sock(id=4,ref_obj_id=2)")), 2);
	assert_int_equal(kt_value_id(text_of("sock(id=4,ref_obj_id=2)")), 4);
	assert_int_equal(kt_value_ref(text_of("sock(id=4)")), 0);
	assert_text(kt_value_type(text_of("ptr_or_null_a(id=2)")), "ptr_or_null_a");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ops),
		cmocka_unit_test(test_ranks),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
