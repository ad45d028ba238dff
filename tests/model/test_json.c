// SPDX-License-Identifier: LGPL-2.1-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "model/json.h"

#define FFFD "\xef\xbf\xbd"

static void check_text(const char *in, const char *wanted)
{
	json_t *json = kt_json_text(in);

	assert_non_null(json);
	assert_true(json_is_string(json));
	assert_string_equal(json_string_value(json), wanted);
	json_decref(json);
}

static void test_text(void **state)
{
	json_t *null = kt_json_text(NULL);

	(void)state;
	assert_true(json_is_null(null));
	check_text("", "");
	check_text("plain", "plain");
	check_text("gr\xc3\xbc\xc3\x9f \xe2\x86\x92 \xf0\x9f\x90\x9d",
		   "gr\xc3\xbc\xc3\x9f \xe2\x86\x92 \xf0\x9f\x90\x9d");
}

/* RFC 3629: each of these is no character, and is replaced byte by byte. */
static void test_invalid_utf8(void **state)
{
	(void)state;
	check_text("a\xff", "a" FFFD);
	check_text("\x80x", FFFD "x"); /* goes on without a start */
	check_text("\xc3", FFFD);      /* ends within */
	check_text("\xe2\x86", FFFD FFFD);
	check_text("\xf0\x9f\x90", FFFD FFFD FFFD);
	check_text("\xc3(", FFFD "(");
	check_text("\xc0\xaf", FFFD FFFD); /* "/", too long */
	check_text("\xc1\xbf", FFFD FFFD);
	check_text("\xe0\x80\xaf", FFFD FFFD FFFD);
	check_text("\xf0\x80\x80\xaf", FFFD FFFD FFFD FFFD);
	check_text("\xed\xa0\x80", FFFD FFFD FFFD);          /* a surrogate */
	check_text("\xf4\x90\x80\x80", FFFD FFFD FFFD FFFD); /* above U+10FFFF */
	check_text("\xf5\x80\x80\x80", FFFD FFFD FFFD FFFD);
	check_text("\xff\xc3\xbc\xfe", FFFD "\xc3\xbc" FFFD); /* its good neighbour stays */
	check_text("\xff\xed\x9f\xbf\xee\x80\x80", FFFD "\xed\x9f\xbf\xee\x80\x80");
	check_text("\xff\xe0\xa0\x80\xf0\x90\x80\x80\xf4\x8f\xbf\xbf",
		   FFFD "\xe0\xa0\x80\xf0\x90\x80\x80\xf4\x8f\xbf\xbf");
}

/* All pairs and many triples of bytes: whatever comes in, JSON comes out. */
static void test_any_bytes(void **state)
{
	(void)state;
	for (unsigned int i = 1; i < 65536; i++) {
		char in[4] = {(char)(i & 0xff), (char)(i >> 8), (char)(i * 7 >> 3), 0};
		json_t *json = kt_json_text(in);

		assert_non_null(json);
		json_decref(json);
	}
}

/* A terminal obeys controls below U+0020, U+007F, and in UTF-8 those up to U+009F too. */
static void test_no_control_in_a_document(void **state)
{
	json_t *root = json_object(), *back;
	char all[300], *text;
	size_t len = 0;

	(void)state;
	for (int c = 1; c < 0x80; c++)
		all[len++] = (char)c;
	for (int c = 0x80; c < 0xa0; c++) {
		all[len++] = '\xc2';
		all[len++] = (char)c;
	}
	all[len] = '\0';
	json_object_set_new(root, all, kt_json_text(all));
	json_incref(root);
	assert_null(kt_json_dump_line(root, &text));
	for (const char *p = text; *p; p++)
		assert_true((uint8_t)*p >= ' ' && (uint8_t)*p < 0x80);
	assert_non_null(strstr(text, "\\u009B"));
	free(text);
	assert_null(kt_json_dump(root, &text));
	for (const char *p = text; *p; p++)
		assert_true(*p == '\n' || ((uint8_t)*p >= ' ' && (uint8_t)*p < 0x80));
	back = json_loads(text, 0, NULL);
	assert_non_null(back);
	assert_string_equal(json_string_value(json_object_get(back, all)), all);
	json_decref(back);
	free(text);
}

static json_t *load(const char *text)
{
	json_error_t why;

	return kt_json_load((struct kt_text){text, strlen(text)}, 0, &why);
}

/* A number of the kernel's comes out as this very number, and is read back as it. */
static void test_large_numbers(void **state)
{
	static const uint64_t values[] = {0,
					  1,
					  INT64_MAX,
					  (uint64_t)INT64_MAX + 1,
					  UINT64_C(10000000000000000000),
					  UINT64_MAX - 1,
					  UINT64_MAX};
	json_t *root = json_array(), *back;
	char *text, *again;

	(void)state;
	for (size_t i = 0; i < 7; i++)
		assert_int_equal(json_array_append_new(root, kt_json_u64(values[i])), 0);
	json_array_append_new(root, kt_json_number((struct program_number){true, UINT64_MAX}));
	json_array_append_new(root, kt_json_number((struct program_number){0}));
	assert_null(kt_json_dump_line(root, &text));
	assert_string_equal(text, "[0, 1, 9223372036854775807, 9223372036854775808, "
				  "10000000000000000000, 18446744073709551614, "
				  "18446744073709551615, 18446744073709551615, null]");
	back = load(text);
	assert_non_null(back);
	for (size_t i = 0; i < 7; i++) {
		uint64_t value = 5;

		assert_true(kt_json_get_u64(json_array_get(back, i), &value));
		assert_true(value == values[i]);
		assert_null(kt_json_get_text(json_array_get(back, i)));
	}
	assert_null(kt_json_dump_line(back, &again));
	assert_string_equal(again, text);
	free(text);
	free(again);
}

/* Text that looks like what a large number is inside stays text. */
static void test_large_beside_text(void **state)
{
	static const char *const texts[] = {
		"\\u0000123", "\"\\u0000123\"",       "\"",
		"\\",         "18446744073709551615", "[18446744073709551615",
	};
	json_t *root = json_array(), *back;
	char *text;

	(void)state;
	for (size_t i = 0; i < 6; i++) {
		json_array_append_new(root, kt_json_text(texts[i]));
		json_array_append_new(root, kt_json_u64(UINT64_MAX - i));
	}
	json_array_append_new(root, kt_json_slice((struct kt_text){"\0"
								   "5",
								   2}));
	assert_null(kt_json_dump(root, &text));
	back = load(text);
	assert_non_null(back);
	for (size_t i = 0; i < 6; i++) {
		uint64_t value = 0;

		assert_string_equal(kt_json_get_text(json_array_get(back, 2 * i)), texts[i]);
		assert_true(kt_json_get_u64(json_array_get(back, 2 * i + 1), &value));
		assert_true(value == UINT64_MAX - i);
	}
	assert_string_equal(kt_json_get_text(json_array_get(back, 12)), FFFD "5");
	json_decref(back);
	free(text);
}

/* What jansson refuses stays refused when there is a large number, too. */
static void test_load_refused(void **state)
{
	static const char *const texts[] = {
		"[18446744073709551616]",
		"[-9223372036854775809]",
		"[018446744073709551615]",
		"[18446744073709551615, \"\\u0000\"]",
		"[\"a\\u00005\", 18446744073709551615]",
		"[18446744073709551615",
		"[18446744073709551615, \"",
		"[18446744073709551615, \"\\",
		"[1e999, 18446744073709551615]",
		"[18446744073709551615-]",
	};
	json_t *mixed;
	uint64_t value;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		if (load(texts[i]))
			fail_msg("read: %s", texts[i]);
	mixed = load("[18446744073709551615, -1, 1.5, 1e3, \"\\\\\", \"\\\"9223372036854775808\"]");
	assert_non_null(mixed);
	assert_true(kt_json_get_u64(json_array_get(mixed, 0), &value));
	for (size_t i = 1; i < 6; i++)
		assert_false(kt_json_get_u64(json_array_get(mixed, i), &value));
	assert_false(kt_json_get_u64(NULL, &value));
	assert_string_equal(kt_json_get_text(json_array_get(mixed, 5)), "\"9223372036854775808");
	json_decref(mixed);
}

/* 0.1 is no double, but nobody measured the 17 digits of the one that is next to it. */
static void test_fractions(void **state)
{
	json_t *root = json_array();
	char *text;

	(void)state;
	json_array_append_new(root, json_real(0.1));
	json_array_append_new(root, json_real(12.345678901));
	json_incref(root);
	assert_null(kt_json_dump_line(root, &text));
	assert_string_equal(text, "[0.1, 12.345678901]");
	free(text);
	assert_null(kt_json_dump(root, &text));
	assert_string_equal(text, "[\n  0.1,\n  12.345678901\n]\n");
	free(text);
}

static void test_dump(void **state)
{
	struct kt_error *err;
	char *text = NULL;

	(void)state;
	assert_null(kt_json_dump(json_object(), &text));
	assert_string_equal(text, "{}\n");
	free(text);
	text = NULL;
	err = kt_json_dump(NULL, &text); /* there was no memory for it */
	assert_int_equal(kt_error_code(err), KT_ERROR_NO_MEMORY);
	assert_null(text);
	kt_error_destroy(err);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_invalid_utf8),
		cmocka_unit_test(test_any_bytes),
		cmocka_unit_test(test_no_control_in_a_document),
		cmocka_unit_test(test_large_numbers),
		cmocka_unit_test(test_large_beside_text),
		cmocka_unit_test(test_load_refused),
		cmocka_unit_test(test_fractions),
		cmocka_unit_test(test_dump),
	};

	return cmocka_run_group_tests_name("model/json", tests, NULL, NULL);
}
