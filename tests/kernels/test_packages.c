// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Kernels in archives that libarchive writes here, most of them hostile: what is taken out, and
 * that nothing is written anywhere else. Packages of the distributions' own tools are in
 * packages.sh.
 */
#include <archive.h>
#include <archive_entry.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kernels/kernels.h"
#include "kernels/place.h"
#include "tests/vm/scratch.h"
#include "util/buf.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/io.h"

#define IMAGE_LEN 0x600

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

/* --- archives --- */

/* As much of a bzImage as is looked at; mark tells one from the other. */
static const uint8_t *bzimage(const char *release, uint8_t mark)
{
	static uint8_t image[IMAGE_LEN];

	memset(image, 0, sizeof(image));
	image[0x1fe] = 0x55;
	image[0x1ff] = 0xaa;
	memcpy(image + 0x202, "HdrS", 4);
	image[0x207] = 2;
	image[0x20f] = 2;
	snprintf((char *)image + 0x400, 0x100, "%s (someone@here) #1 SMP", release);
	image[IMAGE_LEN - 1] = mark;
	return image;
}

static struct archive *begin(const char *name, bool ar, bool gzip)
{
	struct archive *a = archive_write_new();

	if (ar)
		archive_write_set_format_ar_svr4(a);
	else
		archive_write_set_format_pax_restricted(a);
	if (gzip)
		archive_write_add_filter_gzip(a);
	assert_int_equal(archive_write_open_filename(a, in_scratch(name)), ARCHIVE_OK);
	return a;
}

static void add(struct archive *a, const char *path, const void *data, size_t len)
{
	struct archive_entry *entry = archive_entry_new();

	archive_entry_set_pathname(entry, path);
	archive_entry_set_filetype(entry, AE_IFREG);
	archive_entry_set_perm(entry, 0777);
	archive_entry_set_size(entry, (la_int64_t)len);
	assert_int_equal(archive_write_header(a, entry), ARCHIVE_OK);
	if (len)
		assert_int_equal(archive_write_data(a, data, len), len);
	archive_entry_free(entry);
}

static void add_link(struct archive *a, const char *path, const char *to, bool hard)
{
	struct archive_entry *entry = archive_entry_new();

	archive_entry_set_pathname(entry, path);
	if (hard) {
		archive_entry_set_filetype(entry, AE_IFREG);
		archive_entry_set_hardlink(entry, to);
	} else {
		archive_entry_set_filetype(entry, AE_IFLNK);
		archive_entry_set_symlink(entry, to);
	}
	assert_int_equal(archive_write_header(a, entry), ARCHIVE_OK);
	archive_entry_free(entry);
}

static const char *end(struct archive *a, const char *name)
{
	assert_int_equal(archive_write_close(a), ARCHIVE_OK);
	archive_write_free(a);
	return in_scratch(name);
}

/* What is in a file; the caller frees it. */
static struct kt_buf read_back(const char *path)
{
	struct kt_buf buf = KT_BUF_INIT;
	struct kt_error *err = kt_read_file(path, 1 << 20, &buf);

	assert_null(err);
	return buf;
}

static void add_file(struct archive *a, const char *path, const char *file)
{
	_cleanup_(kt_buf_deinit) struct kt_buf content = read_back(file);

	add(a, path, content.data, content.len);
}

static void is_image(size_t nth, uint8_t mark)
{
	_cleanup_(kt_buf_deinit) struct kt_buf image = read_back(found.v.data[nth].image);

	assert_int_equal(image.len, IMAGE_LEN);
	assert_int_equal((uint8_t)image.data[IMAGE_LEN - 1], mark);
}

static bool has_module(size_t nth, const char *name)
{
	char path[512];

	if (!found.v.data[nth].modules)
		return false;
	snprintf(path, sizeof(path), "%s/%s", found.v.data[nth].modules, name);
	return !access(path, F_OK);
}

/* All files below the scratch directory but those of the cache and the archives. */
static void nothing_outside(void)
{
	char command[256];

	snprintf(
		command, sizeof(command),
		"test -z \"$(find %s -newer %s/began -type f ! -path '%s/cache/*' ! -name 'a.*' ! -name "
		"began)\"",
		scratch, scratch, scratch);
	assert_int_equal(system(command), 0);
	snprintf(command, sizeof(command), "test -z \"$(find %s/cache -type l)\"", scratch);
	assert_int_equal(system(command), 0);
}

/* --- paths --- */

static void test_paths(void **state)
{
	static const struct {
		const char *path, *clean; /* NULL: refused */
	} cases[] = {
		{"./boot/vmlinuz-1", "boot/vmlinuz-1"},
		{"/boot//vmlinuz-1", "boot/vmlinuz-1"},
		{"usr/lib/modules/1/vmlinuz", "lib/modules/1/vmlinuz"},
		{"./usr/./lib/modules/", "lib/modules"},
		{"boot/../../etc/passwd", NULL},
		{"..", NULL},
		{"lib/modules/1/..", NULL},
		{"lib/modules/..x/a.ko", "lib/modules/..x/a.ko"},
		{"boot/vmlinuz\n", NULL},
		{"", NULL},
		{"/", NULL},
		{"usr/lib", "usr/lib"},
	};
	char clean[KERNELS_PATH_MAX], long_path[2 * KERNELS_PATH_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(kernels_clean_path(cases[i].path, clean), cases[i].clean != NULL);
		if (cases[i].clean)
			assert_string_equal(clean, cases[i].clean);
	}
	memset(long_path, 'a', sizeof(long_path));
	long_path[sizeof(long_path) - 1] = '\0';
	assert_false(kernels_clean_path(long_path, clean));
	for (size_t i = 1; i < sizeof(long_path); i += 2)
		long_path[i - 1] = '/';
	assert_false(kernels_clean_path(long_path, clean));
	assert_true(kernels_path_is_image("boot/vmlinuz-6.1"));
	assert_false(kernels_path_is_image("boot/grub/vmlinuz-6.1"));
	assert_true(kernels_path_is_image("lib/modules/6.1/vmlinuz"));
	assert_false(kernels_path_is_image("lib/modules/6.1/build/vmlinuz"));
	assert_true(kernels_path_is_module("lib/modules/6.1/kernel/a/b.ko.zst"));
	assert_true(kernels_path_is_module("lib/modules/6.1/modules.builtin"));
	assert_false(kernels_path_is_module("lib/modules/6.1"));
	assert_false(kernels_path_is_module("etc/a.ko"));
}

/* --- packages --- */

static void test_tree(void **state)
{
	struct archive *a = begin("a.tar", false, true);

	(void)state;
	add(a, "./usr/lib/modules/6.1.0/vmlinuz", bzimage("6.1.0", 1), IMAGE_LEN);
	add(a, "./usr/lib/modules/6.1.0/kernel/net/a.ko.xz", "module", 6);
	add(a, "./usr/lib/modules/6.1.0/modules.builtin", "", 0);
	add(a, "./usr/bin/other", "other", 5);
	add(a, "./boot/vmlinuz-6.9", bzimage("6.9.0", 2), IMAGE_LEN);
	finds(end(a, "a.tar"), 2);
	for (size_t i = 0; i < 2; i++) {
		bool first = !strcmp(found.v.data[i].release, "6.1.0");

		is_image(i, first ? 1 : 2);
		assert_int_equal(has_module(i, "kernel/net/a.ko.xz"), first);
	}
	nothing_outside();
}

/* The same file is taken out once; another one of that name anew. */
static void test_cached(void **state)
{
	struct archive *a = begin("a.tar", false, false);
	_cleanup_free_ char *first = NULL;

	(void)state;
	add(a, "boot/vmlinuz-6.1", bzimage("6.1.0", 1), IMAGE_LEN);
	finds(end(a, "a.tar"), 1);
	first = strdup(found.v.data[0].image);
	finds(in_scratch("a.tar"), 1);
	assert_string_equal(found.v.data[0].image, first);
	a = begin("a.tar", false, false);
	add(a, "boot/vmlinuz-6.1", bzimage("6.1.0", 2), IMAGE_LEN);
	finds(end(a, "a.tar"), 1);
	is_image(0, 2);
}

static void test_hostile_paths(void **state)
{
	struct archive *a = begin("a.tar", false, false);

	(void)state;
	add(a, "../escaped", "x", 1);
	add(a, "boot/../../escaped", "x", 1);
	add(a, "lib/modules/../../../escaped.ko", "x", 1);
	add(a, "lib/modules/6.1.0/../../../../escaped.ko", "x", 1);
	add(a, "/boot/vmlinuz-6.1", bzimage("6.1.0", 1), IMAGE_LEN);
	finds(end(a, "a.tar"), 1);
	is_image(0, 1);
	nothing_outside();
}

/* A link, and then a file behind it. */
static void test_hostile_links(void **state)
{
	struct archive *a = begin("a.tar", false, false);

	(void)state;
	add_link(a, "lib", scratch, false);
	add_link(a, "boot", scratch, false);
	add_link(a, "lib/modules/6.1.0", scratch, false);
	add_link(a, "boot/vmlinuz-6.2", in_scratch("target"), false);
	add_link(a, "boot/vmlinuz-6.3", in_scratch("began"), true);
	add(a, "boot/vmlinuz-6.2", bzimage("6.2.0", 2), IMAGE_LEN);
	add(a, "lib/modules/6.1.0/vmlinuz", bzimage("6.1.0", 1), IMAGE_LEN);
	finds(end(a, "a.tar"), 2);
	nothing_outside();
}

static void test_no_kernel(void **state)
{
	struct archive *a = begin("a.tar", false, false);

	(void)state;
	add(a, "boot/vmlinuz-6.1", "no kernel", 9);
	add(a, "etc/passwd", "root", 4);
	refused(end(a, "a.tar"), KT_ERROR_NOT_FOUND, "a.tar: no kernel in it");
	/* A header with escapes for a release: not printed, not believed. */
	a = begin("a.tar", false, false);
	add(a, "boot/vmlinuz", bzimage("\033[2Jx", 1), IMAGE_LEN);
	finds(end(a, "a.tar"), 1);
	assert_null(found.v.data[0].release);
	/* Modules alone wait for their image. */
	a = begin("a.tar", false, false);
	add(a, "lib/modules/6.1.0/kernel/a.ko", "module", 6);
	finds(end(a, "a.tar"), 1);
	assert_null(found.v.data[0].image);
	assert_string_equal(found.v.data[0].release, "6.1.0");
}

static void test_cut_off(void **state)
{
	_cleanup_(kt_buf_deinit) struct kt_buf whole = KT_BUF_INIT;
	struct archive *a = begin("a.tar", false, true);
	const size_t lens[] = {0, 1, 10, 40, 80};

	(void)state;
	add(a, "boot/vmlinuz-6.1", bzimage("6.1.0", 1), IMAGE_LEN);
	whole = read_back(end(a, "a.tar"));
	for (size_t i = 0; i < sizeof(lens) / sizeof(*lens); i++) {
		struct kt_error *err;

		assert_true(lens[i] < whole.len);
		assert_null(kt_replace_file(in_scratch("a.cut"), whole.data, lens[i], 0600, false));
		err = find(in_scratch("a.cut"));
		assert_non_null(err);
		assert_int_equal(kt_error_code(err), KT_ERROR_FORMAT);
		kt_error_destroy(err);
	}
	assert_int_equal(
		system("test -z \"$(ls -A $XDG_CACHE_HOME/ktstr-gdb/kernels | grep tmp)\""), 0);
}

/* --- .deb --- */

static const char *deb(const char *control, bool data)
{
	struct archive *a = begin("a.control", false, true);

	add(a, "./control", control, strlen(control));
	end(a, "a.control");
	a = begin("a.data", false, true);
	if (data)
		add(a, "./boot/vmlinuz-6.1", bzimage("6.1.0", 1), IMAGE_LEN);
	end(a, "a.data");
	a = begin("a.deb", true, false);
	add(a, "debian-binary", "2.0\n", 4);
	add_file(a, "control.tar.gz", in_scratch("a.control"));
	add_file(a, "data.tar.gz", in_scratch("a.data"));
	return end(a, "a.deb");
}

static void test_deb(void **state)
{
	struct archive *a;

	(void)state;
	finds(deb("Package: x\n", true), 1);
	is_image(0, 1);
	refused(deb("Package: x\nDepends: libc6, linux-image-6.1-amd64 (= 1.0) | other-kernel, "
		    "linux-base\n",
		    false),
		KT_ERROR_NOT_FOUND,
		"a.deb: no kernel in it: it depends on linux-image-6.1-amd64, other-kernel");
	refused(deb("Depends: \033[2Jkernel\n", false), KT_ERROR_NOT_FOUND, "no kernel in it");
	a = begin("a.deb", true, false);
	add(a, "data.tar.gz", "this is no archive", 18);
	refused(end(a, "a.deb"), KT_ERROR_FORMAT, "data.tar.gz: damaged");
}

/* --- containers --- */

static const char *layer(const char *name, const char *path, const void *data, size_t len)
{
	struct archive *a = begin(name, false, true);

	add(a, path, data, len);
	return end(a, name);
}

/* Each argument is the file of a layer, the lowest first. */
static const char *docker(const char *manifest, const char *one, const char *two)
{
	struct archive *a = begin("a.docker", false, false);

	if (one)
		add_file(a, "one/layer.tar", one);
	if (two)
		add_file(a, "two/layer.tar", two);
	add(a, "manifest.json", manifest, strlen(manifest));
	return end(a, "a.docker");
}

#define BOTH "[{\"Layers\": [\"one/layer.tar\", \"two/layer.tar\"]}]"

static void test_layers(void **state)
{
	_cleanup_free_ char *old = strdup(
		layer("a.one", "boot/vmlinuz-6.1", bzimage("6.1.0", 1), IMAGE_LEN));

	(void)state;
	/* The upper one wins. */
	finds(docker(BOTH, old,
		     layer("a.two", "./boot/vmlinuz-6.1", bzimage("6.1.0", 2), IMAGE_LEN)),
	      1);
	is_image(0, 2);
	refused(docker(BOTH, old, layer("a.two", "boot/.wh.vmlinuz-6.1", "", 0)),
		KT_ERROR_NOT_FOUND, "no kernel in it");
	refused(docker(BOTH, old, layer("a.two", "boot/.wh..wh..opq", "", 0)), KT_ERROR_NOT_FOUND,
		"no kernel in it");
	refused(docker(BOTH, old, layer("a.two", ".wh.boot", "", 0)), KT_ERROR_NOT_FOUND,
		"no kernel in it");
	finds(docker(BOTH, old, layer("a.two", "boot/.wh.vmlinuz-6.10", "", 0)), 1);
	finds(docker(BOTH, old, layer("a.two", "etc/.wh.vmlinuz-6.1", "", 0)), 1);
	finds(docker(BOTH, old, layer("a.two", "boot/.wh.../../../cache", "", 0)), 1);
	nothing_outside();
}

/* A file that has several names in a layer, of which the first one has the bytes. */
static void test_hard_links(void **state)
{
	_cleanup_free_ char *old = strdup(
		layer("a.one", "boot/vmlinuz-6.1", bzimage("6.1.0", 1), IMAGE_LEN));
	struct archive *a;

	(void)state;
	/* In the place of the lower one, of a file that is wanted, too. */
	a = begin("a.two", false, true);
	add(a, "usr/lib/modules/6.1.0/vmlinuz", bzimage("6.1.0", 2), IMAGE_LEN);
	add_link(a, "boot/vmlinuz-6.1", "usr/lib/modules/6.1.0/vmlinuz", true);
	finds(docker(BOTH, old, end(a, "a.two")), 1);
	is_image(0, 2);
	/* Of a file whose own name is that of no kernel; with two names. */
	a = begin("a.two", false, true);
	add(a, "ostree/repo/objects/ab/cd.file", bzimage("6.1.0", 3), IMAGE_LEN);
	add_link(a, "./boot/vmlinuz-6.1", "./ostree/repo/objects/ab/cd.file", true);
	add_link(a, "lib/modules/6.1.0/vmlinuz", "ostree/repo/objects/ab/cd.file", true);
	finds(docker(BOTH, old, end(a, "a.two")), 1);
	is_image(0, 3);
	/* To itself, to nothing, out of the layer: as if it were not there. */
	a = begin("a.two", false, true);
	add_link(a, "boot/vmlinuz-6.1", "boot/vmlinuz-6.1", true);
	add_link(a, "boot/vmlinuz-6.2", "boot/none", true);
	add_link(a, "boot/vmlinuz-6.3", "../../../../etc/passwd", true);
	add_link(a, "boot/vmlinuz-6.4", "/etc/passwd", true);
	finds(docker(BOTH, old, end(a, "a.two")), 1);
	is_image(0, 1);
	nothing_outside();
}

static void test_hostile_manifests(void **state)
{
	static const struct {
		const char *manifest, *words;
		enum kt_error_code code;
	} cases[] = {
		{"", "it is no JSON", KT_ERROR_FORMAT},
		{"[[[[", "it is no JSON", KT_ERROR_FORMAT},
		{"[]", "it names no image", KT_ERROR_FORMAT},
		{"{}", "it names no image", KT_ERROR_FORMAT},
		{"[{}]", "an image without layers", KT_ERROR_FORMAT},
		{"[{\"Layers\": [7]}]", "layer 1 has no name", KT_ERROR_FORMAT},
		{"[{\"Layers\": [\"../../etc/passwd\"]}]", "layer 1 has no name", KT_ERROR_FORMAT},
		{"[{\"Layers\": [\"none\"]}]", "none: it is not there", KT_ERROR_NOT_FOUND},
		{"[{\"Layers\": []}]", "no kernel in it", KT_ERROR_NOT_FOUND},
	};
	struct archive *a;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		refused(docker(cases[i].manifest, NULL, NULL), cases[i].code, cases[i].words);
	/* An index that names itself: its depth is bounded. */
	a = begin("a.oci", false, false);
	add(a, "index.json", "{\"manifests\": [{\"digest\": \"sha256:0123456789abcdef\"}]}", 55);
	add(a, "blobs/sha256/0123456789abcdef",
	    "{\"manifests\": [{\"digest\": \"sha256:0123456789abcdef\"}]}", 55);
	refused(end(a, "a.oci"), KT_ERROR_FORMAT, "neither the layers of an image nor an index");
	a = begin("a.oci", false, false);
	add(a, "index.json", "{\"manifests\": [{\"digest\": \"../..:0123456789abcdef\"}]}", 54);
	refused(end(a, "a.oci"), KT_ERROR_FORMAT, "a manifest without a digest");
}

/* --- joined --- */

static const char *write_image(const char *name)
{
	const char *path = in_scratch(name);

	assert_null(kt_replace_file(path, bzimage("6.1.0", 3), IMAGE_LEN, 0600, false));
	return path;
}

static void test_join(void **state)
{
	struct kt_kernels_options options = {.deadline_ns = kt_deadline_ms(60000), .cancel_fd = -1};
	struct archive *a = begin("a.core", false, true);
	struct kt_error *err;

	(void)state;
	add(a, "lib/modules/6.1.0/vmlinuz", bzimage("6.1.0", 1), IMAGE_LEN);
	add(a, "lib/modules/6.1.0/modules.builtin", "kernel/x.ko\n", 12);
	end(a, "a.core");
	a = begin("a.modules", false, true);
	add(a, "lib/modules/6.1.0/kernel/a.ko", "module", 6);
	finds(end(a, "a.modules"), 1);
	assert_null(kt_kernels_find(in_scratch("a.core"), &options, &found));
	err = kt_kernels_join(&found, &options);
	assert_null(err);
	assert_int_equal(found.v.len, 1);
	is_image(0, 1);
	assert_true(has_module(0, "kernel/a.ko"));
	assert_true(has_module(0, "modules.builtin"));
	/* Two files with kernels of one release are told apart. */
	assert_null(kt_kernels_find(write_image("k-mine"), &options, &found));
	assert_null(kt_kernels_find(write_image("k-mine"), &options, &found));
	assert_null(kt_kernels_join(&found, &options));
	assert_string_equal(found.v.data[0].name, "a.core");
	assert_string_equal(found.v.data[1].name, "k-mine");
	/* None of that release. */
	finds(in_scratch("a.modules"), 1);
	err = kt_kernels_join(&found, &options);
	assert_non_null(err);
	assert_non_null(strstr(kt_error_message(err), "it has the modules of 6.1.0, but no image"));
	kt_error_destroy(err);
}

static int setup(void **state)
{
	int failed = scratch_setup(state);

	if (failed)
		return failed;
	setenv("XDG_CACHE_HOME", in_scratch("cache"), 1);
	scratch_file("began", "", 0600);
	return 0;
}

static int teardown(void **state)
{
	kt_kernels_deinit(&found);
	return scratch_teardown(state);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_paths),         TEST(test_tree),          TEST(test_cached),
		TEST(test_hostile_paths), TEST(test_hostile_links), TEST(test_no_kernel),
		TEST(test_cut_off),       TEST(test_deb),           TEST(test_layers),
		TEST(test_join),          TEST(test_hard_links),    TEST(test_hostile_manifests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
