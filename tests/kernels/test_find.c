// SPDX-License-Identifier: LGPL-2.1-or-later
/* Which kernels the forms of --kernel name. Real kernels are those that fetch-kernel left here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kernels/kernels.h"
#include "tests/vm/scratch.h"
#include "util/buf.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/io.h"

static struct kt_kernels found;

static struct kt_error *find(const char *spec)
{
	struct kt_kernels_options options = {.deadline_ns = kt_deadline_ms(60000), .cancel_fd = -1};

	kt_kernels_deinit(&found);
	return kt_kernels_find(spec, &options, &found);
}

static void finds(const char *spec, size_t n)
{
	struct kt_error *err = find(spec);

	if (err)
		print_error("%s\n", kt_error_message(err));
	assert_null(err);
	assert_int_equal(found.v.len, n);
}

static void refused(const char *spec, enum kt_error_code code, const char *words)
{
	struct kt_error *err = find(spec);

	assert_non_null(err);
	if (!strstr(kt_error_message(err), words))
		print_error("not '%s': %s\n", words, kt_error_message(err));
	assert_non_null(strstr(kt_error_message(err), words));
	assert_int_equal(kt_error_code(err), code);
	assert_int_equal(found.v.len, 0);
	kt_error_destroy(err);
}

static const char *write_file(const char *name, const void *data, size_t len)
{
	const char *path = in_scratch(name);
	struct kt_error *err = kt_replace_file(path, data, len, 0600, false);

	assert_null(err);
	return path;
}

/* As much of a bzImage as is looked at (Documentation/arch/x86/boot.rst). */
static const char *bzimage(const char *name, const char *release)
{
	uint8_t image[0x600] = {0};

	image[0x1fe] = 0x55;
	image[0x1ff] = 0xaa;
	memcpy(image + 0x202, "HdrS", 4);
	image[0x207] = 2;
	image[0x20f] = 2; /* the version is at 0x200 + 0x200 */
	snprintf((char *)image + 0x400, 0x100, "%s (someone@here) #1 SMP", release);
	return write_file(name, image, sizeof(image));
}

static void test_image(void **state)
{
	(void)state;
	finds(bzimage("k", "6.1.0-50-cloud-amd64"), 1);
	assert_string_equal(found.v.data[0].name, "6.1.0-50-cloud-amd64");
	assert_string_equal(found.v.data[0].release, "6.1.0-50-cloud-amd64");
	assert_string_equal(found.v.data[0].image, in_scratch("k"));
	assert_null(found.v.data[0].modules);
}

/* What a header says is printed: a release is letters and digits, or is not known. */
static void test_hostile_release(void **state)
{
	static const char *const bad[] = {"\033[2J", "../../etc", "a/b", "", ".hidden"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		finds(bzimage("k", bad[i]), 1);
		assert_null(found.v.data[0].release);
		assert_string_equal(found.v.data[0].name, "k");
	}
}

static void test_no_kernel(void **state)
{
	(void)state;
	refused(scratch_file("empty", "", 0600), KT_ERROR_FORMAT,
		"empty: not a kernel: it is empty");
	refused(scratch_file("text", "hello\n", 0600), KT_ERROR_FORMAT,
		"not a kernel: a text file");
	refused("/bin/ls", KT_ERROR_FORMAT, "/bin/ls: not a kernel: an ELF program for ");
	refused(in_scratch("nothing"), KT_ERROR_NOT_FOUND, "nothing: no such file");
	refused("/dev/null", KT_ERROR_UNSUPPORTED, "/dev/null: not a regular file");
	refused("debian:", KT_ERROR_USAGE, "is no suite");
	refused("debian:--refresh", KT_ERROR_USAGE, "is no suite");
	refused("debian:trixie/", KT_ERROR_USAGE, "is no suite");
	refused("debian:trixie/six", KT_ERROR_USAGE, "is no suite");
	refused("debian:trixie:", KT_ERROR_USAGE, "is no suite");
	refused("ubuntu:", KT_ERROR_USAGE, "is no suite");
	refused("fedora:43:--dbg", KT_ERROR_USAGE, "is no suite");
}

static void test_glob(void **state)
{
	(void)state;
	bzimage("k-a", "6.12.1");
	bzimage("k-b", "6.9.10");
	bzimage("k-c", "6.9.9");
	finds(in_scratch("k-*"), 3);
	assert_string_equal(found.v.data[0].name, "6.9.9");
	assert_string_equal(found.v.data[1].name, "6.9.10");
	assert_string_equal(found.v.data[2].name, "6.12.1");
	refused(in_scratch("none-*"), KT_ERROR_NOT_FOUND, "no file matches");
	/* One of them is no kernel: that is said, and by which. */
	scratch_file("k-d", "text", 0600);
	refused(in_scratch("k-*"), KT_ERROR_FORMAT, "k-d: not a kernel: a text file");
	/* A file of that very name is no glob. */
	finds(bzimage("k-*", "6.1"), 1);
}

/* fetch-kernel is a script here, which tells what it was called with. */
static void test_fetched(void **state)
{
	_cleanup_(kt_buf_deinit) struct kt_buf script = KT_BUF_INIT;

	(void)state;
	bzimage("fetched", "6.18.5");
	kt_buf_printf(&script, "#!/bin/sh\necho \"$*\" >%s/args\necho %s/fetched\n", scratch,
		      scratch);
	setenv("KTSTR_FETCH_KERNEL", scratch_file("fetch", script.data, 0700), 1);
	finds("debian:trixie-backports/6.18:amd64", 1);
	assert_string_equal(found.v.data[0].name, "6.18.5");
	kt_buf_deinit(&script);
	assert_null(kt_read_file(in_scratch("args"), 1000, &script));
	assert_string_equal(script.data, "--series 6.18 trixie-backports amd64\n");
	finds("fedora:43/6.18:x86_64", 1);
	kt_buf_deinit(&script);
	assert_null(kt_read_file(in_scratch("args"), 1000, &script));
	assert_string_equal(script.data, "--series 6.18 --distribution fedora 43 x86_64\n");
	scratch_file("fetch", "#!/bin/sh\necho apt has none >&2\nexit 4\n", 0700);
	refused("ubuntu:noble", KT_ERROR_UNSUPPORTED, "ubuntu:noble: apt has none");
	scratch_file("fetch", "#!/bin/sh\necho no such suite >&2\nexit 3\n", 0700);
	refused("debian:nowhere", KT_ERROR_NOT_FOUND, "debian:nowhere: no such suite");
	unsetenv("KTSTR_FETCH_KERNEL");
}

static int teardown(void **state)
{
	kt_kernels_deinit(&found);
	return scratch_teardown(state);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_image), TEST(test_hostile_release), TEST(test_no_kernel),
		TEST(test_glob),  TEST(test_fetched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
