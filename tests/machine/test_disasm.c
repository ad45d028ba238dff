// SPDX-License-Identifier: LGPL-2.1-or-later
/* Machine code as text. The instructions are assembled by hand, from the manual of the processor.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "machine/disasm.h"

#define ADDR  0xffffffffc0300000u
#define THERE 0xffffffffc0200000u

static struct kt_error *name_there(void *arg, uint64_t addr, char **ret)
{
	(void)arg;
	if (addr == THERE)
		*ret = strdup("bpf_ktime_get_ns");
	return NULL;
}

static void take(struct jited *jited, const char *arch, const void *code, size_t len)
{
	struct jited_func func = {.name = strdup("bpf_prog_0123456789abcdef_f"),
				  .addr = ADDR,
				  .code = malloc(len),
				  .len = len};

	*jited = (struct jited){0};
	strcpy(jited->arch, arch);
	memcpy(func.code, code, len);
	assert_true(kt_vec_push(&jited->funcs, func));
}

static bool disassemble(struct jited *jited)
{
	bool known;

	assert_null(machine_disassemble(jited, name_there, NULL, &known));
	return known;
}

/* Each byte is in one instruction, in order. */
static void check_whole(const struct jited *jited)
{
	const struct jited_func *func = jited->funcs.data;
	size_t at = 0;

	kt_vec_for_each (&func->insns, insn) {
		assert_int_equal(insn->at, at);
		assert_true(insn->n > 0);
		at += insn->n;
	}
	assert_int_equal(at, func->len);
}

static void test_x86_64(void **state)
{
	static const uint8_t code[] = {
		0x55,                         /* push %rbp */
		0x48, 0x89, 0xe5,             /* mov %rsp, %rbp */
		0xe8, 0xf7, 0xff, 0xef, 0xff, /* call THERE: -0x100009 from the next one, at 9 */
		0x74, 0x01,                   /* je 0xc */
		0x06,                         /* nothing, in 64-bit mode */
		0xc3,                         /* ret */
	};
	struct jited jited;
	const struct jited_insn *insns;

	(void)state;
	take(&jited, "x86_64", code, sizeof(code));
	if (!disassemble(&jited)) {
		jited_deinit(&jited);
		skip(); /* built without capstone */
	}
	check_whole(&jited);
	insns = jited.funcs.data->insns.data;
	assert_int_equal(jited.funcs.data->insns.len, 6);
	assert_string_equal(insns[1].operands, "%rsp, %rbp");
	assert_string_equal(insns[2].callee, "bpf_ktime_get_ns");
	assert_string_equal(insns[3].operands, "0xc");
	assert_null(insns[3].callee);
	assert_string_equal(insns[4].operation, ".byte");
	assert_string_equal(insns[4].operands, "0x06");
	jited_deinit(&jited);
}

static void test_no_such_machine(void **state)
{
	struct jited jited;

	(void)state;
	take(&jited, "vax", "0123456789", 10);
	assert_false(disassemble(&jited));
	check_whole(&jited);
	assert_int_equal(jited.funcs.data->insns.len, 2);
	jited_deinit(&jited);
}

/* What a guest has there may be anything. */
static void test_anything(void **state)
{
	static const char *const archs[] = {"x86_64", "aarch64", "s390x", "riscv64", "ppc64le"};
	uint64_t seed = 88172645463325252u;
	uint8_t code[257];

	(void)state;
	for (size_t i = 0; i < 4000; i++) {
		size_t len = 1 + i % sizeof(code);
		struct jited jited;

		for (size_t k = 0; k < len; k++) {
			seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
			code[k] = (uint8_t)seed;
		}
		take(&jited, archs[i % 5], code, len);
		disassemble(&jited);
		check_whole(&jited);
		jited_deinit(&jited);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_x86_64),
		cmocka_unit_test(test_no_such_machine),
		cmocka_unit_test(test_anything),
	};

	return cmocka_run_group_tests_name("machine/disasm", tests, NULL, NULL);
}
