// SPDX-License-Identifier: LGPL-2.1-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/btf/elf_writer.h"
#include "tests/vm/scratch.h"
#include "vm/modules.h"

#define RELEASE "6.1.0-test"

static void shell(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void shell(const char *fmt, ...)
{
	struct kt_buf command = KT_BUF_INIT;
	va_list ap;
	int status;

	kt_buf_printf(&command, "cd %s && ", scratch);
	va_start(ap, fmt);
	kt_buf_vprintf(&command, fmt, ap);
	va_end(ap);
	status = system(command.data);
	if (status)
		fail_msg("'%s' gave %d", command.data, status);
	kt_buf_deinit(&command);
}

/* A file in the scratch directory, with the directories above it. */
static const char *put(const char *name, const void *data, size_t len)
{
	const char *path = in_scratch(name);
	FILE *file;

	if (strchr(name, '/'))
		shell("mkdir -p $(dirname %s)", name);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, len, file), len);
	fclose(file);
	return path;
}

static void module_elf(struct kt_buf *out, const void *info, size_t len)
{
	struct kt_buf text = KT_BUF_INIT, modinfo = KT_BUF_INIT;
	const struct ew_section sections[] = {
		{.name = ".text", .type = SHT_PROGBITS, .data = &text},
		{.name = ".modinfo", .type = SHT_PROGBITS, .data = &modinfo},
	};

	kt_buf_append(&text, "\xc3", 1);
	kt_buf_append(&modinfo, info, len);
	ew_write(out, EM_X86_64, false, sections, 2);
	kt_buf_deinit(&text);
	kt_buf_deinit(&modinfo);
}

/* A module which depends on others ("a,b"), of kernel RELEASE. */
static const char *module(const char *name, const char *depends)
{
	struct kt_buf info = KT_BUF_INIT, elf = KT_BUF_INIT;
	const char *path;

	/* As modpost has it: the rest of a word is filled with NULs. */
	kt_buf_printf(&info, "license=GPL%cdepends_not=x%c%c%cdepends=%s%cvermagic=%s SMP%c", 0, 0,
		      0, 0, depends, 0, RELEASE, 0);
	module_elf(&elf, info.data, info.len);
	path = put(name, elf.data, elf.len);
	kt_buf_deinit(&info);
	kt_buf_deinit(&elf);
	return path;
}

/* At most 8 names, separated by blanks. */
static struct kt_error *find(const char *dir, const char *release, const char *wanted,
			     struct vm_modules *ret)
{
	char text[256], *rest = text, *name;
	const char *names[8];
	size_t n = 0;

	snprintf(text, sizeof(text), "%s", wanted);
	while ((name = strsep(&rest, " ")))
		if (*name)
			names[n++] = name;
	return vm_modules_find(dir, release, names, n, ret);
}

/* Checks names in load order, separated by blanks, and those that are missing. */
static void check_in(const char *dir, const char *release, const char *wanted, const char *order,
		     const char *missing)
{
	struct kt_buf got = KT_BUF_INIT, lost = KT_BUF_INIT;
	struct vm_modules modules = {0};
	struct kt_error *err = find(dir, release, wanted, &modules);

	if (err)
		fail_msg("%s", kt_error_message(err));
	kt_buf_appends(&got, "");
	kt_buf_appends(&lost, "");
	kt_vec_for_each (&modules.all, m) {
		kt_buf_printf(&got, "%s%s", got.len ? " " : "", m->name);
		assert_true(m->size > 64 && !memcmp(m->data, ELFMAG, SELFMAG));
		assert_int_equal(strncmp(m->path, dir, strlen(dir)), 0);
	}
	kt_vec_for_each (&modules.missing, name)
		kt_buf_printf(&lost, "%s%s", lost.len ? " " : "", *name);
	assert_string_equal(got.data, order);
	assert_string_equal(lost.data, missing);
	kt_buf_deinit(&got);
	kt_buf_deinit(&lost);
	vm_modules_deinit(&modules);
}

static void check(const char *wanted, const char *order, const char *missing)
{
	check_in(scratch, RELEASE, wanted, order, missing);
}

static void refused_in(const char *dir, const char *wanted, enum kt_error_code code,
		       const char *words)
{
	struct vm_modules modules = {0};
	struct kt_error *err = find(dir, RELEASE, wanted, &modules);

	assert_non_null(err);
	if (!strstr(kt_error_message(err), words) || !strstr(kt_error_message(err), dir))
		fail_msg("'%s' does not say '%s'", kt_error_message(err), words);
	assert_int_equal(kt_error_code(err), code);
	assert_int_equal(modules.all.len + modules.missing.len, 0);
	kt_error_destroy(err);
}

static void refused(const char *wanted, enum kt_error_code code, const char *words)
{
	refused_in(scratch, wanted, code, words);
}

static void test_order(void **state)
{
	(void)state;
	module("kernel/drivers/virtio/virtio.ko", "");
	module("kernel/drivers/virtio/virtio_ring.ko", "virtio");
	module("kernel/drivers/virtio/virtio-pci.ko", "virtio_pci_modern,virtio-ring,virtio");
	module("kernel/drivers/virtio/virtio_pci_modern.ko", "");
	module("kernel/drivers/char/virtio_console.ko", "virtio_ring,virtio");
	module("kernel/drivers/unrelated.ko", "virtio");
	check("virtio", "virtio", "");
	check("virtio_pci virtio-console",
	      "virtio_pci_modern virtio virtio_ring virtio_pci "
	      "virtio_console",
	      "");
	check("virtio_console virtio virtio virtio-console", "virtio virtio_ring virtio_console",
	      "");
	check("", "", "");
	check_in(scratch, NULL, "virtio", "virtio", "");
}

static void test_compressed(void **state)
{
	struct vm_modules modules;
	struct kt_buf elf = KT_BUF_INIT;
	const char info[] = "depends=";

	(void)state;
	module("kernel/a.ko", "b,c");
	module("kernel/b.ko", "d");
	module("kernel/c.ko", "d");
	module("kernel/d.ko", "");
	module_elf(&elf, info, sizeof(info));
	put("kernel/e.ko", elf.data, elf.len);
	shell("xz -q kernel/a.ko kernel/e.ko && gzip kernel/c.ko && zstd -q --rm kernel/b.ko");
	check("a", "d b c a", "");
	/* With its content as it was. */
	assert_null(find(scratch, RELEASE, "e", &modules));
	assert_int_equal(modules.all.len, 1);
	assert_int_equal(modules.all.data[0].size, elf.len);
	assert_memory_equal(modules.all.data[0].data, elf.data, elf.len);
	assert_string_equal(modules.all.data[0].path, in_scratch("kernel/e.ko.xz"));
	vm_modules_deinit(&modules);
	kt_buf_deinit(&elf);
}

static void test_builtin_and_missing(void **state)
{
	static const char builtin[] = "kernel/drivers/virtio/virtio.ko\n"
				      "kernel/drivers/virtio/virtio-ring.ko\n\nnothing\n"
				      "kernel/drivers/char/virtio_console.ko";

	(void)state;
	module("kernel/virtio_pci.ko", "virtio,virtio_ring,gone");
	module("kernel/virtio.ko", ""); /* a leftover: the kernel has it */
	put("modules.builtin", builtin, sizeof(builtin) - 1);
	check("virtio_console", "", "");
	check("virtio_pci gone none", "virtio_pci", "gone none");
	check("nothing", "", "nothing");
	/* A damaged list is no reason to take it for one. */
	put("modules.builtin", "\x28\xb5\x2f\xfd", 4);
	refused("virtio_pci", KT_ERROR_FORMAT, "modules.builtin: cannot read or decompress it");
	put("modules.builtin", "", 0);
	check("virtio_pci", "virtio virtio_pci", "virtio_ring gone");
}

static void test_circles(void **state)
{
	(void)state;
	module("kernel/a.ko", "b");
	module("kernel/b.ko", "c,b,,");
	module("kernel/c.ko", "a,");
	check("a", "c b a", "");
	check("b a", "a c b", "");
}

/* The first by path, which is always the same. */
static void test_several_files_of_a_name(void **state)
{
	struct vm_modules modules;

	(void)state;
	module("updates/a.ko", "x");
	module("kernel/z/a.ko", "y");
	module("kernel/b/a.ko", "");
	assert_null(find(scratch, NULL, "a", &modules));
	assert_string_equal(modules.all.data[0].path, in_scratch("kernel/b/a.ko"));
	vm_modules_deinit(&modules);
}

static void test_links(void **state)
{
	(void)state;
	module("elsewhere/a.ko", "");
	shell("mkdir -p mods/kernel/deep && ln -s ../../elsewhere/a.ko mods/kernel/a.ko && "
	      "ln -s .. mods/kernel/deep/up && ln -s / mods/build && ln -s mods link");
	check_in(in_scratch("mods"), RELEASE, "a", "a", "");
	check_in(in_scratch("link"), RELEASE, "a", "a", "");
}

static void test_other_kernel(void **state)
{
	static const char longer[] = "vermagic=" RELEASE "-rt SMP",
			  none[] = "depends=", empty[] = "vermagic=";
	struct kt_buf elf = KT_BUF_INIT;

	(void)state;
	module("kernel/a.ko", "");
	check_in(scratch, RELEASE, "a", "a", "");
	module_elf(&elf, longer, sizeof(longer));
	put("kernel/b.ko", elf.data, elf.len);
	check_in(scratch, NULL, "b", "b", "");
	refused("b", KT_ERROR_MISMATCH, "are of kernel 6.1.0-test-rt, the image is 6.1.0-test");
	elf.len = 0;
	module_elf(&elf, empty, sizeof(empty));
	put("kernel/b.ko", elf.data, elf.len);
	refused("b", KT_ERROR_MISMATCH, "the image is 6.1.0-test");
	/* It does not tell: then the kernel will. */
	elf.len = 0;
	module_elf(&elf, none, sizeof(none));
	put("kernel/b.ko", elf.data, elf.len);
	check("b", "b", "");
	kt_buf_deinit(&elf);
}

static void test_directories(void **state)
{
	const char *file = put("file", "x", 1);

	(void)state;
	refused_in(in_scratch("none"), "a", KT_ERROR_OS, "No such file");
	refused_in(file, "a", KT_ERROR_OS, "Not a directory");
	shell("mkdir empty && ln -s loop loop");
	check_in(in_scratch("empty"), RELEASE, "a", "", "a");
	refused_in(in_scratch("loop"), "a", KT_ERROR_OS, "cannot read");
}

static void test_no_modules(void **state)
{
	static const char *const formats[] = {"xz -q", "zstd -q --rm", "gzip"};
	static const char *const names[] = {"t.ko.xz", "t.ko.zst", "t.ko.gz"};
	struct kt_buf noise = KT_BUF_INIT;

	(void)state;
	put("a.ko", "hello", 5);
	refused("a", KT_ERROR_FORMAT, "a.ko: not a kernel module: no ELF file");
	put("a.ko", "", 0);
	refused("a", KT_ERROR_FORMAT, "a.ko: not a kernel module: the file is empty");
	put("a.ko", ELFMAG "\2\1\1", 7);
	refused("a", KT_ERROR_FORMAT, "a.ko: not a kernel module: ");
	shell("rm a.ko && ln -s a.ko a.ko");
	refused("a", KT_ERROR_OS, "Too many levels");
	shell("rm a.ko && ln -s gone a.ko");
	refused("a", KT_ERROR_OS, "No such file");
	shell("rm a.ko && mkfifo a.ko");
	refused("a", KT_ERROR_FORMAT, "a.ko: not a regular file");
	shell("rm a.ko && ln -s /dev/zero a.ko");
	refused("a", KT_ERROR_FORMAT, "a.ko: not a regular file");
	shell("rm a.ko && mkdir a.ko");
	check("a", "", "a");
	put("b.ko.xz", "no xz at all", 12);
	refused("b", KT_ERROR_FORMAT, "b.ko.xz: not a kernel module: no ELF file");
	/* Noise, so that what is cut off is part of it. */
	for (uint32_t i = 0, x = 1; i < 100000; i++) {
		x = x * 1664525 + 1013904223;
		kt_buf_appendc(&noise, (char)(x >> 24));
	}
	for (size_t i = 0; i < 3; i++) {
		put("t.ko", noise.data, noise.len);
		shell("%s t.ko && truncate -s 50000 %s", formats[i], names[i]);
		refused("t", KT_ERROR_FORMAT, "cannot read or decompress it");
		shell("rm %s", names[i]);
	}
	kt_buf_deinit(&noise);
}

static void test_without_modinfo(void **state)
{
	struct kt_buf elf = KT_BUF_INIT, text = KT_BUF_INIT;
	struct ew_section sections[] = {{.name = ".text", .type = SHT_PROGBITS, .data = &text}};

	(void)state;
	kt_buf_append(&text, "\xc3", 1);
	ew_write(&elf, EM_X86_64, false, sections, 1);
	put("a.ko", elf.data, elf.len);
	refused("a", KT_ERROR_FORMAT, "a.ko: not a kernel module: it has no .modinfo");
	elf.len = 0;
	sections[0] = (struct ew_section){.name = ".modinfo", .type = SHT_NOBITS, .data = &text};
	ew_write(&elf, EM_X86_64, false, sections, 1);
	put("a.ko", elf.data, elf.len);
	refused("a", KT_ERROR_FORMAT, "a.ko: not a kernel module: truncated or damaged");
	kt_buf_deinit(&elf);
	kt_buf_deinit(&text);
}

static void check_damaged(const char *info, size_t info_len)
{
	struct kt_buf elf = KT_BUF_INIT;
	size_t len;

	module_elf(&elf, info, info_len);
	len = elf.len;
	for (size_t cut = 0; cut < len; cut++) {
		put("a.ko", elf.data, cut);
		refused("a", KT_ERROR_FORMAT, "a.ko: not a kernel module");
	}
	for (size_t i = 0; i < len * 2; i++) {
		struct vm_modules modules = {0};
		char *byte = &elf.data[i / 2], kept = *byte;
		struct kt_error *err;

		*byte = (char)(i % 2 ? 0xff : *byte ^ 0x40);
		put("a.ko", elf.data, len);
		err = find(scratch, RELEASE, "a", &modules);
		if (err)
			assert_non_null(strstr(kt_error_message(err), "a.ko"));
		kt_error_destroy(err);
		vm_modules_deinit(&modules);
		*byte = kept;
	}
	kt_buf_deinit(&elf);
}

/* Cut off anywhere, or with a byte changed: an answer or an error that names the file. */
static void test_damaged(void **state)
{
	static const char info[] = "depends=b\0vermagic=" RELEASE " SMP\0no NUL",
			  /* What is looked for is not there: all of it is read. */
		other[] = "license=GPL";

	(void)state;
	module("b.ko", "");
	check_damaged(info, sizeof(info) - 1);
	check_damaged(other, sizeof(other));
}

static void test_bounds(void **state)
{
	struct kt_buf many = KT_BUF_INIT;

	(void)state;
	/* 100 MB of zeros in 100 KB, and without compression in none. */
	shell("head -c 100000000 /dev/zero | gzip >a.ko.gz; truncate -s 70000000 b.ko");
	refused("a", KT_ERROR_UNSUPPORTED, "a.ko.gz: with this one, the modules are larger");
	refused("b", KT_ERROR_UNSUPPORTED, "b.ko: with this one, the modules are larger");
	for (unsigned int i = 0; i < 400; i++)
		kt_buf_printf(&many, "%sm%u", i ? "," : "", i);
	module("c.ko", many.data);
	refused("c", KT_ERROR_UNSUPPORTED, "more than 256 modules");
	kt_buf_deinit(&many);
}

/* A chain as deep as it may be. */
static void test_deep(void **state)
{
	struct vm_modules modules;

	(void)state;
	for (unsigned int i = 0; i < 257; i++) {
		char name[32], next[32];

		snprintf(name, sizeof(name), "m%u.ko", i);
		snprintf(next, sizeof(next), "m%u", i + 1);
		module(name, i < 256 ? next : "");
	}
	refused("m0", KT_ERROR_UNSUPPORTED, "more than 256 modules");
	assert_null(find(scratch, RELEASE, "m1", &modules));
	assert_int_equal(modules.all.len, 256);
	assert_string_equal(modules.all.data[0].name, "m256");
	assert_string_equal(modules.all.data[255].name, "m1");
	vm_modules_deinit(&modules);
}

static void check_dir(const char *image, const char *release, const char *wanted)
{
	char *dir = vm_modules_dir(in_scratch(image), release);

	if (!wanted)
		assert_null(dir);
	else
		assert_string_equal(dir, in_scratch(wanted));
	free(dir);
}

static void test_dir(void **state)
{
	(void)state;
	shell("mkdir -p cache/modules/kernel usr/lib/modules/V/kernel boot lib/modules/W/kernel "
	      "empty/modules plain/modules etc/kernel && touch plain/modules/modules.builtin");
	check_dir("cache/vmlinuz", "V", "cache/modules");
	check_dir("cache/vmlinuz", NULL, "cache/modules");
	check_dir("plain/vmlinuz", NULL, "plain/modules");
	check_dir("empty/vmlinuz", NULL, NULL);
	check_dir("usr/lib/modules/V/vmlinuz", "V", "usr/lib/modules/V");
	check_dir("boot/vmlinuz-V", "V", "boot/../usr/lib/modules/V");
	check_dir("boot/vmlinuz-W", "W", "boot/../lib/modules/W");
	check_dir("boot/vmlinuz-X", "X", NULL);
	check_dir("boot/vmlinuz-V", NULL, NULL);
	check_dir("boot/vmlinuz-V", "", NULL);
	check_dir("boot/vmlinuz-V", "..", NULL);
	check_dir("boot/vmlinuz-V", "../../etc", NULL);
	check_dir("none/vmlinuz", "V", NULL);
}

static void test_dir_of_a_link(void **state)
{
	(void)state;
	shell("mkdir -p cache/modules/kernel here && touch cache/vmlinuz && "
	      "ln -s ../cache/vmlinuz here/vmlinuz");
	check_dir("here/vmlinuz", NULL, "cache/modules");
}

/* A name without a directory is one in the working directory. */
static void test_dir_of_a_bare_name(void **state)
{
	char *cwd = getcwd(NULL, 0), *dir;

	(void)state;
	shell("mkdir -p modules/kernel");
	assert_int_equal(chdir(scratch), 0);
	dir = vm_modules_dir("vmlinuz", NULL);
	assert_int_equal(chdir(cwd), 0);
	assert_string_equal(dir, "./modules");
	free(dir);
	free(cwd);
}

/* Directory and release of a kernel of vm/fetch-kernel; skips without. */
static char *real_kernel(const char *suite, char *release, size_t size)
{
	const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	struct kt_buf path = KT_BUF_INIT;
	char *dir;
	FILE *file;

	kt_buf_printf(&path, "%s%s/ktstr-gdb/kernels/%s-cloud-amd64/release", xdg ? xdg : home,
		      xdg ? "" : "/.cache", suite);
	file = fopen(path.data, "r");
	if (!file || !fgets(release, (int)size, file))
		release[0] = '\0';
	if (file)
		fclose(file);
	release[strcspn(release, "\n")] = '\0';
	strcpy(strrchr(path.data, '/'), "/vmlinuz");
	dir = vm_modules_dir(path.data, release);
	kt_buf_deinit(&path);
	if (!dir || !release[0]) {
		free(dir);
		skip();
	}
	return dir;
}

/* Where in load order, from 1; 0: not there. */
static size_t place(const struct vm_modules *modules, const char *name)
{
	for (size_t i = 0; i < modules->all.len; i++)
		if (!strcmp(modules->all.data[i].name, name))
			return i + 1;
	return 0;
}

static void assert_before(const struct vm_modules *modules, const char *first, const char *then)
{
	assert_int_not_equal(place(modules, first), 0);
	assert_true(place(modules, first) < place(modules, then));
}

/* Debian's 6.1 has all of virtio in modules. */
static void test_bookworm(void **state)
{
	static const char *const needs[] = {"virtio", "virtio_ring", "virtio_pci_modern_dev",
					    "virtio_pci_legacy_dev"};
	char release[128], *dir = real_kernel("bookworm", release, sizeof(release));
	struct vm_modules modules;

	(void)state;
	assert_null(find(dir, release, "virtio_pci virtio-console", &modules));
	assert_int_equal(modules.all.len, 6);
	assert_int_equal(modules.missing.len, 0);
	for (size_t i = 0; i < 4; i++)
		assert_before(&modules, needs[i], "virtio_pci");
	assert_before(&modules, "virtio", "virtio_console");
	assert_before(&modules, "virtio_ring", "virtio_console");
	vm_modules_deinit(&modules);
	free(dir);
}

/* From 6.12 on it is built in; what is not is compressed. */
static void test_trixie(void **state)
{
	char release[128], *dir = real_kernel("trixie", release, sizeof(release));
	struct vm_modules modules;

	(void)state;
	check_in(dir, release, "virtio_pci virtio_console", "", "");
	assert_null(find(dir, release, "virtio_net no-such", &modules));
	assert_before(&modules, "failover", "net_failover");
	assert_before(&modules, "net_failover", "virtio_net");
	assert_memory_equal(modules.all.data[0].data, ELFMAG, SELFMAG);
	assert_int_equal(modules.missing.len, 1);
	assert_string_equal(modules.missing.data[0], "no_such");
	vm_modules_deinit(&modules);
	refused_in(dir, "virtio_net", KT_ERROR_MISMATCH, release);
	free(dir);
}

int main(void)
{
#define scratch_test(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)
	const struct CMUnitTest tests[] = {
		scratch_test(test_order),
		scratch_test(test_compressed),
		scratch_test(test_builtin_and_missing),
		scratch_test(test_circles),
		scratch_test(test_several_files_of_a_name),
		scratch_test(test_links),
		scratch_test(test_other_kernel),
		scratch_test(test_directories),
		scratch_test(test_no_modules),
		scratch_test(test_without_modinfo),
		scratch_test(test_damaged),
		scratch_test(test_bounds),
		scratch_test(test_deep),
		scratch_test(test_dir),
		scratch_test(test_dir_of_a_link),
		scratch_test(test_dir_of_a_bare_name),
		scratch_test(test_bookworm),
		scratch_test(test_trixie),
	};

	return cmocka_run_group_tests_name("vm/modules", tests, NULL, NULL);
}
