// SPDX-License-Identifier: LGPL-2.1-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "host/target.h"

static struct host_target parse(const char *text, enum host_target_kind kind)
{
	struct host_target t;

	assert_null(host_target_parse(text, &t));
	assert_int_equal(t.kind, kind);
	assert_string_equal(t.text, text ? text : ":1234");
	return t;
}

static void check_tcp(const char *text, enum host_target_kind kind, const char *host,
		      const char *port)
{
	struct host_target t = parse(text, kind);

	assert_null(t.address.path);
	assert_string_equal(t.address.host, host);
	assert_string_equal(t.address.port, port);
	host_target_deinit(&t);
	assert_null(t.text);
}

static void check_path(const char *text, enum host_target_kind kind, const char *path)
{
	struct host_target t = parse(text, kind);

	assert_null(t.address.port);
	assert_string_equal(t.address.path, path);
	host_target_deinit(&t);
}

static void test_stubs(void **state)
{
	(void)state;
	check_tcp(NULL, HOST_TARGET_STUB, "localhost", "1234");
	check_tcp(":1", HOST_TARGET_STUB, "localhost", "1");
	check_tcp("example.org:1234", HOST_TARGET_STUB, "example.org", "1234");
	check_path("unix:/run/a:b.sock", HOST_TARGET_STUB, "/run/a:b.sock");
}

static void test_qmp(void **state)
{
	(void)state;
	check_path("qmp:/run/vm/qmp", HOST_TARGET_QMP, "/run/vm/qmp");
	check_path("qmp:/run/vm:1/qmp:2", HOST_TARGET_QMP, "/run/vm:1/qmp:2");
	check_path("qmp:./a:1", HOST_TARGET_QMP, "./a:1");
	check_path("qmp:qmp.sock", HOST_TARGET_QMP, "qmp.sock");
	check_path("qmp:unix:qmp.sock", HOST_TARGET_QMP, "qmp.sock");
	check_tcp("qmp:localhost:4444", HOST_TARGET_QMP, "localhost", "4444");
	check_tcp("qmp::4444", HOST_TARGET_QMP, "localhost", "4444");
	check_tcp("qmp:tcp:[::1]:4444", HOST_TARGET_QMP, "::1", "4444");
}

static void check_libvirt(const char *text, const char *uri, const char *domain)
{
	struct host_target t = parse(text, HOST_TARGET_LIBVIRT);

	if (uri)
		assert_string_equal(t.uri, uri);
	else
		assert_null(t.uri);
	assert_string_equal(t.domain, domain);
	host_target_deinit(&t);
}

static void test_libvirt(void **state)
{
	(void)state;
	check_libvirt("libvirt:web", NULL, "web");
	check_libvirt("libvirt:a:b", NULL, "a:b");
	check_libvirt("libvirt+qemu:///session:web", "qemu:///session", "web");
	check_libvirt("libvirt+qemu+unix:///system?socket=/a:7", "qemu+unix:///system?socket=/a",
		      "7");
}

static void test_pid(void **state)
{
	struct host_target t = parse("pid:4194304", HOST_TARGET_PID);

	(void)state;
	assert_int_equal(t.pid, 4194304);
	host_target_deinit(&t);
}

static void test_usage(void **state)
{
	char long_path[200];
	const char *bad[] = {"",
			     "host",
			     ":0",
			     "unix:",
			     "qmp:",
			     "qmp:unix:",
			     "qmp:host:0",
			     "qmp::1:2",
			     "libvirt:",
			     "libvirt+",
			     "libvirt+web",
			     "libvirt+qemu:///system",
			     "libvirt+qemu:///system:",
			     "libvirt+:web",
			     "pid:",
			     "pid:0",
			     "pid:-1",
			     "pid:1x",
			     "pid: 1",
			     "pid:99999999999999999999",
			     long_path};

	(void)state;
	snprintf(long_path, sizeof(long_path), "qmp:/%0150d", 1);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct host_target t = {.text = (char *)"untouched"};
		struct kt_error *err = host_target_parse(bad[i], &t);

		if (!err)
			print_error("'%s' was taken\n", bad[i]);
		assert_non_null(err);
		assert_int_equal(kt_error_code(err), KT_ERROR_USAGE);
		assert_non_null(strstr(kt_error_hint_text(err), "qmp:PATH"));
		assert_string_equal(t.text, "untouched");
		kt_error_destroy(err);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stubs),   cmocka_unit_test(test_qmp),
		cmocka_unit_test(test_libvirt), cmocka_unit_test(test_pid),
		cmocka_unit_test(test_usage),
	};

	return cmocka_run_group_tests_name("host/target", tests, NULL, NULL);
}
