// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The table of exported symbols, written as the linker lays it out (vmlinux.lds.h), behind a
 * kallsyms of text symbols only.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include "btf/exports.h"
#include "btf/symbols.h"
#include "tests/btf/kallsyms_writer.h"

#define LINK  UINT64_C(0xffffffff81000000)
#define TEXT  (LINK - 0x100000)
#define DATA  (LINK + 0x100000)
#define N     300 /* exports for all modules */
#define N_GPL 200

struct fake {
	struct kt_buf data;
	struct kallsyms_range range;
	struct kallsyms kallsyms;
	size_t table;
	char names[N + N_GPL][32];
	gaddr_t addrs[N + N_GPL];
};

static int by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* Names sorted in each of the two parts; init_task, which the search begins with, is data. */
static void make_names(struct fake *f)
{
	for (size_t i = 0; i < N + N_GPL; i++)
		snprintf(f->names[i], sizeof(f->names[i]), "%s_%04zu", i % 2 ? "data" : "function",
			 i);
	strcpy(f->names[1], "init_task");
	qsort(f->names, N, sizeof(f->names[0]), by_name);
	qsort(f->names + N, N_GPL, sizeof(f->names[0]), by_name);
	for (size_t i = 0; i < N + N_GPL; i++)
		f->addrs[i] = (strstr(f->names[i], "function") ? TEXT : DATA) + 16 * i;
}

static void put_reference(struct fake *f, gaddr_t to, bool be)
{
	kw_uint(&f->data, (uint32_t)(to - (LINK + f->data.len)), 4, be);
}

/* wrong: the address that kallsyms has for a function is another one. */
static struct fake *fake_create(bool be, bool wrong)
{
	struct fake *f = calloc(1, sizeof(*f));
	struct kw_symbol symbols[N + N_GPL];
	struct kw_options o = {
		.release = KW_6_1, .pointer_size = 8, .big_endian = be, .addr = LINK};
	struct kt_error *err;
	size_t n = 0, names;

	assert_non_null(f);
	make_names(f);
	for (size_t i = 0; i < N + N_GPL; i++)
		if (strstr(f->names[i], "function"))
			symbols[n++] = (struct kw_symbol){f->addrs[i] + 16 * wrong, 'T',
							  f->names[i]};
	kw_write(&f->data, &o, symbols, (uint32_t)n);
	while (f->data.len % 4)
		kt_buf_appendc(&f->data, '\0');
	f->table = f->data.len;
	names = f->table + (N + N_GPL) * 12;
	for (size_t i = 0; i < N + N_GPL; i++) {
		put_reference(f, f->addrs[i], be);
		put_reference(f, LINK + names + i * sizeof(f->names[0]), be);
		put_reference(f, LINK + names, be);
	}
	kt_buf_append(&f->data, f->names, sizeof(f->names));
	f->range = (struct kallsyms_range){
		.data = kt_cursor(f->data.data, f->data.len, be), .addr = LINK, .pointer_size = 8};
	err = kallsyms_find(&f->range, &f->kallsyms);
	if (err)
		fail_msg("%s", kt_error_message(err));
	return f;
}

static void fake_destroy(struct fake *f)
{
	kt_buf_deinit(&f->data);
	free(f);
}

static void test_table(void **state)
{
	(void)state;
	for (int be = 0; be < 2; be++) {
		struct fake *f = fake_create(be, false);
		struct exports exports;

		assert_true(exports_find(&f->kallsyms, &exports));
		assert_int_equal(exports.n, N + N_GPL);
		for (uint32_t i = 0; i < exports.n; i++) {
			gaddr_t addr;

			assert_string_equal(exports_at(&exports, i, &addr), f->names[i]);
			assert_int_equal(addr, f->addrs[i]);
		}
		fake_destroy(f);
	}
}

/* What kallsyms says otherwise is no table of this kernel. */
static void test_contradiction(void **state)
{
	struct fake *f = fake_create(false, true);
	struct exports exports;

	(void)state;
	assert_false(exports_find(&f->kallsyms, &exports));
	fake_destroy(f);
}

static void test_wanted_data(void **state)
{
	struct fake *f = fake_create(false, false);
	struct symbols syms;
	gaddr_t addr;

	(void)state;
	assert_true(symbols_init(&syms, 2));
	symbols_want(&syms, "init_task");
	symbols_want(&syms, "no_such_data");
	symbols_load_kallsyms(&syms, &f->kallsyms);
	assert_true(symbols_get(&syms, "init_task", &addr));
	assert_in_range(addr, DATA, DATA + 0x10000);
	assert_false(symbols_get(&syms, "no_such_data", &addr));
	symbols_deinit(&syms);
	fake_destroy(f);
}

/* Any byte may be anything, and the range may end anywhere: no crash, and what is found is whole.
 */
static void test_damage(void **state)
{
	struct fake *f = fake_create(false, false);

	(void)state;
	for (unsigned int i = 0; i < 300; i++) {
		size_t at = f->table + (i * 7919u) % (f->data.len - f->table);
		size_t cut = i % 3 ? 0 : (i * 131u) % (f->data.len - f->table);
		char kept = f->data.data[at];
		struct exports exports;

		f->data.data[at] = (char)(kept ^ (1 << i % 8));
		f->kallsyms.range.data.len = f->data.len - cut;
		if (exports_find(&f->kallsyms, &exports))
			for (uint32_t j = 0; j < exports.n; j++) {
				gaddr_t addr;

				assert_non_null(exports_at(&exports, j, &addr));
			}
		f->data.data[at] = kept;
	}
	fake_destroy(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_contradiction),
		cmocka_unit_test(test_wanted_data),
		cmocka_unit_test(test_damage),
	};

	return cmocka_run_group_tests_name("exports", tests, NULL, NULL);
}
