// SPDX-License-Identifier: LGPL-2.1-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "gdbrsp/target.h"

static void check_tcp(const char *text, const char *host, const char *port)
{
	struct rsp_target t;

	assert_null(rsp_target_parse(text, &t));
	assert_null(t.path);
	assert_string_equal(t.host, host);
	assert_string_equal(t.port, port);
	assert_string_equal(t.text, text ? text : ":1234");
	rsp_target_deinit(&t);
	assert_null(t.host);
}

static void test_tcp(void **state)
{
	(void)state;
	check_tcp(NULL, "localhost", "1234");
	check_tcp(":1", "localhost", "1");
	check_tcp("65535", "localhost", "65535");
	check_tcp("tcp::1234", "localhost", "1234");
	check_tcp("tcp:127.0.0.1:1234", "127.0.0.1", "1234");
	check_tcp("tcp:[::1]:1234", "::1", "1234");
	check_tcp("tcp:1234", "tcp", "1234");
	check_tcp("example.org:1234", "example.org", "1234");
	check_tcp("127.0.0.1:1234", "127.0.0.1", "1234");
	check_tcp("[::1]:1234", "::1", "1234");
	check_tcp("[fe80::1%eth0]:1234", "fe80::1%eth0", "1234");
}

static void test_unix(void **state)
{
	struct rsp_target t;

	(void)state;
	assert_null(rsp_target_parse("unix:/run/a:b.sock", &t));
	assert_null(t.host);
	assert_null(t.port);
	assert_string_equal(t.path, "/run/a:b.sock");
	rsp_target_deinit(&t);
}

static void test_usage(void **state)
{
	char long_path[200];
	const char *bad[] = {"",        "host",      ":",      ":0",       ":65536",
			     ":-1",     ": 12",      ":12a",   "::1:1234", "[::1]",
			     "[]:1",    "[::1]1234", "a/b:12", "unix:",    ":99999999999999",
			     "[::1:12", long_path};

	(void)state;
	snprintf(long_path, sizeof(long_path), "unix:/%0150d", 1);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct rsp_target t = {.text = (char *)"untouched"};
		struct kt_error *err = rsp_target_parse(bad[i], &t);

		if (!err)
			print_error("'%s' was taken\n", bad[i]);
		assert_non_null(err);
		assert_int_equal(kt_error_code(err), KT_ERROR_USAGE);
		assert_non_null(strstr(kt_error_hint_text(err), "unix:PATH"));
		assert_string_equal(t.text, "untouched");
		kt_error_destroy(err);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tcp),
		cmocka_unit_test(test_unix),
		cmocka_unit_test(test_usage),
	};

	return cmocka_run_group_tests_name("gdbrsp/target", tests, NULL, NULL);
}
