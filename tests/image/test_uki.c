// SPDX-License-Identifier: LGPL-2.1-or-later
/* Unified kernel images, written byte by byte as the PE format's specification says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "image/uki.h"

#define PE       0x80
#define OPTIONAL 16 /* bytes of optional header */
#define SECTIONS (PE + 24 + OPTIONAL)
#define KERNEL   0x180
#define UNAME    0x1a0
#define LEN      0x1b0

static void put32(uint8_t *at, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> 8 * i);
}

static void put_section(uint8_t *header, const char *name, uint32_t size, uint32_t raw, uint32_t at)
{
	memset(header, 0, 40);
	memcpy(header, name, strlen(name));
	put32(header + 8, size);
	put32(header + 16, raw);
	put32(header + 20, at);
}

static void make(uint8_t image[LEN])
{
	memset(image, 0, LEN);
	memcpy(image, "MZ", 2);
	put32(image + 0x3c, PE);
	memcpy(image + PE, "PE\0\0\x64\x86\3", 7);
	image[PE + 20] = OPTIONAL;
	put_section(image + SECTIONS, ".text", 8, 8, 0x170);
	put_section(image + SECTIONS + 40, ".linux", 6, 32, KERNEL);
	put_section(image + SECTIONS + 80, ".uname", 16, 16, UNAME);
	memcpy(image + KERNEL, "kernel", 6);
	memcpy(image + UNAME, "6.12.9-amd64", 12);
}

/* Exactly len bytes, so that the sanitizer sees what reads behind them. */
static bool of_copy(const uint8_t *image, size_t len, struct image_uki *ret)
{
	uint8_t *copy = malloc(len ? len : 1);
	volatile uint8_t seen = 0;
	bool is;

	assert_non_null(copy);
	memcpy(copy, image, len);
	is = image_uki(copy, len, ret);
	if (is) {
		assert_true(ret->kernel_len > 0);
		seen ^= ret->kernel[0] ^ ret->kernel[ret->kernel_len - 1];
		if (ret->release_len && ret->release)
			seen ^= (uint8_t)ret->release[ret->release_len - 1];
	}
	free(copy);
	return is;
}

static void test_sections(void **state)
{
	uint8_t image[LEN];
	struct image_uki uki;

	(void)state;
	make(image);
	assert_true(image_uki(image, LEN, &uki));
	assert_ptr_equal(uki.kernel, image + KERNEL);
	assert_int_equal(uki.kernel_len, 6); /* what fills the file's 32 bytes is no kernel */
	assert_int_equal(uki.release_len, 16);
	assert_memory_equal(uki.release, "6.12.9-amd64\0\0\0\0", 16);
	image[SECTIONS + 80] = '_';
	assert_true(image_uki(image, LEN, &uki));
	assert_null(uki.release);
	/* Another section whose name begins so. */
	image[SECTIONS + 40 + 6] = 'x';
	assert_false(image_uki(image, LEN, &uki));
}

static void test_cut_off(void **state)
{
	uint8_t image[LEN];
	struct image_uki uki;

	(void)state;
	make(image);
	for (size_t len = 0; len < LEN; len++)
		assert_int_equal(of_copy(image, len, &uki), len >= KERNEL + 6);
}

/* Each number in the headers, with values at and beyond the bounds. */
static void test_hostile_numbers(void **state)
{
	static const size_t places[] = {0x3c,           PE + 6,        PE + 20,       SECTIONS + 48,
					SECTIONS + 56,  SECTIONS + 60, SECTIONS + 88, SECTIONS + 96,
					SECTIONS + 100, SECTIONS + 68};
	static const uint32_t values[] = {0,       1,          LEN - 1,    LEN,       LEN + 1,
					  0x10000, 0x7fffffff, 0x80000000, 0xffffffff};
	uint8_t image[LEN];
	struct image_uki uki;

	(void)state;
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		for (size_t v = 0; v < sizeof(values) / sizeof(*values); v++) {
			make(image);
			put32(image + places[i], values[v]);
			of_copy(image, LEN, &uki);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sections),
		cmocka_unit_test(test_cut_off),
		cmocka_unit_test(test_hostile_numbers),
	};

	return cmocka_run_group_tests_name("image/uki", tests, NULL, NULL);
}
