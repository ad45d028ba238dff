// SPDX-License-Identifier: LGPL-2.1-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "btf/functions.h"

static void offer(struct functions *functions, const char *name, gaddr_t addr, bool global)
{
	functions_offer(functions, name, strlen(name), addr, global);
}

static struct functions some(void)
{
	struct functions f = {0};

	offer(&f, "end_of_text", 0x5000, true); /* the same place: not a function */
	offer(&f, "_etext", 0x5000, true);
	offer(&f, "later", 0x3000, false);
	offer(&f, "_stext", 0x1000, true);
	offer(&f, "before", 0xfff, true);
	offer(&f, "__pfx_later", 0x2ff0, false);
	offer(&f, "$x", 0x4000, false);
	offer(&f, "__alias", 0x2000, true);
	offer(&f, "alias", 0x2000, true);
	offer(&f, "a_local_alias", 0x2000, false);
	offer(&f, "data", 0x9000, true);
	return f;
}

/* As scripts/kallsyms.c orders the names of one address. */
static void check(const struct functions *f)
{
	assert_string_equal(functions_at(f, 0x2000), "alias");
	assert_string_equal(functions_at(f, 0x3000), "later");
	assert_string_equal(functions_at(f, 0x1000), "_stext");
	assert_null(functions_at(f, 0xfff));
	assert_null(functions_at(f, 0x1001));
	assert_null(functions_at(f, 0x2ff0));
	assert_null(functions_at(f, 0x4000));
	assert_null(functions_at(f, 0x5000));
	assert_null(functions_at(f, 0x9000));
	assert_null(functions_at(f, 0));
	assert_null(functions_at(f, UINT64_MAX));
}

static void test_at(void **state)
{
	struct functions f = some();

	(void)state;
	assert_true(functions_finish(&f));
	check(&f);
	functions_deinit(&f);
	assert_true(functions_finish(&f));
	assert_null(functions_at(&f, 0x2000));
	functions_deinit(&f);
}

static void test_move(void **state)
{
	struct functions f = some();

	(void)state;
	functions_move(&f, 0x1000, 0x100);
	assert_true(functions_finish(&f));
	assert_string_equal(functions_at(&f, 0x2100), "alias");
	assert_null(functions_at(&f, 0xfff));
	functions_deinit(&f);
}

/* What a cache has may be cut anywhere, or be no list at all. */
static void test_bytes(void **state)
{
	struct kt_buf bytes = KT_BUF_INIT;
	struct functions f = some(), back;
	struct kt_cursor c;

	(void)state;
	assert_true(functions_finish(&f));
	functions_encode(&f, &bytes);
	for (size_t len = 0; len <= bytes.len; len++) {
		c = kt_cursor(bytes.data, len, false);
		assert_int_equal(functions_decode(&c, &back), len == bytes.len);
	}
	check(&back);
	functions_deinit(&back);
	/* Two at one address: the second step is 0. */
	memset(bytes.data + 4 + 8 + sizeof("_stext"), 0, 8);
	c = kt_cursor(bytes.data, bytes.len, false);
	assert_false(functions_decode(&c, &back));
	/* One that goes back. */
	memset(bytes.data + 4 + 8 + sizeof("_stext"), 0xff, 8);
	c = kt_cursor(bytes.data, bytes.len, false);
	assert_false(functions_decode(&c, &back));
	kt_buf_deinit(&bytes);
	functions_deinit(&f);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_at),
		cmocka_unit_test(test_move),
		cmocka_unit_test(test_bytes),
	};

	return cmocka_run_group_tests_name("btf/functions", tests, NULL, NULL);
}
