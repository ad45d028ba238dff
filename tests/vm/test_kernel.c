// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Kernel images by their first bytes: made here after the documents of each boot protocol, packed
 * by gzip(1) and zstd(1), and those that Debian ships, by the architecture that their package is
 * for.
 */
#include <elf.h>
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/vm/scratch.h"
#include "util/buf.h"
#include "vm/kernel.h"

#define IMAGE_LEN 70000

static const char *write_bytes(const char *name, const void *data, size_t len)
{
	const char *path = in_scratch(name);
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, len, file), len);
	fclose(file);
	return path;
}

/* An image with a magic number at its place, and bytes that do not compress to nothing. */
static const char *image(const char *name, size_t offset, const char *magic)
{
	static char data[IMAGE_LEN];
	unsigned seed = 7;

	for (size_t i = 0; i < sizeof(data); i++) {
		seed = seed * 1103515245 + 12345;
		data[i] = (char)(seed >> 16);
	}
	memcpy(data, "MZ@\xfa", 4);
	memcpy(data + offset, magic, strlen(magic));
	return write_bytes(name, data, sizeof(data));
}

static void is(const char *path, const char *arch, bool packed)
{
	struct vm_kernel kernel;

	assert_null(vm_kernel_recognise(path, &kernel));
	assert_string_equal(kernel.machine->arch, arch);
	assert_int_equal(kernel.packed, packed);
}

static void test_plain(void **state)
{
	uint8_t loong[256] = {0};

	(void)state;
	is(image("bz", 0x202, "HdrS"), "x86_64", false);
	is(image("arm", 56, "ARM\x64"), "aarch64", false);
	is(image("riscv", 56, "RSC\x05"), "riscv64", false);
	is(image("s390", 0x10008, "S390EP"), "s390x", false);
	memcpy(loong, "MZ", 2);
	memcpy(loong + 0x38, "\xcd\x23\x82\x81", 4);
	memcpy(loong + 0x40, "PE\0\0\x64\x62", 6);
	is(write_bytes("loong", loong, sizeof(loong)), "loongarch64", false);
	loong[0x44] = 0x4c; /* another machine of PE */
	is(write_bytes("pe", loong, sizeof(loong)), "x86_64", false);
	/* What nobody knows is for QEMU to refuse. */
	is(image("none", 56, "none"), "x86_64", false);
	is(write_bytes("empty", "", 0), "x86_64", false);
	is(write_bytes("short", "\x1f", 1), "x86_64", false);
}

__attribute__((format(printf, 1, 2))) static void run(const char *format, ...)
{
	char command[512];
	va_list ap;

	va_start(ap, format);
	vsnprintf(command, sizeof(command), format, ap);
	va_end(ap);
	assert_int_equal(system(command), 0);
}

static void same(const char *packed, const char *plain)
{
	const char *to = in_scratch("unpacked");

	unlink(to);
	assert_null(vm_kernel_unpack(packed, to));
	run("cmp %s %s", to, plain);
}

static void test_gzip(void **state)
{
	const char *plain = image("plain", 56, "ARM\x64"), *packed = in_scratch("packed");

	(void)state;
	run("gzip -c %s >%s", plain, packed);
	is(packed, "aarch64", true);
	same(packed, plain);
}

/* zboot-header.S: the payload's place and size, and something behind it. */
static const char *zboot(const char *payload)
{
	static char data[2 * IMAGE_LEN];
	FILE *file = fopen(payload, "re");
	uint32_t offset = 4096, size;

	assert_non_null(file);
	memset(data, 0xaa, sizeof(data));
	size = (uint32_t)fread(data + offset, 1, sizeof(data) - offset, file);
	fclose(file);
	memcpy(data, "MZ\0\0zimg", 8);
	memcpy(data + 8, &offset, 4);
	memcpy(data + 12, &size, 4);
	return write_bytes("zboot", data, offset + size + 100);
}

static void test_zboot(void **state)
{
	const char *plain = image("plain", 56, "RSC\x05"), *packed = in_scratch("packed");

	(void)state;
	run("zstd -qc %s >%s", plain, packed);
	is(zboot(packed), "riscv64", true);
	same(in_scratch("zboot"), plain);
	run("gzip -c %s >%s", plain, packed);
	is(zboot(packed), "riscv64", true);
	same(in_scratch("zboot"), plain);
}

static void refused(struct kt_error *err, enum kt_error_code code, const char *words)
{
	assert_non_null(err);
	assert_int_equal(kt_error_code(err), code);
	assert_non_null(strstr(kt_error_message(err), words));
	kt_error_destroy(err);
}

static void test_damaged(void **state)
{
	const char *plain = image("plain", 56, "ARM\x64"), *packed = in_scratch("packed");
	struct vm_kernel kernel;
	uint32_t far[4] = {0};

	(void)state;
	run("gzip -c %s | head -c 20000 >%s", plain, packed);
	refused(vm_kernel_recognise(packed, &kernel), KT_ERROR_FORMAT, "cannot be unpacked");
	memcpy(far, "MZ\0\0zimg", 8);
	far[2] = far[3] = UINT32_MAX;
	refused(vm_kernel_recognise(write_bytes("far", far, sizeof(far)), &kernel), KT_ERROR_FORMAT,
		"cannot be unpacked");
	refused(vm_kernel_recognise(in_scratch("nothing"), &kernel), KT_ERROR_OS, "cannot read");
	refused(vm_kernel_recognise(scratch, &kernel), KT_ERROR_FORMAT, "no regular file");
}

/* What 32-bit kernels boot by; x86's say themselves that they are 64-bit ones. */
static void test_32_bits(void **state)
{
	uint8_t bz[0x300] = {0};
	struct vm_kernel kernel;

	(void)state;
	memcpy(bz + 0x1fe, "\x55\xaa", 2);
	memcpy(bz + 0x202, "HdrS\x0f\x02", 6);
	bz[0x236] = 0x7f;
	is(write_bytes("bz64", bz, sizeof(bz)), "x86_64", false);
	bz[0x236] = 0x7e;
	refused(vm_kernel_recognise(write_bytes("bz32", bz, sizeof(bz)), &kernel),
		KT_ERROR_UNSUPPORTED, "is for i386: guests of 32 bits");
	refused(vm_kernel_recognise(image("zImage", 0x24, "\x18\x28\x6f\x01"), &kernel),
		KT_ERROR_UNSUPPORTED, "is for arm: guests of 32 bits");
}

static void test_elf(void **state)
{
	Elf64_Ehdr header = {.e_ident = ELFMAG, .e_machine = EM_AARCH64};
	struct vm_kernel kernel;

	(void)state;
	header.e_ident[EI_CLASS] = ELFCLASS64;
	header.e_ident[EI_DATA] = ELFDATA2LSB;
	is(write_bytes("elf", &header, sizeof(header)), "aarch64", false);
	header.e_ident[EI_DATA] = ELFDATA2MSB;
	header.e_machine = EM_S390 << 8;
	is(write_bytes("elf", &header, sizeof(header)), "s390x", false);
	header.e_ident[EI_DATA] = ELFDATA2LSB;
	header.e_machine = EM_386;
	refused(vm_kernel_recognise(write_bytes("elf", &header, sizeof(header)), &kernel),
		KT_ERROR_UNSUPPORTED, "is for i386: guests of 32 bits");
	header.e_machine = EM_PPC64;
	is(write_bytes("elf", &header, sizeof(header)), "ppc64le", false);
	header.e_ident[EI_DATA] = ELFDATA2MSB;
	header.e_machine = EM_PPC64 << 8;
	refused(vm_kernel_recognise(write_bytes("elf", &header, sizeof(header)), &kernel),
		KT_ERROR_UNSUPPORTED, "another architecture");
}

/* The kernels that fetch-kernel left here: its folders are named after Debian's architecture. */
static void test_distribution(void **state)
{
	static const struct {
		const char *suffix, *arch;
	} names[] = {{"*-amd64", "x86_64"},           {"*-arm64", "aarch64"},
		     {"*-riscv64", "riscv64"},        {"*-s390x", "s390x"},
		     {"*-loong64", "loongarch64"},    {"*-powerpc64le", "ppc64le"},
		     {"*-powerpc64le-64k", "ppc64le"}};
	const char *home = getenv("HOME");
	size_t n = 0;

	(void)state;
	for (size_t i = 0; home && i < sizeof(names) / sizeof(*names); i++) {
		char pattern[512];
		glob_t found;

		snprintf(pattern, sizeof(pattern), "%s/.cache/ktstr-gdb/kernels/%s/vmlinuz", home,
			 names[i].suffix);
		if (glob(pattern, 0, NULL, &found))
			continue;
		for (size_t k = 0; k < found.gl_pathc; k++, n++)
			/* Of these, only that is an EFI zboot image. */
			is(found.gl_pathv[k], names[i].arch, !strcmp(names[i].arch, "loongarch64"));
		globfree(&found);
	}
	if (!n)
		skip();
}

int main(void)
{
#define scratch_test(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)
	const struct CMUnitTest tests[] = {
		scratch_test(test_plain),        scratch_test(test_gzip),
		scratch_test(test_zboot),        scratch_test(test_damaged),
		scratch_test(test_elf),          scratch_test(test_32_bits),
		scratch_test(test_distribution),
	};

	return cmocka_run_group_tests_name("vm/kernel", tests, NULL, NULL);
}
