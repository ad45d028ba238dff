// SPDX-License-Identifier: LGPL-2.1-or-later
/* Snapshots as files: whole or not there, ours alone, and not too many. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "tests/vm/scratch.h"
#include "vm/snapshot.h"

static const char key_a[] = "0123456789abcdef0123456789abcdef";
static const char key_b[] = "1123456789abcdef0123456789abcdef";
static const char key_c[] = "2123456789abcdef0123456789abcdef";

static void put_with_ram(const struct vm_snapshots *s, const char *key, uint64_t ram, size_t len,
			 int64_t max)
{
	const struct vm_snapshot_of of = {.kernel = "/boot/vmlinuz", .qemu = "7.2.22 "};
	struct vm_snapshot_file file;
	char stream[4096];

	memset(stream, key[0], sizeof(stream));
	assert_null(vm_snapshot_create(s, ram, &file));
	/* The second page, and the last: the others are holes. */
	if (ram) {
		assert_int_equal(pwrite(file.fd, "ram", 3, 4096 + 17), 3);
		assert_int_equal(pwrite(file.fd, "end", 3, (off_t)ram - 3), 3);
	}
	assert_int_equal(write(file.fd, stream, len), len);
	assert_null(vm_snapshot_commit(s, &file, key, &of, max));
	assert_int_equal(file.fd, -1);
}

static void put(const struct vm_snapshots *s, const char *key, size_t len, int64_t max)
{
	put_with_ram(s, key, 0, len, max);
}

static bool is_good(const struct vm_snapshots *s, const char *key)
{
	struct vm_snapshot_of of;
	int fd = vm_snapshot_find(s, key);
	bool good = fd >= 0 && vm_snapshot_check(fd, key, &of);
	char byte;

	if (good) {
		assert_string_equal(of.kernel, "/boot/vmlinuz");
		assert_int_equal(read(fd, &byte, 1), 1);
		assert_int_equal(byte, key[0]);
	}
	if (fd >= 0)
		close(fd);
	return good;
}

static char *file_of(const char *key)
{
	static char path[512];

	snprintf(path, sizeof(path), "%s/cache/snapshots/%s.snap", scratch, key);
	return path;
}

static struct vm_snapshots open_them(void)
{
	struct vm_snapshots s = VM_SNAPSHOTS_INIT;

	assert_null(vm_snapshots_open(in_scratch("cache"), &s));
	return s;
}

static size_t count(const struct vm_snapshots *s)
{
	struct vm_snapshot_list list;
	size_t n;

	assert_null(vm_snapshot_list(s, &list));
	n = list.v.len;
	kt_vec_free(&list.v);
	return n;
}

/* Twice is as if it had not been. */
static void spoil(const char *key, off_t at)
{
	int fd = open(file_of(key), O_RDWR);
	char byte;

	assert_int_equal(pread(fd, &byte, 1, at), 1);
	byte ^= 0x10;
	assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	close(fd);
}

static void test_whole_or_not_there(void **state)
{
	struct vm_snapshots s = open_them();
	struct vm_snapshot_file file;
	off_t size;

	(void)state;
	assert_int_equal(vm_snapshot_find(&s, key_a), -1);
	assert_null(vm_snapshot_create(&s, 0, &file));
	assert_int_equal(write(file.fd, "x", 1), 1);
	assert_false(is_good(&s, key_a));
	vm_snapshot_abandon(&s, &file);
	assert_int_equal(count(&s), 0);
	put(&s, key_a, 1000, 1 << 20);
	assert_true(is_good(&s, key_a));
	put(&s, key_a, 999, 1 << 20); /* in place of the other */
	assert_true(is_good(&s, key_a));
	assert_int_equal(count(&s), 1);
	size = 4096 + 999;
	/* Each byte counts, of the stream and of the trailer, and so does the length. */
	for (off_t at = 0; at < 999 + 640; at++) {
		spoil(key_a, at);
		assert_false(is_good(&s, key_a));
		spoil(key_a, at);
	}
	assert_true(is_good(&s, key_a));
	assert_int_equal(truncate(file_of(key_a), size - 1), 0);
	assert_false(is_good(&s, key_a));
	assert_int_equal(truncate(file_of(key_a), 100), 0);
	assert_false(is_good(&s, key_a));
	vm_snapshot_remove(&s, key_a);
	assert_int_equal(count(&s), 0);
	vm_snapshots_close(&s);
}

/* Holes cost nothing, and what is written into one is damage like any other. */
static void test_memory(void **state)
{
	static const off_t places[] = {
		0,    17,      4095,          4096,    4113,           5000,           8191,
		8192, 1 << 20, (8 << 20) - 1, 8 << 20, (8 << 20) + 99, (8 << 20) + 100};
	struct vm_snapshots s = open_them();
	struct vm_snapshot_list list;

	(void)state;
	put_with_ram(&s, key_a, 8 << 20, 100, 1 << 20);
	assert_true(is_good(&s, key_a));
	assert_null(vm_snapshot_list(&s, &list));
	assert_int_equal(list.v.len, 1);
	assert_int_equal(list.v.data[0].size, 2 * 4096 + 100 + 4096);
	kt_vec_free(&list.v);
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		spoil(key_a, places[i]);
		assert_false(is_good(&s, key_a));
		spoil(key_a, places[i]);
		/* What was a hole is zeros now, which is the same. */
		assert_true(is_good(&s, key_a));
	}
	/* The limit is for what is not a hole, too. */
	put_with_ram(&s, key_b, 8 << 20, 100, 1 << 20);
	assert_int_equal(count(&s), 2);
	put_with_ram(&s, key_c, 8 << 20, 100, 2 * 13000);
	assert_int_equal(count(&s), 2);
	vm_snapshot_remove(&s, key_a);
	vm_snapshot_remove(&s, key_b);
	vm_snapshot_remove(&s, key_c);
	vm_snapshots_close(&s);
}

/* A file under the name of another key, a link, one that others may read. */
static void test_ours_alone(void **state)
{
	struct vm_snapshots s = open_them(), other = VM_SNAPSHOTS_INIT;
	char copy[512];
	struct kt_error *err;

	(void)state;
	put(&s, key_a, 10, 1 << 20);
	strcpy(copy, file_of(key_a));
	assert_int_equal(link(copy, file_of(key_b)), 0);
	assert_false(is_good(&s, key_b));
	unlink(file_of(key_b));
	assert_int_equal(symlink(copy, file_of(key_b)), 0);
	assert_int_equal(vm_snapshot_find(&s, key_b), -1);
	unlink(file_of(key_b));
	assert_int_equal(chmod(copy, 0644), 0);
	assert_int_equal(vm_snapshot_find(&s, key_a), -1);
	assert_int_equal(chmod(in_scratch("cache/snapshots"), 0755), 0);
	err = vm_snapshots_open(in_scratch("cache"), &other);
	assert_non_null(err);
	assert_int_equal(kt_error_code(err), KT_ERROR_UNSUPPORTED);
	kt_error_destroy(err);
	assert_int_equal(chmod(in_scratch("cache/snapshots"), 0700), 0);
	vm_snapshot_remove(&s, key_a);
	vm_snapshots_close(&s);
}

static void used_at(const char *key, time_t when)
{
	const struct timespec times[2] = {{when, 0}, {when, 0}};

	assert_int_equal(utimensat(AT_FDCWD, file_of(key), times, 0), 0);
}

static void test_limit(void **state)
{
	struct vm_snapshots s = open_them();
	int fd;

	(void)state;
	put(&s, key_a, 4096, 1 << 20);
	put(&s, key_b, 4096, 1 << 20);
	used_at(key_a, 1000);
	used_at(key_b, 2000);
	fd = vm_snapshot_find(&s, key_a); /* used now */
	assert_true(fd >= 0);
	close(fd);
	put(&s, key_c, 4096, 2 * 8192);
	assert_true(is_good(&s, key_a));
	assert_false(is_good(&s, key_b));
	assert_true(is_good(&s, key_c));
	/* One that is bigger than all may be is kept alone. */
	put(&s, key_b, 4096, 100);
	assert_true(is_good(&s, key_b));
	assert_int_equal(count(&s), 1);
	vm_snapshot_remove(&s, key_b);
	vm_snapshot_never(&s, key_a);
	assert_true(vm_snapshot_is_never(&s, key_a));
	assert_false(vm_snapshot_is_never(&s, key_b));
	vm_snapshots_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole_or_not_there),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_ours_alone),
		cmocka_unit_test(test_limit),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
