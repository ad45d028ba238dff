// SPDX-License-Identifier: LGPL-2.1-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include "btf/symbols.h"
#include "image/image.h"
#include "tests/btf/fake_kernel.h"
#include "tests/btf/wrap.h"

static const struct fake_options plain = {.release = KW_6_4};

static void check_sections(const void *data, size_t len)
{
	struct image *image = NULL;
	struct image_section s;
	struct kt_error *err = image_open(data, len, &image);
	uint8_t id[64];

	if (err)
		fail_msg("%s", kt_error_message(err));
	assert_int_equal(image_machine(image), EM_X86_64);
	assert_int_equal(image_pointer_size(image), 8);
	assert_false(image_big_endian(image));
	assert_true(image_section(image, ".BTF", &s));
	assert_memory_equal(s.data, "\x9f\xeb", 2);
	assert_false(image_section(image, ".nothing", &s));
	assert_true(image_section(image, ".bss", &s));
	assert_null(s.data);
	assert_true(image_section_at(image, FAKE_RODATA, 14, &s));
	assert_string_equal(s.name, ".rodata");
	assert_memory_equal(s.data, "Linux version ", 14);
	assert_false(image_section_at(image, FAKE_RODATA, 1 << 30, &s));
	assert_false(image_section_at(image, FAKE_RODATA - 1, 2, &s));
	assert_false(image_section_at(image, FAKE_DATA, 8, &s)); /* .bss has no bytes */
	assert_int_equal(image_build_id(image, id, sizeof(id)), 20);
	assert_memory_equal(id + 4, "abcdefghijklmnop", 16);
	assert_int_equal(image_build_id(image, id, 19), 0);
	image_close(image);
}

static void test_elf(void **state)
{
	struct kt_buf elf = KT_BUF_INIT;

	(void)state;
	fake_kernel(&elf, &plain);
	check_sections(elf.data, elf.len);
	kt_buf_deinit(&elf);
}

static void test_wrapped(void **state)
{
	struct kt_buf elf = KT_BUF_INIT;

	(void)state;
	fake_kernel(&elf, &plain);
	for (size_t f = 0; f < WRAP_FORMATS; f++) {
		struct kt_buf bz = KT_BUF_INIT, whole = KT_BUF_INIT;

		wrap_bzimage(&bz, wrap_formats[f], elf.data, elf.len);
		check_sections(bz.data, bz.len);
		wrap_compress(&whole, wrap_formats[f], elf.data, elf.len);
		check_sections(whole.data, whole.len);
		kt_buf_deinit(&bz);
		kt_buf_deinit(&whole);
	}
	kt_buf_deinit(&elf);
}

static void expect_error(const void *data, size_t len, enum kt_error_code code, const char *part)
{
	struct image *image = NULL;
	struct kt_error *err = image_open(data, len, &image);

	assert_non_null(err);
	assert_null(image);
	if (!strstr(kt_error_message(err), part))
		fail_msg("\"%s\" is not in \"%s\"", part, kt_error_message(err));
	assert_int_equal(kt_error_code(err), code);
	kt_error_destroy(err);
}

static void test_not_a_kernel(void **state)
{
	char raw[128] = "MZ";
	struct kt_buf packed = KT_BUF_INIT;

	(void)state;
	expect_error("root:x:0:0:root:/root:/bin/bash\n", 32, KT_ERROR_FORMAT, "not a kernel");
	expect_error("", 0, KT_ERROR_FORMAT, "not a kernel");
	wrap_compress(&packed, "gzip", "a text file", 11);
	expect_error(packed.data, packed.len, KT_ERROR_FORMAT, "not a kernel");
	kt_buf_deinit(&packed);
	memcpy(raw + 0x38, "ARM\x64", 4);
	expect_error(raw, sizeof(raw), KT_ERROR_UNSUPPORTED, "flat Image");
}

/* LZO, for one: the file is whole, and so is what it boots. */
static void test_unknown_compression(void **state)
{
	struct kt_buf elf = KT_BUF_INIT, bz = KT_BUF_INIT;
	uint32_t payload;

	(void)state;
	fake_kernel(&elf, &plain);
	wrap_bzimage(&bz, "gzip", elf.data, elf.len);
	payload = (uint32_t)(bz.data[0x1f1] + 1) * 512 + (uint32_t)(uint8_t)bz.data[0x248] +
		  ((uint32_t)(uint8_t)bz.data[0x249] << 8);
	memcpy(bz.data + payload, "\x89LZO", 4);
	expect_error(bz.data, bz.len, KT_ERROR_UNSUPPORTED, "not known here");
	kt_buf_deinit(&elf);
	kt_buf_deinit(&bz);
}

static void test_old_boot_protocol(void **state)
{
	struct kt_buf elf = KT_BUF_INIT, bz = KT_BUF_INIT;

	(void)state;
	fake_kernel(&elf, &plain);
	wrap_bzimage(&bz, "gzip", elf.data, elf.len);
	bz.data[0x206] = 7;
	expect_error(bz.data, bz.len, KT_ERROR_UNSUPPORTED, "2.08");
	kt_buf_deinit(&elf);
	kt_buf_deinit(&bz);
}

/* Uses everything that image.h offers on bytes that may be anything. */
static bool survives(const char *data, size_t len, struct kt_error **err_ret)
{
	char *exact = malloc(len ? len : 1);
	struct image *image = NULL;
	struct image_section s;
	struct symbols syms;
	uint8_t id[64];
	struct kt_error *err;

	memcpy(exact, data, len);
	err = image_open(exact, len, &image);
	*err_ret = err;
	if (err) {
		free(exact);
		return false;
	}
	assert_true(symbols_init(&syms, 4));
	symbols_want(&syms, "prog_idr");
	kt_error_destroy(symbols_load(&syms, image));
	for (size_t i = 0; image_section_next(image, &i, &s);) {
		volatile uint8_t sum = 0;

		for (uint64_t b = 0; s.data && b < s.size; b++)
			sum = (uint8_t)(sum + s.data[b]);
	}
	image_build_id(image, id, sizeof(id));
	symbols_deinit(&syms);
	image_close(image);
	free(exact);
	return true;
}

/* The sections' table is last in our ELF: any cut hits it, and is called by its name. */
static void test_every_truncation(void **state)
{
	struct kt_buf elf = KT_BUF_INIT, bz = KT_BUF_INIT;
	struct kt_error *err;

	(void)state;
	fake_kernel(&elf, &plain);
	for (size_t n = 4; n < elf.len; n++) {
		assert_false(survives(elf.data, n, &err));
		assert_non_null(strstr(kt_error_message(err), "truncated"));
		assert_non_null(strstr(kt_error_hint_text(err), "again"));
		kt_error_destroy(err);
	}
	wrap_bzimage(&bz, "zstd", elf.data, elf.len);
	for (size_t n = 0; n < bz.len; n++) {
		assert_false(survives(bz.data, n, &err));
		assert_non_null(
			strstr(kt_error_message(err), n < 0x206 ? "not a kernel" : "truncated"));
		kt_error_destroy(err);
	}
	kt_buf_deinit(&elf);
	kt_buf_deinit(&bz);
}

/* Every bit of the ELF header and of the table of sections. */
static void test_bit_flips(void **state)
{
	struct fake_options o = {.release = KW_7_0};
	size_t fine = 0;

	(void)state;
	for (int kallsyms = 0; kallsyms < 2; kallsyms++) {
		struct kt_buf elf = KT_BUF_INIT;

		o.kallsyms = kallsyms;
		fake_kernel(&elf, &o);
		for (size_t bit = 0; bit < elf.len * 8; bit++) {
			struct kt_error *err;

			if (bit == 64 * 8)
				bit = (elf.len - 9 * 64) * 8;
			elf.data[bit / 8] ^= (char)(1 << bit % 8);
			fine += survives(elf.data, elf.len, &err);
			kt_error_destroy(err);
			elf.data[bit / 8] ^= (char)(1 << bit % 8);
		}
		kt_buf_deinit(&elf);
	}
	assert_true(fine > 100);
}

static void test_files(void **state)
{
	struct image_file file = {0};
	struct kt_error *err;

	(void)state;
	err = image_file_open("/nonexistent/vmlinux", &file);
	assert_int_equal(kt_error_code(err), KT_ERROR_NOT_FOUND);
	kt_error_destroy(err);
	err = image_file_open("/", &file);
	assert_non_null(strstr(kt_error_message(err), "not a regular file"));
	kt_error_destroy(err);
	err = image_file_open("/dev/null", &file);
	assert_non_null(strstr(kt_error_message(err), "not a regular file"));
	kt_error_destroy(err);
	assert_null(file.data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_elf),
		cmocka_unit_test(test_wrapped),
		cmocka_unit_test(test_not_a_kernel),
		cmocka_unit_test(test_unknown_compression),
		cmocka_unit_test(test_old_boot_protocol),
		cmocka_unit_test(test_every_truncation),
		cmocka_unit_test(test_bit_flips),
		cmocka_unit_test(test_files),
	};

	return cmocka_run_group_tests_name("btf: image", tests, NULL, NULL);
}
