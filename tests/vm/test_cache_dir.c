// SPDX-License-Identifier: LGPL-2.1-or-later
/* The cache directory is its owner's alone, whoever of this room makes it first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "tests/vm/scratch.h"
#include "vm/accel.h"

static mode_t mode_of(const char *name)
{
	struct stat st;

	if (stat(in_scratch(name), &st))
		fail_msg("there is no %s", name);
	return st.st_mode & 07777;
}

static int setup(void **state)
{
	umask(022);
	return scratch_setup(state) || setenv("XDG_CACHE_HOME", in_scratch("cache"), 1);
}

static void test_kvm_marker(void **state)
{
	(void)state;
	vm_remember_kvm_hangs();
	assert_int_equal(mode_of("cache/ktstr-gdb"), 0700);
	assert_int_equal(mode_of("cache/ktstr-gdb/kvm-hangs"), 0600);
}

/* A fetcher, up to where it asks apt, of which there is only a script here that fails. */
static void check_fetcher(const char *command, const char *dir)
{
	static const char *const tools[] = {"apt-get", "apt-cache", "dpkg", "dpkg-deb", "flock"};
	char name[32], line[256];
	int status;

	mkdir(in_scratch("bin"), 0700);
	for (size_t i = 0; i < sizeof(tools) / sizeof(*tools); i++) {
		snprintf(name, sizeof(name), "bin/%s", tools[i]);
		scratch_file(name,
			     strcmp(tools[i], "flock") ? "#!/bin/sh\nexit 1\n" : "#!/bin/sh\n",
			     0700);
	}
	snprintf(line, sizeof(line), "PATH=%s:$PATH %s 2>/dev/null", in_scratch("bin"), command);
	status = system(line);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 3);
	assert_int_equal(mode_of("cache/ktstr-gdb"), 0700);
	assert_int_equal(mode_of(dir), 0755);
}

static void test_fetch_kernel(void **state)
{
	(void)state;
	check_fetcher("vm/fetch-kernel trixie", "cache/ktstr-gdb/kernels");
}

static void test_fetch_sysroot(void **state)
{
	(void)state;
	check_fetcher("vm/fetch-sysroot riscv64", "cache/ktstr-gdb/sysroots");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_kvm_marker, setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(test_fetch_kernel, setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(test_fetch_sysroot, setup, scratch_teardown),
	};

	return cmocka_run_group_tests_name("vm/cache_dir", tests, NULL, NULL);
}
