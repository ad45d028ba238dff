// SPDX-License-Identifier: LGPL-2.1-or-later
#include <archive.h>
#include <archive_entry.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/vm/scratch.h"
#include "util/buf.h"
#include "vm/initramfs.h"

static const char init_bytes[] = "the init";

/* The archive as lines "MODE NAME SIZE", and the orders behind them. */
static char *list_archive(const char *path)
{
	struct archive *a = archive_read_new();
	struct kt_buf out = KT_BUF_INIT;
	struct archive_entry *entry;
	char data[4096];

	archive_read_support_format_cpio(a);
	assert_int_equal(archive_read_open_filename(a, path, 65536), ARCHIVE_OK);
	while (archive_read_next_header(a, &entry) == ARCHIVE_OK) {
		kt_buf_printf(&out, "%o %s %lld\n", archive_entry_mode(entry),
			      archive_entry_pathname(entry), (long long)archive_entry_size(entry));
		assert_int_equal(archive_entry_mtime(entry), 0);
		if (!strcmp(archive_entry_pathname(entry), "ktstr/orders") ||
		    !strcmp(archive_entry_pathname(entry), "ktstr/base")) {
			la_ssize_t n = archive_read_data(a, data, sizeof(data));

			kt_buf_append(&out, data, (size_t)n);
		}
	}
	assert_int_equal(archive_format(a), ARCHIVE_FORMAT_CPIO_SVR4_NOCRC);
	archive_read_free(a);
	return kt_buf_steal(&out);
}

/* Where the frames go without virtio, qemu-configs/ARCH.cfg. */
#ifdef __x86_64__
#define FRAMES "tty /dev/ttyS1\n"
#else
#define FRAMES "tty /dev/ttyS0\n"
#endif

static struct kt_error *write_archive(const struct vm_load *load, const char *path)
{
	const char *arch =
#ifdef __x86_64__
		"x86_64";
#else
		"aarch64";
#endif
	struct vm_initramfs initramfs = {
		.init = init_bytes,
		.init_size = sizeof(init_bytes) - 1,
		.machine = vm_machine_by_arch(arch),
		.load = load,
		.cancel_fd = -1,
	};

	return vm_initramfs_write(&initramfs, path);
}

static void test_objects(void **state)
{
	const char *objects[2];
	struct vm_load load = {.objects = objects, .num_objects = 2};
	const char *path = in_scratch("initrd.cpio");
	char *list;

	(void)state;
	objects[0] = scratch_file("a.bpf.o", "aaa", 0600);
	objects[1] = scratch_file("b\n\\.bpf.o", "bb", 0600);
	assert_null(write_archive(&load, path));
	list = list_archive(path);
	assert_string_equal(list, "40755 dev 0\n40755 proc 0\n40755 sys 0\n40755 tmp 0\n"
				  "40755 run 0\n40755 root 0\n"
				  "100755 init 8\n"
				  "40755 ktstr 0\n"
				  "100644 ktstr/base 15\n" FRAMES "40755 ktstr/objects 0\n"
				  "100644 ktstr/objects/0-a.bpf.o 3\n"
				  "100644 ktstr/objects/1-b\n\\.bpf.o 2\n"
				  "100644 ktstr/orders 68\n"
				  "object /ktstr/objects/0-a.bpf.o\n"
				  "object /ktstr/objects/1-b\\n\\\\.bpf.o\n");
	free(list);
}

/* What of the objects is loaded, and how. */
static void test_orders(void **state)
{
	static const char *const globs[] = {"xdp_*", "a\nb"}, *const types[] = {"xdp"};
	static const struct vm_set sets[] = {{0, ".rodata", 12, "\0\xfe\x7f", NULL, 3},
					     {0, ".rodata", 20, "\x28", "\x38", 1},
					     {1, ".bss", 1ull << 32, "", NULL, 0}};
	struct vm_load load = {.name_globs = globs,
			       .num_name_globs = 2,
			       .types = types,
			       .num_types = 1,
			       .sets = sets,
			       .num_sets = 3,
			       .log_level = 2};
	const char *path = in_scratch("initrd.cpio");
	char *list;

	(void)state;
	assert_null(write_archive(&load, path));
	list = list_archive(path);
	assert_non_null(strstr(list, "name xdp_*\nname a\\nb\ntype xdp\nset 0 .rodata 12 00fe7f\n"
				     "set 0 .rodata 20 28/38\n"
				     "set 1 .bss 4294967296 \nlog_level 2\n"));
	free(list);
}

static void test_run(void **state)
{
	static const char *const args[] = {"-v", "", "two\nlines"};
	struct vm_load load = {.args = args, .num_args = 3, .settle_ms = 5};
	const char *path = in_scratch("initrd.cpio");
	char expected[256], *list;

	(void)state;
	load.run = scratch_file("run.sh", "#!/bin/sh\n", 0700);
	assert_null(write_archive(&load, path));
	list = list_archive(path);
	snprintf(expected, sizeof(expected),
		 "arg %s\narg -v\narg \narg two\\nlines\nenv PATH=", load.run);
	assert_non_null(strstr(list, expected));
	assert_non_null(strstr(list, "env LD_LIBRARY_PATH=/"));
	assert_non_null(strstr(list, "settle_ms 5\nmax_ms 15000\n"));
	snprintf(expected, sizeof(expected), "100755 %s 10\n", load.run + 1);
	assert_non_null(strstr(list, expected));
	assert_non_null(strstr(list, "/libc.so.6 "));
	assert_non_null(strstr(list, "100755 bin/sh "));
	free(list);
}

/* How often a line is in the list. */
static size_t count(const char *list, const char *line)
{
	size_t n = 0;

	for (const char *at = list; (at = strstr(at, line)); at += strlen(line))
		n++;
	return n;
}

/* A command has its own libraries, and those that the scheduler has are there once. */
static void test_workload(void **state)
{
	struct vm_workload workload = {.kind = "pipe"};
	struct vm_load load = {.scheduler = true, .workload = &workload};
	const char *path = in_scratch("initrd.cpio");
	char expected[256], text[128], *list;
	struct kt_error *err;

	(void)state;
	load.run = scratch_file("run.sh", "#!/bin/sh\n", 0700);
	assert_null(write_archive(&load, path));
	list = list_archive(path);
	assert_non_null(strstr(list, "\nworkload pipe\n"));
	assert_null(strstr(list, "workload_arg"));
	free(list);
	snprintf(text, sizeof(text), "%s -n two", scratch_file("bench.sh", "#!/bin/sh\n", 0700));
	assert_null(vm_workload_parse(text, &workload));
	assert_null(write_archive(&load, path));
	list = list_archive(path);
	snprintf(expected, sizeof(expected),
		 "\nworkload command\nworkload_arg %s\nworkload_arg -n\nworkload_arg two\n"
		 "workload_env PATH=",
		 workload.argv.data[0]);
	assert_non_null(strstr(list, expected));
	assert_non_null(strstr(list, "\nworkload_env LD_LIBRARY_PATH=/"));
	snprintf(expected, sizeof(expected), "100755 %s 10\n", workload.argv.data[0] + 1);
	assert_non_null(strstr(list, expected));
	assert_int_equal(count(list, "100755 bin/sh "), 1);
	assert_int_equal(count(list, "/libc.so.6 "), 1);
	free(list);
	vm_workload_deinit(&workload);
	assert_null(vm_workload_parse("/nonexistent/bench", &workload));
	err = write_archive(&load, path);
	assert_non_null(err);
	assert_non_null(strstr(kt_error_message(err), "--workload: cannot run /nonexistent/bench"));
	kt_error_destroy(err);
	vm_workload_deinit(&workload);
}

static char *file_bytes(const char *path, size_t *len)
{
	struct kt_buf buf = KT_BUF_INIT;
	FILE *file = fopen(path, "r");
	char chunk[4096];
	size_t n;

	assert_non_null(file);
	while ((n = fread(chunk, 1, sizeof(chunk), file)))
		kt_buf_append(&buf, chunk, n);
	fclose(file);
	*len = buf.len;
	return kt_buf_steal(&buf);
}

static void test_deterministic(void **state)
{
	const char *objects[1];
	struct vm_load load = {.objects = objects, .num_objects = 1};
	char *first, *second;
	size_t len[2];

	(void)state;
	objects[0] = scratch_file("a.bpf.o", "aaa", 0600);
	assert_null(write_archive(&load, in_scratch("1.cpio")));
	assert_int_equal(utimensat(AT_FDCWD, objects[0], (struct timespec[2]){{9, 9}, {9, 9}}, 0),
			 0);
	assert_null(write_archive(&load, in_scratch("2.cpio")));
	first = file_bytes(in_scratch("1.cpio"), &len[0]);
	second = file_bytes(in_scratch("2.cpio"), &len[1]);
	assert_int_equal(len[0], len[1]);
	assert_memory_equal(first, second, len[0]);
	free(first);
	free(second);
}

static void assert_refused(const struct vm_load *load, const char *to, const char *words)
{
	struct kt_error *err = write_archive(load, to);

	assert_non_null(err);
	if (!strstr(kt_error_message(err), words))
		fail_msg("'%s' does not say '%s'", kt_error_message(err), words);
	kt_error_destroy(err);
}

static void test_refused(void **state)
{
	const char *objects[1] = {in_scratch("none.bpf.o")};
	struct vm_load load = {.objects = objects, .num_objects = 1};
	struct vm_load nothing = {0}, run = {.run = "/dev/null"};

	(void)state;
	assert_refused(&load, in_scratch("x"), "none.bpf.o: No such file");
	objects[0] = scratch;
	assert_refused(&load, in_scratch("x"), "Is a directory");
	objects[0] = "/dev/zero";
	assert_refused(&load, in_scratch("x"), "/dev/zero: not a regular file");
	assert_refused(&run, in_scratch("x"), "/dev/null: not a regular file");
	assert_refused(&nothing, "/nonexistent/initrd", "cannot write the initramfs");
}

/* /dev/full takes nothing. */
static void test_full_disk(void **state)
{
	struct vm_load nothing = {0};

	(void)state;
	assert_refused(&nothing, "/dev/full", "cannot write the initramfs");
}

int main(void)
{
#define scratch_test(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)
	const struct CMUnitTest tests[] = {
		scratch_test(test_objects),       scratch_test(test_orders),
		scratch_test(test_workload),      scratch_test(test_run),
		scratch_test(test_deterministic), scratch_test(test_refused),
		scratch_test(test_full_disk),
	};

	return cmocka_run_group_tests_name("vm/initramfs", tests, NULL, NULL);
}
