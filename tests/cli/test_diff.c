// SPDX-License-Identifier: LGPL-2.1-or-later
/* ktstr-gdb diff, in a shell: two files in, a table out, an exit status. */
#include "tests/cli/shell.h"

static void put_text(const char *name, const char *text)
{
	put_file(name, text, strlen(text));
}

#define DOCUMENT(release, programs, rest)                                                          \
	"{\"schema\": \"ktstr-gdb.programs.v1\", \"kernel\": {\"release\": \"" release             \
	"\"}, \"programs\": [" programs "]" rest "}"
#define PROGRAM(name, insns)                                                                       \
	"{\"name\": \"" name "\", \"type\": \"xdp\", \"verified_insns\": " insns "}"

#define FAILED                                                                                     \
	", \"failed\": [{\"object\": \"x.bpf.o\", \"name\": \"breaks\", \"errno\": 22, "           \
	"\"log\": \"\"}]"

static int put_results(void **state)
{
	if (empty_dir(state))
		return -1;
	put_text("a.json",
		 DOCUMENT("6.12",
			  PROGRAM("grows", "100") "," PROGRAM("stays", "7") "," PROGRAM(
				  "breaks", "26") "," PROGRAM("gone", "5") "," PROGRAM("old",
										       "null"),
			  ""));
	put_text("b.json", DOCUMENT("6.12",
				    PROGRAM("stays", "7") "," PROGRAM("grows", "150") "," PROGRAM(
					    "new", "3") "," PROGRAM("old", "1"),
				    FAILED));
	return 0;
}

#define TABLE                                                                                      \
	"PROGRAM a.json b.json   DELTA      %\n"                                                   \
	"grows      100    150     +50 +50.0%\n"                                                   \
	"stays        7      7       0   0.0%\n"                                                   \
	"breaks      26      -  failed      -\n"                                                   \
	"gone         5      - removed      -\n"                                                   \
	"old          -      1       -      -\n"                                                   \
	"new          -      3   added      -\n"                                                   \
	"FAILED in B, passed in A: breaks (xdp)\n"

static void test_table(void **state)
{
	(void)state;
	assert_out_text(sh("\"$T\" diff \"$D/a.json\" \"$D/b.json\""), TABLE);
	assert_int_equal(result.err.len, 0);
	/* Options may come last, or first; a file may come on standard input, and compressed. */
	assert_out_text(sh("\"$T\" diff --label-a a.json - \"$D/b.json\" --label-b=b.json "
			   "< \"$D/a.json\""),
			TABLE);
	assert_out_text(sh("gzip \"$D/b.json\" && \"$T\" diff --label-b b.json \"$D/a.json\" "
			   "\"$D/b.json.gz\""),
			TABLE);
}

/* Any number that the verifier counts, of a document and of veristat's CSV alike. */
static void test_number(void **state)
{
	(void)state;
	put_text("n.json",
		 "{\"schema\": \"ktstr-gdb.programs.v1\", \"programs\": [{\"name\": \"p\", "
		 "\"verified_insns\": 9, \"total_states\": 3, \"stack_depth\": null}]}");
	put_text("n.csv", "file_name,prog_name,verdict,total_insns,total_states\n"
			  "a.o,p,success,9,7\n");
	assert_out_text(sh("\"$T\" diff --number total_states \"$D/n.json\" \"$D/n.csv\""),
			"PROGRAM n.json n.csv DELTA       %\n"
			"p            3     7    +4 +133.3%\n");
	assert_out_text(sh("\"$T\" diff --number stack --csv \"$D/n.json\" \"$D/n.csv\""),
			"name,type,a,b,delta,delta_pct,status\np,,,,,,unknown\n");
	tool_refused(RUN("diff", "a", "b", "--number", "tag"), 2, "total_states, peak_states");
}

static void assert_head(const char *options, const char *head)
{
	char command[256];

	snprintf(command, sizeof(command), "\"$T\" diff %s | head -n 1", options);
	assert_out(sh(command), head, strlen(head));
}

/* What they differ in is what they are called by. */
static void test_labels(void **state)
{
	(void)state;
	put_text("c.json", DOCUMENT("7.0", PROGRAM("p", "1"), ""));
	put_text("d.json", DOCUMENT("7.0", PROGRAM("p", "1"),
				    ", \"run\": {\"scheduler\": \"/usr/bin/scx_a\"}"));
	put_text("e.json",
		 DOCUMENT("6.12", PROGRAM("p", "1"), ", \"run\": {\"scheduler\": \"scx_b\"}"));
	sh("mkdir \"$D/old\" && cp \"$D/c.json\" \"$D/old\"");
	assert_head("\"$D/a.json\" \"$D/c.json\" --filter name=p", "PROGRAM 6.12 7.0 DELTA %\n");
	assert_head("\"$D/d.json\" \"$D/e.json\"", "PROGRAM scx_a 7.0 scx_b 6.12 DELTA    %\n");
	assert_head("\"$D/c.json\" \"$D/d.json\"", "PROGRAM c.json d.json DELTA    %\n");
	assert_head("\"$D/c.json\" \"$D/c.json\" --label-a x --label-b x",
		    "PROGRAM x (A) x (B) DELTA    %\n");
	assert_head("\"$D/c.json\" \"$D/d.json\" --label-b new", "PROGRAM c.json new DELTA    %\n");
	assert_out_text(sh("T=$(realpath \"$T\") && cd \"$D\" && \"$T\" diff old/c.json c.json"),
			"PROGRAM old/c.json c.json DELTA    %\n"
			"p                1      1     0 0.0%\n");
}

static void test_filter_and_sort(void **state)
{
	(void)state;
	assert_out_text(sh("\"$T\" diff \"$D/a.json\" \"$D/b.json\" --filter 'delta > 5' "
			   "--filter 'name=g*'"),
			"PROGRAM a.json b.json  DELTA      %\n"
			"grows      100    150    +50 +50.0%\n"
			"breaks      26      - failed      -\n"
			"FAILED in B, passed in A: breaks (xdp)\n");
	assert_out_text(sh("\"$T\" diff \"$D/b.json\" \"$D/a.json\" --sort -name "
			   "--filter 'status!=added'"),
			"PROGRAM b.json a.json   DELTA      %\n"
			"stays        7      7       0   0.0%\n"
			"old          1      -       -      -\n"
			"new          3      - removed      -\n"
			"grows      150    100     -50 -33.3%\n"
			"breaks       -     26   fixed      -\n");
	sh("\"$T\" diff \"$D/a.json\" \"$D/a.json\" --filter status=added");
	assert_told(&result, 0, "no program is left by --filter, of 5 that were compared");
	assert_int_equal(result.out.len, 0);
	put_text("none.json", DOCUMENT("1", "", ""));
	assert_told(sh("\"$T\" diff \"$D/none.json\" \"$D/none.json\""), 0,
		    "there is no program in A, nor in B");
}

static void test_csv_and_json(void **state)
{
	(void)state;
	assert_out_text(sh("\"$T\" diff \"$D/a.json\" \"$D/b.json\" --csv --sort b"),
			"name,type,a,b,delta,delta_pct,status\n"
			"grows,xdp,100,150,50,50,changed\n"
			"stays,xdp,7,7,0,0,unchanged\n"
			"new,xdp,,3,,,added\n"
			"old,xdp,,1,,,unknown\n"
			"breaks,xdp,26,,,,failed\n"
			"gone,xdp,5,,,,removed\n");
	sh("\"$T\" diff \"$D/a.json\" \"$D/b.json\" --json --filter status=removed");
	assert_int_equal(result.status, 0);
	assert_true(HAS(result.out, "\"schema\": \"ktstr-gdb.diff.v1\""));
	assert_true(HAS(result.out, "\"label\": \"b.json\""));
	assert_true(HAS(result.out, "\"name\": \"gone\""));
	assert_true(HAS(result.out, "\"regressions\": [\n    {\n      \"name\": \"breaks\""));
	assert_false(HAS(result.out, "\"name\": \"grows\""));
}

static void test_color(void **state)
{
	(void)state;
	sh("\"$T\" diff \"$D/a.json\" \"$D/b.json\" --color always");
	assert_true(HAS(result.out, "\033[31m"));
	tty("\"$T\" diff \"$D/a.json\" \"$D/b.json\"", NULL, NULL);
	assert_true(HAS(result.out, "\033[31m"));
	tty("NO_COLOR=1 \"$T\" diff \"$D/a.json\" \"$D/b.json\"", NULL, NULL);
	assert_false(HAS(result.out, "\033["));
	/* What a file has in it does not get to the terminal. */
	put_text("evil.json", DOCUMENT("\\u001b[31m\\n", PROGRAM("\\u001b]0;x\\u0007", "5"), ""));
	tty("NO_COLOR=1 \"$T\" diff \"$D/a.json\" \"$D/evil.json\" --fail-on status=added", NULL,
	    NULL);
	assert_int_equal(result.status, 1);
	assert_false(HAS(result.out, "\033"));
	assert_false(HAS(result.out, "\007"));
}

static void test_fail_on(void **state)
{
	(void)state;
	/* Whatever changed: without a rule that is no failure. */
	assert_int_equal(sh("\"$T\" diff \"$D/a.json\" \"$D/b.json\"")->status, 0);
	/* Any rule will do, whatever is shown, and what broke breaks all of them. */
	sh("\"$T\" diff \"$D/a.json\" \"$D/b.json\" --filter name=nothing --fail-on 'delta>999' "
	   "--fail-on 'delta_pct >= 50%'");
	assert_int_equal(result.status, 1);
	assert_string_equal(result.err.data,
			    "ktstr-gdb: --fail-on delta_pct >= 50%: grows (xdp): 100 -> 150, +50, "
			    "+50.0%\n"
			    "ktstr-gdb: --fail-on: breaks (xdp) failed in B, passed in A\n");
	assert_told(sh("\"$T\" diff \"$D/a.json\" \"$D/b.json\" --fail-on 'delta>999' --csv"), 1,
		    "breaks (xdp) failed in B, passed in A");
	assert_true(HAS(result.out, "grows,xdp,100,150,"));
	assert_told(sh("\"$T\" diff \"$D/a.json\" \"$D/b.json\" --fail-on 'delta>999' --json"), 1,
		    "breaks (xdp) failed in B, passed in A");
	/* What is better, or not known, breaks no rule. */
	sh("\"$T\" diff \"$D/b.json\" \"$D/a.json\" --fail-on 'delta>0' --fail-on 'delta_pct>0'");
	assert_int_equal(result.status, 0);
	assert_int_equal(result.err.len, 0);
	sh("\"$T\" diff \"$D/b.json\" \"$D/a.json\" --fail-on 'status=removed'");
	assert_told(&result, 1, "--fail-on status=removed: new (xdp): 3 -> -, removed");
}

/* The first ten, and how many there are. */
static void test_many_fail(void **state)
{
	struct kt_buf a = KT_BUF_INIT, b = KT_BUF_INIT;

	(void)state;
	for (int i = 0; i < 10000; i++) {
		const char *comma = i ? ","
				      : "{\"schema\": \"ktstr-gdb.programs.v1\", \"programs\": [";

		kt_buf_printf(&a, "%s" PROGRAM("p%d", "10"), comma, i);
		kt_buf_printf(&b, "%s" PROGRAM("p%d", "11"), comma, i);
	}
	kt_buf_appends(&a, "]}");
	kt_buf_appends(&b, "]}");
	put_file("a", a.data, a.len);
	put_file("b", b.data, b.len);
	kt_buf_deinit(&a);
	kt_buf_deinit(&b);
	assert_out_text(sh("\"$T\" diff \"$D/a\" \"$D/b\" | wc -l"), "10001\n");
	sh("\"$T\" diff \"$D/a\" \"$D/b\" --fail-on 'delta>0' 2>&1 > \"$D/out\" | grep -c p");
	assert_memory_equal(result.out.data, "10\n", 3);
	sh("\"$T\" diff \"$D/a\" \"$D/b\" --fail-on 'delta>0' --csv --filter 'a=0'");
	assert_int_equal(result.status, 1);
	assert_true(HAS(result.err, "p9 (xdp): 10 -> 11, +1, +10.0%\n"
				    "ktstr-gdb: --fail-on: and 9990 more\n"));
}

/* A run that failed loaded nothing that could be compared: that is not the absence of changes. */
static void test_run_failed(void **state)
{
	(void)state;
	put_text("pass.json", DOCUMENT("6.12", PROGRAM("p", "1"), ", \"run\": {\"passed\": true}"));
	put_text("fail.json",
		 DOCUMENT("6.12", "",
			  ", \"run\": {\"passed\": false, \"verdict\": \"timed out\"}"));
	assert_told(sh("\"$T\" diff \"$D/pass.json\" \"$D/fail.json\""), 0,
		    "B (fail.json) failed: timed out");
	assert_told(sh("\"$T\" diff \"$D/pass.json\" \"$D/fail.json\" --fail-on 'delta>0'"), 1,
		    "--fail-on: the run failed in B, passed in A: timed out");
	assert_told(sh("\"$T\" diff \"$D/fail.json\" \"$D/pass.json\" --fail-on 'delta>0'"), 0,
		    "A (fail.json) failed: timed out");
}

static void test_usage(void **state)
{
	(void)state;
	tool_refused(RUN("diff"), 2,
		     "two results are compared, and 0 given; ktstr-gdb diff A.json");
	tool_refused(RUN("diff", "a"), 2, "and 1 given");
	tool_refused(RUN("diff", "a", "b", "c"), 2, "and 3 given");
	tool_refused(RUN("diff", "-", "-"), 2, "standard input can be A or B, not both");
	tool_refused(RUN("diff", "a", "b", "--json", "--csv"), 2, "--json and --csv: one of them");
	tool_refused(RUN("diff", "a", "b", "--sort", "nope"), 2, "--sort: no column \"nope\"");
	tool_refused(RUN("diff", "a", "b", "--filter", "x>1"), 2, "--filter: no key \"x\"");
	tool_refused(RUN("diff", "a", "b", "--fail-on", "a>x"), 2, "--fail-on: \"x\" in \"a>x\"");
	tool_refused(RUN("diff", "a", "b", "--color", "maybe"), 2, "auto, always or never");
	tool_refused(RUN("diff", "a", "b", "--bogus"), 2, "diff has no option --bogus");
	tool_refused(RUN("diff", "a", "b", "--fail-on"), 2, "--fail-on needs an argument: EXPR");
	assert_non_null(strstr(RUN("diff", "--help")->out, "--fail-on 'delta_pct > 10"));
	assert_non_null(strstr(RUN("--help")->out, "ktstr-gdb diff A.json B.json"));
}

static void refused(const char *a, const char *b, const char *words)
{
	char command[256];

	snprintf(command, sizeof(command), "T=$(realpath \"$T\") && cd \"$D\" && \"$T\" diff %s %s",
		 a, b);
	assert_told(sh(command), 3, words);
	assert_int_equal(result.out.len, 0);
}

static void test_cannot_read(void **state)
{
	(void)state;
	put_text("empty", "");
	put_text("text", "not JSON\n");
	put_text("other", "{\"schema\": \"ktstr-gdb.log.v1\"}");
	put_text("bad", DOCUMENT("1", PROGRAM("p", "-5"), ""));
	sh("head -c 100 \"$D/a.json\" > \"$D/cut\"; gzip < \"$D/a.json\" | head -c 60 > \"$D/cut.gz\"");
	refused("a.json", "missing", "cannot open missing: No such file");
	refused("missing", "a.json", "cannot open missing: No such file");
	refused("a.json", ".", ". is a directory");
	refused("a.json", "empty", "empty is empty; `ktstr-gdb collect ... --save FILE` makes");
	refused("a.json", "- < empty", "standard input is empty");
	refused("a.json", "text", "text is not JSON, or not whole: line 1");
	refused("a.json", "other", "other is a \"ktstr-gdb.log.v1\"; what can be compared");
	refused("a.json", "cut", "cut is not JSON, or not whole: line 1, column ");
	refused("a.json", "cut.gz", "cut.gz is truncated or damaged");
	refused("a.json", "bad", "bad is damaged: programs[0]: \"verified_insns\" is -5");
	refused("a.json", "/dev/null", "/dev/null is empty");
	sh("\"$T\" diff \"$D/a.json\" \"$D/b.json\" > /dev/full");
	assert_told(&result, 3, "cannot write the result to stdout");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_table, put_results),
		cmocka_unit_test_setup(test_number, empty_dir),
		cmocka_unit_test_setup(test_labels, put_results),
		cmocka_unit_test_setup(test_filter_and_sort, put_results),
		cmocka_unit_test_setup(test_csv_and_json, put_results),
		cmocka_unit_test_setup(test_color, put_results),
		cmocka_unit_test_setup(test_fail_on, put_results),
		cmocka_unit_test_setup(test_many_fail, empty_dir),
		cmocka_unit_test_setup(test_run_failed, empty_dir),
		cmocka_unit_test(test_usage),
		cmocka_unit_test_setup(test_cannot_read, put_results),
	};
	int failed;

	shell_begin();
	failed = cmocka_run_group_tests_name("cli diff", tests, NULL, NULL);
	shell_end();
	return failed;
}
