// SPDX-License-Identifier: LGPL-2.1-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include <glob.h>
#include <unistd.h>

#include "btf/facts.h"
#include "btf/kernel_file.h"
#include "tests/btf/fake_memory.h"
#include "tests/btf/wrap.h"

/* An Image: a header at _text, and the read-only data where it is from there. */
static void flat_image(struct kt_buf *out, const struct fm *m, const char *magic)
{
	size_t before = (size_t)(m->addr - m->text);
	char *zeros = calloc(1, before);

	assert_non_null(zeros);
	memcpy(zeros, "MZ", 2);
	memcpy(zeros + 0x38, magic, 4);
	kt_buf_append(out, zeros, before);
	kt_buf_append(out, m->data.data, m->data.len);
	free(zeros);
}

static void check_image(const struct fm *m, const void *data, size_t len, uint16_t machine)
{
	struct image_section s;
	struct image *image;
	struct kt_error *err = kernel_file_open(data, len, &image);
	uint8_t id[64];

	if (err)
		fail_msg("%s", kt_error_message(err));
	assert_int_equal(image_machine(image), machine);
	assert_int_equal(image_pointer_size(image), 8);
	assert_int_equal(image_build_id(image, id, sizeof(id)), 20);
	assert_int_equal(id[0], 0xb0);
	assert_true(image_section(image, ".BTF", &s));
	assert_int_equal(s.size, m->btf_len);
	assert_memory_equal(s.data, m->data.data + m->btf, m->btf_len);
	image_close(image);
}

/* struct linux_efi_zboot_header (drivers/firmware/efi/libstub/zboot-header.S) */
static void zboot(struct kt_buf *out, const struct kt_buf *payload)
{
	kt_buf_append(out, "MZ\0\0zimg", 8);
	kt_buf_append_le(out, 0x1000, 4);
	kt_buf_append_le(out, payload->len, 4);
	while (out->len < 0x1000)
		kt_buf_appendc(out, '\0');
	kt_buf_append(out, payload->data, payload->len);
}

static void test_flat(void **state)
{
	static const struct {
		const char *magic;
		uint16_t machine;
	} kinds[] = {{"ARM\x64", EM_AARCH64}, {"RSC\x05", EM_RISCV}};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct kt_buf image = KT_BUF_INIT, packed = KT_BUF_INIT, efi = KT_BUF_INIT;
		struct fm *m = fm_create(&(struct fm_options){.release = KW_7_0});

		flat_image(&image, m, kinds[i].magic);
		check_image(m, image.data, image.len, kinds[i].machine);
		wrap_compress(&packed, "gzip", image.data, image.len);
		check_image(m, packed.data, packed.len, kinds[i].machine);
		zboot(&efi, &packed);
		check_image(m, efi.data, efi.len, kinds[i].machine);
		kt_buf_deinit(&image);
		kt_buf_deinit(&packed);
		kt_buf_deinit(&efi);
		fm_destroy(m);
	}
}

/*
 * arch/s390/boot/head.S: the magic at 0x10008; behind it code, in which the numbers of formats are,
 * as the decompressor's own have them, and somewhere the kernel.
 */
static void s390(struct kt_buf *out, const char *format, const void *kernel, size_t len)
{
	while (out->len < 0x10008)
		kt_buf_appendc(out, '\0');
	kt_buf_append(out, "S390EP\0\1", 8);
	while (out->len < 0x12345)
		kt_buf_appendc(out, '\7');
	kt_buf_append(out, "\x28\xb5\x2f\xfd\x1f\x8b\x08\x28\xb5\x2f\xfd", 11);
	wrap_compress(out, "gzip", "something small", 15);
	wrap_compress(out, format, kernel, len);
	kt_buf_append(out, "the rest of it", 14);
}

static void test_s390(void **state)
{
	(void)state;
	for (size_t i = 0; i < WRAP_FORMATS; i++) {
		struct kt_buf image = KT_BUF_INIT, whole = KT_BUF_INIT, packed = KT_BUF_INIT;
		struct fm *m = fm_create(
			&(struct fm_options){.release = KW_7_0, .big_endian = true});

		/* Its decompressed kernel begins with code. */
		flat_image(&image, m, "\0\0\0\0");
		s390(&whole, wrap_formats[i], image.data, image.len);
		check_image(m, whole.data, whole.len, EM_S390);
		wrap_compress(&packed, "gzip", whole.data, whole.len);
		check_image(m, packed.data, packed.len, EM_S390);
		kt_buf_deinit(&packed);
		kt_buf_deinit(&image);
		kt_buf_deinit(&whole);
		fm_destroy(m);
	}
}

static void test_s390_without(void **state)
{
	struct kt_buf whole = KT_BUF_INIT;
	char noise[4096];

	(void)state;
	memset(noise, 0x5a, sizeof(noise));
	s390(&whole, "gzip", noise, sizeof(noise)); /* no kernel is as small */
	for (size_t len = 0x11000; len <= whole.len; len += 997) {
		struct image *image;
		struct kt_error *err = kernel_file_open(whole.data, len, &image);

		assert_non_null(err);
		assert_int_equal(kt_error_code(err), KT_ERROR_UNSUPPORTED);
		kt_error_destroy(err);
	}
	kt_buf_deinit(&whole);
}

/* A payload beyond the file's end is none. */
static void test_zboot_cut_off(void **state)
{
	struct kt_buf payload = KT_BUF_INIT, efi = KT_BUF_INIT;
	const uint8_t *data;
	size_t len;

	(void)state;
	kt_buf_append(&payload, "payload", 7);
	zboot(&efi, &payload);
	data = (const uint8_t *)efi.data;
	len = efi.len;
	assert_true(image_zboot_payload(&data, &len));
	assert_int_equal(len, 7);
	assert_memory_equal(data, "payload", 7);
	for (size_t n = 0; n < efi.len; n += 61) {
		data = (const uint8_t *)efi.data;
		len = n;
		assert_false(image_zboot_payload(&data, &len));
		assert_int_equal(len, n);
	}
	kt_buf_deinit(&payload);
	kt_buf_deinit(&efi);
}

/* A header, and nothing behind it. */
static void test_without_kernel(void **state)
{
	char raw[128] = "MZ";
	struct kt_buf packed = KT_BUF_INIT;

	(void)state;
	memcpy(raw + 0x38, "ARM\x64", 4);
	wrap_compress(&packed, "gzip", raw, sizeof(raw));
	for (int i = 0; i < 2; i++) {
		struct image *image = NULL;
		struct kt_error *err = kernel_file_open(i ? packed.data : raw,
							i ? packed.len : sizeof(raw), &image);

		assert_non_null(err);
		assert_int_equal(kt_error_code(err), KT_ERROR_NOT_FOUND);
		assert_non_null(strstr(kt_error_message(err), "flat Image"));
		kt_error_destroy(err);
	}
	kt_buf_deinit(&packed);
}

/* NULL: it has no types, as Debian's s390x of 6.1. */
static struct kfacts *load(const char *image, const struct kfacts_want *wants, size_t n)
{
	struct kfacts *facts;
	struct kt_error *err = kfacts_load(&(struct kfacts_sources){.image = image}, wants, n, NULL,
					   &facts, NULL);

	if (err && strstr(kt_error_message(err), "no types")) {
		print_message("%s\n", kt_error_message(err));
		kt_error_destroy(err);
		return NULL;
	}
	if (err)
		fail_msg("%s", kt_error_message(err));
	return facts;
}

static void same_kernel(const char *vmlinux, const char *vmlinuz)
{
	static const struct kfacts_want wants[] = {
		{KFACTS_SYMBOL, "prog_idr", NULL, true},
		{KFACTS_SYMBOL, "_stext", NULL, true},
		{KFACTS_MEMBER, "bpf_prog", "aux", false},
	};
	const struct kfacts_kernel *a, *b;
	struct kfacts *whole, *flat;
	gaddr_t x = 0, y = 0;

	flat = load(vmlinuz, wants, 3);
	if (!flat)
		return;
	whole = load(vmlinux, wants, 3);
	a = kfacts_kernel(whole);
	b = kfacts_kernel(flat);
	assert_string_equal(a->arch, b->arch);
	assert_string_equal(a->release, b->release);
	assert_int_equal(a->build_id_len, b->build_id_len);
	assert_memory_equal(a->build_id, b->build_id, a->build_id_len);
	/* By one offset all; 5.10's kallsyms have no data. */
	assert_true(a->notes_link - a->text_link == b->notes_link - b->text_link);
	assert_true(a->text_link == b->text_link);
	kfacts_symbol(whole, "prog_idr", &x);
	if (kfacts_symbol(flat, "prog_idr", &y))
		assert_true(x == y);
	kfacts_destroy(whole);
	kfacts_destroy(flat);
}

/* Stock kernels that vm/fetch-kernel --dbg has fetched: the Image against its own vmlinux. */
static void test_real(void **state)
{
	const char *home = getenv("HOME");
	char pattern[512], image[512];
	size_t n = 0;
	glob_t found;

	(void)state;
	snprintf(pattern, sizeof(pattern), "%s/.cache/ktstr-gdb/kernels/*/vmlinux",
		 home ? home : "");
	if (glob(pattern, 0, NULL, &found) == 0) {
		for (size_t i = 0; i < found.gl_pathc; i++) {
			const char *path = found.gl_pathv[i];

			if (!strstr(path, "arm64/") && !strstr(path, "riscv64/") &&
			    !strstr(path, "s390x/"))
				continue;
			snprintf(image, sizeof(image), "%.*sz", (int)strlen(path) - 1, path);
			print_message("%s\n", path);
			same_kernel(path, image);
			n++;
		}
		globfree(&found);
	}
	if (!n)
		skip();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_flat),           cmocka_unit_test(test_zboot_cut_off),
		cmocka_unit_test(test_s390),           cmocka_unit_test(test_s390_without),
		cmocka_unit_test(test_without_kernel), cmocka_unit_test(test_real),
	};

	return cmocka_run_group_tests_name("btf: kernel files", tests, NULL, NULL);
}
