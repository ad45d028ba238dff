// SPDX-License-Identifier: LGPL-2.1-or-later
#include <elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/vm/scratch.h"
#include "vm/deps.h"

#ifdef __x86_64__
#define HOST_MACHINE  EM_X86_64
#define OTHER_MACHINE EM_AARCH64
#else
#define HOST_MACHINE  EM_AARCH64
#define OTHER_MACHINE EM_X86_64
#endif

static bool has(const struct kt_deps *deps, const char *suffix)
{
	for (size_t i = 0; i < deps->files.v.len; i++) {
		const char *path = deps->files.v.data[i];
		size_t len = strlen(path), n = strlen(suffix);

		if (len >= n && !strcmp(path + len - n, suffix))
			return true;
	}
	return false;
}

static void assert_refused(const char *path, uint16_t machine, enum kt_error_code code,
			   const char *words)
{
	struct kt_deps deps = {0};
	struct kt_error *err = kt_deps_find(path, machine, -1, &deps);

	assert_non_null(err);
	if (!strstr(kt_error_message(err), words))
		fail_msg("'%s' does not say '%s'", kt_error_message(err), words);
	assert_non_null(strstr(kt_error_message(err), path));
	assert_int_equal(kt_error_code(err), code);
	assert_int_equal(deps.files.v.len, 0);
	kt_error_destroy(err);
}

static void test_dynamic(void **state)
{
	struct kt_deps deps = {0};

	(void)state;
	assert_null(kt_deps_find("/proc/self/exe", HOST_MACHINE, -1, &deps));
	assert_non_null(strstr(deps.files.v.data[0], "/test_deps"));
	assert_true(has(&deps, "/libc.so.6"));
	assert_true(has(&deps, "/libcmocka.so.0"));
	assert_true(deps.lib_dirs.v.len >= 1);
	for (size_t i = 0; i < deps.files.v.len; i++)
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(deps.files.v.data[i], deps.files.v.data[j]);
	kt_deps_deinit(&deps);
}

static void test_script(void **state)
{
	const char *path = scratch_file("run.sh", "#! /bin/sh -e\nexit 1\n", 0755);
	struct kt_deps deps = {0};

	(void)state;
	assert_null(kt_deps_find(path, HOST_MACHINE, -1, &deps));
	assert_string_equal(deps.files.v.data[0], path);
	assert_true(has(&deps, "/bin/sh"));
	assert_true(has(&deps, "/libc.so.6"));
	kt_deps_deinit(&deps);
}

static void test_static(void **state)
{
	struct kt_deps deps = {0};

	(void)state;
	if (access("build/ktstr-init", R_OK))
		skip();
	assert_null(kt_deps_find("build/ktstr-init", HOST_MACHINE, -1, &deps));
	assert_int_equal(deps.files.v.len, 1);
	assert_int_equal(deps.lib_dirs.v.len, 0);
	kt_deps_deinit(&deps);
}

static void test_refused(void **state)
{
	(void)state;
	assert_refused(in_scratch("none"), HOST_MACHINE, KT_ERROR_OS, "No such file");
	assert_refused(scratch, HOST_MACHINE, KT_ERROR_OS, "Is a directory");
	assert_refused(scratch_file("text", "hello\n", 0755), HOST_MACHINE, KT_ERROR_FORMAT,
		       "neither an ELF program nor a script");
	assert_refused(scratch_file("empty", "", 0755), HOST_MACHINE, KT_ERROR_FORMAT,
		       "neither an ELF program nor a script");
	assert_refused(scratch_file("plain.sh", "#!/bin/sh\n", 0644), HOST_MACHINE, KT_ERROR_OS,
		       "not executable");
	assert_refused(scratch_file("bad.sh", "#!/nonexistent/sh\n", 0755), HOST_MACHINE,
		       KT_ERROR_OS, "/nonexistent/sh: No such file");
	assert_refused(scratch_file("cut", "\177ELF\2\1\1", 0755), HOST_MACHINE, KT_ERROR_FORMAT,
		       "not a sound ELF file");
}

static void test_loop_of_scripts(void **state)
{
	char text[128];

	(void)state;
	snprintf(text, sizeof(text), "#!%s\n", in_scratch("self"));
	assert_refused(scratch_file("self", text, 0755), HOST_MACHINE, KT_ERROR_OS,
		       "Too many levels");
}

static void test_other_machine(void **state)
{
	char exe[256];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

	(void)state;
	assert_true(n > 0);
	exe[n] = '\0';
	assert_refused(exe, OTHER_MACHINE, KT_ERROR_UNSUPPORTED, "for another machine");
}

/* Links a program against a library that is gone afterwards. */
static void test_missing_library(void **state)
{
	char command[512];
	int status;

	(void)state;
	scratch_file("gone.c", "int f(void); int f(void) { return 1; }\n", 0644);
	scratch_file("main.c", "int f(void); int main(void) { return f(); }\n", 0644);
	snprintf(
		command, sizeof(command),
		"cd %s && cc -shared -fPIC -o libgone.so gone.c && cc -o prog main.c -L. -lgone && "
		"rm libgone.so",
		scratch);
	status = system(command);
	assert_int_equal(status, 0);
	assert_refused(in_scratch("prog"), HOST_MACHINE, KT_ERROR_NOT_FOUND, "libgone.so");
}

int main(void)
{
#define scratch_test(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)
	const struct CMUnitTest tests[] = {
		scratch_test(test_dynamic),         scratch_test(test_script),
		scratch_test(test_static),          scratch_test(test_refused),
		scratch_test(test_loop_of_scripts), scratch_test(test_other_machine),
		scratch_test(test_missing_library),
	};

	return cmocka_run_group_tests_name("vm/deps", tests, NULL, NULL);
}
