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

/* What is left of a stream, or of a damaged one: how many frames, which, and what was counted. */
struct decoded {
	char *frames; /* as decode_all() has them */
	uint64_t bad_frames, skipped_bytes;
};

static struct decoded decode_stream(const char *data, size_t len, bool ended)
{
	struct kt_frame_decoder decoder;
	struct kt_buf out = KT_BUF_INIT;
	struct decoded decoded;

	kt_frame_decoder_init(&decoder);
	kt_buf_appends(&out, "");
	for (size_t done = 0; done < len; done += 13) {
		assert_true(kt_frame_decoder_push(&decoder, data + done,
						  len - done < 13 ? len - done : 13));
		decode_all(&decoder, &out);
	}
	decoder.ended = ended;
	decode_all(&decoder, &out);
	decoded = (struct decoded){kt_buf_steal(&out), decoder.bad_frames, decoder.skipped_bytes};
	/* Nothing is left to be counted. */
	assert_false(kt_frame_decoder_next(&decoder, &(struct kt_frame){0}));
	assert_int_equal(decoder.skipped_bytes, decoded.skipped_bytes);
	kt_frame_decoder_deinit(&decoder);
	return decoded;
}

/* Wherever the stream is cut off: the frames before are there, and what is missing is counted. */
static void test_cut_off(void **state)
{
	static const char *const expected[] = {"", FIRST, FIRST SECOND, FIRST SECOND THIRD};
	static const size_t ends[] = {0, 17, 44, 60};
	struct kt_buf stream = KT_BUF_INIT;
	size_t whole = 0;

	(void)state;
	three_frames(&stream);
	assert_int_equal(stream.len, ends[3]);
	for (size_t len = 0; len <= stream.len; len++) {
		struct decoded got = decode_stream(stream.data, len, true);

		while (whole < 3 && len >= ends[whole + 1])
			whole++;
		assert_string_equal(got.frames, expected[whole]);
		if (len == ends[whole])
			assert_int_equal(got.bad_frames + got.skipped_bytes, 0);
		else
			assert_true(got.bad_frames + got.skipped_bytes > 0);
		free(got.frames);
	}
	kt_buf_deinit(&stream);
}

/* A header that claims more than there is hides what follows only until the end. */
static void test_cut_off_hides_nothing(void **state)
{
	struct kt_buf stream = KT_BUF_INIT;
	struct decoded got;

	(void)state;
	kt_buf_append_le(&stream, KT_FRAME_SCHED_LOG, 4);
	kt_buf_append_le(&stream, 1000, 4);
	kt_buf_append_le(&stream, 0xabcd, 4);
	kt_buf_append_le(&stream, 0, 4);
	kt_buf_appends(&stream, "the beginning of a log, and then ");
	three_frames(&stream);
	got = decode_stream(stream.data, stream.len, false);
	assert_string_equal(got.frames, "");
	assert_int_equal(got.bad_frames, 0);
	free(got.frames);
	got = decode_stream(stream.data, stream.len, true);
	assert_string_equal(got.frames, FIRST SECOND THIRD);
	assert_int_equal(got.bad_frames, 1);
	free(got.frames);
	kt_buf_deinit(&stream);
}

#define N_FRAMES 12

/* A stream as a guest sends it; the end of each frame in ends[]. */
static void long_stream(struct kt_buf *out, size_t ends[N_FRAMES])
{
	static const uint32_t types[] = {KT_FRAME_LIFECYCLE, KT_FRAME_SCHED_LOG, KT_FRAME_EXIT,
					 KT_FRAME_SCHED_EXIT, KT_FRAME_PROG};

	for (size_t i = 0; i < N_FRAMES; i++) {
		char payload[64];

		for (size_t j = 0; j < sizeof(payload); j++)
			payload[j] = (char)('a' + i);
		kt_frame_encode(out, types[i % 5], payload, i * 23 % 64);
		ends[i] = out->len;
	}
}

/* The text of the frames of a whole stream, without the one that was hit. */
static char *all_but(const struct kt_buf *stream, const size_t ends[N_FRAMES], size_t hit)
{
	size_t begin = hit ? ends[hit - 1] : 0;
	struct kt_buf rest = KT_BUF_INIT;
	char *text;

	kt_buf_append(&rest, stream->data, begin);
	kt_buf_append(&rest, stream->data + ends[hit], stream->len - ends[hit]);
	text = decode(rest.data, rest.len, rest.len, NULL);
	kt_buf_deinit(&rest);
	return text;
}

/* Types that a host knows. */
static bool is_known(const char *line)
{
	static const char *const known[] = {"53434c47", "4c494645", "45584954", "53434458",
					    "50524f47"};

	for (size_t i = 0; i < 5; i++)
		if (strncmp(line, known[i], 8) == 0)
			return true;
	return false;
}

/*
 * The others in their order, and that something is missing is noticed: it is counted, or there is
 * a frame of a type that nobody knows, for the CRC does not cover the header.
 */
static void check_damaged(const struct decoded *got, const char *expected)
{
	struct kt_buf known = KT_BUF_INIT;
	bool unknown = false;

	kt_buf_appends(&known, "");
	for (const char *line = got->frames, *next; *line; line = next) {
		next = strchr(line, '\n') + 1;
		if (is_known(line))
			kt_buf_append(&known, line, (size_t)(next - line));
		else
			unknown = true;
	}
	assert_string_equal(known.data, expected);
	assert_true(unknown || got->bad_frames || got->skipped_bytes);
	kt_buf_deinit(&known);
}

/* Any bits of any byte: all frames but the one that was hit. */
static void test_damage_everywhere(void **state)
{
	struct kt_buf stream = KT_BUF_INIT;
	size_t ends[N_FRAMES], hit = 0;

	(void)state;
	long_stream(&stream, ends);
	for (size_t i = 0; i < stream.len; i++) {
		char before = stream.data[i], *expected;

		hit += i == ends[hit];
		expected = all_but(&stream, ends, hit);
		for (int bits = 1; bits < 256; bits += bits < 128 ? bits : 1) {
			struct decoded got;

			stream.data[i] = (char)(before ^ bits);
			got = decode_stream(stream.data, stream.len, true);
			check_damaged(&got, expected);
			free(got.frames);
		}
		stream.data[i] = before;
		free(expected);
	}
	kt_buf_deinit(&stream);
}

/* A byte is lost, or one too many. */
static void test_shifted_everywhere(void **state)
{
	struct kt_buf stream = KT_BUF_INIT;
	size_t ends[N_FRAMES], hit = 0;

	(void)state;
	long_stream(&stream, ends);
	for (size_t i = 0; i < stream.len; i++) {
		struct kt_buf lost = KT_BUF_INIT, added = KT_BUF_INIT;
		struct decoded got;
		char *expected;

		hit += i == ends[hit];
		expected = all_but(&stream, ends, hit);
		kt_buf_append(&lost, stream.data, i);
		kt_buf_append(&added, stream.data, i);
		kt_buf_appendc(&added, '?');
		kt_buf_append(&lost, stream.data + i + 1, stream.len - i - 1);
		kt_buf_append(&added, stream.data + i, stream.len - i);
		got = decode_stream(lost.data, lost.len, true);
		check_damaged(&got, expected);
		free(got.frames);
		/* Between two frames, it costs none. */
		if (i && i != (hit ? ends[hit - 1] : 0)) {
			got = decode_stream(added.data, added.len, true);
			check_damaged(&got, expected);
			free(got.frames);
		}
		free(expected);
		kt_buf_deinit(&lost);
		kt_buf_deinit(&added);
	}
	kt_buf_deinit(&stream);
}

static void test_prog_record(void **state)
{
	struct kt_prog_record in = {.error = 13,
				    .id = 7,
				    .object = 2,
				    .section = "tc",
				    .name = "load_2",
				    .type = "xdp",
				    .attach = KT_ATTACH_DONE,
				    .ran = KT_TEST_RUN_REFUSED,
				    .retval = 22,
				    .place = "lo",
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
	assert_string_equal(got.type, "xdp");
	assert_int_equal(got.attach, KT_ATTACH_DONE);
	assert_int_equal(got.ran, KT_TEST_RUN_REFUSED);
	assert_int_equal(got.retval, 22);
	assert_string_equal(got.place, "lo");
	assert_int_equal(got.log_len, 5);
	assert_memory_equal(got.log, "a\nb\xff\n", 5);
	for (size_t len = 0; len < 16 + 3 + 7 + 4 + 6 + 3; len++)
		assert_false(kt_prog_record_decode(out.data, len, &got));
	/* What no guest of ours says is no record. */
	out.data[16 + 3 + 7 + 4] = KT_N_ATTACH;
	assert_false(kt_prog_record_decode(out.data, out.len, &got));
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
		cmocka_unit_test(test_cut_off),
		cmocka_unit_test(test_cut_off_hides_nothing),
		cmocka_unit_test(test_damage_everywhere),
		cmocka_unit_test(test_shifted_everywhere),
		cmocka_unit_test(test_prog_record),
	};

	return cmocka_run_group_tests_name("vm/frame", tests, NULL, NULL);
}
