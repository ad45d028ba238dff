// SPDX-License-Identifier: LGPL-2.1-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include <jansson.h>

#include "model/json.h"
#include "render/log_json.h"
#include "tests/render/logs.h"
#include "util/buf.h"
#include "util/cleanup.h"

/* The document, parsed back. */
static json_t *json(const struct render_log_program *programs, size_t n)
{
	json_error_t error;
	json_t *root;
	char *text;

	assert_null(render_log_json(programs, n, NULL, &text));
	/* No control character, and nothing above ASCII, is in a document. */
	for (const char *p = text; *p; p++)
		assert_true((*p >= ' ' && *p < 0x7f) || *p == '\n');
	root = json_loads(text, JSON_REJECT_DUPLICATES, &error);
	if (!root)
		fail_msg("%s: %s", error.text, text);
	free(text);
	return root;
}

static json_t *nth(const json_t *root, size_t i)
{
	json_t *program = json_array_get(json_object_get(root, "programs"), i);

	assert_non_null(program);
	return program;
}

/* The value at "stats.limit" or "source.0.line". */
static const json_t *at(const json_t *value, const char *path)
{
	char *copy = strdup(path), *save = NULL;

	assert_non_null(copy);
	for (char *key = strtok_r(copy, ".", &save); key; key = strtok_r(NULL, ".", &save)) {
		value = json_is_array(value) ? json_array_get(value, strtoul(key, NULL, 10))
					     : json_object_get(value, key);
		if (!value)
			fail_msg("no \"%s\" of %s", key, path);
	}
	free(copy);
	return value;
}

static void check_text(const json_t *object, const char *path, const char *wanted)
{
	const json_t *value = at(object, path);

	if (!json_is_string(value) || strcmp(json_string_value(value), wanted) != 0)
		fail_msg("%s: \"%s\", not \"%s\"", path, json_string_value(value), wanted);
}

static void check_number(const json_t *object, const char *path, json_int_t wanted)
{
	const json_t *value = at(object, path);

	if (!json_is_integer(value) || json_integer_value(value) != wanted)
		fail_msg("%s: %lld, not %lld", path, (long long)json_integer_value(value),
			 (long long)wanted);
}

static void check_null(const json_t *object, const char *path)
{
	if (!json_is_null(at(object, path)))
		fail_msg("%s is there", path);
}

static void test_passed(void **state)
{
	const struct render_log_program one = program("small", PASSED);
	json_t *root = json(&one, 1), *p = nth(root, 0);

	(void)state;
	check_text(root, "schema", "ktstr-gdb.log.v1");
	assert_int_equal(json_array_size(json_object_get(root, "programs")), 1);
	check_text(p, "file", "my.log");
	check_text(p, "program", "small");
	check_text(p, "verdict", "passed");
	check_null(p, "error");
	check_null(p, "last");
	check_number(p, "stats.processed_insns", 136);
	check_number(p, "stats.limit", 1000000);
	check_number(p, "stats.max_states_per_insn", 1);
	check_number(p, "stats.total_states", 9);
	check_number(p, "stats.peak_states", 8);
	check_number(p, "stats.mark_read", 3);
	check_number(p, "stats.verification_time_us", 477);
	check_number(p, "stats.stack_depth.0", 8);
	check_number(p, "stats.stack_depth.1", 0);
	assert_int_equal(json_array_size(at(p, "stats.stack_depth")), 2);
	check_null(p, "stats.stack_max");
	check_null(p, "subprograms");
	check_number(p, "lines", 3);
	check_number(p, "bytes", 142);
	assert_true(json_is_true(at(p, "complete")));
	assert_int_equal(json_array_size(at(p, "source")), 0);
	check_text(p, "collapsed", PASSED);
	json_decref(root);
}

static void test_failed(void **state)
{
	struct render_log_program one = program("bad", FAILED);
	json_t *root, *p;

	(void)state;
	one.log.complete = false;
	root = json(&one, 1);
	p = nth(root, 0);
	check_text(p, "verdict", "failed");
	check_text(p, "error", "R1 invalid mem access 'scalar'");
	assert_true(json_is_false(at(p, "complete")));
	check_number(p, "stats.mark_read", 0);
	check_null(p, "stats.verification_time_us");
	check_null(p, "stats.stack_depth");
	assert_int_equal(json_array_size(at(p, "source")), 2);
	check_text(p, "source.0.file", "bad.bpf.c");
	check_number(p, "source.0.line", 7);
	check_text(p, "source.0.text", "int bad(void *ctx)");
	check_number(p, "source.0.insns", 2);
	check_number(p, "source.0.distinct", 2);
	check_number(p, "source.1.line", 9);
	check_number(p, "source.1.insns", 1);
	check_text(p, "collapsed", FAILED);
	/* r1 is read at 2; it was last set at 1. */
	check_text(p, "last.class", "insn");
	check_text(p, "last.error", "R1 invalid mem access 'scalar'");
	check_null(p, "last.explanation");
	check_number(p, "last.at.index", 2);
	check_text(p, "last.at.insn", "(61) r0 = *(u32 *)(r1 +0)");
	check_number(p, "last.at.source.line", 9);
	check_text(p, "last.subjects.0.kind", "reg");
	check_number(p, "last.subjects.0.number", 1);
	check_text(p, "last.subjects.0.value", "8");
	check_text(p, "last.subjects.0.origin", "found");
	check_text(p, "last.subjects.0.value_from", "state");
	check_number(p, "last.subjects.0.before", 2);
	check_null(p, "last.subjects.0.role");
	check_null(p, "last.subjects.0.was");
	check_number(p, "last.subjects.0.steps_left_out", 0);
	check_text(p, "last.subjects.0.steps.0.how", "altered");
	check_number(p, "last.subjects.0.steps.0.of_reg", 1);
	check_null(p, "last.subjects.0.steps.0.of_slot");
	check_number(p, "last.subjects.0.steps.0.times", 1);
	check_text(p, "last.subjects.0.steps.0.value", "8");
	check_number(p, "last.subjects.0.steps.0.at.index", 1);
	check_number(p, "last.subjects.0.steps.0.at.source.line", 7);
	check_number(p, "last.path.insns", 3);
	json_decref(root);
}

/* 7.3: no depths but their maximum, and a line a subprogram. */
static void test_subprograms(void **state)
{
	const struct render_log_program one = program(
		"p", "verification time 1484 usec\n"
		     "stack depth max 16\n"
		     "subprog 0 (main_fn) main insns_self 14 insns_total 136 stack 8\n"
		     "subprog 1 (glob_fn) global insns_self 122 insns_total 122 stack 0\n"
		     "processed 136 insns (limit 1000000) max_states_per_insn 0 "
		     "total_states 1 peak_states 1 mark_read 0\n");
	json_t *root = json(&one, 1), *p = nth(root, 0);

	(void)state;
	check_number(p, "stats.stack_max", 16);
	assert_int_equal(json_array_size(at(p, "subprograms")), 2);
	check_number(p, "subprograms.0.index", 0);
	check_text(p, "subprograms.0.kind", "main");
	check_number(p, "subprograms.0.stack", 8);
	check_text(p, "subprograms.1.name", "glob_fn");
	check_text(p, "subprograms.1.kind", "global");
	check_number(p, "subprograms.1.insns_self", 122);
	check_number(p, "subprograms.0.insns_total", 136);
	json_decref(root);
}

static void test_nothing(void **state)
{
	struct render_log_program programs[] = {program("", ""), program("cut", CUT)};
	json_t *root = json(programs, 0), *p;

	(void)state;
	assert_true(json_is_array(json_object_get(root, "programs")));
	assert_int_equal(json_array_size(json_object_get(root, "programs")), 0);
	json_decref(root);
	root = json(programs, 2);
	p = nth(root, 0);
	check_null(p, "program");
	check_null(p, "verdict");
	check_null(p, "stats.processed_insns");
	check_number(p, "lines", 0);
	check_text(p, "collapsed", "");
	p = nth(root, 1);
	check_text(p, "verdict", "cut");
	assert_true(json_is_true(at(p, "cut_end")));
	check_null(p, "stats.processed_insns");
	check_null(p, "source.0.line");
	check_null(p, "source.0.file");
	check_text(p, "source.0.text", "int bad(void *ctx)");
	json_decref(root);
}

/* A loop's repeats are collapsed. */
static void test_collapsed(void **state)
{
	struct kt_buf log = KT_BUF_INIT;
	struct render_log_program one = program("loop", "");
	const char *text;
	json_t *root;

	(void)state;
	for (int i = 0; i < 100; i++)
		for (int k = 0; k < 6; k++)
			kt_buf_printf(&log, "%d: (07) r%d += 3        ; R%d_w=%d\n", k, k, k, i);
	one.log.trace = (struct kt_text){log.data, log.len};
	root = json(&one, 1);
	text = json_string_value(at(nth(root, 0), "collapsed"));
	assert_non_null(text);
	assert_ptr_equal(strstr(text, "--- 100x of the following 6 lines ---\n"), text);
	assert_non_null(strstr(text, "--- 98 identical iterations omitted ---\n"));
	check_number(nth(root, 0), "lines", 600);
	json_decref(root);
	kt_buf_deinit(&log);
}

#define FFFD "\xef\xbf\xbd"

/* What is no text comes out as U+FFFD, byte by byte; what is stays. */
static void test_bytes(void **state)
{
	static const char log[] = "; gr\xc3\xbc\xc3\x9f \xff @ \xe2\x86.c:3\n"
				  "0: (95) exit\n"
				  "; n\0l\n"
				  "1: (95) exit\033[31m\n";
	struct render_log_program one = program("\xc3", "");
	json_t *root;

	(void)state;
	one.log.trace = (struct kt_text){log, sizeof(log) - 1};
	one.file = KT_TEXT("a\0b");
	root = json(&one, 1);
	check_text(nth(root, 0), "program", FFFD);
	check_text(nth(root, 0), "file", "a" FFFD "b");
	check_text(nth(root, 0), "source.0.text", "gr\xc3\xbc\xc3\x9f " FFFD);
	check_text(nth(root, 0), "source.0.file", FFFD FFFD ".c");
	check_text(nth(root, 0), "source.1.text", "n" FFFD "l");
	check_text(nth(root, 0), "collapsed",
		   "; gr\xc3\xbc\xc3\x9f " FFFD " @ " FFFD FFFD ".c:3\n0: (95) exit\n; n" FFFD
		   "l\n1: (95) exit\033[31m\n");
	json_decref(root);
}

/* A slice ends where it ends, in the midst of a character, too. */
static void test_slice(void **state)
{
	static const struct {
		const char *in;
		size_t len;
		const char *wanted;
	} cases[] = {
		{"abc", 2, "ab"},
		{"", 0, ""},
		{NULL, 0, ""},
		{"\xc3\xbc", 1, FFFD},
		{"\xc3\xbc", 2, "\xc3\xbc"},
		{"\0", 1, FFFD},
		{"\0\0x", 3, FFFD FFFD "x"},
		{"\xf0\x9f\x90\x9d", 3, FFFD FFFD FFFD},
		{"\xe2\x86\0\x92", 4, FFFD FFFD FFFD FFFD},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *exact = cases[i].len ? malloc(cases[i].len) : NULL;
		json_t *value;

		if (cases[i].len)
			memcpy(exact, cases[i].in, cases[i].len);
		value = kt_json_slice((struct kt_text){exact, cases[i].len});
		assert_non_null(value);
		assert_string_equal(json_string_value(value), cases[i].wanted);
		json_decref(value);
		free(exact);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_passed),      cmocka_unit_test(test_failed),
		cmocka_unit_test(test_subprograms), cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_collapsed),   cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_slice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
