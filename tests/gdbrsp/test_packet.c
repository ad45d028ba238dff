// SPDX-License-Identifier: LGPL-2.1-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gdbrsp/packet.h"

/* One letter an event, packets with their payload: "+P(OK)". chunk: bytes a push. */
static char *decode(const char *data, size_t len, size_t chunk, size_t max)
{
	struct kt_buf log = KT_BUF_INIT;
	struct rsp_decoder d;
	char *payload = malloc(max);

	rsp_decoder_init(&d, payload, max);
	kt_buf_appends(&log, "");
	for (size_t pos = 0; pos < len;) {
		size_t n = len - pos < chunk ? len - pos : chunk;
		enum rsp_event event;

		n = rsp_decoder_push(&d, (const uint8_t *)data + pos, n, &event);
		assert_true(n > 0);
		assert_true(d.len <= max);
		pos += n;
		kt_buf_appends(&log,
			       (const char *[]){"", "+", "-", "P", "N", "G", "M", "C", "L"}[event]);
		if (event == RSP_EVENT_PACKET || event == RSP_EVENT_NOTIFICATION) {
			kt_buf_appendc(&log, '(');
			kt_buf_append(&log, d.payload, d.len);
			kt_buf_appendc(&log, ')');
		}
	}
	if (rsp_decoder_busy(&d))
		kt_buf_appendc(&log, '~');
	free(payload);
	return kt_buf_steal(&log);
}

/* However the bytes are cut, the events are the same. */
static void check_decode(const char *data, const char *want)
{
	for (size_t chunk = 1; chunk <= 64; chunk++) {
		char *got = decode(data, strlen(data), chunk, 64);

		assert_string_equal(got, want);
		free(got);
	}
}

static void test_decode_packets(void **state)
{
	(void)state;
	check_decode("", "");
	check_decode("$#00", "P()");
	check_decode("+$OK#9a", "+P(OK)");
	check_decode("+$OK#9A", "+P(OK)");
	check_decode("-+", "-+");
	/* Glued, as QEMU 7.2 greets a client that stopped a running guest. */
	check_decode("$T02thread:01;#04+$OK#9a-$E14#aa", "P(T02thread:01;)+P(OK)-P(E14)");
	check_decode("%Stop:T05#9a$OK#9a", "CP(OK)");
	check_decode("%Stop:T05#99$OK#9a", "N(Stop:T05)P(OK)");
	check_decode("$OK", "~");
	check_decode("$OK#9", "~");
}

static void test_decode_escape_and_repeat(void **state)
{
	(void)state;
	/* } and ] is }, } and 0x03 is #, } and 0x04 is $, } and 0x0a is *. */
	check_decode("$a}]b#9d", "P(a}b)");
	check_decode("$}\x03#80", "P(#)");
	check_decode("$}\x04}\x0a#08", "P($*)");
	/* "0* " is four zeros (GDB manual, "Overview"). */
	check_decode("$0* #7a", "P(0000)");
	check_decode("$x0*\"1#25", "P(x0000001)");
	/* A repeat of nothing, counts that cannot be. */
	check_decode("$* #4a", "MGGG");
	check_decode("$0*#", "M");
	check_decode("$0*\x1f", "M");
	check_decode("$0*\x7f", "M");
	/* `}` before the end of the packet: # is then escaped, the packet goes on. */
	check_decode("$a}#00", "~");
}

static void test_decode_faults(void **state)
{
	(void)state;
	check_decode("$OK#9b$OK#9a", "CP(OK)");
	check_decode("$OK#zz+", "MG+");
	check_decode("$OK$OK#9a", "MGGGGG");
	check_decode("SSH-2.0$#00", "GGG-GGGP()");
	check_decode("\r\n", "GG");
}

static void test_decode_bound(void **state)
{
	char *got;

	(void)state;
	got = decode("$12345678#a4", 12, 64, 8);
	assert_string_equal(got, "P(12345678)");
	free(got);
	got = decode("$123456789#dd$#00", 17, 64, 8);
	assert_string_equal(got, "LGGGP()");
	free(got);
	/* 1 and 97 more. */
	got = decode("$1*~#00", 7, 64, 97);
	assert_string_equal(got, "LGGG");
	free(got);
	got = decode("$1*~#d9", 7, 1, 98);
	assert_int_equal(strlen(got), strlen("P()") + 98);
	free(got);
	got = decode("$12345678}]", 11, 64, 8);
	assert_string_equal(got, "L");
	free(got);
}

static void test_encode(void **state)
{
	struct kt_buf out = KT_BUF_INIT;

	(void)state;
	rsp_packet_append(&out, "OK", 2);
	rsp_packet_append(&out, "", 0);
	assert_string_equal(out.data, "$OK#9a$#00");
	out.len = 0;
	rsp_packet_append(&out, "#$}*", 4);
	assert_string_equal(out.data, "$}\x03}\x04}]}\x0a#62");
	kt_buf_deinit(&out);
}

/* All bytes, at all places, come back as they went. */
static void test_round_trip(void **state)
{
	(void)state;
	for (int first = 0; first < 256; first++) {
		uint8_t payload[3] = {(uint8_t)first, (uint8_t)(first * 7), '#'};
		struct kt_buf out = KT_BUF_INIT;
		struct rsp_decoder d;
		enum rsp_event event;
		char room[3];

		rsp_decoder_init(&d, room, sizeof(room));
		rsp_packet_append(&out, payload, sizeof(payload));
		assert_int_equal(rsp_decoder_push(&d, (uint8_t *)out.data, out.len, &event),
				 out.len);
		assert_int_equal(event, RSP_EVENT_PACKET);
		assert_int_equal(d.len, sizeof(payload));
		assert_memory_equal(room, payload, sizeof(payload));
		kt_buf_deinit(&out);
	}
}

static void test_hex(void **state)
{
	uint8_t bytes[256], back[256];
	struct kt_buf hex = KT_BUF_INIT;

	(void)state;
	for (int i = 0; i < 256; i++)
		bytes[i] = (uint8_t)i;
	rsp_hex_append(&hex, bytes, 256);
	assert_int_equal(hex.len, 512);
	assert_memory_equal(hex.data + 2 * 0xa5, "a5", 2);
	assert_true(rsp_hex_decode(back, 256, hex.data));
	assert_memory_equal(back, bytes, 256);
	assert_true(rsp_hex_decode(back, 2, "aFFa"));
	assert_int_equal(back[0], 0xaf);
	assert_int_equal(back[1], 0xfa);
	/* Neither digit may be anything else, the last one neither. */
	for (int c = 0; c < 256; c++) {
		const char high[] = {'0', '0', (char)c, '0'};
		const char low[] = {'0', '0', '0', (char)c};
		bool digit = c && strchr("0123456789abcdefABCDEF", c);

		assert_int_equal(rsp_hex_decode(back, 2, high), digit);
		assert_int_equal(rsp_hex_decode(back, 2, low), digit);
	}
	assert_true(rsp_hex_decode(back, 0, "zz"));
	kt_buf_deinit(&hex);
}

/* Any byte, at each place of a text that is decoded in large steps, and its rest in small ones. */
static void test_hex_places(void **state)
{
	uint8_t back[19];
	char text[2 * sizeof(back)];

	(void)state;
	for (size_t at = 0; at < sizeof(text); at++) {
		for (int c = 0; c < 256; c++) {
			const char *digits = "0123456789abcdef", *found;
			unsigned int value;

			memset(text, '7', sizeof(text));
			text[at] = (char)c;
			found = c ? strchr(digits, c >= 'A' && c <= 'F' ? c + 32 : c) : NULL;
			assert_int_equal(rsp_hex_decode(back, sizeof(back), text), found != NULL);
			if (!found)
				continue;
			value = (unsigned int)(found - digits);
			value = at % 2 ? 0x70 + value : value << 4 | 7;
			for (size_t i = 0; i < sizeof(back); i++)
				assert_int_equal(back[i], i == at / 2 ? value : 0x77);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decode_packets),
		cmocka_unit_test(test_decode_escape_and_repeat),
		cmocka_unit_test(test_decode_faults),
		cmocka_unit_test(test_decode_bound),
		cmocka_unit_test(test_encode),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_hex),
		cmocka_unit_test(test_hex_places),
	};

	return cmocka_run_group_tests_name("gdbrsp/packet", tests, NULL, NULL);
}
