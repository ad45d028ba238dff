// SPDX-License-Identifier: LGPL-2.1-or-later
/* Errors of logs for editors and CI services: the places, and that a log cannot make up others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include <jansson.h>

#include "render/log_format.h"
#include "tests/logparse/wrappings.h"
#include "tests/render/logs.h"
#include "util/buf.h"
#include "util/cleanup.h"

/* Linux 6.12. The branch is at insn 3, and is taken up when the way past it is through. */
#define BRANCHED                                                                                   \
	"0: R1=ctx() R10=fp0\n"                                                                    \
	"; k = 1; @ two.bpf.c:4\n"                                                                 \
	"0: (b7) r2 = 1                        ; R2_w=1\n"                                         \
	"; v = bpf_map_lookup_elem(&m, &k); @ two.bpf.c:5\n"                                       \
	"1: (85) call bpf_map_lookup_elem#1    ; R0_w=map_value_or_null(id=1,map=m,ks=4,vs=4)\n"   \
	"2: (bf) r6 = r0                       ; R0_w=map_value_or_null(id=1,map=m,ks=4,vs=4) "    \
	"R6_w=map_value_or_null(id=1,map=m,ks=4,vs=4)\n"                                           \
	"; if (k == 2) @ two.bpf.c:6\n"                                                            \
	"3: (15) if r7 == 0x2 goto pc+2        ; R7_w=scalar()\n"                                  \
	"4: (b7) r0 = 0                        ; R0_w=0\n"                                         \
	"5: (95) exit\n"                                                                           \
	"\n"                                                                                       \
	"from 3 to 6: R6=map_value_or_null(id=1,map=m,ks=4,vs=4) R7=2 R10=fp0\n"                   \
	"; return *v; @ two.bpf.c:9\n"                                                             \
	"6: (61) r0 = *(u32 *)(r6 +0)\n"                                                           \
	"R6 invalid mem access 'map_value_or_null'\n"                                              \
	"processed 7 insns (limit 1000000) max_states_per_insn 0 total_states 1 peak_states 1 "    \
	"mark_read 0\n"

typedef struct kt_error *render_fn(const struct render_log_program *programs, size_t n,
				   const struct render_log_format_options *options, char **ret);

/* What a format makes of logs; no control character is in it. */
static char *rendered(render_fn *fn, const struct render_log_program *programs, size_t n)
{
	char *text;

	assert_null(fn(programs, n, NULL, &text));
	for (const char *p = text; *p; p++)
		assert_true((unsigned char)*p >= ' ' || *p == '\n');
	return text;
}

static void check_has(const char *text, const char *wanted)
{
	if (!strstr(text, wanted))
		fail_msg("no \"%s\" in:\n%s", wanted, text);
}

static void check_begins(const char *text, const char *wanted)
{
	if (strncmp(text, wanted, strlen(wanted)) != 0)
		fail_msg("no \"%s\" at the beginning of:\n%s", wanted, text);
}

static size_t count_lines(const char *text)
{
	return kt_text_count_lines((struct kt_text){text, strlen(text)});
}

/* --- gcc --- */

static void test_gcc(void **state)
{
	struct render_log_program one = program("reader", BRANCHED);
	_cleanup_free_ char *text = rendered(render_log_gcc, &one, 1);

	(void)state;
	check_begins(text, "two.bpf.c:9:1: error: reader: "
			   "R6 invalid mem access 'map_value_or_null' [null-check]\n");
	/* Where to look in the log, where the register comes from, and the path's branch. */
	check_has(text, "\nmy.log:14:1: note: insn 6: (61) r0 = *(u32 *)(r6 +0)\n");
	check_has(text, "\ntwo.bpf.c:5:1: note: R0, set at insn 1: (85) call ");
	check_has(text, "\ntwo.bpf.c:6:1: note: the path since the branch from 3 to 6, 1 instr");
	check_has(text, "\ntwo.bpf.c:9:1: note: Reason: ");
	check_has(text, "\ntwo.bpf.c:9:1: note: What to do: ");
}

/* Up to 6.3 a source line has no number, and the place is in the log. */
static void test_gcc_no_source(void **state)
{
	static const char log[] = "0: R1=ctx(off=0,imm=0) R10=fp0\n"
				  "; return *p;\n"
				  "0: (61) r0 = *(u32 *)(r7 +0)\n"
				  "R7 !read_ok\n"
				  "processed 1 insns (limit 1000000) max_states_per_insn 0 "
				  "total_states 0 peak_states 0 mark_read 0\n";
	struct render_log_program one = program("p", log);
	_cleanup_free_ char *text = rendered(render_log_gcc, &one, 1), *in;

	(void)state;
	check_has(text, "my.log:4:1: error: p: R7 !read_ok [");
	check_has(text, "my.log:3:1: note: insn 0: (61) r0 = *(u32 *)(r7 +0) ; return *p;\n");
	one.file = KT_TEXT("-");
	in = rendered(render_log_gcc, &one, 1);
	check_has(in, "<stdin>:4:1: error: p: R7 !read_ok [");
}

/* The line is one of the file, wherever in it the log is, and whichever log comes first. */
static void test_gcc_lines_of_the_file(void **state)
{
	static const char input[] = "loading\nBEGIN\n" FAILED "END\nBEGIN\n" FAILED "END\n";
	struct render_log_program both[2] = {program("a", ""), program("b", "")};
	const char *first = strstr(input, "0: R1"), *second = strstr(first + 5, "0: R1");

	(void)state;
	for (int order = 0; order < 2; order++) {
		_cleanup_free_ char *text = NULL;

		for (int i = 0; i < 2; i++) {
			both[i].log.trace.data = (i == order) ? first : second;
			both[i].log.trace.len = sizeof(FAILED) - 1;
			both[i].input = (struct kt_text){input, sizeof(input) - 1};
		}
		text = rendered(render_log_gcc, both, 2);
		/* The instruction is line 6 of FAILED, which has 8, and there are 2 before it. */
		check_has(text,
			  order ? "bad.bpf.c:9:1: error: a: R1 invalid mem access 'scalar' ["
				: "bad.bpf.c:9:1: error: b: R1 invalid mem access 'scalar' [");
		check_has(text, "\nmy.log:8:1: note: insn 2: ");
		check_has(text, "\nmy.log:18:1: note: insn 2: ");
	}
}

/* Of a log with something around its lines, the line of the file is the one with the instruction.
 */
static void test_gcc_wrapped(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_WRAPPINGS; i++) {
		_cleanup_(kt_buf_deinit) struct kt_buf input = KT_BUF_INIT;
		_cleanup_free_ char *text = NULL;
		struct render_log_program one = program("p", "");
		struct kt_text rest, line = {NULL, 0};
		struct kt_unwrapped *unwrapped;
		unsigned int number;
		const char *note;

		kt_buf_appends(&input, "Starting the agent\nand more\n");
		wrap_log(&input, KT_TEXT(BRANCHED), &wrapping_kinds[i]);
		one.input = rest = (struct kt_text){input.data, input.len};
		assert_null(kt_unwrap(one.input, &unwrapped));
		assert_non_null(unwrapped);
		one.wrapped = unwrapped;
		one.log.trace = kt_unwrapped_text(unwrapped);
		text = rendered(render_log_gcc, &one, 1);
		check_has(text, "two.bpf.c:9:1: error: p: R6 invalid mem access");
		note = strstr(text, "my.log:");
		assert_non_null(note);
		assert_int_equal(sscanf(note, "my.log:%u:", &number), 1);
		for (unsigned int n = 0; n < number; n++)
			assert_true(kt_text_next_line(&rest, &line));
		if (!memmem(line.data, line.len, "6: (61) r0 ", 11))
			fail_msg("%s: line %u", wrapping_kinds[i].name, number);
		kt_unwrapped_destroy(unwrapped);
	}
}

/* Since 7.3 the log has the column. */
static void test_gcc_column(void **state)
{
	static const char explained[] = "0: R1=ctx() R10=fp0\n"
					"; return *p; @ col.bpf.c:8\n"
					"0: (61) r0 = *(u32 *)(r7 +0)\n"
					"R7 !read_ok\n"
					"\n"
					"Verification failed: Register Type Safety: No value\n"
					"\n"
					"Reason:\n"
					"  R7 holds nothing.\n"
					"\n"
					"At:\n"
					"  p @ col.bpf.c:8:%s\n"
					"  Source context:\n"
					"  >>> 8 | return *p;\n"
					"\n"
					"processed 1 insns (limit 1000000) max_states_per_insn 0 "
					"total_states 0 peak_states 0 mark_read 0\n";
	static const struct {
		const char *printed, *wanted;
	} cases[] = {
		{"10", "col.bpf.c:8:10: error: p: "},
		{"0", "col.bpf.c:8:1: error: p: "},
		{"", "col.bpf.c:8:1: error: p: "},
		{"9x", "col.bpf.c:8:1: error: p: "},
		{"99999999999999999999", "col.bpf.c:8:1: error: p: "},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_free_ char *log = NULL, *text = NULL;
		struct render_log_program one;

		assert_true(asprintf(&log, explained, cases[i].printed) > 0);
		one = program("p", log);
		text = rendered(render_log_gcc, &one, 1);
		check_has(text, cases[i].wanted);
	}
}

/* --- no error --- */

static void test_outcomes(void **state)
{
	struct render_log_program all[] = {program("good", PASSED), program("cut", CUT),
					   program("none", "nothing to see\n")};
	_cleanup_free_ char *gcc = rendered(render_log_gcc, all, 3);
	_cleanup_free_ char *github = rendered(render_log_github, all, 3);
	_cleanup_free_ char *passed = rendered(render_log_gcc, all, 1);

	(void)state;
	assert_string_equal(passed, "");
	assert_null(strstr(gcc, "good"));
	assert_null(strstr(gcc, "error: "));
	check_has(gcc, "my.log:4:1: warning: cut: the log ends before the error");
	check_has(gcc, "my.log:1:1: note: none: there is no verifier log [no-log]\n");
	assert_int_equal(count_lines(github), 2);
	check_begins(github, "::warning file=my.log,line=4,title=cut%3A cut-log::the ");
	check_has(github, "\n::notice file=my.log,line=1,title=none%3A no-log::there is no ");
}

/* The log passes, and its loader says that the load failed; and a log of which it left out lines.
 */
static void test_loader(void **state)
{
	struct render_log_program one = program("p", PASSED);
	_cleanup_free_ char *failed = NULL, *left_out = NULL;

	(void)state;
	one.log.loader.failed = true;
	one.log.loader.error = 524;
	one.log.loader.said = KT_TEXT("libbpf: prog 'p': failed to load: -524\033[m");
	failed = rendered(render_log_gcc, &one, 1);
	check_begins(failed, "my.log:1:1: error: p: the load failed with ENOTSUPP (524), and ");
	check_has(failed, " [load-failed]\nmy.log:1:1: note: the loader says: libbpf: prog 'p': "
			  "failed to load: -524\\x1b[m\n");
	check_has(failed, "note: Reason: The verifier accepted the program. ");
	one = program("p", FAILED);
	one.log.loader.left_out = 12;
	left_out = rendered(render_log_gcc, &one, 1);
	check_has(left_out, "note: the loader left out 12 lines of the log\n");
}

/* --- GitHub --- */

static void test_github(void **state)
{
	struct render_log_program one = program("reader", BRANCHED);
	_cleanup_free_ char *text = rendered(render_log_github, &one, 1);

	(void)state;
	assert_int_equal(count_lines(text), 1);
	check_begins(text, "::error file=two.bpf.c,line=9,title=reader%3A null-check::"
			   "R6 invalid mem access 'map_value_or_null'%0A"
			   "my.log:14: insn 6: (61) r0 = *(u32 *)(r6 +0)%0Atwo.bpf.c:5: R6=map");
	check_has(text, "%0AReason: ");
	check_has(text, "%0AWhat to do: ");
}

/* What the runner unescapes: https://docs.github.com, "Workflow commands". */
static void test_github_escapes(void **state)
{
	static const char log[] = "0: R1=ctx() R10=fp0\n"
				  "0: (61) r0 = *(u32 *)(r7 +0)\n"
				  "R7 is 100%, a::b,c\n" /* no message of a kernel */
				  "and %0A is no newline\n"
				  "processed 1 insns (limit 1000000) max_states_per_insn 0 "
				  "total_states 0 peak_states 0 mark_read 0\n";
	struct render_log_program one = program("p%0A::x,y", log);
	_cleanup_free_ char *text = NULL;

	(void)state;
	one.file = KT_TEXT("logs/a,b:c\n::error::%.log");
	text = rendered(render_log_github, &one, 1);
	assert_int_equal(count_lines(text), 1);
	check_begins(text, "::error file=logs/a%2Cb%3Ac%0A%3A%3Aerror%3A%3A%25.log,line=3,"
			   "title=p%250A%3A%3Ax%2Cy%3A ");
	check_has(text, "::R7 is 100%25, a::b,c%0Aand %250A is no newline%0A");
	one.file = KT_TEXT("-");
	free(text);
	text = rendered(render_log_github, &one, 1);
	check_begins(text, "::error title=");
}

/* --- SARIF --- */

static json_t *sarif_run(const struct render_log_program *programs, size_t n,
			 const struct render_log_format_options *options)
{
	_cleanup_free_ char *text = NULL;
	json_error_t error;
	json_t *root, *run;

	assert_null(render_log_sarif(programs, n, options, &text));
	root = json_loads(text, JSON_REJECT_DUPLICATES, &error);
	if (!root)
		fail_msg("%s: %s", error.text, text);
	assert_string_equal(json_string_value(json_object_get(root, "version")), "2.1.0");
	assert_int_equal(json_array_size(json_object_get(root, "runs")), 1);
	run = json_incref(json_array_get(json_object_get(root, "runs"), 0));
	json_decref(root);
	return run;
}

static json_t *result_of(const json_t *run, size_t i)
{
	return json_array_get(json_object_get(run, "results"), i);
}

/* "two.bpf.c:9" of an object with a physical location. */
static void check_location(const json_t *object, const char *wanted)
{
	const char *uri = NULL;
	char *got;
	int line = 0;

	assert_int_equal(json_unpack((json_t *)(uintptr_t)object, "{s:{s:{s:s}, s:{s:i}}}",
				     "physicalLocation", "artifactLocation", "uri", &uri, "region",
				     "startLine", &line),
			 0);
	assert_true(asprintf(&got, "%s:%d", uri, line) > 0);
	assert_string_equal(got, wanted);
	free(got);
}

static void test_sarif(void **state)
{
	struct render_log_program two[] = {program("good", PASSED), program("reader", BRANCHED)};
	json_t *run = sarif_run(two, 2, NULL), *result = result_of(run, 0), *steps = NULL;
	static const char *const flow[] = {"two.bpf.c:5", "two.bpf.c:5", "two.bpf.c:6",
					   "two.bpf.c:9"};
	static const char *const words[] = {"set at insn 1:", "copied from R0 at insn 2:",
					    "from 3 to 6", "R6 invalid mem access"};
	json_t *rule = NULL;
	const char *id = NULL, *name = NULL, *level = NULL;
	int index = -1, successful = 0;

	(void)state;
	assert_int_equal(json_array_size(json_object_get(run, "results")), 1);
	assert_int_equal(json_unpack(result, "{s:s, s:i, s:s, s:[{s:[{s:s}]}]}", "ruleId", &id,
				     "ruleIndex", &index, "level", &level, "locations",
				     "logicalLocations", "name", &name),
			 0);
	assert_string_equal(id, "null-check");
	assert_string_equal(level, "error");
	assert_string_equal(name, "reader");
	check_location(json_array_get(json_object_get(result, "locations"), 0), "two.bpf.c:9");
	assert_int_equal(json_unpack(run, "{s:{s:{s:s, s:o}}, s:[{s:b}]}", "tool", "driver", "name",
				     &name, "rules", &rule, "invocations", "executionSuccessful",
				     &successful),
			 0);
	assert_true(successful);
	assert_int_equal(json_array_size(rule), 1);
	rule = json_array_get(rule, (size_t)index);
	assert_string_equal(json_string_value(json_object_get(rule, "id")), id);
	assert_int_equal(json_unpack(rule, "{s:{s:s}, s:{s:s}}", "shortDescription", "text", &name,
				     "help", "text", &name),
			 0);
	/* As it was executed: the log's order, and not that in which --last looks for them. */
	assert_int_equal(json_unpack(result, "{s:[{s:[{s:o}]}]}", "codeFlows", "threadFlows",
				     "locations", &steps),
			 0);
	assert_int_equal(json_array_size(steps), sizeof(flow) / sizeof(flow[0]));
	for (size_t i = 0; i < sizeof(flow) / sizeof(flow[0]); i++) {
		json_t *where = json_object_get(json_array_get(steps, i), "location");

		check_location(where, flow[i]);
		assert_int_equal(json_unpack(where, "{s:{s:s}}", "message", "text", &name), 0);
		check_has(name, words[i]);
	}
	json_decref(run);
}

/* Nothing wrong: no result, but a run. No log: no result either, since nothing is known. */
static void test_sarif_nothing(void **state)
{
	struct render_log_format_options incomplete = {.incomplete = true};
	struct render_log_program two[] = {program("good", PASSED), program("none", "words\n")};
	json_t *run = sarif_run(two, 1, NULL), *invocation;
	const char *level = NULL;

	(void)state;
	assert_true(json_is_array(json_object_get(run, "results")));
	assert_int_equal(json_array_size(json_object_get(run, "results")), 0);
	json_decref(run);
	run = sarif_run(two, 2, &incomplete);
	assert_int_equal(json_array_size(json_object_get(run, "results")), 0);
	invocation = json_array_get(json_object_get(run, "invocations"), 0);
	assert_false(json_boolean_value(json_object_get(invocation, "executionSuccessful")));
	assert_int_equal(json_unpack(invocation, "{s:[{s:s}]}", "toolExecutionNotifications",
				     "level", &level),
			 0);
	assert_string_equal(level, "note");
	json_decref(run);
}

/* RFC 3986: a path is relative as it is, and what could begin a scheme or a query is encoded. */
static void test_sarif_uri(void **state)
{
	static const struct {
		const char *file, *wanted;
	} cases[] = {
		{"logs/my log.txt", "logs/my%20log.txt:1"},
		{"../a:b?c#d%", "../a%3Ab%3Fc%23d%25:1"},
		{"/tmp/x.log", "file:///tmp/x.log:1"},
		{"//host/x.log", "file:///host/x.log:1"},
		{"gr\xc3\xbc\xc3\x9f\n\xff", "gr%C3%BC%C3%9F%0A%FF:1"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct render_log_program one = program("p", "back-edge from insn 7 to 9\n");
		json_t *run;

		one.file = (struct kt_text){cases[i].file, strlen(cases[i].file)};
		one.log.trace = KT_TEXT("back-edge from insn 7 to 9\n"
					"processed 0 insns (limit 1000000) max_states_per_insn 0 "
					"total_states 0 peak_states 0 mark_read 0\n");
		run = sarif_run(&one, 1, NULL);
		check_location(json_array_get(json_object_get(result_of(run, 0), "locations"), 0),
			       cases[i].wanted);
		json_decref(run);
	}
}

/* --- hostile logs --- */

/* A log whose source line has this place. */
static char *log_at(const char *place, size_t len)
{
	struct kt_buf log = KT_BUF_INIT;

	kt_buf_appends(&log, "0: R1=ctx() R10=fp0\n; x @ ");
	kt_buf_append(&log, place, len);
	kt_buf_appends(&log, ":7\n0: (61) r0 = *(u32 *)(r7 +0)\nR7 !read_ok\nprocessed 1 insns "
			     "(limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 "
			     "mark_read 0\n");
	assert_false(kt_buf_failed(&log));
	return kt_buf_steal(&log);
}

/* What cannot be a file name in each of the formats is none; then the log is the place. */
static void test_hostile_places(void **state)
{
	static const struct kt_text places[] = {
		KT_TEXT("a.c:1:1: error: x.c"),
		KT_TEXT("::error::x.c"),
		KT_TEXT("a\033[31mb.c"),
		KT_TEXT("a\rb.c"),
		KT_TEXT("a\0b.c"),
		KT_TEXT("a\xff.c"),
		KT_TEXT("x\"y.c"),
		KT_TEXT(" a.c"),
		KT_TEXT("a\xc2\x85.c"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		_cleanup_free_ char *log = log_at(places[i].data, places[i].len);
		size_t len = strlen("0: R1=ctx() R10=fp0\n; x @ ") + places[i].len;
		struct render_log_program one = program("p", log);
		_cleanup_free_ char *text = NULL;

		one.log.trace.len = len + strlen(log + len); /* with a NUL in it, too */
		text = rendered(render_log_gcc, &one, 1);
		check_begins(text, "my.log:4:1: error: p: R7 !read_ok [");
	}
}

/* Each line begins with a place and a level that are ours, whatever is in the log. */
static void test_hostile_text(void **state)
{
	static const char log[] =
		"0: R1=ctx() R10=fp0\n"
		"; x\r @ good.bpf.c:7\n"
		"0: (61) r0 = *(u32 *)(r7 +0)\r::error::no\n"
		"R7 is \"evil.c\":9: x\033]0;title\007\r\nevil.c:1:1: error: no\n::error::no\n"
		"processed 1 insns (limit 1000000) max_states_per_insn 0 total_states 0 "
		"peak_states 0 mark_read 0\n";
	struct render_log_program one = program("p\033[2J\"", log);
	_cleanup_free_ char *gcc = rendered(render_log_gcc, &one, 1);
	_cleanup_free_ char *github = rendered(render_log_github, &one, 1);
	struct kt_text rest = {gcc, strlen(gcc)}, line;
	json_t *run = sarif_run(&one, 1, NULL);

	(void)state;
	while (kt_text_next_line(&rest, &line))
		assert_true(kt_text_starts_with(line, KT_TEXT("good.bpf.c:7:1: ")) ||
			    kt_text_starts_with(line, KT_TEXT("my.log:")));
	assert_null(strchr(gcc, '"'));
	assert_int_equal(count_lines(github), 1);
	json_decref(run);
}

/* Text is cut, and not within a character; so a megabyte of it is some kilobytes of output. */
static void test_long(void **state)
{
	static const char tail[] = "\nprocessed 1 insns (limit 1000000) max_states_per_insn 0 "
				   "total_states 0 peak_states 0 mark_read 0\n";
	_cleanup_(kt_buf_deinit) struct kt_buf log = KT_BUF_INIT;
	_cleanup_(kt_buf_deinit) struct kt_buf name = KT_BUF_INIT;
	struct render_log_program one = program("p", "");
	_cleanup_free_ char *text = NULL, *at = NULL;

	(void)state;
	kt_buf_appends(&log, "0: R1=ctx() R10=fp0\n0: (61) r0 = *(u32 *)(r7 +0)\n");
	for (int line = 0; line < 50; line++) {
		kt_buf_appends(&log, "R7 is too ");
		for (int i = 0; i < 10000; i++)
			kt_buf_appends(&log, "\xe2\x82\xac");
		kt_buf_appends(&log, line < 49 ? "\n" : tail);
	}
	one.log.trace = (struct kt_text){log.data, log.len};
	text = rendered(render_log_gcc, &one, 1);
	assert_true(strlen(text) < 20000);
	check_has(text, "\xe2\x82\xac...");
	assert_null(strstr(text, "\\x"));
	/* Nor is a name of 5000 bytes the name of a file. */
	for (int i = 0; i < 5000; i++)
		kt_buf_appendc(&name, 'x');
	at = log_at(name.data, name.len);
	one = program("p", at);
	free(text);
	text = rendered(render_log_gcc, &one, 1);
	check_begins(text, "my.log:4:1: error: ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gcc),
		cmocka_unit_test(test_gcc_no_source),
		cmocka_unit_test(test_gcc_lines_of_the_file),
		cmocka_unit_test(test_gcc_wrapped),
		cmocka_unit_test(test_gcc_column),
		cmocka_unit_test(test_outcomes),
		cmocka_unit_test(test_loader),
		cmocka_unit_test(test_github),
		cmocka_unit_test(test_github_escapes),
		cmocka_unit_test(test_sarif),
		cmocka_unit_test(test_sarif_nothing),
		cmocka_unit_test(test_sarif_uri),
		cmocka_unit_test(test_hostile_places),
		cmocka_unit_test(test_hostile_text),
		cmocka_unit_test(test_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
