// SPDX-License-Identifier: LGPL-2.1-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/vm/scratch.h"
#include "vm/console.h"

static void assert_death(const char *console, const char *expected)
{
	char *death = vm_console_death(scratch_file("console.log", console, 0600));

	if (expected)
		assert_string_equal(death, expected);
	else
		assert_null(death);
	free(death);
}

/* Consoles of stock 6.1 and 6.12, shortened. */
static void test_death(void **state)
{
	(void)state;
	assert_death("[    3.212955] Kernel panic - not syncing: VFS: Unable to mount root fs\r\n"
		     "[    3.213440] CPU: 1 PID: 1 Comm: swapper/0 Not tainted\r\n",
		     "Kernel panic - not syncing: VFS: Unable to mount root fs");
	/* The oops explains more than the panic that it leads to. */
	assert_death("[    1.349696] Oops: general protection fault, probably for x: 0000 [#1]\n"
		     "[    1.349696] RIP: 0010:__kmalloc_noprof+0x130/0x400\n"
		     "[    1.349696] Kernel panic - not syncing: Fatal exception in interrupt\n",
		     "Oops: general protection fault, probably for x: 0000 [#1]");
	/* What init says is the cause; the rest follows from it. */
	assert_death("ktstr-init: no channel to the host: /dev/ttyS1: No such file\n"
		     "[    3.2] Kernel panic - not syncing: Attempted to kill init!\n",
		     "ktstr-init: no channel to the host: /dev/ttyS1: No such file");
	/* But for what it goes on without. */
	assert_death("ktstr-init (goes on): cannot load /ktstr/modules/0-virtio.ko: Exec format\n"
		     "[    3.2] Kernel panic - not syncing: x\n",
		     "Kernel panic - not syncing: x");
	assert_death("[    3.2][    T1] Kernel panic - not syncing: x\n",
		     "Kernel panic - not syncing: x");
	assert_death("[    0.000000] Command line: console=ttyS0,115200 panic=-1\n", NULL);
	assert_death("", NULL);
	assert_null(vm_console_death(in_scratch("none")));
}

static void test_tail(void **state)
{
	const char *path = scratch_file("console.log", "one\r\ntwo\n\033[31mthree\n\n\n", 0600);
	char *tail;

	(void)state;
	assert_int_equal(vm_console_size(path), 22);
	tail = vm_console_read_tail(path, 2);
	assert_string_equal(tail, "two\n?[31mthree");
	free(tail);
	tail = vm_console_read_tail(path, 100);
	assert_string_equal(tail, "one\ntwo\n?[31mthree");
	free(tail);
	tail = vm_console_read_tail(in_scratch("none"), 5);
	assert_string_equal(tail, "");
	free(tail);
}

int main(void)
{
#define scratch_test(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)
	const struct CMUnitTest tests[] = {scratch_test(test_death), scratch_test(test_tail)};

	return cmocka_run_group_tests_name("vm/console", tests, NULL, NULL);
}
