// SPDX-License-Identifier: LGPL-2.1-or-later
/* tests/gdbrsp/test_target.c has the forms; here is what is left to the caller. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "util/stub_address.h"

static void check(const char *text, const char *host, const char *port, const char *path)
{
	struct kt_stub_address address = {0};

	assert_null(kt_stub_address_parse(text, &address));
	if (host)
		assert_string_equal(address.host, host);
	else
		assert_null(address.host);
	if (port)
		assert_string_equal(address.port, port);
	else
		assert_null(address.port);
	if (path)
		assert_string_equal(address.path, path);
	else
		assert_null(address.path);
	kt_stub_address_deinit(&address);
	assert_null(address.port);
}

static void test_forms(void **state)
{
	(void)state;
	check("1234", NULL, "1234", NULL);
	check(":1234", NULL, "1234", NULL);
	check("tcp::1234", NULL, "1234", NULL);
	check("tcp:1234", "tcp", "1234", NULL);
	check("[::1]:1234", "::1", "1234", NULL);
	check("unix:/x:1", NULL, NULL, "/x:1");
}

static void test_error(void **state)
{
	struct kt_stub_address address = {.host = (char *)1};
	struct kt_error *err = kt_stub_address_parse("x", &address);

	(void)state;
	assert_non_null(err);
	assert_int_equal(kt_error_code(err), KT_ERROR_USAGE);
	assert_null(kt_error_hint_text(err));
	assert_ptr_equal(address.host, (char *)1);
	kt_error_destroy(err);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_error),
	};

	return cmocka_run_group_tests_name("util/stub_address", tests, NULL, NULL);
}
