// SPDX-License-Identifier: LGPL-2.1-or-later
/* Which workload is meant. What each does is tests/guest/sched.sh's affair. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "vm/workload.h"

static void test_kinds(void **state)
{
	static const char *const kinds[] = {"mixed", "spin", "yield",  "pipe",
					    "fork",  "nice", "pinned", "cgroups"};

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		struct vm_workload workload;
		char *text;

		assert_null(vm_workload_parse(kinds[i], &workload));
		assert_string_equal(workload.kind, kinds[i]);
		assert_int_equal(workload.argv.len, 0);
		vm_workload_deinit(&workload);
		assert_null(vm_workload_absolute(kinds[i], "/dir", &text));
		assert_string_equal(text, kinds[i]);
		free(text);
	}
}

static void test_commands(void **state)
{
	struct vm_workload workload;
	char *text, here[4096];

	(void)state;
	assert_null(vm_workload_parse("  ./bench\t-n  4 ", &workload));
	assert_string_equal(workload.kind, "command");
	assert_int_equal(workload.argv.len, 3);
	assert_string_equal(workload.argv.data[0], "./bench");
	assert_string_equal(workload.argv.data[1], "-n");
	assert_string_equal(workload.argv.data[2], "4");
	vm_workload_deinit(&workload);
	assert_int_equal(workload.argv.len, 0);
	assert_null(vm_workload_absolute("a/b c/d", "/dir", &text));
	assert_string_equal(text, "/dir/a/b c/d");
	free(text);
	assert_null(vm_workload_absolute(" /a b", "/dir", &text));
	assert_string_equal(text, "/a b");
	free(text);
	assert_null(vm_workload_absolute("./a", NULL, &text));
	assert_non_null(getcwd(here, sizeof(here)));
	assert_int_equal(strncmp(text, here, strlen(here)), 0);
	assert_string_equal(text + strlen(here), "/./a");
	free(text);
}

static void refused(const char *text, const char *hint)
{
	struct vm_workload workload;
	struct kt_error *err = vm_workload_parse(text, &workload);
	char *absolute;

	assert_non_null(err);
	assert_int_equal(kt_error_code(err), KT_ERROR_USAGE);
	if (!strstr(kt_error_hint_text(err), hint))
		fail_msg("%s: \"%s\" is not in: %s", text, hint, kt_error_hint_text(err));
	kt_error_destroy(err);
	err = vm_workload_absolute(text, "/dir", &absolute);
	assert_int_equal(kt_error_code(err), KT_ERROR_USAGE);
	kt_error_destroy(err);
}

static void test_mistakes(void **state)
{
	(void)state;
	refused("pip", "near it: pipe; there are mixed, spin, yield, pipe, fork");
	refused("pipes", "near it: pipe; there are");
	refused("cgroup", "near it: cgroups; there are");
	refused("pin", "near it: spin, pinned; there are");
	refused("bench", "there are mixed");
	refused("bench a/b", "the path of a command has a \"/\"");
	refused("", "there are mixed");
	refused(" ", "there are mixed");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_commands),
		cmocka_unit_test(test_mistakes),
	};

	return cmocka_run_group_tests_name("vm/workload", tests, NULL, NULL);
}
