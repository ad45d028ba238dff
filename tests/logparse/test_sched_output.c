// SPDX-License-Identifier: LGPL-2.1-or-later
/* What of a guest's console is the scheduler's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "logparse/sched_output.h"

#define START "===SCHED_OUTPUT_START==="
#define END   "===SCHED_OUTPUT_END==="

typedef bool (*parse_fn)(struct kt_text text, struct kt_text *ret);

/* want NULL: nothing is found, and the output is untouched. */
static void check(parse_fn parse, struct kt_text text, const char *want)
{
	struct kt_text got = {"before", 6};

	assert_int_equal(parse(text, &got), want != NULL);
	if (!want)
		want = "before";
	else
		assert_true(got.data >= text.data && got.data + got.len <= text.data + text.len);
	assert_int_equal(got.len, strlen(want));
	assert_memory_equal(got.data, want, got.len);
}

#define WHOLE(s, want)   check(kt_parse_sched_output, KT_TEXT(s), want)
#define PARTIAL(s, want) check(kt_parse_sched_output_partial, KT_TEXT(s), want)

static void test_markers(void **state)
{
	(void)state;
	assert_string_equal(SCHED_OUTPUT_START, START);
	assert_string_equal(SCHED_OUTPUT_END, END);
}

static void test_between(void **state)
{
	(void)state;
	WHOLE("boot\n" START "\nhello\n" END "\npower down\n", "hello");
	WHOLE(START "x" END, "x");
	WHOLE(START "\r\n \t\v\f a b \r\n c \n\n" END, "a b \r\n c");
	/* The first START, the last END. */
	WHOLE(START "a" START "b" END, "a" START "b");
	WHOLE(START "a" END "b" END "c", "a" END "b");
	WHOLE(START "\nprintf(\"" END "\")\n" END, "printf(\"" END "\")");
	WHOLE(END START "a" END, "a");
	/* Two that share their "===". */
	WHOLE(START "a===SCHED_OUTPUT_END===SCHED_OUTPUT_END===", "a===SCHED_OUTPUT_END");
}

static void test_nothing_between(void **state)
{
	(void)state;
	check(kt_parse_sched_output, (struct kt_text){NULL, 0}, NULL);
	WHOLE("hello", NULL);
	WHOLE(START "hello", NULL);
	WHOLE("hello" END, NULL);
	WHOLE(END "hello" START, NULL);
	WHOLE(START END, NULL);
	WHOLE(START " \r\n\t" END, NULL);
	/* Both markers cannot be made of one "===". */
	WHOLE("===SCHED_OUTPUT_START===SCHED_OUTPUT_END===", NULL);
	WHOLE("===SCHED_OUTPUT_START== hello" END, NULL);
}

static void test_partial(void **state)
{
	(void)state;
	check(kt_parse_sched_output_partial, (struct kt_text){NULL, 0}, NULL);
	PARTIAL("boot\n" START "\nhello\nKernel pan", "hello\nKernel pan");
	PARTIAL(START "a" START "b\n", "a" START "b");
	PARTIAL("hello", NULL);
	PARTIAL("hello" END, NULL);
	PARTIAL(START, NULL);
	PARTIAL(START "\n\n", NULL);
	/* A END marker is text like any other here. */
	PARTIAL(START "a" END "\n", "a" END);
}

/* NULs and what is no UTF-8 come through, and are no white space. */
static void test_bytes(void **state)
{
	static const char text[] = "\0" START "\n\0\xff\xc2\xa0\n" END;
	struct kt_text got;

	(void)state;
	assert_true(kt_parse_sched_output(KT_TEXT(text), &got));
	assert_int_equal(got.len, 4);
	assert_memory_equal(got.data, "\0\xff\xc2\xa0", 4);
}

/* A megabyte of markers. */
static void test_many(void **state)
{
	size_t n = 50000, each = strlen(END);
	char *text = malloc(n * each + sizeof(START));
	struct kt_text got;

	(void)state;
	memcpy(text, START, strlen(START));
	for (size_t i = 0; i < n; i++)
		memcpy(text + strlen(START) + i * each, END, each);
	assert_true(kt_parse_sched_output((struct kt_text){text, strlen(START) + n * each}, &got));
	assert_int_equal(got.len, (n - 1) * each);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_markers),         cmocka_unit_test(test_between),
		cmocka_unit_test(test_nothing_between), cmocka_unit_test(test_partial),
		cmocka_unit_test(test_bytes),           cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
