// SPDX-License-Identifier: LGPL-2.1-or-later
/* BTF that a kernel would refuse does not get to libbpf's dumpers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include <bpf/btf.h>

#include "btf/btf_checked.h"
#include "util/cleanup.h"

/* Parses what libbpf built, with base below it, and frees that. */
static struct kt_error *parse(struct btf *built, struct btf *base, struct btf **ret)
{
	uint32_t len;
	const void *data = btf__raw_data(built, &len);
	struct kt_error *err = btf_parse_checked(data, len, base, ret);

	btf__free(built);
	return err;
}

static void refused(struct btf *built, const char *words)
{
	struct btf *btf;
	struct kt_error *err = parse(built, NULL, &btf);

	assert_non_null(err);
	assert_int_equal(kt_error_code(err), KT_ERROR_FORMAT);
	if (!strstr(kt_error_message(err), words))
		fail_msg("%s", kt_error_message(err));
	kt_error_destroy(err);
}

/* { struct pair { int one; struct pair *next; } } */
static struct btf *small(void)
{
	struct btf *btf = btf__new_empty();

	assert_int_equal(btf__add_int(btf, "int", 4, BTF_INT_SIGNED), 1);
	assert_int_equal(btf__add_struct(btf, "pair", 16), 2);
	btf__add_field(btf, "one", 1, 0, 0);
	btf__add_field(btf, "next", 3, 64, 0);
	assert_int_equal(btf__add_ptr(btf, 2), 3);
	return btf;
}

static void test_good(void **state)
{
	struct btf *btf = NULL;
	_cleanup_free_ char *text = NULL;

	(void)state;
	assert_null(parse(small(), NULL, &btf));
	assert_int_equal(btf_weight(btf, 1), 1);
	assert_true(btf_weight(btf, 2) < 10);
	assert_int_equal(btf_weight(btf, 99), UINT64_MAX);
	assert_null(btf_as_c(btf, &text));
	assert_non_null(strstr(text, "struct pair {\n\tint one;\n\tstruct pair *next;\n};"));
	btf__free(btf);
}

/* A name is no JSON, and nothing for a terminal. Truth is in tests/guest/contents.sh. */
static void test_raw(void **state)
{
	struct btf *btf = btf__new_empty();
	_cleanup_free_ char *text = NULL, *json = NULL;

	(void)state;
	btf__add_int(btf, "a\"b\\\x1b\xff", 4, 0);
	btf__add_enum64(btf, NULL, 8, true);
	btf__add_enum64_value(btf, "LOW", (uint64_t)-2);
	assert_null(btf_as_raw(btf, false, &text));
	assert_string_equal(text, "[1] INT 'a\"b\\\\x1b\\xff' size=4 bits_offset=0 nr_bits=32 "
				  "encoding=(none)\n"
				  "[2] ENUM64 '(anon)' encoding=SIGNED size=8 vlen=1\n"
				  "\t'LOW' val=-2LL\n");
	assert_null(btf_as_raw(btf, true, &json));
	assert_string_equal(
		json, "{\"types\": [\n"
		      "{\"id\": 1, \"kind\": \"INT\", \"name\": "
		      "\"a\\\"b\\\\\\ufffd\\ufffd\", \"size\": 4, \"bits_offset\": 0, "
		      "\"nr_bits\": 32, \"encoding\": \"(none)\"},\n"
		      "{\"id\": 2, \"kind\": \"ENUM64\", \"name\": \"(anon)\", \"encoding\": "
		      "\"SIGNED\", \"size\": 8, \"vlen\": 1, \"values\": [{\"name\": \"LOW\", "
		      "\"val\": -2}]}\n"
		      "]}\n");
	btf__free(btf);
}

/* A module's: its own types, with those of the kernel in them, and none of the kernel's. */
static void test_split(void **state)
{
	struct btf *base = NULL, *btf = NULL, *built;
	_cleanup_free_ char *text = NULL;

	(void)state;
	assert_null(parse(small(), NULL, &base));
	built = btf__new_empty_split(base);
	assert_int_equal(btf__add_typedef(built, "pairs", 2), 4);
	assert_null(parse(built, base, &btf));
	assert_null(btf_as_c(btf, &text));
	assert_non_null(strstr(text, "typedef struct pair pairs;"));
	btf__free(btf);
	btf__free(base);
}

/* Split BTF alone has IDs and names that are not there. */
static void test_split_alone(void **state)
{
	struct btf *base = small(), *built = btf__new_empty_split(base);

	(void)state;
	btf__add_typedef(built, "pairs", 2);
	refused(built, "damaged BTF");
	btf__free(base);
}

static void test_refers(void **state)
{
	struct btf *btf = small();

	(void)state;
	btf__add_ptr(btf, 77);
	refused(btf, "refers to what is not there");
	btf = small();
	btf__add_func(btf, "f", BTF_FUNC_STATIC, 1); /* its type is no prototype */
	refused(btf, "refers to what is not there");
	btf = small();
	((struct btf_type *)btf__type_by_id(btf, 2))->name_off = 0x7fffffff;
	refused(btf, "refers to what is not there");
}

static void test_within_itself(void **state)
{
	struct btf *btf = small();

	(void)state;
	btf__add_struct(btf, "loop", 8);
	btf__add_field(btf, "again", 4, 0, 0);
	refused(btf, "a part of itself");
	btf = small();
	btf__add_ptr(btf, 5);
	btf__add_ptr(btf, 4);
	refused(btf, "a part of itself");
	btf = small();
	btf__add_typedef(btf, "t", 4);
	refused(btf, "a part of itself");
	btf = small();
	btf__add_array(btf, 1, 4, 3);
	refused(btf, "a part of itself");
}

/* However the chain is walked, from its end or its beginning. */
static void test_too_deep(void **state)
{
	(void)state;
	for (int down = 0; down < 2; down++) {
		struct btf *btf = small();

		for (int i = 0; i < 3000; i++)
			btf__add_ptr(btf, !down ? 3 + i : i < 2999 ? 5 + i : 1);
		refused(btf, "too deep");
	}
}

/* 2^60 numbers in 60 types. */
static void test_too_heavy(void **state)
{
	struct btf *btf = small();

	(void)state;
	for (int i = 0; i < 60; i++) {
		btf__add_struct(btf, NULL, 0);
		btf__add_field(btf, "a", i ? 3 + i : 1, 0, 0);
		btf__add_field(btf, "b", i ? 3 + i : 1, 0, 0);
	}
	refused(btf, "too many parts");
}

/* Cut, or with one byte changed, it is refused or it is good: nothing else happens. */
static void test_mutilated(void **state)
{
	struct btf *built = small();
	uint32_t len;
	const uint8_t *data = btf__raw_data(built, &len);
	_cleanup_free_ uint8_t *copy = malloc(len);
	size_t good = 0;

	(void)state;
	for (uint32_t i = 0; i < 2 * len; i++) {
		struct btf *btf = NULL;
		struct kt_error *err;

		memcpy(copy, data, len);
		if (i >= len)
			copy[i - len] ^= 0x41;
		err = btf_parse_checked(copy, i < len ? i : len, NULL, &btf);
		if (!err) {
			char *text = NULL;

			kt_error_destroy(btf_as_c(btf, &text));
			free(text);
			assert_null(btf_as_raw(btf, i & 1, &text));
			free(text);
			good++;
		}
		btf__free(btf);
		kt_error_destroy(err);
	}
	assert_true(good > 0 && good < len);
	btf__free(built);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),          cmocka_unit_test(test_raw),
		cmocka_unit_test(test_split),         cmocka_unit_test(test_refers),
		cmocka_unit_test(test_split_alone),   cmocka_unit_test(test_too_deep),
		cmocka_unit_test(test_within_itself), cmocka_unit_test(test_too_heavy),
		cmocka_unit_test(test_mutilated),
	};

	return cmocka_run_group_tests_name("checked BTF", tests, NULL, NULL);
}
