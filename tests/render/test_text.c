// SPDX-License-Identifier: LGPL-2.1-or-later
/* What is shown of any bytes, against jansson's idea of what is UTF-8. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include <jansson.h>
#include <string.h>

#include "render/text.h"

static bool is_character(const char *p, size_t len)
{
	json_t *string = json_stringn(p, len);
	bool ok = string != NULL;

	json_decref(string);
	return ok;
}

static bool is_control(const char *p, size_t len, bool lines)
{
	uint8_t c = (uint8_t)p[0];

	if (lines && (c == '\n' || c == '\t'))
		return false;
	return len == 1 ? c < 0x20 || c == 0x7f : len == 2 && c == 0xc2 && (uint8_t)p[1] < 0xa0;
}

/* Character by character: the shortest beginning that is UTF-8 is one. */
static void expect(struct kt_buf *buf, const char *p, size_t left, bool lines)
{
	while (left) {
		size_t len = 1;

		while (len <= 4 && len <= left && !is_character(p, len))
			len++;
		if (len > 4 || len > left || is_control(p, len, lines)) {
			kt_buf_printf(buf, "\\x%02x", (uint8_t)*p);
			len = 1;
		} else {
			kt_buf_append(buf, p, len);
		}
		p += len;
		left -= len;
	}
}

static void check(const char *data, size_t len, bool lines)
{
	struct kt_buf want = KT_BUF_INIT, got = KT_BUF_INIT;
	char *copy = malloc(len ? len : 1); /* of its very size, for ASan to see its end */

	assert_non_null(copy);
	memcpy(copy, data, len);
	expect(&want, data, len, lines);
	render_append_visible_bytes(&got, copy, len, lines);
	assert_int_equal(got.len, want.len);
	if (want.len)
		assert_memory_equal(got.data, want.data, want.len);
	free(copy);
	kt_buf_deinit(&want);
	kt_buf_deinit(&got);
}

/* Every byte at every place of the eight that are looked at in one go. */
static void test_each_byte(void **state)
{
	char text[24];

	(void)state;
	for (int c = 0; c < 256; c++)
		for (size_t at = 0; at < sizeof(text); at++) {
			memset(text, at % 2 ? ' ' : '~', sizeof(text));
			text[at] = (char)c;
			check(text, sizeof(text), c % 2);
			check(text, at + 1, !(c % 2));
		}
}

/* All that two bytes can be, and edges of three and four: overlong, surrogates, too large. */
static void test_sequences(void **state)
{
	static const char *const edges[] = {
		"\xe0\x9f\xbf",     "\xe0\xa0\x80",     "\xed\x9f\xbf",     "\xed\xa0\x80",
		"\xee\x80\x80",     "\xef\xbf\xbf",     "\xf0\x8f\xbf\xbf", "\xf0\x90\x80\x80",
		"\xf4\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xf0\x90\x80",
	};

	(void)state;
	for (int c = 0; c < 65536; c++)
		check((const char[]){(char)(c >> 8), (char)c}, 2, true);
	for (size_t i = 0; i < sizeof(edges) / sizeof(edges[0]); i++)
		for (size_t len = 1; len <= strlen(edges[i]); len++)
			check(edges[i], len, true);
}

static void test_random(void **state)
{
	static const char alphabet[] =
		"ab \n\t\r\x1b\x7f\xc2\x80\x9b\xa0\xe2\x82\xac\xf0\x9f\x98\xff";
	uint32_t x = 1;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		char text[40];
		size_t len = (x >> 8) % sizeof(text);

		for (size_t i = 0; i < len; i++) {
			x = x * 1664525 + 1013904223;
			text[i] = alphabet[(x >> 16) % sizeof(alphabet)]; /* with the NUL */
		}
		x = x * 1664525 + 1013904223;
		check(text, len, round % 2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_byte),
		cmocka_unit_test(test_sequences),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests_name("visible text", tests, NULL, NULL);
}
