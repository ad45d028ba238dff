// SPDX-License-Identifier: LGPL-2.1-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include "render/log_table.h"
#include "tests/render/logs.h"

static char *stats(const struct render_log_program *programs, size_t n, const char *sort,
		   size_t width)
{
	struct render_log_table_options options = {.sort = sort, .width = width};
	char *text;

	assert_null(render_log_stats(programs, n, &options, &text));
	return text;
}

static char *source(const struct render_log_program *programs, size_t n, const char *sort,
		    size_t width)
{
	struct render_log_table_options options = {.sort = sort, .width = width};
	char *text;

	assert_null(render_log_source(programs, n, &options, &text));
	return text;
}

/* Each of the strings is in the text, behind the one before. */
static void assert_in_order(const char *text, ...)
{
	const char *at = text, *next;
	va_list ap;

	va_start(ap, text);
	while ((next = va_arg(ap, const char *))) {
		const char *found = strstr(at, next);

		if (!found)
			fail_msg("no \"%s\" at its place in:\n%s", next, text);
		at = found + strlen(next) - (next[strlen(next) - 1] == ' ');
	}
	va_end(ap);
}

static void check(char *text, const char *wanted)
{
	assert_string_equal(text, wanted);
	free(text);
}

/* What one log says beside what another does not; a column that none fills is not there. */
static void test_stats(void **state)
{
	const struct render_log_program programs[] = {
		program("small", PASSED),
		program("bad", FAILED),
		program("cut", CUT),
		program("nothing", ""),
	};

	(void)state;
	check(stats(programs, 4, NULL, 0),
	      "PROGRAM VERDICT INSNS PEAK STATES MAX  US STACK LINES BYTES ERROR\n"
	      "small   passed    136    8      9   1 477   8+0     3   142 -\n"
	      "bad     failed      3    1      1   0   -     -     8   333 R1 invalid mem access "
	      "'scalar'\n"
	      "cut     cut         -    -      -   -   -     -     4   142 -\n"
	      "nothing -           -    -      -   -   -     -     0     0 -\n");
	check(stats(programs, 1, NULL, 0),
	      "PROGRAM VERDICT INSNS PEAK STATES MAX  US STACK LINES BYTES\n"
	      "small   passed    136    8      9   1 477   8+0     3   142\n");
	check(stats(programs, 0, NULL, 0), "");
}

/* 7.3 has no depths but their maximum. */
static void test_stack(void **state)
{
	const struct render_log_program programs[] = {
		program("a", "stack depth 8+0+0\n"),
		program("b", "stack depth max 16\n"),
		program("c", "stack depth 8+4\n"),
	};
	char *text = stats(programs, 3, "stack", 0);

	(void)state;
	assert_in_order(text, "\nb ", " 16 ", "\nc ", " 8+4 ", "\na ", " 8+0+0 ", NULL);
	free(text);
}

/* Files are told where names do not tell the logs apart. */
static void test_files(void **state)
{
	struct render_log_program programs[] = {
		program("one", PASSED),
		program("one", PASSED),
		program("", PASSED),
	};

	(void)state;
	programs[0].file = KT_TEXT("a.log");
	programs[1].file = KT_TEXT("/some/where/far/away/b.log");
	check(stats(programs, 2, NULL, 0),
	      "PROGRAM FILE                       VERDICT INSNS PEAK STATES MAX  US STACK LINES "
	      "BYTES\n"
	      "one     a.log                      passed    136    8      9   1 477   8+0     3   "
	      "142\n"
	      "one     /some/where/far/away/b.log passed    136    8      9   1 477   8+0     3   "
	      "142\n");
	check(stats(programs + 2, 1, NULL, 0),
	      "FILE   VERDICT INSNS PEAK STATES MAX  US STACK LINES BYTES\n"
	      "my.log passed    136    8      9   1 477   8+0     3   142\n");
}

static void check_width(const char *text, size_t width)
{
	for (; *text; text += strcspn(text, "\n") + 1)
		if (strcspn(text, "\n") > width)
			fail_msg("wider than %zu: %.*s", width, (int)strcspn(text, "\n"), text);
}

/* On a terminal of 100 columns everything has its place; of a file the end is shown. */
static void test_width(void **state)
{
	struct render_log_program programs[] = {
		program("a_program_of_some_length", PASSED),
		program("bad", FAILED),
	};
	char *text;

	(void)state;
	programs[0].file = KT_TEXT("/some/where/far/away/b.log");
	text = stats(programs, 2, NULL, 100);
	check_width(text, 100);
	assert_in_order(text, "a_program_of_some_length ", "..far/away/b.log ", " 136 ", " 8+0 ",
			" 142 ", "my.log ", " R1 in", NULL);
	free(text);
	programs[0].log.program = KT_TEXT("a_program_with_a_name_that_does_not_end");
	text = stats(programs, 1, NULL, 100);
	assert_in_order(text, "a_program_with_a_name_.. ", NULL);
	free(text);
	check(source(programs + 1, 1, NULL, 60),
	      "INSNS    % SUM % DISTINCT SAFE POPS LINE        SOURCE\n"
	      "    2 66.7  66.7        2    0    0 bad.bpf.c:7 int bad(void\n"
	      "    1 33.3 100.0        1    0    0 bad.bpf.c:9 return *p;\n"
	      "all 3 processed instructions are in the log: 3 executed, 0 pruned\n");
}

/* Numbers the largest first, names from A; "-" turns that around; what is unknown comes last. */
static void test_sort(void **state)
{
	const struct render_log_program programs[] = {
		program("cut", CUT),
		program("small", PASSED),
		program("bad", FAILED),
		program("also", PASSED),
	};
	static const struct {
		const char *sort, *order[4];
	} cases[] = {
		{NULL, {"\ncut ", "\nsmall ", "\nbad ", "\nalso "}},
		{"processed_insns", {"\nsmall ", "\nalso ", "\nbad ", "\ncut "}},
		{"-insns", {"\nbad ", "\nsmall ", "\nalso ", "\ncut "}},
		{"program", {"\nalso ", "\nbad ", "\ncut ", "\nsmall "}},
		{"-program", {"\nsmall ", "\ncut ", "\nbad ", "\nalso "}},
		{"verdict", {"\ncut ", "\nbad ", "\nsmall ", "\nalso "}},
		{"time", {"\nsmall ", "\nalso ", "\ncut ", "\nbad "}},
		{"bytes", {"\nbad ", "\ncut ", "\nsmall ", "\nalso "}},
		{"-mark_read", {"\nbad ", "\nsmall ", "\nalso ", "\ncut "}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *const *o = cases[i].order;
		char *text = stats(programs, 4, cases[i].sort, 0);

		assert_in_order(text, o[0], o[1], o[2], o[3], NULL);
		free(text);
	}
}

static void check_refused(struct kt_error *err, const char *sort, const char *key)
{
	assert_non_null(err);
	assert_int_equal(kt_error_code(err), KT_ERROR_USAGE);
	assert_non_null(strstr(kt_error_message(err), sort));
	assert_non_null(strstr(kt_error_message(err), key));
	kt_error_destroy(err);
}

static void test_unknown_key(void **state)
{
	struct render_log_table_options options = {.sort = "-speed"};
	char *text = NULL;

	(void)state;
	check_refused(render_log_stats_check_sort("speed"), "\"speed\"", "processed_insns");
	check_refused(render_log_source_check_sort("-"), "\"\"", "insns");
	check_refused(render_log_stats(NULL, 0, &options, &text), "\"speed\"", "total_states");
	check_refused(render_log_source(NULL, 0, &options, &text), "\"speed\"", "location");
	assert_null(text);
	assert_null(render_log_stats_check_sort("-bytes"));
	assert_null(render_log_stats_check_sort(NULL));
	assert_null(render_log_source_check_sort("line"));
}

/* What a log or a file is named cannot break a line of CSV, nor reach a terminal. */
static void test_csv(void **state)
{
	struct render_log_table_options options = {.csv = true, .width = 40};
	struct render_log_program programs[] = {program("small", PASSED), program("bad", FAILED)};
	char *text;

	(void)state;
	programs[0].file = KT_TEXT("a,\"b\"\n.log");
	programs[1].log.program = KT_TEXT("b\033[31m\0d");
	assert_null(render_log_stats(programs, 2, &options, &text));
	check(text, "program,file,verdict,processed_insns,limit,peak_states,total_states,"
		    "max_states_per_insn,mark_read,verification_time_us,stack_depth,lines,bytes,"
		    "error\n"
		    "small,\"a,\"\"b\"\"\\x0a.log\",passed,136,1000000,8,9,1,3,477,8+0,3,142,\n"
		    "b\\x1b[31m\xef\xbf\xbd"
		    "d,my.log,failed,3,1000000,1,1,0,0,,,8,333,"
		    "R1 invalid mem access 'scalar'\n");
	options.sort = "-line";
	assert_null(render_log_source(programs, 2, &options, &text));
	check(text, "log,program,insns,percent,cumulative,distinct,safe,pops,file,line,location,"
		    "source\n"
		    "my.log,b\\x1b[31m\xef\xbf\xbd"
		    "d,1,33.3,100.0,1,0,0,bad.bpf.c,9,bad.bpf.c:9,"
		    "return *p;\n"
		    "my.log,b\\x1b[31m\xef\xbf\xbd"
		    "d,2,66.7,66.7,2,0,0,bad.bpf.c,7,bad.bpf.c:7,"
		    "int bad(void *ctx)\n");
}

static void test_source(void **state)
{
	const struct render_log_program programs[] = {
		program("small", PASSED),
		program("bad", FAILED),
		program("cut", CUT),
	};

	(void)state;
	check(source(programs, 3, NULL, 0),
	      "small in my.log\n"
	      "no instruction is in the log: at level 1 it has none of a program that passes; "
	      "load it with log_level 2\n"
	      "\n"
	      "bad in my.log\n"
	      "INSNS    % SUM % DISTINCT SAFE POPS LINE        SOURCE\n"
	      "    2 66.7  66.7        2    0    0 bad.bpf.c:7 int bad(void *ctx)\n"
	      "    1 33.3 100.0        1    0    0 bad.bpf.c:9 return *p;\n"
	      "all 3 processed instructions are in the log: 3 executed, 0 pruned\n"
	      "\n"
	      "cut in my.log\n"
	      "INSNS     % SUM % DISTINCT SAFE POPS SOURCE\n"
	      "    2 100.0 100.0        2    0    0 int bad(void *ctx)\n"
	      "2 instructions are in the log, which does not say how many there were: 2 executed, "
	      "0 pruned\n");
}

/* A part of the log: how much that is. Instructions without a line have their place, too. */
static void test_source_part(void **state)
{
	const struct render_log_program part = program(
		"p", "1: (b7) r1 = 0\n"
		     "2: (b7) r1 = 0\n"
		     "; many @ a.c:9\n"
		     "3: (b7) r1 = 0\n"
		     "4: (b7) r1 = 0\n"
		     "5: (b7) r1 = 0\n"
		     "; few @ a.c:8\n"
		     "6: (b7) r1 = 0\n"
		     "7: safe\n"
		     "processed 70 insns (limit 1000000) max_states_per_insn 1 "
		     "total_states 9 peak_states 8 mark_read 3\n");

	(void)state;
	check(source(&part, 1, NULL, 0),
	      "INSNS    % SUM % DISTINCT SAFE POPS LINE  SOURCE\n"
	      "    3 50.0  50.0        3    0    0 a.c:9 many\n"
	      "    2 33.3  83.3        2    1    0 -     (no line is known)\n"
	      "    1 16.7 100.0        1    0    0 a.c:8 few\n"
	      "7 of 70 processed instructions are in the log (10.0 %): 6 executed, 1 pruned\n");
	check(source(&part, 1, "line", 0),
	      "INSNS    % SUM % DISTINCT SAFE POPS LINE  SOURCE\n"
	      "    1 16.7 100.0        1    0    0 a.c:8 few\n"
	      "    3 50.0  50.0        3    0    0 a.c:9 many\n"
	      "    2 33.3  83.3        2    1    0 -     (no line is known)\n"
	      "7 of 70 processed instructions are in the log (10.0 %): 6 executed, 1 pruned\n");
}

/* Nothing of a log reaches a terminal as it is. */
static void test_escapes(void **state)
{
	struct render_log_program p = program("x", "; \033]0;owned\007 @ \033[2J.c:3\n"
						   "0: (95) exit\n"
						   "R1 \033[31m invalid mem access\n"
						   "processed 1 insns (limit 1)\n");
	struct render_log_program two[2];
	char *text;

	(void)state;
	p.log.program = KT_TEXT("\033[1m\x9b");
	two[0] = two[1] = p;
	for (size_t width = 0; width <= 80; width += 80) {
		text = stats(&p, 1, NULL, width);
		assert_null(strpbrk(text, "\033\007\x9b"));
		free(text);
		text = source(two, 2, NULL, width);
		assert_null(strpbrk(text, "\033\007\x9b"));
		assert_non_null(strstr(text, "\\x1b]0;"));
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stats),       cmocka_unit_test(test_stack),
		cmocka_unit_test(test_files),       cmocka_unit_test(test_width),
		cmocka_unit_test(test_sort),        cmocka_unit_test(test_unknown_key),
		cmocka_unit_test(test_csv),         cmocka_unit_test(test_source),
		cmocka_unit_test(test_source_part), cmocka_unit_test(test_escapes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
