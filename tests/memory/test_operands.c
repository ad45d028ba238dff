// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What code points to, per architecture. The bytes are those of GNU as; the addresses are those
 * that objdump writes beside them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include "memory/arch.h"

#define MAX 16

static bool has(const gaddr_t *found, size_t n, gaddr_t addr)
{
	for (size_t i = 0; i < n; i++)
		if (found[i] == addr)
			return true;
	return false;
}

static void expect(const struct arch *arch, const uint8_t *code, size_t len, gaddr_t at,
		   const gaddr_t *want, size_t n_want)
{
	gaddr_t found[MAX];
	size_t n = arch->operands(code, len, at, found, MAX);

	for (size_t i = 0; i < n_want; i++)
		if (!has(found, n, want[i]))
			fail_msg("%s: nothing points to 0x%llx", arch->name,
				 (unsigned long long)want[i]);
	/* Nothing is read behind the end, or written behind the room for it. */
	for (size_t short_len = 0; short_len < len; short_len++) {
		uint8_t *copy = malloc(short_len + 1);

		assert_non_null(copy);
		memcpy(copy, code, short_len);
		assert_true(arch->operands(copy, short_len, at, found, MAX) <= n);
		free(copy);
	}
	assert_int_equal(arch->operands(code, len, at, found, 1), 1);
	assert_int_equal(arch->operands(code, len, at, found, 0), 0);
}

static void test_x86_64(void **state)
{
	static const uint8_t code[] = {
		0x53,                                     /* push %rbx */
		0x48, 0xc7, 0xc7, 0x78, 0x56, 0x34, 0x82, /* mov $0xffffffff82345678,%rdi */
		0x4c, 0x8d, 0x25, 0x00, 0x10, 0x00, 0x00, /* lea 0x1000(%rip),%r12 # 0x100f */
		0x8b, 0x05, 0xf0, 0xff, 0xff, 0xff,       /* mov -0x10(%rip),%eax # 0x5 */
		0x48, 0x8b, 0x15, 0x20, 0x00, 0x00, 0x00, /* mov 0x20(%rip),%rdx # 0x3c */
		0xc3,
	};
	static const gaddr_t want[] = {0xffffffff82345678, 0xffffffff8100100f, 0xffffffff81000005,
				       0xffffffff8100003c};

	(void)state;
	expect(&arch_x86_64, code, sizeof(code), 0xffffffff81000000, want, 4);
}

/* Of bpf_prog_free_id() in Debian's 6.1: gcc forms an address by several additions. */
static void test_aarch64(void **state)
{
	static const uint8_t code[] = {
		0x54, 0xc0, 0x00, 0xf0, /* adrp x20, 0xffff800009a38000 */
		0x94, 0xa2, 0x1f, 0x91, /* add x20, x20, #0x7e8 */
		0x80, 0x42, 0x00, 0x91, /* add x0, x20, #0x10 */
		0x80, 0x1e, 0x40, 0xf9, /* ldr x0, [x20, #56] */
		0x82, 0x22, 0x40, 0xb9, /* ldr w2, [x20, #32] */
		0x21, 0x20, 0x40, 0xb9, /* ldr w1, [x1, #32]: x1 is unknown */
	};
	static const gaddr_t want[] = {0xffff800009a387e8, 0xffff800009a387f8, 0xffff800009a38820,
				       0xffff800009a38808};
	gaddr_t found[MAX];

	(void)state;
	expect(&arch_aarch64, code, sizeof(code), 0xffff80000822de60, want, 4);
	assert_int_equal(arch_aarch64.operands(code, sizeof(code), 0xffff80000822de60, found, MAX),
			 4);
}

static void test_riscv64(void **state)
{
	static const uint8_t code[] = {
		0x17, 0x25, 0x01, 0x00, /* auipc a0,0x12 */
		0x13, 0x05, 0x05, 0xff, /* addi a0,a0,-16 # 0x11ff0 */
		0x01, 0x00,             /* nop */
		0x97, 0xf4, 0xff, 0xff, /* auipc s1,0xfffff */
		0x83, 0xb5, 0x84, 0x00, /* ld a1,8(s1) # 0xfffffffffffff012 */
	};
	static const gaddr_t want[] = {0xffffffff80011ff0, 0xffffffff7ffff012};

	(void)state;
	expect(&arch_riscv64, code, sizeof(code), 0xffffffff80000000, want, 2);
}

static void test_s390x(void **state)
{
	static const uint8_t code[] = {
		0xeb, 0x6f, 0xf0, 0x30, 0x00, 0x24, /* stmg %r6,%r15,48(%r15) */
		0xc0, 0x20, 0x00, 0x00, 0x08, 0x00, /* larl %r2,0x1006 */
		0xc4, 0x38, 0xff, 0xff, 0xff, 0xf0, /* lgrl %r3,0xffffffffffffffec */
		0x07, 0xfe,                         /* br %r14 */
	};
	static const gaddr_t want[] = {0x101006, 0xfffec};
	gaddr_t found[MAX];

	(void)state;
	expect(&arch_s390x, code, sizeof(code), 0x100000, want, 2);
	assert_int_equal(arch_s390x.operands(code, sizeof(code), 0x100000, found, MAX), 2);
}

static void test_loongarch64(void **state)
{
	/* As llvm-mc 19 assembles it. */
	static const uint8_t code[] = {
		0x0d, 0x64, 0x03, 0x14, /* lu12i.w $t1, 0x1b20 */
		0xad, 0x01, 0x80, 0x03, /* ori     $t1, $t1, 0 */
		0x0d, 0x00, 0x00, 0x16, /* lu32i.d $t1, 0 */
		0xad, 0x01, 0x24, 0x03, /* lu52i.d $t1, $t1, -0x700 */
		0x44, 0x00, 0x00, 0x1a, /* pcalau12i $a0, 2 */
		0x85, 0x40, 0xc0, 0x28, /* ld.d    $a1, $a0, 16 */
		0x84, 0xfc, 0xff, 0x02, /* addi.d  $a0, $a0, -1 */
		0x86, 0x08, 0x00, 0x26, /* ldptr.d $a2, $a0, 8 */
		0xe7, 0xff, 0xff, 0x19, /* pcaddi  $a3, -1 */
	};
	static const gaddr_t want[] = {
		UINT64_C(0x9000000001b20000), UINT64_C(0x9000000000202010),
		UINT64_C(0x9000000000201fff), UINT64_C(0x9000000000202007),
		UINT64_C(0x900000000020001c),
	};

	(void)state;
	expect(&arch_loongarch64, code, sizeof(code), UINT64_C(0x9000000000200000), want, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_x86_64),      cmocka_unit_test(test_aarch64),
		cmocka_unit_test(test_riscv64),     cmocka_unit_test(test_s390x),
		cmocka_unit_test(test_loongarch64),
	};

	return cmocka_run_group_tests_name("operands", tests, NULL, NULL);
}
