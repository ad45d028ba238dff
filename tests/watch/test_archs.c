// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Code as stock kernels of aarch64, riscv64 and s390x have it at the places where a watch stops.
 * The bytes and what they mean are as binutils' objdump has them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "util/cursor.h"
#include "watch/arch.h"

#define PC     UINT64_C(0xffff80008027e6c8)
#define RESULT UINT64_C(0x12345678ffffffea)
#define INT    UINT64_C(0xffffffffffffffea) /* RESULT, as an int that has a sign */
#define UINT   UINT64_C(0x00000000ffffffea)

struct code {
	uint8_t bytes[WATCH_CODE_LEN];
	const char *reg; /* NULL: nothing but the program counter changes */
	uint64_t value;
	int64_t moved; /* the program counter; 0: not to be emulated */
};

static void check(const struct watch_arch *arch, const struct code *codes, size_t n)
{
	const uint64_t registers[WATCH_REGISTERS] = {[WATCH_PC] = PC, [WATCH_RESULT] = RESULT};

	for (size_t i = 0; i < n; i++) {
		const struct code *code = &codes[i];
		struct rsp_write writes[WATCH_WRITES];
		size_t done = arch->emulate(code->bytes, WATCH_CODE_LEN, registers, writes);

		if (done != (code->moved ? 1 + (code->reg != NULL) : 0u))
			fail_msg("%s, %zu: %zu registers", arch->name, i, done);
		if (!done)
			continue;
		assert_string_equal(writes[done - 1].name, arch->pc);
		assert_int_equal(writes[done - 1].value, PC + (uint64_t)code->moved);
		if (code->reg) {
			assert_string_equal(writes[0].name, code->reg);
			assert_int_equal(writes[0].value, code->value);
		}
	}
}

static void test_aarch64(void **state)
{
	static const struct code codes[] = {
		{{0x1f, 0x20, 0x03, 0xd5}, NULL, 0, 4},            /* nop */
		{{0xf3, 0x03, 0x00, 0x2a}, "x19", UINT, 4},        /* mov w19, w0 */
		{{0xf5, 0x03, 0x00, 0xaa}, "x21", RESULT, 4},      /* mov x21, x0 */
		{{0xa3, 0xfe, 0xff, 0x17}, NULL, 0, -0x574},       /* b */
		{{0x1e, 0xfe, 0xff, 0x97}, "x30", PC + 4, -0x788}, /* bl */
		/* mov w19, w1; mov wzr, w0; str w0, [sp, #28]; tbnz w0, #31; bti c; paciasp */
		{{0xf3, 0x03, 0x01, 0x2a}, NULL, 0, 0},
		{{0xff, 0x03, 0x00, 0x2a}, NULL, 0, 0},
		{{0xe0, 0x1f, 0x00, 0xb9}, NULL, 0, 0},
		{{0x80, 0x22, 0xf8, 0x37}, NULL, 0, 0},
		{{0x5f, 0x24, 0x03, 0xd5}, NULL, 0, 0},
		{{0x3f, 0x23, 0x03, 0xd5}, NULL, 0, 0},
	};
	static const uint8_t traced[] = {0xe9, 0x03, 0x1e, 0xaa, 0x1f, 0x20, 0x03, 0xd5};
	static const uint8_t guarded[] = {0x5f, 0x24, 0x03, 0xd5, 0xe9, 0x03,
					  0x1e, 0xaa, 0x1f, 0x20, 0x03, 0xd5};

	(void)state;
	check(&watch_aarch64, codes, sizeof(codes) / sizeof(codes[0]));
	assert_int_equal(watch_aarch64.landing(traced, sizeof(traced)), 4);
	assert_int_equal(watch_aarch64.landing(guarded, sizeof(guarded)), 8);
	assert_int_equal(watch_aarch64.landing(codes[0].bytes, WATCH_CODE_LEN), 0);
}

static void test_riscv64(void **state)
{
	static const struct code codes[] = {
		{{0x13, 0x00, 0x00, 0x00}, NULL, 0, 4},             /* nop */
		{{0x01, 0x00}, NULL, 0, 2},                         /* c.nop */
		{{0x97, 0xf2, 0xdc, 0xff}, "t0", PC - 0x231000, 4}, /* auipc t0,0xffdcf */
		{{0xaa, 0x89}, "s3", RESULT, 2},                    /* c.mv s3,a0 */
		{{0x93, 0x07, 0x05, 0x00}, "a5", RESULT, 4},        /* mv a5,a0 */
		{{0x9b, 0x07, 0x05, 0x00}, "a5", INT, 4},           /* sext.w a5,a0 */
		{{0x01, 0x25}, "a0", INT, 2},                       /* sext.w a0,a0 */
		{{0x6f, 0xf0, 0x0f, 0xd8}, NULL, 0, -0xa80},        /* j */
		{{0xf9, 0xb0}, NULL, 0, -0x732},                    /* c.j */
		/* bltz a0; ld a0,-304(s0); c.jr ra; c.li a4,1; c.sdsp a0,0(sp) */
		{{0x63, 0x41, 0x05, 0x06}, NULL, 0, 0},
		{{0x03, 0x35, 0x04, 0xed}, NULL, 0, 0},
		{{0x82, 0x80}, NULL, 0, 0},
		{{0x05, 0x47}, NULL, 0, 0},
		{{0x2a, 0xe0}, NULL, 0, 0},
	};

	(void)state;
	check(&watch_riscv64, codes, sizeof(codes) / sizeof(codes[0]));
	assert_int_equal(watch_riscv64.landing(codes[0].bytes, WATCH_CODE_LEN), 0);
	assert_int_equal(watch_riscv64.landing(codes[2].bytes, WATCH_CODE_LEN), 0);
	assert_int_equal(watch_riscv64.landing((const uint8_t[]){0x17, 0, 0, 0}, 4),
			 4); /* lpad 0 */
}

static void test_s390x(void **state)
{
	static const struct code codes[] = {
		{{0xc0, 0x04, 0x00, 0x00, 0x00, 0x00}, NULL, 0, 6},      /* jgnop */
		{{0x07, 0x00}, NULL, 0, 2},                              /* nopr */
		{{0x47, 0x00, 0x00, 0x00}, NULL, 0, 4},                  /* nop */
		{{0xa7, 0x04, 0x00, 0x00}, NULL, 0, 4},                  /* jnop */
		{{0xb9, 0x14, 0x00, 0xb2}, "r11", INT, 4},               /* lgfr %r11,%r2 */
		{{0xb9, 0x04, 0x00, 0xb2}, "r11", RESULT, 4},            /* lgr %r11,%r2 */
		{{0xa7, 0xf4, 0xff, 0x9c}, NULL, 0, -0xc8},              /* j */
		{{0xc0, 0xf4, 0x00, 0x00, 0x12, 0x34}, NULL, 0, 0x2468}, /* jg */
		/* lr %r6,%r2, which keeps half of r6; lgfr %r11,%r3; lgf %r2; je; br %r14 */
		{{0x18, 0x62}, NULL, 0, 0},
		{{0xb9, 0x14, 0x00, 0xb3}, NULL, 0, 0},
		{{0xe3, 0x20, 0xf0, 0xa4, 0x00, 0x14}, NULL, 0, 0},
		{{0xa7, 0x84, 0x00, 0x10}, NULL, 0, 0},
		{{0x07, 0xfe}, NULL, 0, 0},
	};

	(void)state;
	check(&watch_s390x, codes, sizeof(codes) / sizeof(codes[0]));
}

/* No cut of the bytes is read past its end. The sanitizer looks on. */
static void test_cut_short(void **state)
{
	const uint64_t registers[WATCH_REGISTERS] = {0};
	const struct watch_arch *arch;

	(void)state;
	for (size_t a = 0; (arch = watch_arch_at(a)); a++) {
		for (unsigned int first = 0; first < 65536; first += first < 256 ? 1 : 251) {
			for (size_t len = 1; len <= 9; len++) {
				uint8_t *code = malloc(len);
				struct rsp_write writes[WATCH_WRITES];

				memset(code, (int)(first & 0xff), len);
				code[len - 1] = (uint8_t)(first >> 8);
				arch->emulate(code, len, registers, writes);
				arch->landing(code, len);
				arch->call_return(code, len, 0, 0);
				if (arch->decode)
					arch->decode(code, len, 0);
				free(code);
			}
		}
	}
}

/* What one call looks like, and what leads on to the next instruction. */
static const struct {
	const struct watch_arch *arch;
	gaddr_t target; /* of the call, if it is at PC */
	size_t call_len, other_len;
	uint8_t call[8], other[4];
} calls[] = {
	{&watch_aarch64, PC - 0x788, 4, 4, {0x1e, 0xfe, 0xff, 0x97}, {0x1f, 0x20, 0x03, 0xd5}},
	/* auipc ra,0xffff7; jalr ra,200(ra) */
	{&watch_riscv64,
	 PC - 0x9000 + 200,
	 8,
	 2,
	 {0x97, 0x70, 0xff, 0xff, 0xe7, 0x80, 0x80, 0x0c},
	 {0x01, 0x00}},
	/* jal ra,.-0x280 */
	{&watch_riscv64, PC - 0xa80, 4, 2, {0xef, 0xf0, 0x0f, 0xd8}, {0x01, 0x00}},
	{&watch_s390x, PC + 0x2468, 6, 2, {0xc0, 0xe5, 0x00, 0x00, 0x12, 0x34}, {0x07, 0x00}},
};

static void test_call_return(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		const struct watch_arch *arch = calls[i].arch;
		size_t len = calls[i].call_len, at = 8 * calls[i].other_len;
		uint8_t code[128];

		for (size_t k = 0; k < sizeof(code); k += calls[i].other_len)
			memcpy(code + k, calls[i].other, calls[i].other_len);
		assert_int_equal(arch->call_return(code, sizeof(code), PC - at, calls[i].target),
				 0);
		memcpy(code + at, calls[i].call, len);
		assert_int_equal(arch->call_return(code, sizeof(code), PC - at, calls[i].target),
				 PC + len);
		/* Cut within it; another function; another call of the same. */
		assert_int_equal(arch->call_return(code, at + len - 1, PC - at, calls[i].target),
				 0);
		assert_int_equal(
			arch->call_return(code, sizeof(code), PC - at, calls[i].target + 64), 0);
	}
}

static void test_two_calls(void **state)
{
	uint8_t code[8];

	(void)state;
	memcpy(code, "\x1e\xfe\xff\x97", 4);     /* bl .-0x788 */
	memcpy(code + 4, "\x1d\xfe\xff\x97", 4); /* bl .-0x78c */
	assert_int_equal(watch_aarch64.call_return(code, 4, PC, PC - 0x788), PC + 4);
	assert_int_equal(watch_aarch64.call_return(code, 8, PC, PC - 0x788), 0); /* which one? */
}

/* What the walk for loads that fail takes from instructions. */
static void test_decode_aarch64(void **state)
{
	static const struct {
		uint32_t insn;
		struct watch_insn is;
	} insns[] = {
		{0xd65f03c0, {.kind = WATCH_INSN_END}},                     /* ret */
		{0xd65f0bff, {.kind = WATCH_INSN_END}},                     /* retaa */
		{0xd61f0200, {.kind = WATCH_INSN_UNKNOWN}},                 /* br x16 */
		{0xd63f0000, {.kind = WATCH_INSN_CALL}},                    /* blr x0 */
		{0xd73f0811, {.kind = WATCH_INSN_CALL}},                    /* blraa x0, x17 */
		{0xd71f0a11, {.kind = WATCH_INSN_UNKNOWN}},                 /* braa x16, x17 */
		{0xd4210000, {.kind = WATCH_INSN_PLAIN}},                   /* brk #0x800 */
		{0x54000f80, {.kind = WATCH_INSN_BRANCH, .target = 0x1f0}}, /* b.eq */
		{0x54ffcfab,
		 {.kind = WATCH_INSN_BRANCH,
		  .target = UINT64_C(0) - 0x60c,
		  .condition = WATCH_IF_NEGATIVE}},                        /* b.lt */
		{0x34000080, {.kind = WATCH_INSN_BRANCH, .target = 0x10}}, /* cbz w0 */
		{0xb500043b, {.kind = WATCH_INSN_BRANCH, .target = 0x84}}, /* cbnz x27 */
		{0x37f82280,
		 {.kind = WATCH_INSN_BRANCH,
		  .target = 0x450,
		  .tests_result = true,
		  .condition = WATCH_IF_NEGATIVE}}, /* tbnz w0, #31 */
		{0x36f82280,
		 {.kind = WATCH_INSN_BRANCH,
		  .target = 0x450,
		  .tests_result = true,
		  .condition = WATCH_IF_NOT_NEGATIVE}},                         /* tbz w0, #31 */
		{0x37f82281, {.kind = WATCH_INSN_BRANCH, .target = 0x450}},     /* tbnz w1, #31 */
		{0x37f02280, {.kind = WATCH_INSN_BRANCH, .target = 0x450}},     /* tbnz w0, #30 */
		{0xb7f82280, {.kind = WATCH_INSN_BRANCH, .target = 0x450}},     /* tbnz x0, #63 */
		{0x7100001f, {.kind = WATCH_INSN_PLAIN, .tests_result = true}}, /* cmp w0, #0 */
		{0x7100041f, {.kind = WATCH_INSN_PLAIN}},                       /* cmp w0, #1 */
		{0xb9001fe0,
		 {.kind = WATCH_INSN_PLAIN, .stores_result = true}}, /* str w0, [sp, #28] */
		{0xb9001fe1, {.kind = WATCH_INSN_PLAIN}},            /* str w1, [sp, #28] */
		{0x2a0003f3, {.kind = WATCH_INSN_PLAIN, .stores_result = true}}, /* mov w19, w0 */
		{0x17fffea3, {.kind = WATCH_INSN_JUMP, .target = UINT64_C(0) - 0x574}}, /* b */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(insns) / sizeof(insns[0]); i++) {
		struct watch_insn is;
		uint8_t code[4];

		for (size_t k = 0; k < 4; k++)
			code[k] = (uint8_t)(insns[i].insn >> 8 * k);
		is = watch_aarch64.decode(code, 4, 0);
		if (is.kind != insns[i].is.kind || is.len != 4 || is.target != insns[i].is.target ||
		    is.condition != insns[i].is.condition ||
		    is.tests_result != insns[i].is.tests_result ||
		    is.stores_result != insns[i].is.stores_result)
			fail_msg("%08x", insns[i].insn);
	}
	assert_int_equal(watch_aarch64.decode((const uint8_t[]){0, 0, 0}, 3, 0).len, 0);
}

static void test_names(void **state)
{
	(void)state;
	assert_ptr_equal(watch_arch_by_name("s390x"), &watch_s390x);
	assert_ptr_equal(watch_arch_by_name("x86_64"), &watch_x86_64);
	assert_null(watch_arch_by_name("ppc64le"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_aarch64),        cmocka_unit_test(test_riscv64),
		cmocka_unit_test(test_s390x),          cmocka_unit_test(test_cut_short),
		cmocka_unit_test(test_call_return),    cmocka_unit_test(test_two_calls),
		cmocka_unit_test(test_decode_aarch64), cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests_name("watch/archs", tests, NULL, NULL);
}
