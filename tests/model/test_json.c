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
	assert_null(kt_json_dump(root, &text));
	for (const char *p = text; *p; p++) {
		assert_true(*p == '\n' || (uint8_t)*p >= ' ');
		assert_false((uint8_t)*p == 0xc2 && (uint8_t)p[1] < 0xa0);
	}
	back = json_loads(text, 0, NULL);
	assert_non_null(back);
	assert_string_equal(json_string_value(json_object_get(back, all)), all);
	json_decref(back);
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
		cmocka_unit_test(test_text),      cmocka_unit_test(test_invalid_utf8),
		cmocka_unit_test(test_any_bytes), cmocka_unit_test(test_no_control_in_a_document),
		cmocka_unit_test(test_dump),
	};

	return cmocka_run_group_tests_name("render/json", tests, NULL, NULL);
}
