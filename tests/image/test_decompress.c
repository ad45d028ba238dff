// SPDX-License-Identifier: LGPL-2.1-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include "image/decompress.h"
#include "tests/btf/wrap.h"

static void fill(struct kt_buf *buf, size_t n)
{
	uint32_t x = 1;

	for (size_t i = 0; i < n; i++) {
		x = x * 1103515245 + 12345;
		kt_buf_appendc(buf, (char)(i % 3 ? 'k' : x >> 20));
	}
}

static void check_same(const struct kt_buf *packed, const struct kt_buf *plain)
{
	uint8_t *out = NULL;
	size_t len = 0;
	struct kt_error *err = decompress(packed->data, packed->len, DECOMPRESS_LIMIT, &out, &len);

	if (err)
		fail_msg("%s", kt_error_message(err));
	assert_int_equal(len, plain->len);
	assert_memory_equal(out, plain->data, len);
	free(out);
}

static void test_round_trip(void **state)
{
	static const size_t sizes[] = {1, 1000, (1 << 20), (9 << 20) + 3};

	(void)state;
	for (size_t f = 0; f < WRAP_FORMATS; f++) {
		for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
			struct kt_buf plain = KT_BUF_INIT, packed = KT_BUF_INIT;

			/* Only lz4 cares for more than its chunk of 8 MiB. */
			if (sizes[i] > 1 << 20 && strcmp(wrap_formats[f], "lz4"))
				continue;
			fill(&plain, sizes[i]);
			wrap_compress(&packed, wrap_formats[f], plain.data, plain.len);
			assert_string_equal(decompress_format(packed.data, packed.len),
					    wrap_formats[f]);
			check_same(&packed, &plain);
			/* The size that the kernel's build appends. */
			wrap_le(&packed, plain.len, 4);
			check_same(&packed, &plain);
			kt_buf_deinit(&plain);
			kt_buf_deinit(&packed);
		}
	}
}

/* In an s390 bzImage, the first stream is followed by anything. */
static void test_followed_by_anything(void **state)
{
	struct kt_buf plain = KT_BUF_INIT;

	(void)state;
	fill(&plain, 300000);
	for (size_t f = 0; f < WRAP_FORMATS; f++) {
		struct kt_buf packed = KT_BUF_INIT;

		wrap_compress(&packed, wrap_formats[f], plain.data, plain.len);
		kt_buf_append(&packed, "\1\2\3YZ and the rest of it", 24);
		check_same(&packed, &plain);
		kt_buf_deinit(&packed);
	}
	kt_buf_deinit(&plain);
}

/* The last chunk is full, so that the appended size might be that of another one. */
static void test_lz4_full_chunk(void **state)
{
	struct kt_buf plain = KT_BUF_INIT, packed = KT_BUF_INIT;

	(void)state;
	fill(&plain, 8 << 20);
	wrap_compress(&packed, "lz4", plain.data, plain.len);
	check_same(&packed, &plain);
	wrap_le(&packed, plain.len, 4);
	check_same(&packed, &plain);
	kt_buf_deinit(&plain);
	kt_buf_deinit(&packed);
}

/* gzip's CRC-32 and its size are the last eight bytes. */
static void test_gzip_checksum(void **state)
{
	struct kt_buf plain = KT_BUF_INIT, packed = KT_BUF_INIT;

	(void)state;
	fill(&plain, 1000);
	wrap_compress(&packed, "gzip", plain.data, plain.len);
	for (size_t i = 1; i <= 8; i++) {
		uint8_t *out = NULL;
		size_t len = 0;
		struct kt_error *err;

		packed.data[packed.len - i] ^= 1;
		err = decompress(packed.data, packed.len, DECOMPRESS_LIMIT, &out, &len);
		packed.data[packed.len - i] ^= 1;
		assert_non_null(err);
		assert_int_equal(kt_error_code(err), KT_ERROR_FORMAT);
		assert_null(strstr(kt_error_message(err), "truncated"));
		kt_error_destroy(err);
	}
	check_same(&packed, &plain);
	kt_buf_deinit(&plain);
	kt_buf_deinit(&packed);
}

static void refused(const struct kt_buf *packed, const char *why)
{
	uint8_t *out = NULL;
	size_t len = 0;
	struct kt_error *err = decompress(packed->data, packed->len, DECOMPRESS_LIMIT, &out, &len);

	assert_non_null(err);
	assert_int_equal(kt_error_code(err), KT_ERROR_FORMAT);
	assert_non_null(strstr(kt_error_message(err), why));
	kt_error_destroy(err);
}

/* A chunk that is full, and behind it the size of one that no chunk has. */
static void test_lz4_damaged_size(void **state)
{
	struct kt_buf plain = KT_BUF_INIT, packed = KT_BUF_INIT;

	(void)state;
	fill(&plain, 8 << 20);
	wrap_compress(&packed, "lz4", plain.data, plain.len);
	wrap_le(&packed, 0x7fffffff, 4);
	kt_buf_append(&packed, plain.data, 1000);
	refused(&packed, "corrupt");
	kt_buf_deinit(&plain);
	kt_buf_deinit(&packed);
}

/* One layer, and one member: gzip in gzip may be a million empty members in each layer. */
static void test_gzip_once(void **state)
{
	struct kt_buf plain = KT_BUF_INIT, inner = KT_BUF_INIT, outer = KT_BUF_INIT;

	(void)state;
	fill(&plain, 3000);
	wrap_compress(&inner, "gzip", plain.data, plain.len);
	wrap_compress(&outer, "gzip", inner.data, inner.len);
	check_same(&outer, &inner);
	kt_buf_append(&inner, outer.data, outer.len);
	check_same(&inner, &plain);
	kt_buf_deinit(&plain);
	kt_buf_deinit(&inner);
	kt_buf_deinit(&outer);
}

/* 40 stands for a dictionary of 4 GiB, which the decoder would allocate
 * (xz-file-format.txt, 5.3.1). */
static void test_xz_dictionary(void **state)
{
	struct kt_buf plain = KT_BUF_INIT, packed = KT_BUF_INIT;
	uint8_t *header;
	size_t size;
	uint32_t sum;

	(void)state;
	fill(&plain, 3000);
	wrap_compress(&packed, "xz", plain.data, plain.len);
	header = (uint8_t *)packed.data + 12;
	size = (header[0] + 1U) * 4;
	assert_int_equal(header[2], 0x21);
	header[4] = 40;
	sum = lzma_crc32(header, size - 4, 0);
	for (size_t i = 0; i < 4; i++)
		header[size - 4 + i] = (uint8_t)(sum >> (8 * i));
	refused(&packed, "dictionary");
	kt_buf_deinit(&plain);
	kt_buf_deinit(&packed);
}

/* As much as there is room for, though the rest is cut off; and less, where there is less. */
static void test_head(void **state)
{
	struct kt_buf plain = KT_BUF_INIT;
	uint8_t head[70000];

	(void)state;
	fill(&plain, 1 << 20);
	for (size_t f = 0; f < WRAP_FORMATS; f++) {
		struct kt_buf packed = KT_BUF_INIT;
		/* lz4's first chunk is all there is, and bzip2's is of 100 kB. */
		bool all = !strcmp(wrap_formats[f], "lz4");
		size_t len = 0;

		wrap_compress(&packed, wrap_formats[f], plain.data, plain.len);
		assert_null(decompress_head(packed.data, packed.len - (all ? 0 : 10), head,
					    sizeof(head), &len));
		assert_int_equal(len, sizeof(head));
		assert_memory_equal(head, plain.data, len);
		kt_buf_deinit(&packed);
		wrap_compress(&packed, wrap_formats[f], plain.data, 500);
		assert_null(decompress_head(packed.data, packed.len, head, sizeof(head), &len));
		assert_int_equal(len, 500);
		assert_memory_equal(head, plain.data, len);
		kt_buf_deinit(&packed);
	}
	kt_buf_deinit(&plain);
}

/* zstd without the size in its frame, as from a pipe: the four bytes behind it are a hint. */
static void test_zstd_size_is_a_hint(void **state)
{
	static const uint64_t hints[] = {300000, 0, 1, 299999, 300001, 1 << 30, UINT32_MAX};
	struct kt_buf plain = KT_BUF_INIT;

	(void)state;
	fill(&plain, 300000);
	for (size_t i = 0; i <= sizeof(hints) / sizeof(*hints); i++) {
		struct kt_buf packed = KT_BUF_INIT;
		size_t cap = ZSTD_compressBound(plain.len), n;
		ZSTD_CCtx *cctx = ZSTD_createCCtx();
		char *bytes = malloc(cap);

		ZSTD_CCtx_setParameter(cctx, ZSTD_c_contentSizeFlag, 0);
		n = ZSTD_compress2(cctx, bytes, cap, plain.data, plain.len);
		assert_true(ZSTD_getFrameContentSize(bytes, n) == ZSTD_CONTENTSIZE_UNKNOWN);
		kt_buf_append(&packed, bytes, n);
		if (i < sizeof(hints) / sizeof(*hints))
			wrap_le(&packed, hints[i], 4);
		check_same(&packed, &plain);
		free(bytes);
		ZSTD_freeCCtx(cctx);
		kt_buf_deinit(&packed);
	}
	kt_buf_deinit(&plain);
}

static void test_unknown(void **state)
{
	uint8_t *out = NULL;
	size_t len = 0;
	struct kt_error *err;

	(void)state;
	assert_null(decompress_format("", 0));
	assert_null(decompress_format("\x1f", 1));
	assert_null(decompress_format("\x7f"
				      "ELF....",
				      8));
	err = decompress("plain text", 10, DECOMPRESS_LIMIT, &out, &len);
	assert_non_null(err);
	assert_int_equal(kt_error_code(err), KT_ERROR_FORMAT);
	assert_null(out);
	kt_error_destroy(err);
}

/* A cut stream says "truncated", wherever the cut is; the bytes are exactly as many. */
static void test_every_truncation(void **state)
{
	(void)state;
	for (size_t f = 0; f < WRAP_FORMATS; f++) {
		struct kt_buf plain = KT_BUF_INIT, packed = KT_BUF_INIT;
		size_t magic = 6;

		fill(&plain, 500);
		wrap_compress(&packed, wrap_formats[f], plain.data, plain.len);
		for (size_t n = magic; n < packed.len; n++) {
			char *cut = malloc(n);
			uint8_t *out = NULL;
			size_t len = 0;
			struct kt_error *err;

			memcpy(cut, packed.data, n);
			err = decompress(cut, n, DECOMPRESS_LIMIT, &out, &len);
			free(cut);
			assert_non_null(err);
			if (!strstr(kt_error_message(err), "truncated"))
				fail_msg("%s at %zu of %zu: %s", wrap_formats[f], n, packed.len,
					 kt_error_message(err));
			assert_null(out);
			kt_error_destroy(err);
		}
		kt_buf_deinit(&plain);
		kt_buf_deinit(&packed);
	}
}

/* Any flipped bit gives an error or some output, and never more than allowed. */
static void test_every_bit_flip(void **state)
{
	(void)state;
	for (size_t f = 0; f < WRAP_FORMATS; f++) {
		struct kt_buf plain = KT_BUF_INIT, packed = KT_BUF_INIT;
		size_t refused = 0;

		fill(&plain, 300);
		wrap_compress(&packed, wrap_formats[f], plain.data, plain.len);
		for (size_t bit = 0; bit < packed.len * 8; bit += 3) {
			uint8_t *out = NULL;
			size_t len = 0;
			struct kt_error *err;

			packed.data[bit / 8] ^= (char)(1 << bit % 8);
			err = decompress(packed.data, packed.len, 1 << 16, &out, &len);
			packed.data[bit / 8] ^= (char)(1 << bit % 8);
			assert_true(err || len <= 1 << 16);
			refused += err != NULL;
			kt_error_destroy(err);
			free(out);
		}
		assert_true(refused > 8);
		kt_buf_deinit(&plain);
		kt_buf_deinit(&packed);
	}
}

static void test_bomb(void **state)
{
	(void)state;
	for (size_t f = 0; f < WRAP_FORMATS; f++) {
		struct kt_buf packed = KT_BUF_INIT;
		char *zeroes = calloc(1, 3 << 20);
		uint8_t *out = NULL;
		size_t len = 0;
		struct kt_error *err;

		wrap_compress(&packed, wrap_formats[f], zeroes, 3 << 20);
		err = decompress(packed.data, packed.len, 2 << 20, &out, &len);
		assert_non_null(err);
		assert_int_equal(kt_error_code(err), KT_ERROR_FORMAT);
		assert_non_null(strstr(kt_error_message(err), "2097152"));
		assert_null(out);
		kt_error_destroy(err);
		free(zeroes);
		kt_buf_deinit(&packed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_every_truncation),
		cmocka_unit_test(test_every_bit_flip),
		cmocka_unit_test(test_bomb),
		cmocka_unit_test(test_zstd_size_is_a_hint),
		cmocka_unit_test(test_followed_by_anything),
		cmocka_unit_test(test_lz4_full_chunk),
		cmocka_unit_test(test_lz4_damaged_size),
		cmocka_unit_test(test_gzip_once),
		cmocka_unit_test(test_xz_dictionary),
		cmocka_unit_test(test_gzip_checksum),
		cmocka_unit_test(test_head),
	};

	return cmocka_run_group_tests_name("btf: decompress", tests, NULL, NULL);
}
