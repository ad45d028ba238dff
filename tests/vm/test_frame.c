// SPDX-License-Identifier: LGPL-2.1-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "vm/frame.h"

/* Everything that a decoder gives for one stream, as text: "TYPE:payload" lines. */
static void decode_all(struct kt_frame_decoder *decoder, struct kt_buf *out)
{
	struct kt_frame frame;

	while (kt_frame_decoder_next(decoder, &frame)) {
		kt_buf_printf(out, "%08x:", frame.type);
		kt_buf_append(out, frame.payload, frame.len);
		kt_buf_appendc(out, '\n');
	}
}

static char *decode(const void *data, size_t len, size_t chunk, uint64_t *bad)
{
	struct kt_frame_decoder decoder;
	struct kt_buf out = KT_BUF_INIT;

	kt_frame_decoder_init(&decoder);
	kt_buf_appends(&out, "");
	for (size_t done = 0; done < len; done += chunk) {
		size_t n = len - done < chunk ? len - done : chunk;

		assert_true(kt_frame_decoder_push(&decoder, (const char *)data + done, n));
		decode_all(&decoder, &out);
	}
	if (bad)
		*bad = decoder.bad_frames;
	kt_frame_decoder_deinit(&decoder);
	return kt_buf_steal(&out);
}

static void three_frames(struct kt_buf *out)
{
	kt_frame_encode(out, KT_FRAME_LIFECYCLE, "\1", 1);
	kt_frame_encode(out, KT_FRAME_OUTPUT, "hello world", 11);
	kt_frame_encode(out, KT_FRAME_EXIT, "", 0);
}

#define FIRST  "4c494645:\1\n"
#define SECOND "4f555450:hello world\n"
#define THIRD  "45584954:\n"

/* The header as spec.md has it; the CRC is zlib's: `python3 -c 'zlib.crc32(b"\1")'`. */
static void test_encoding(void **state)
{
	static const uint8_t expected[] = {0x45, 0x46, 0x49, 0x4c, 1, 0, 0, 0, 0x1b,
					   0xdf, 0x05, 0xa5, 0,    0, 0, 0, 1};
	struct kt_buf out = KT_BUF_INIT;

	(void)state;
	kt_frame_encode(&out, KT_FRAME_LIFECYCLE, "\1", 1);
	assert_int_equal(out.len, sizeof(expected));
	assert_memory_equal(out.data, expected, sizeof(expected));
	kt_buf_deinit(&out);
}

static void test_any_chunks(void **state)
{
	struct kt_buf stream = KT_BUF_INIT;

	(void)state;
	three_frames(&stream);
	for (size_t chunk = 1; chunk <= stream.len; chunk++) {
		char *got = decode(stream.data, stream.len, chunk, NULL);

		assert_string_equal(got, FIRST SECOND THIRD);
		free(got);
	}
	kt_buf_deinit(&stream);
}

/* Whatever single byte is flipped: the frame that it hit is lost, and no other. */
static void test_flipped_byte(void **state)
{
	struct kt_buf stream = KT_BUF_INIT;

	(void)state;
	three_frames(&stream);
	for (size_t i = 0; i < stream.len; i++) {
		uint64_t bad;
		char *got;

		stream.data[i] ^= 0x20;
		got = decode(stream.data, stream.len, 7, &bad);
		if (i < 17)
			assert_null(strstr(got, FIRST));
		else
			assert_non_null(strstr(got, FIRST));
		if (i >= 17 && i < 44)
			assert_null(strstr(got, SECOND));
		free(got);
		stream.data[i] ^= 0x20;
	}
	kt_buf_deinit(&stream);
}

static void test_bad_crc_counts_and_goes_on(void **state)
{
	struct kt_buf stream = KT_BUF_INIT;
	uint64_t bad;
	char *got;

	(void)state;
	three_frames(&stream);
	stream.data[17 + KT_FRAME_HEADER] ^= 1;
	got = decode(stream.data, stream.len, 5, &bad);
	assert_string_equal(got, FIRST THIRD);
	assert_int_equal(bad, 1);
	free(got);
	kt_buf_deinit(&stream);
}

/* A byte lost from a payload: what follows is found inside what the header claimed. */
static void test_lost_byte(void **state)
{
	struct kt_buf stream = KT_BUF_INIT;
	char *got;

	(void)state;
	three_frames(&stream);
	memmove(stream.data + 40, stream.data + 41, stream.len - 41);
	stream.len--;
	got = decode(stream.data, stream.len, 3, NULL);
	assert_string_equal(got, FIRST THIRD);
	free(got);
	kt_buf_deinit(&stream);
}

static void test_garbage_around(void **state)
{
	struct kt_buf stream = KT_BUF_INIT;
	char *got;

	(void)state;
	kt_buf_appends(&stream, "SeaBIOS (version 1.16.2)\n\nBooting from ROM...EFIL");
	kt_frame_encode(&stream, KT_FRAME_LIFECYCLE, "\1", 1);
	kt_buf_appends(&stream, "[    1.757843] Kernel panic - not syncing\n");
	kt_frame_encode(&stream, KT_FRAME_EXIT, "", 0);
	got = decode(stream.data, stream.len, 11, NULL);
	assert_string_equal(got, FIRST THIRD);
	free(got);
	kt_buf_deinit(&stream);
}

/* A length over the limit is no header: the decoder does not wait for 4 GB. */
static void test_huge_length(void **state)
{
	static const char header[16] = "EFIL\1\0\20\0abcd\0\0\0";
	struct kt_buf stream = KT_BUF_INIT;
	char *got;

	(void)state;
	kt_buf_append(&stream, header, sizeof(header));
	kt_frame_encode(&stream, KT_FRAME_EXIT, "", 0);
	got = decode(stream.data, stream.len, 16, NULL);
	assert_string_equal(got, THIRD);
	free(got);
	kt_buf_deinit(&stream);
}

/* Headers all over, each claiming a megabyte: costs a bounded number of CRCs. */
static void test_header_bomb(void **state)
{
	struct kt_buf stream = KT_BUF_INIT;
	uint64_t bad;

	(void)state;
	while (stream.len < 3 * KT_FRAME_MAX)
		kt_buf_append(&stream, "EFIL\0\0\20\0abcd\0\0\0", 16);
	free(decode(stream.data, stream.len, 65536, &bad));
	assert_in_range(bad, 1, 1000);
	kt_buf_deinit(&stream);
}

/* Frames and noise, damaged at random and pushed in random chunks: no frame is invented. */
static void test_random(void **state)
{
	(void)state;
	srand(1);
	for (int round = 0; round < 2000; round++) {
		struct kt_frame_decoder decoder;
		struct kt_buf stream = KT_BUF_INIT;
		struct kt_frame frame;
		int frames = 1 + rand() % 8, found = 0, flips = rand() % 4;

		for (int i = 0; i < frames; i++) {
			char payload[64];

			memset(payload, 'a' + i, sizeof(payload));
			kt_frame_encode(&stream, KT_FRAME_OUTPUT, payload, (size_t)(rand() % 64));
			for (int noise = rand() % 20; noise > 0; noise--)
				kt_buf_appendc(&stream, (char)rand());
		}
		for (int i = 0; i < flips; i++)
			stream.data[(size_t)rand() % stream.len] ^= (char)(1 << rand() % 8);
		kt_frame_decoder_init(&decoder);
		for (size_t pos = 0; pos < stream.len;) {
			size_t n = 1 + (size_t)rand() % 40;

			n = n < stream.len - pos ? n : stream.len - pos;
			assert_true(kt_frame_decoder_push(&decoder, stream.data + pos, n));
			pos += n;
			while (kt_frame_decoder_next(&decoder, &frame)) {
				found++;
				for (size_t i = 1; i < frame.len; i++)
					assert_int_equal(frame.payload[i], frame.payload[0]);
			}
		}
		assert_in_range(found, 0, frames);
		kt_frame_decoder_deinit(&decoder);
		kt_buf_deinit(&stream);
	}
}

static void test_prog_record(void **state)
{
	struct kt_prog_record in = {.error = 13,
				    .id = 7,
				    .object = 2,
				    .section = "tc",
				    .name = "load_2",
				    .log = "a\nb\xff\n",
				    .log_len = 5,
				    .log_dropped = 99};
	struct kt_buf out = KT_BUF_INIT;
	struct kt_prog_record got;

	(void)state;
	kt_prog_record_encode(&out, &in);
	assert_true(kt_prog_record_decode(out.data, out.len, &got));
	assert_int_equal(got.error, 13);
	assert_int_equal(got.id, 7);
	assert_int_equal(got.object, 2);
	assert_int_equal(got.log_dropped, 99);
	assert_string_equal(got.section, "tc");
	assert_string_equal(got.name, "load_2");
	assert_int_equal(got.log_len, 5);
	assert_memory_equal(got.log, "a\nb\xff\n", 5);
	for (size_t len = 0; len < 16 + 3 + 7; len++)
		assert_false(kt_prog_record_decode(out.data, len, &got));
	kt_buf_deinit(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_encoding),
		cmocka_unit_test(test_any_chunks),
		cmocka_unit_test(test_flipped_byte),
		cmocka_unit_test(test_bad_crc_counts_and_goes_on),
		cmocka_unit_test(test_lost_byte),
		cmocka_unit_test(test_garbage_around),
		cmocka_unit_test(test_huge_length),
		cmocka_unit_test(test_header_bomb),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_prog_record),
	};

	return cmocka_run_group_tests_name("vm/frame", tests, NULL, NULL);
}
