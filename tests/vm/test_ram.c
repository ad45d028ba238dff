// SPDX-License-Identifier: LGPL-2.1-or-later
/* A guest's memory as a file: what is not zero is found and copied, whatever the holes are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "tests/vm/scratch.h"
#include "vm/ram.h"

#define MIB (1u << 20)

static int new_file(const char *name, off_t size)
{
	int fd = open(in_scratch(name), O_RDWR | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, size), 0);
	return fd;
}

static void put(int fd, uint64_t page, char c)
{
	assert_int_equal(pwrite(fd, &c, 1, (off_t)(page * VM_RAM_PAGE + VM_RAM_PAGE - 1)), 1);
}

/* The numbers of the pages that a walk finds, and what each ends in: "3=a 4=b ". */
static const char *found(int fd, uint64_t size)
{
	static char text[4096];
	struct vm_ram_walk walk;
	uint64_t offset;
	const char *data;
	size_t len, n = 0;

	text[0] = '\0';
	vm_ram_walk_init(&walk, fd, size);
	while (vm_ram_walk_next(&walk, &offset, &data, &len)) {
		assert_int_equal(offset % VM_RAM_PAGE, 0);
		assert_true(len && len % VM_RAM_PAGE == 0 && offset + len <= size);
		for (size_t at = 0; at < len && n < sizeof(text) - 32; at += VM_RAM_PAGE)
			n += (size_t)snprintf(text + n, 32, "%d=%c ",
					      (int)((offset + at) / VM_RAM_PAGE),
					      data[at + VM_RAM_PAGE - 1]);
	}
	assert_null(vm_ram_walk_deinit(&walk));
	return text;
}

static void test_walk(void **state)
{
	int fd = new_file("ram", 64 * MIB);
	char zeros[3 * VM_RAM_PAGE] = {0};

	(void)state;
	assert_string_equal(found(fd, 64 * MIB), "");
	put(fd, 0, 'a');
	put(fd, 63,
	    'b'); /* the end of a piece that is read at once, and the next one's beginning */
	put(fd, 64, 'c');
	put(fd, 5000, 'd');
	put(fd, 16383, 'e');
	/* Zeros that are no hole. */
	assert_int_equal(pwrite(fd, zeros, sizeof(zeros), 7000 * (off_t)VM_RAM_PAGE),
			 sizeof(zeros));
	assert_string_equal(found(fd, 64 * MIB), "0=a 63=b 64=c 5000=d 16383=e ");
	/* What is behind the memory is none of it. */
	assert_string_equal(found(fd, 4 * MIB), "0=a 63=b 64=c ");
	close(fd);
	assert_int_equal(truncate(in_scratch("ram"), 0), 0);
}

/* Shorter than it has to be: an end that no walk may wait for. */
static void test_too_short(void **state)
{
	int fd = new_file("short", 2 * VM_RAM_PAGE + 5);
	struct vm_ram_walk walk;
	struct kt_error *err;
	uint64_t offset;
	const char *data;
	size_t len;

	(void)state;
	put(fd, 0, 'a');
	assert_int_equal(pwrite(fd, "x", 1, 2 * VM_RAM_PAGE + 4), 1);
	vm_ram_walk_init(&walk, fd, MIB);
	while (vm_ram_walk_next(&walk, &offset, &data, &len))
		assert_true(len <= 2 * VM_RAM_PAGE);
	err = vm_ram_walk_deinit(&walk);
	assert_non_null(err);
	assert_int_equal(kt_error_code(err), KT_ERROR_FORMAT);
	kt_error_destroy(err);
	close(fd);
}

static void test_copy(void **state)
{
	int from, to = new_file("copy", 0);
	struct kt_error *err;
	struct stat st;

	(void)state;
	assert_null(vm_ram_create(16 * MIB, &from));
	assert_int_equal(fstat(from, &st), 0);
	assert_int_equal(st.st_size, 16 * MIB);
	put(from, 1, 'a');
	put(from, 2, 'b');
	put(from, 4095, 'c');
	assert_null(vm_ram_copy(from, to, 16 * MIB, 3 * VM_RAM_PAGE));
	assert_string_equal(found(to, 16 * MIB), "1=a 2=b 4095=c ");
	err = vm_ram_copy(from, to, 16 * MIB, 3 * VM_RAM_PAGE - 1);
	assert_non_null(err);
	assert_int_equal(kt_error_code(err), KT_ERROR_UNSUPPORTED);
	kt_error_destroy(err);
	close(from);
	close(to);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_walk),
		cmocka_unit_test(test_too_short),
		cmocka_unit_test(test_copy),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
