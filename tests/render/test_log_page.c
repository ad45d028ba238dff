// SPDX-License-Identifier: LGPL-2.1-or-later
/* The data of a log's page: all of the log, once, and nothing that a browser would take for more.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include <jansson.h>

#include "render/log_page.h"
#include "render/log_page_data.h"
#include "tests/render/logs.h"
#include "util/buf.h"

/* What is between <script ... id="ID"> and </script>, to be freed. */
static char *script_of(const char *page, const char *id)
{
	char tag[100], *text;
	const char *p, *end;

	snprintf(tag, sizeof(tag), "<script type=\"application/json\" id=\"%s\">", id);
	p = strstr(page, tag);
	assert_non_null(p);
	p += strlen(tag);
	end = strstr(p, "</script>");
	assert_non_null(end);
	text = strndup(p, (size_t)(end - p));
	assert_non_null(text);
	/* So that nothing in it can end the script, or begin a comment. */
	assert_null(strchr(text, '<'));
	return text;
}

static json_t *load(const char *page, const char *id)
{
	char *text = script_of(page, id);
	json_error_t error;
	json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &error);

	if (!root)
		fail_msg("%s at %d", error.text, error.position);
	free(text);
	return root;
}

static char *page_of(const struct render_log_program *programs, size_t n)
{
	char *page;

	assert_null(kt_format_log_html(programs, n, &page));
	return page;
}

static json_t *data_of(const char *trace)
{
	struct render_log_program p = program("prog", trace);
	char *page = page_of(&p, 1);
	json_t *data = load(page, "data0");

	free(page);
	return data;
}

static json_int_t number(const json_t *data, const char *key, size_t i)
{
	json_t *value = json_array_get(json_object_get(data, key), i);

	assert_true(json_is_integer(value));
	return json_integer_value(value);
}

static const char *string(const json_t *data, json_int_t i)
{
	const char *s = json_string_value(
		json_array_get(json_object_get(data, "strings"), (size_t)i));

	assert_non_null(s);
	return s;
}

static const char *kinds_of(const json_t *data)
{
	return json_string_value(json_object_get(data, "kinds"));
}

/* Blanks count as one: a row has one before what is behind an instruction. */
static void check_line(const json_t *data, size_t row, const char *want)
{
	struct kt_buf got = KT_BUF_INIT;
	json_int_t behind = number(data, "behind", row);
	const char *p;

	kt_buf_appends(&got, string(data, number(data, "text", row)));
	if (behind)
		kt_buf_printf(&got, " %s", string(data, behind));
	p = got.data ? got.data : "";
	while (*p && *p == *want) {
		p++;
		want++;
		while (*p == ' ' && p[1] == ' ')
			p++;
		while (*want == ' ' && want[1] == ' ')
			want++;
	}
	if (*p || *want)
		fail_msg("row %zu: \"%s\", not \"%s\"", row, p, want);
	kt_buf_deinit(&got);
}

static void check_lines(const char *log)
{
	json_t *data = data_of(log);
	char *copy = strdup(log), *save = NULL;
	size_t row = 0;

	assert_non_null(copy);
	for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		while (kinds_of(data)[row] == 'b')
			row++;
		check_line(data, row++, line);
	}
	assert_int_equal(strlen(kinds_of(data)), row);
	free(copy);
	json_decref(data);
}

static void test_lines(void **state)
{
	(void)state;
	check_lines(FAILED);
	check_lines(CUT);
	check_lines(PASSED);
	check_lines("no log at all");
}

static void test_failed(void **state)
{
	json_t *data = data_of(FAILED);
	const json_t *insn, *source;

	(void)state;
	assert_string_equal(kinds_of(data), "tsiisiez");
	assert_int_equal(json_integer_value(json_object_get(data, "at")), 5);
	/* The steps are in rows 0, 2, 3 and 5, each follows on the one before. */
	for (size_t i = 0; i < 4; i++) {
		static const json_int_t rows[] = {0, 2, 1, 2};

		assert_int_equal(number(data, "steps", 4 * i), rows[i]);
		assert_int_equal(number(data, "steps", 4 * i + 1), i > 0);
	}
	/* R1=0 at the second: it is set (0) to what the log says. */
	assert_int_equal(number(data, "changes", 4), 1 * 4 + 0);
	assert_string_equal(string(data, number(data, "changes", 5)), "0");
	insn = json_array_get(json_object_get(data, "insns"), 2);
	assert_int_equal(json_integer_value(json_array_get(insn, 1)), 1);
	source = json_array_get(json_object_get(data, "sources"), 1);
	assert_string_equal(json_string_value(json_array_get(source, 1)), "bad.bpf.c");
	assert_int_equal(json_integer_value(json_array_get(source, 2)), 9);
	assert_string_equal(json_string_value(json_array_get(source, 3)), "return *p;");
	json_decref(data);
}

static void test_loop(void **state)
{
	struct kt_buf log = KT_BUF_INIT;
	json_t *data;

	(void)state;
	kt_buf_appends(&log, "0: R1=ctx() R10=fp0\n0: (b7) r1 = 0 ; R1_w=0\n");
	for (int i = 1; i <= 50; i++)
		kt_buf_printf(&log,
			      "1: (07) r1 += 1 ; R1_w=%d\n2: (b7) r2 = 0 ; R2_w=0\n"
			      "3: (b7) r3 = 0 ; R3_w=0\n4: (b7) r4 = 0 ; R4_w=0\n"
			      "5: (a5) if r1 < 0x32 goto pc-5 ; R1_w=%d\n",
			      i, i);
	kt_buf_appends(&log, "6: (95) exit\n");
	data = data_of(log.data);
	assert_int_equal(number(data, "loops", 0), 2);
	assert_int_equal(number(data, "loops", 1), 7);
	assert_int_equal(number(data, "loops", 2), 247);
	assert_int_equal(number(data, "loops", 3), 252);
	assert_int_equal(number(data, "loops", 4), 50);
	/* Seven different instructions, five of them 50 times. */
	assert_int_equal(json_array_size(json_object_get(data, "insns")), 7);
	assert_int_equal(json_integer_value(json_array_get(
				 json_array_get(json_object_get(data, "insns"), 1), 2)),
			 50);
	json_decref(data);
	kt_buf_deinit(&log);
}

/* A loop that begins with a loop: its last iteration, too. */
static void test_loop_in_loop(void **state)
{
	struct kt_buf log = KT_BUF_INIT;
	size_t row = 0, last = 0;
	json_t *data;

	(void)state;
	for (int i = 0; i < 12; i++) {
		last = row;
		for (int j = 0; j < 6 + i % 2; j++, row += 5)
			kt_buf_appends(&log, "1: (07) r1 += 1\n2: (07) r2 += 1\n3: (07) r3 += 1\n"
					     "4: (07) r4 += 1\n5: (a5) if r1 < 0x6 goto pc-5\n");
		kt_buf_appends(&log, "6: (b7) r1 = 0\n7: (07) r5 += 1\n8: (07) r6 += 1\n"
				     "9: (07) r7 += 1\n10: (a5) if r5 < 0xc goto pc-10\n");
		row += 5;
	}
	data = data_of(log.data);
	assert_true(json_array_size(json_object_get(data, "loops")) >= 15);
	assert_int_equal(number(data, "loops", 0), 0);
	assert_int_equal(number(data, "loops", 1), 35);
	assert_int_equal(number(data, "loops", 2), last);
	assert_int_equal(number(data, "loops", 3), row);
	assert_int_equal(number(data, "loops", 4), 12);
	/* The loop in the last iteration. */
	assert_int_equal(number(data, "loops", 10), last);
	assert_int_equal(number(data, "loops", 11), last + 5);
	json_decref(data);
	kt_buf_deinit(&log);
}

/* A value that is in no line of the log: what a test of R2 says of R1. */
static void test_value_of_others(void **state)
{
	json_t *data = data_of("0: R1=pkt(r=0) R2=pkt(off=14,r=0) R3=pkt_end()\n"
			       "0: (2d) if r2 > r3 goto pc+1 ; R2=pkt(off=14,r=14) R3=pkt_end()\n"
			       "1: (95) exit\n");

	(void)state;
	/* The fifth change. */
	assert_int_equal(number(data, "changes", 8), 1 * 4 + 1);
	assert_string_equal(string(data, number(data, "changes", 9)), "pkt(r=14)");
	json_decref(data);
}

/* --- text that wants to be more than text --- */

static void test_hostile(void **state)
{
	static const char evil[] = "0: (b7) r1 = 0 ; </script><script>alert(1)</script>\n"
				   "; <!--<script> \xff\x00\x1b[31m \"\\ @ <b>.c:1\n"
				   "1: (95) exit \xe2\x80\xae gnp\xe2\x80\xa8\n"
				   "]]>--></SCRIPT>\n";
	struct render_log_program p = program("<i>&name", "");
	size_t scripts = 0;
	json_t *data, *index;
	char *page;

	(void)state;
	p.log.trace = (struct kt_text){evil, sizeof(evil) - 1};
	p.file = (struct kt_text)KT_TEXT("</title><script>");
	page = page_of(&p, 1);
	data = load(page, "data0");
	index = load(page, "index");
	check_line(data, 0, "0: (b7) r1 = 0 ; </script><script>alert(1)</script>");
	check_line(data, 1, "; <!--<script> \\xff\\x00\\x1b[31m \"\\ @ <b>.c:1");
	check_line(data, 2, "1: (95) exit \\u202e gnp\xe2\x80\xa8");
	assert_string_equal(json_string_value(json_object_get(json_array_get(index, 0), "name")),
			    "<i>&name");
	for (const char *s = page; (s = strstr(s, "<script")); s++)
		scripts++;
	assert_int_equal(scripts, 3);
	assert_non_null(strstr(page, "<title>&lt;i&gt;&amp;name"));
	for (const char *s = page; *s; s++)
		assert_true((unsigned char)*s >= ' ' || *s == '\n' || *s == '\t');
	json_decref(data);
	json_decref(index);
	free(page);
}

static void test_long_line(void **state)
{
	char *line = malloc(100001);
	json_t *data;

	(void)state;
	assert_non_null(line);
	memset(line, 'x', 100000);
	line[100000] = '\0';
	data = data_of(line);
	assert_int_equal(strlen(string(data, number(data, "text", 0))),
			 4096 + strlen(" … (95904 bytes more)"));
	json_decref(data);
	free(line);
}

/* --- what is too long --- */

/* Its middle is left out; the state behind that is whole, so that nothing depends on it. */
static void test_middle(void **state)
{
	const size_t n = LOG_PAGE_HEAD + LOG_PAGE_TAIL + 1000, rows = n - 1000 + 1;
	struct kt_buf log = KT_BUF_INIT;
	size_t steps, changes = 0;
	json_t *data, *dropped;

	(void)state;
	kt_buf_appends(&log, "0: R1=ctx() R10=fp0\n0: (b7) r6 = 7 ; R6_w=7\n");
	for (size_t i = 2; i < n; i += 2)
		kt_buf_printf(&log, "1: (07) r7 += 1 ; R7_w=%zu\n2: (05) goto pc-2\n", i & 15);
	data = data_of(log.data);
	assert_int_equal(strlen(kinds_of(data)), rows);
	assert_int_equal(kinds_of(data)[LOG_PAGE_HEAD], 'd');
	dropped = json_object_get(data, "dropped");
	assert_int_equal(json_integer_value(json_array_get(dropped, 0)), LOG_PAGE_HEAD);
	assert_int_equal(json_integer_value(json_array_get(dropped, 1)), 1000);
	steps = json_array_size(json_object_get(data, "steps")) / 4;
	assert_int_equal(steps, rows - 1);
	for (size_t i = 0; i < LOG_PAGE_HEAD; i++)
		changes += (size_t)number(data, "steps", 4 * i + 3);
	/* The first step behind follows on nothing, and has R1, R6, R7 and R10. */
	assert_int_equal(number(data, "steps", 4 * LOG_PAGE_HEAD + 1), 0);
	assert_int_equal(number(data, "steps", 4 * LOG_PAGE_HEAD + 3), 4);
	assert_int_equal(number(data, "changes", 2 * (changes + 1)) >> 2, 6);
	assert_string_equal(string(data, number(data, "changes", 2 * (changes + 1) + 1)), "7");
	/* All are counted, also those that are left out. */
	assert_int_equal(json_integer_value(json_array_get(
				 json_array_get(json_object_get(data, "insns"), 1), 2)),
			 (n - 2) / 2);
	json_decref(data);
	kt_buf_deinit(&log);
}

static void test_several(void **state)
{
	struct render_log_program programs[] = {program("one", FAILED), program("two", PASSED),
						program("", CUT)};
	char *page = page_of(programs, 3);
	json_t *index = load(page, "index"), *data = load(page, "data2");

	(void)state;
	assert_int_equal(json_array_size(index), 3);
	assert_string_equal(
		json_string_value(json_object_get(json_array_get(index, 0), "headline")),
		"R1 invalid mem access 'scalar'");
	assert_string_equal(json_string_value(json_object_get(json_array_get(index, 1), "outcome")),
			    "passed");
	assert_string_equal(json_string_value(json_object_get(json_array_get(index, 2), "outcome")),
			    "cut");
	json_decref(index);
	json_decref(data);
	free(page);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_failed),
		cmocka_unit_test(test_loop),
		cmocka_unit_test(test_loop_in_loop),
		cmocka_unit_test(test_value_of_others),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_long_line),
		cmocka_unit_test(test_middle),
		cmocka_unit_test(test_several),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
