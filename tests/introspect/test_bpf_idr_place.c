// SPDX-License-Identifier: LGPL-2.1-or-later
/* A kernel whose kallsyms has no data: prog_idr and the clock are found in the code. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include "introspect/bpf_idr.h"
#include "tests/introspect/walk.h"

#define CODE       0x1000 /* of the image: the functions, 0x100 bytes apart */
#define OTHER_IDR  0x0a04000
#define OTHER_CODE (CODE + 0x800)

/* A function that points to some places of the image: mov $ADDRESS,%rdi, again and again. */
static void put_function(const char *name, uint32_t at, const uint32_t *places, size_t n)
{
	gaddr_t code = SYNTH_IMAGE + at;

	for (size_t i = 0; i < n; i++) {
		uint32_t address = (uint32_t)(SYNTH_TEXT + s.kaslr + places[i]);

		textmem_put_uint(s.mem, code + 7 * i, 0xc7c748, 3);
		textmem_put_uint(s.mem, code + 7 * i + 3, address, 4);
	}
	fake_code(&s.facts, name, SYNTH_TEXT + at, (uint32_t)(7 * n));
}

/* No symbol of data, and two functions that use prog_idr, its lock, and one of them much else. */
static void hide(void)
{
	static const uint32_t first[] = {SYNTH_IDR + 0x40, SYNTH_IDR, SYNTH_BANNER_AT},
			      second[] = {SYNTH_IDR, SYNTH_MASK, SYNTH_IDR + 0x40, OTHER_IDR};

	fake_drop(&s.facts, KFACTS_SYMBOL, "prog_idr", NULL);
	fake_member(&s.facts, "idr", "idr_rt.xa_flags", 4, 4);
	fake_member(&s.facts, "idr", "idr_next", 20, 4);
	textmem_put_uint(s.mem, SYNTH_IMAGE + SYNTH_IDR + 4, 0x04000004, 4);
	textmem_put_uint(s.mem, SYNTH_IMAGE + SYNTH_IDR + 20, 8, 4);
	put_function("bpf_prog_free_id", CODE, first, 3);
	put_function("bpf_prog_by_id", CODE + 0x100, second, 4);
}

static void expect_not_placed(void)
{
	struct programs all;
	struct kt_error *err = try_programs(&all);

	assert_non_null(err);
	assert_int_equal(kt_error_code(err), KT_ERROR_NOT_FOUND);
	assert_non_null(strstr(kt_error_message(err), "prog_idr"));
	kt_error_destroy(err);
}

static void expect_program(void)
{
	struct programs all = programs();

	assert_int_equal(only(&all).id, 7);
	programs_deinit(&all);
}

static void test_found(void **state)
{
	(void)state;
	hide();
	synth_prog(&s, 7);
	assert_null(bpf_progs_check(&s.facts));
	expect_program();
}

/* Another IDR that both point to: of its objects, none has the ID that it is listed under. */
static void test_another_idr(void **state)
{
	static const uint32_t users[] = {OTHER_IDR, SYNTH_IDR};
	struct synth_prog p;
	gaddr_t leaf;

	(void)state;
	hide();
	p = synth_prog(&s, 7);
	leaf = synth_alloc(&s, 40 + 512);
	textmem_put_uint(s.mem, leaf + 40 + 8 * 9, synth_va(p.prog), 8);
	textmem_put_uint(s.mem, SYNTH_IMAGE + OTHER_IDR + 4, 0x04000004, 4);
	textmem_put_uint(s.mem, SYNTH_IMAGE + OTHER_IDR + 8, synth_va(leaf) | 2, 8);
	put_function("bpf_prog_load", OTHER_CODE, users, 2);
	expect_program();
}

/* Two that both look right: a wrong one is worse than none. */
static void test_two(void **state)
{
	static const uint32_t users[] = {OTHER_IDR, SYNTH_IDR};

	(void)state;
	hide();
	synth_prog(&s, 7);
	textmem_put_uint(s.mem, SYNTH_IMAGE + OTHER_IDR + 4, 0x04000004, 4);
	textmem_put_uint(s.mem, SYNTH_IMAGE + OTHER_IDR + 8, synth_va(s.leaf) | 2, 8);
	put_function("bpf_prog_load", OTHER_CODE, users, 2);
	expect_not_placed();
}

/* One function alone proves nothing, and is known before the guest is asked. */
static void test_one_function(void **state)
{
	struct kt_error *err;

	(void)state;
	hide();
	synth_prog(&s, 7);
	fake_drop(&s.facts, KFACTS_CODE, "bpf_prog_by_id", NULL);
	err = bpf_progs_check(&s.facts);
	assert_non_null(err);
	assert_int_equal(kt_error_code(err), KT_ERROR_NOT_FOUND);
	kt_error_destroy(err);
	expect_not_placed();
}

static void test_code_that_is_not_mapped(void **state)
{
	(void)state;
	hide();
	synth_prog(&s, 7);
	fake_code(&s.facts, "bpf_prog_by_id", UINT64_C(0xffffffffff600000), 64);
	expect_not_placed();
}

static void test_no_programs(void **state)
{
	struct programs all;

	(void)state;
	hide();
	textmem_put_uint(s.mem, SYNTH_IMAGE + SYNTH_IDR + 8, 0, 8);
	all = programs();
	assert_int_equal(all.n, 0);
	programs_deinit(&all);
	/* Without the flags of an IDR, zeros are zeros. */
	textmem_put_uint(s.mem, SYNTH_IMAGE + SYNTH_IDR + 4, 0, 4);
	expect_not_placed();
}

/* The tree leads nowhere, or in circles. */
static void test_torn(void **state)
{
	(void)state;
	hide();
	synth_prog(&s, 7);
	textmem_put_uint(s.mem, s.leaf + 40 + 8 * 20, synth_va(s.leaf) | 2, 8);
	expect_not_placed();
	textmem_put_uint(s.mem, SYNTH_IMAGE + SYNTH_IDR + 8, NOWHERE | 2, 8);
	expect_not_placed();
}

/* A guest in which everything looks like an IDR: a bound, and no place. */
static void test_many(void **state)
{
	uint32_t users[20];

	(void)state;
	hide();
	synth_prog(&s, 7);
	for (uint32_t i = 0; i < 20; i++) {
		gaddr_t leaf = synth_alloc(&s, 40 + 512);

		users[i] = OTHER_IDR + 0x40 * i;
		textmem_put_uint(s.mem, leaf + 40 + 8 * 9, synth_va(leaf), 8);
		textmem_put_uint(s.mem, SYNTH_IMAGE + users[i] + 4, 0x04000004, 4);
		textmem_put_uint(s.mem, SYNTH_IMAGE + users[i] + 8, synth_va(leaf) | 2, 8);
	}
	put_function("bpf_prog_load", OTHER_CODE, users, 20);
	put_function("bpf_prog_get_curr_or_next", OTHER_CODE + 0x400, users, 20);
	expect_not_placed();
}

static void hide_clock(uint64_t nanoseconds)
{
	static const uint32_t users[] = {SYNTH_MASK, SYNTH_TK};
	gaddr_t timekeeper = SYNTH_IMAGE + SYNTH_TK + 8;

	fake_drop(&s.facts, KFACTS_SYMBOL, "tk_core", NULL);
	fake_member(&s.facts, "timekeeper", "wall_to_monotonic.tv_sec", 96, 8);
	fake_member(&s.facts, "timekeeper", "wall_to_monotonic.tv_nsec", 104, 8);
	textmem_put_uint(s.mem, timekeeper + 96, (uint64_t)-1700000001, 8);
	textmem_put_uint(s.mem, timekeeper + 104, nanoseconds, 8);
	put_function("ktime_get", CODE + 0x200, users, 2);
	put_function("ktime_get_raw", CODE + 0x300, users, 2);
}

static void test_clock(void **state)
{
	struct programs all;

	(void)state;
	synth_prog(&s, 7);
	hide_clock(1000000000);
	all = programs();
	assert_number(only(&all).loaded_at, 1700000000 - 5 + 60);
	programs_deinit(&all);
}

/* What does not keep the kernel's own equation is no clock. */
static void test_no_clock(void **state)
{
	struct programs all;

	(void)state;
	synth_prog(&s, 7);
	hide_clock(999999999);
	all = programs();
	assert_unknown(only(&all).loaded_at);
	programs_deinit(&all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_found),
		TEST(test_another_idr),
		TEST(test_two),
		TEST(test_one_function),
		TEST(test_code_that_is_not_mapped),
		TEST(test_no_programs),
		TEST(test_torn),
		TEST(test_many),
		TEST(test_clock),
		TEST(test_no_clock),
	};

	return cmocka_run_group_tests_name("bpf_idr_place", tests, NULL, NULL);
}
