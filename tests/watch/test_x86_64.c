// SPDX-License-Identifier: LGPL-2.1-or-later
/* Code as stock kernels have it at the places where a watch stops. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "watch/arch.h"

#define PC     UINT64_C(0xffffffff8127e6c7)
#define RESULT UINT64_C(0xffffffffffffffea)

struct code {
	uint8_t bytes[WATCH_CODE_LEN];
	const char *reg; /* NULL: nothing but the program counter changes */
	uint64_t value;
	size_t len; /* 0: not to be emulated */
};

static void test_emulate(void **state)
{
	static const struct code codes[] = {
		{{0x0f, 0x1f, 0x44, 0x00, 0x00, 0xc7}, NULL, 0, 5}, /* where ftrace would be */
		{{0x66, 0x0f, 0x1f, 0x00, 0x0f}, NULL, 0, 4},       /* an endbr64, sealed */
		{{0xf3, 0x0f, 0x1e, 0xfa, 0xe8}, NULL, 0, 4},       /* endbr64 */
		{{0x0f, 0x1f, 0x40, 0xd6}, NULL, 0, 4},             /* sealed since 6.15 */
		{{0x66, 0x90}, NULL, 0, 2},
		/* what the compilers of 6.1 to 7.3 made of `err = bpf_prog_load(...)` */
		{{0x41, 0x89, 0xc1, 0xe9}, "r9", (uint32_t)RESULT, 3},
		{{0x89, 0xc1, 0xe9}, "rcx", (uint32_t)RESULT, 2},
		{{0x41, 0x89, 0xc3}, "r11", (uint32_t)RESULT, 3},
		{{0x41, 0x89, 0xc0}, "r8", (uint32_t)RESULT, 3},
		{{0x48, 0x89, 0xc3}, "rbx", RESULT, 3},
		/* ftrace is on; the stack pointer; another register's value; memory */
		{{0xe8, 0x27, 0xe6, 0xdd, 0xff}, NULL, 0, 0},
		{{0x89, 0xc4}, NULL, 0, 0},
		{{0x89, 0xd8}, NULL, 0, 0},
		{{0x44, 0x89, 0xc1}, NULL, 0, 0},
		{{0x89, 0x45, 0xf0}, NULL, 0, 0},
		{{0x55, 0x48, 0x89, 0xe5}, NULL, 0, 0},
	};
	const uint64_t registers[WATCH_REGISTERS] = {[WATCH_PC] = PC, [WATCH_RESULT] = RESULT};

	(void)state;
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		const struct code *code = &codes[i];
		struct rsp_write writes[2];
		size_t n = watch_x86_64.emulate(code->bytes, WATCH_CODE_LEN, registers, writes);

		assert_int_equal(n, code->len ? 1 + (code->reg != NULL) : 0);
		if (!n)
			continue;
		assert_string_equal(writes[n - 1].name, "rip");
		assert_int_equal(writes[n - 1].value, PC + code->len);
		if (code->reg) {
			assert_string_equal(writes[0].name, code->reg);
			assert_int_equal(writes[0].value, code->value);
		}
	}
}

/* No cut of the bytes is read past its end. The sanitizer looks on. */
static void test_cut_short(void **state)
{
	const uint64_t registers[WATCH_REGISTERS] = {0};

	(void)state;
	for (unsigned int first = 0; first < 256; first++) {
		for (size_t len = 1; len <= 6; len++) {
			uint8_t *code = calloc(1, len);
			struct rsp_write writes[2];

			code[0] = (uint8_t)first;
			watch_x86_64.emulate(code, len, registers, writes);
			watch_x86_64.landing(code, len);
			watch_x86_64.call_return(code, len, 0, 0);
			free(code);
		}
	}
}

static void put_call(uint8_t *at, gaddr_t addr, gaddr_t target)
{
	uint32_t rel = (uint32_t)(target - (addr + 5));

	at[0] = 0xe8;
	for (int i = 0; i < 4; i++)
		at[1 + i] = (uint8_t)(rel >> 8 * i);
}

static void test_call_return(void **state)
{
	gaddr_t addr = UINT64_C(0xffffffff81280000), target = UINT64_C(0xffffffff8127c440);
	uint8_t code[256];

	(void)state;
	for (int offset = -20; offset <= 8; offset++) {
		bool is_it = offset >= -16 && offset <= 4;

		memset(code, 0xcc, sizeof(code));
		put_call(code + 77, addr + 77, target + (uint64_t)(int64_t)offset);
		assert_int_equal(watch_x86_64.call_return(code, sizeof(code), addr, target),
				 is_it ? addr + 82 : 0);
	}
	memset(code, 0xcc, sizeof(code));
	assert_int_equal(watch_x86_64.call_return(code, sizeof(code), addr, target), 0);
	put_call(code + 10, addr + 10, target);
	put_call(code + 251, addr + 251, target); /* the last bytes */
	assert_int_equal(watch_x86_64.call_return(code, 255, addr, target), addr + 15);
	assert_int_equal(watch_x86_64.call_return(code, 256, addr, target), 0); /* which one? */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_emulate),
		cmocka_unit_test(test_cut_short),
		cmocka_unit_test(test_call_return),
	};

	return cmocka_run_group_tests_name("watch/x86_64", tests, NULL, NULL);
}
