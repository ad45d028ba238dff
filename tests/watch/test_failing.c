// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The places where only loads come by that fail, in code that is put together here as compilers put
 * bpf_prog_load() together. What stock kernels have is tests/guest/watch-failed.sh's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "watch/failing.h"

#define ADDR UINT64_C(0xffffffff81573a60)

#define NEW_FD     UINT64_C(0xffffffff81838d50)
#define PUT        UINT64_C(0xffffffff81572910)
#define TOKEN      UINT64_C(0xffffffff812af710)
#define KERNEL_BTF UINT64_C(0xffffffff812a3fc0)
static const struct failing_callees callees = {
	.new_fd = {0, NEW_FD},
	.put = PUT,
	.token = TOKEN,
	.kernel_btf = KERNEL_BTF,
	.no_return = UINT64_C(0xffffffff81cbcbd0),
};
#define CHECK UINT64_C(0xffffffff815a87c0) /* any other function */

enum label { EARLY, FAIL, DONE, SMASHED, N_LABELS };

static struct {
	uint8_t bytes[512];
	size_t len;
	size_t labels[N_LABELS];
	struct {
		size_t at;
		enum label to;
	} jumps[32];
	size_t n_jumps;
} code;

static void emit(const char *bytes, size_t len)
{
	memcpy(code.bytes + code.len, bytes, len);
	code.len += len;
}
#define EMIT(bytes) emit(bytes, sizeof(bytes) - 1)

static void put32(size_t at, uint32_t value)
{
	for (size_t i = 0; i < 4; i++)
		code.bytes[at + i] = (uint8_t)(value >> 8 * i);
}

static gaddr_t call(gaddr_t function)
{
	gaddr_t at = ADDR + code.len;

	EMIT("\xe8\0\0\0\0");
	put32(code.len - 4, (uint32_t)(function - (ADDR + code.len)));
	return at;
}

/* "0f 8X REL32", or with opcode 0xe9 "e9 REL32" */
static gaddr_t jump(uint8_t opcode, enum label to)
{
	gaddr_t at = ADDR + code.len;

	if (opcode != 0xe9)
		EMIT("\x0f");
	code.bytes[code.len++] = opcode;
	code.jumps[code.n_jumps].at = code.len;
	code.jumps[code.n_jumps++].to = to;
	EMIT("\0\0\0\0");
	return at;
}
#define JMP 0xe9
#define JE  0x84
#define JA  0x87
#define JS  0x88
#define JNS 0x89

static void label(enum label which)
{
	code.labels[which] = code.len;
}

static void link_jumps(void)
{
	for (size_t i = 0; i < code.n_jumps; i++)
		put32(code.jumps[i].at,
		      (uint32_t)(code.labels[code.jumps[i].to] - (code.jumps[i].at + 4)));
}

/* What differs from one case to the next. */
struct variant {
	gaddr_t short_way_behind; /* a call, behind which a load that fails goes straight to the end
				   */
	bool indirect, two_fds, put_on_pass, untested;
};

struct truth {
	gaddr_t put, give_back, early, short_way;
};

static struct truth assemble(const struct variant *v)
{
	struct truth truth;

	memset(&code, 0, sizeof(code));
	EMIT("\x0f\x1f\x44\x00\x00\x55\x41\x56"); /* nopl; push %rbp; push %r14 */
	EMIT("\x85\xff");                         /* test %edi,%edi */
	jump(JE, EARLY);
	truth.short_way = 0;
	if (v->short_way_behind) {
		call(v->short_way_behind);
		EMIT("\x48\x3d\x00\xf0\xff\xff"); /* cmp $-4096,%rax */
		truth.short_way = jump(JA, DONE);
	}
	if (v->indirect)
		EMIT("\xff\xe0"); /* jmp *%rax */
	call(CHECK);
	EMIT("\x85\xc0");
	jump(JS, FAIL);
	if (v->put_on_pass)
		call(PUT);
	if (v->two_fds)
		call(NEW_FD);
	call(NEW_FD);
	EMIT("\x41\x89\xc6"); /* mov %eax,%r14d */
	if (!v->untested)
		EMIT("\x85\xc0");
	jump(JNS, DONE);
	EMIT("\x48\x89\xdf"); /* mov %rbx,%rdi */
	truth.give_back = call(CHECK + 0x100);
	label(DONE);
	EMIT("\x65\x48\x2b\x04\x25\x28\0\0\0"); /* sub %gs:0x28,%rax */
	jump(0x85, SMASHED);
	EMIT("\x41\x5e\x5d\xc3"); /* pop %r14; pop %rbp; ret */
	label(EARLY);
	EMIT("\xb8\xea\xff\xff\xff"); /* mov $-22,%eax */
	truth.early = jump(JMP, DONE);
	label(FAIL);
	truth.put = v->put_on_pass ? 0 : call(PUT);
	jump(JMP, DONE);
	label(SMASHED);
	call(callees.no_return);
	/* Behind it is something else, which nothing leads to. */
	call(NEW_FD);
	link_jumps();
	return truth;
}

static struct kt_error *find(struct failing *ret)
{
	return failing_find(&watch_x86_64, code.bytes, code.len, ADDR, &callees, ret);
}

static void test_found(void **state)
{
	static const struct variant variants[] = {
		{0},
		{.short_way_behind = KERNEL_BTF},
		{.short_way_behind = TOKEN},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(variants) / sizeof(variants[0]); i++) {
		struct truth truth = assemble(&variants[i]);
		struct failing found;
		struct kt_error *err = find(&found);

		if (err)
			fail_msg("%s", kt_error_message(err));
		assert_int_equal(found.n_programs, 2);
		assert_int_equal(found.programs[0], truth.put);
		assert_int_equal(found.programs[1], truth.give_back);
		assert_int_equal(found.n_exits, 1);
		assert_int_equal(found.exits[0], truth.early);
		assert_int_equal(found.token, i == 2 ? truth.short_way : 0);
	}
}

static void test_no_proof(void **state)
{
	static const struct {
		struct variant variant;
		const char *why;
	} cases[] = {
		{{.short_way_behind = CHECK}, "share their whole way"},
		{{.indirect = true}, "not known"},
		{{.two_fds = true}, "in just one place"},
		{{.put_on_pass = true}, "loads that pass"},
		{{.untested = true}, "does not test"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct failing found;
		struct kt_error *err;

		assemble(&cases[i].variant);
		err = find(&found);
		assert_non_null(err);
		assert_int_equal(kt_error_code(err), KT_ERROR_UNSUPPORTED);
		if (!strstr(kt_error_message(err), cases[i].why))
			fail_msg("%zu: %s", i, kt_error_message(err));
		kt_error_destroy(err);
	}
}

/* --- aarch64, whose branches test by themselves --- */

/* What is at each of these instructions. */
enum {
	ARM_CHECKED = 3,
	ARM_NEW_FD = 4,
	ARM_TEST = 6,
	ARM_GIVE_BACK = 8,
	ARM_DONE = 9,
	ARM_EARLY = 11,
	ARM_FAIL = 13,
	ARM_INSNS = 15,
};

static uint32_t arm_call(size_t at, gaddr_t function)
{
	return 0x94000000 | (uint32_t)((function - (ADDR + at * 4)) >> 2 & 0x3ffffff);
}

static uint32_t arm_branch(uint32_t insn, size_t at, size_t to)
{
	return insn | (uint32_t)(to - at) << 5;
}

static void arm_assemble(uint32_t test)
{
	const uint32_t insns[ARM_INSNS] = {
		0xd503233f,                                    /* paciasp */
		arm_branch(0x34000000, 1, ARM_EARLY),          /* cbz w0 */
		arm_call(2, CHECK),                            /* bl */
		arm_branch(0x37f80000, ARM_CHECKED, ARM_FAIL), /* tbnz w0, #31 */
		arm_call(ARM_NEW_FD, NEW_FD),                  /* bl */
		0xb9001fe0,                                    /* str w0, [sp, #28] */
		arm_branch(test, ARM_TEST, ARM_DONE),          /* tbz w0, #31 */
		0xaa1303e0,                                    /* mov x0, x19 */
		arm_call(ARM_GIVE_BACK, CHECK + 0x100),        /* bl */
		0xd50323bf,                                    /* autiasp */
		0xd65f03c0,                                    /* ret */
		0x128002a0,                                    /* mov w0, #-22 */
		0x17fffffd,                                    /* b ARM_DONE */
		arm_call(ARM_FAIL, PUT),                       /* bl */
		0x17fffffb,                                    /* b ARM_DONE */
	};

	memset(&code, 0, sizeof(code));
	for (size_t i = 0; i < ARM_INSNS; i++) {
		code.len += 4;
		put32(i * 4, insns[i]);
	}
}

static void test_aarch64(void **state)
{
	struct failing found;
	struct kt_error *err;

	(void)state;
	arm_assemble(0x36f80000); /* tbz w0, #31 */
	err = failing_find(&watch_aarch64, code.bytes, code.len, ADDR, &callees, &found);
	if (err)
		fail_msg("%s", kt_error_message(err));
	assert_int_equal(found.n_programs, 2);
	assert_int_equal(found.programs[0], ADDR + ARM_FAIL * 4);
	assert_int_equal(found.programs[1], ADDR + ARM_GIVE_BACK * 4);
	assert_int_equal(found.n_exits, 1);
	assert_int_equal(found.exits[0], ADDR + (ARM_EARLY + 1) * 4);
	/* Another register, another bit: nothing tells whether there is a file descriptor. */
	for (size_t i = 0; i < 2; i++) {
		arm_assemble(i ? 0x36f00000 : 0x36f80001);
		err = failing_find(&watch_aarch64, code.bytes, code.len, ADDR, &callees, &found);
		assert_non_null(err);
		assert_non_null(strstr(kt_error_message(err), "does not test"));
		kt_error_destroy(err);
	}
}

/* Code that is cut, or has any byte changed, is read within its bounds; the sanitizer looks on. */
static void spoil(const struct watch_arch *arch)
{
	for (size_t i = 0; i < code.len * 2; i++) {
		size_t len = i < code.len ? i : code.len;
		uint8_t *bytes = malloc(len + !len);
		struct failing found;

		memcpy(bytes, code.bytes, len);
		for (unsigned int change = 0; change < (i < code.len ? 1 : 256); change++) {
			if (i >= code.len)
				bytes[i - code.len] = (uint8_t)change;
			kt_error_destroy(failing_find(arch, bytes, len, ADDR, &callees, &found));
		}
		free(bytes);
	}
}

static void test_hostile(void **state)
{
	(void)state;
	assemble(&(struct variant){.short_way_behind = TOKEN});
	spoil(&watch_x86_64);
	arm_assemble(0x36f80000);
	spoil(&watch_aarch64);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_found),
		cmocka_unit_test(test_no_proof),
		cmocka_unit_test(test_aarch64),
		cmocka_unit_test(test_hostile),
	};

	return cmocka_run_group_tests_name("watch/failing", tests, NULL, NULL);
}
