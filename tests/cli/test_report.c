// SPDX-License-Identifier: LGPL-2.1-or-later
/* ktstr-gdb report, in a shell: a directory in, tables and documents out, an exit status. */
#include "tests/cli/shell.h"

static void put_text(const char *name, const char *text)
{
	put_file(name, text, strlen(text));
}

#define RECORD(kernel, topology, passed, rest)                                                     \
	"{\"scheduler\": \"scx_a\", \"kernel\": \"" kernel "\", \"topology\": \"" topology         \
	"\", \"passed\": " passed ", \"stats\": [" rest "}"
#define INIT(insns) "{\"name\": \"a_init\", \"verified_insns\": " insns "}]"

static int put_results(void **state)
{
	if (empty_dir(state))
		return -1;
	sh("mkdir \"$D/r\" \"$D/old\"");
	put_text("r/1.json", RECORD("6.16", "8cpu", "true", INIT("120")));
	put_text("r/2.json", RECORD("6.9", "8cpu", "true", INIT("100")));
	put_text("r/3.json", RECORD("6.9", "4cpu", "false",
				    INIT("90") ", \"reason\": \"timed out\", \"log\": \"3.log\""));
	put_text("r/4.json",
		 RECORD("6.16", "4cpu", "false", "], \"skipped\": true, \"reason\": \"no CPUs\""));
	put_text("r/3.log", "<one>\n--- 2x of the following 1 lines ---\ntwo\n");
	put_text("old/1.json", RECORD("6.16", "8cpu", "true", INIT("80")));
	put_text("old/3.json", RECORD("6.9", "4cpu", "true", INIT("90")));
	return 0;
}

#define COUNTS                                                                                     \
	"scx_a\n"                                                                                  \
	"KERNEL  a_init\n"                                                                         \
	"6.9    90..100\n"                                                                         \
	"6.16       120\n"                                                                         \
	"\n"
#define FAILED                                                                                     \
	"\n"                                                                                       \
	"4 cells: 2 passed, 1 failed, 1 skipped\n"                                                 \
	"\n"                                                                                       \
	"Failed:\n"                                                                                \
	"  scx_a / 6.9 / 4cpu: timed out\n"

static void test_tables(void **state)
{
	(void)state;
	assert_out_text(sh("LC_ALL=C.UTF-8 \"$T\" report \"$D/r\""), COUNTS "TOPOLOGY scx_a\n"
									    "4cpu     ✗\n"
									    "8cpu     ✓\n" FAILED);
	assert_int_equal(result.err.len, 0);
	assert_out_text(sh("LC_ALL=C \"$T\" report --by kernel \"$D/r\""),
			COUNTS "scx_a\n"
			       "TOPOLOGY 6.9  6.16\n"
			       "4cpu     FAIL -\n"
			       "8cpu     ok   ok\n" FAILED);
	assert_out_text(sh("LC_ALL=C \"$T\" report \"$D/r\" --transpose"),
			"scx_a\n"
			"KERNEL     6.9 6.16\n"
			"a_init 90..100  120\n"
			"\n"
			"TOPOLOGY 4cpu 8cpu\n"
			"scx_a    FAIL ok\n" FAILED);
}

static void test_terminal(void **state)
{
	(void)state;
	tty("LC_ALL=C.UTF-8 \"$T\" report \"$D/r\"", NULL, NULL);
	assert_int_equal(result.status, 0);
	assert_true(HAS(result.out, "\033[31m✗"));
	assert_true(HAS(result.out, "\033[32m✓"));
	tty("stty cols 12 && NO_COLOR=1 \"$T\" report \"$D/r\"", NULL, NULL);
	assert_false(HAS(result.out, "\033["));
	sh("\"$T\" report --color always \"$D/r\"");
	assert_true(HAS(result.out, "\033[1m"));
	/* 80 columns, which a pipe has, too, are not enough for twenty programs. */
	sh("for k in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do sed "
	   "\"s/a_init/a_program_number_$k/; s/6.16/6.1/\" \"$D/r/1.json\" > \"$D/old/k$k.json\"; "
	   "sed \"s/8cpu/${k}cpu/\" \"$D/old/k$k.json\" > \"$D/old/$k.json\"; done; "
	   "rm \"$D\"/old/k*");
	tty("NO_COLOR=1 \"$T\" report \"$D/old\"", NULL, NULL);
	assert_true(HAS(result.out, "\na_program_number_20 120\n"));
	sh("\"$T\" report \"$D/old\"");
	assert_true(HAS(result.out, "\na_program_number_20 120\n"));
}

static void test_what_is_wrong(void **state)
{
	(void)state;
	assert_told(sh("\"$T\" report"), 2, "one directory of results is reported, and 0 given");
	assert_told(sh("\"$T\" report a b"), 2, "and 2 given");
	assert_told(sh("\"$T\" report --by age \"$D/r\""), 2, "--by takes kernel, not \"age\"");
	assert_told(sh("\"$T\" report --json --csv \"$D/r\""), 2, "one of them");
	assert_told(sh("\"$T\" report --json --transpose \"$D/r\""), 2, "for tables alone");
	assert_told(sh("\"$T\" report --junit --baseline x \"$D/r\""), 2, "--baseline goes with");
	assert_told(sh("\"$T\" report --fail-on-regression \"$D/r\""), 2, "since when; --baseline");
	assert_told(sh("\"$T\" report \"$D/rr\""), 3, "rr: No such file or directory");
	assert_told(sh("\"$T\" report \"$D/r/1.json\""), 3, "is not a directory");
	assert_told(sh("\"$T\" report \"$D/r\" --baseline \"$D/none\""), 3, "none: No such file");
	assert_told(sh("\"$T\" report \"$D/r\" --html /nonexistent/x"), 3,
		    "cannot write /nonexistent/x");
	assert_told(sh("\"$T\" report \"$D/r\" > /dev/full"), 3, "cannot write the result");
	assert_int_equal(sh("\"$T\" report --help")->status, 0);
	assert_true(HAS(result.out, "Usage: ktstr-gdb report DIR"));
	sh("mkdir \"$D/empty\"");
	assert_told(sh("\"$T\" report \"$D/empty\""), 3, "there is no record of a cell in");
	assert_int_equal(result.out.len, 0);
	put_text("r/half.json", "{\"scheduler\": \"s");
	assert_told(sh("\"$T\" report \"$D/r\""), 0,
		    "half.json is skipped: not JSON, or not whole");
	assert_true(HAS(result.out, "4 cells:"));
}

static void test_documents(void **state)
{
	(void)state;
	sh("\"$T\" report \"$D/r\" --json");
	assert_int_equal(result.status, 0);
	assert_true(HAS(result.out, "\"schema\": \"ktstr-gdb.report.v1\""));
	assert_false(HAS(result.out, "\"changes\""));
	sh("\"$T\" report \"$D/r\" --csv");
	assert_true(HAS(result.out, "\nscx_a,6.9,4cpu,failed,,timed out,,,,a_init,,90,loaded,,,"));
	sh("\"$T\" report \"$D/r\" --junit");
	assert_true(HAS(result.out, "<failure message=\"timed out\" type=\"failed\"/>"));
	sh("\"$T\" report \"$D/r\" --markdown");
	assert_true(HAS(result.out, "## ❌ 2 passed, 1 failed, 1 skipped\n"));
	assert_true(HAS(result.out, "<pre>\n&lt;one&gt;\n"));
}

static void test_html(void **state)
{
	(void)state;
	sh("echo old > \"$D/x.html\"; \"$T\" report \"$D/r\" --html \"$D/x.html\"");
	assert_int_equal(result.status, 0);
	assert_int_equal(result.out.len + result.err.len, 0);
	sh("cat \"$D/x.html\"; ls \"$D\" | grep -c html >&2; \"$T\" report \"$D/r\" --html - | "
	   "cmp - \"$D/x.html\"");
	assert_int_equal(result.status, 0);
	assert_string_equal(result.err.data, "1\n"); /* nothing temporary is left */
	assert_true(HAS(result.out, "<pre>\n&lt;one&gt;\n</pre>"));
	/* A log that is not there, or is not the sweep's, is told and left out. */
	sh("rm \"$D/r/3.log\"");
	assert_told(sh("\"$T\" report \"$D/r\" --html \"$D/x.html\""), 0,
		    "the log 3.log of scx_a / 6.9 / 4cpu is left out: it is not there");
	sh("sed -i 's,3.log,../../../../etc/passwd,' \"$D/r/3.json\"");
	assert_told(sh("\"$T\" report \"$D/r\" --html -"), 0, "its log is not beside it");
	assert_false(HAS(result.out, "root:"));
}

/* Files of other names, made in another order, are read in another one. */
static void test_order_of_files(void **state)
{
	(void)state;
	sh("mkdir \"$D/r2\"; cp \"$D/r/3.log\" \"$D/r2\"; for n in 4 2 3 1; do "
	   "cp \"$D/r/$n.json\" \"$D/r2/$(echo $n | md5sum | cut -c1-8).json\"; done");
	sh("for o in --color=never '--by kernel' --json --csv --markdown --junit '--html -' "
	   "\"--baseline $D/old\"; do \"$T\" report \"$D/r\" $o > \"$D/a\" && "
	   "\"$T\" report \"$D/r2\" $o > \"$D/b\" && test -s \"$D/a\" && "
	   "cmp \"$D/a\" \"$D/b\" || exit 1; done; echo same");
	assert_out_text(&result, "same\n");
}

#define CHANGES                                                                                    \
	"Passed in the baseline, fails now:\n"                                                     \
	"  scx_a / 6.9 / 4cpu: timed out\n"                                                        \
	"\n"                                                                                       \
	"New, or skipped in the baseline:\n"                                                       \
	"  scx_a / 6.9 / 8cpu: passed\n"                                                           \
	"\n"                                                                                       \
	"SCHEDULER KERNEL PROGRAM BASELINE NOW DELTA      %\n"                                     \
	"scx_a     6.16   a_init        80 120   +40 +50.0%\n"                                     \
	"\n"                                                                                       \
	"1 broken, 0 fixed, 1 new, 0 gone, 0 still failing, 2 unchanged; verified_insns of 1 "     \
	"program changed\n"

static void test_baseline(void **state)
{
	(void)state;
	assert_out_text(sh("\"$T\" report \"$D/r\" --baseline \"$D/old\""), CHANGES);
	assert_told(sh("\"$T\" report \"$D/r\" --baseline \"$D/old\" --fail-on-regression"), 1,
		    "--fail-on-regression: 1 cell passed in");
	assert_string_equal(result.out.data, CHANGES);
	assert_int_equal(
		sh("\"$T\" report \"$D/old\" --baseline \"$D/r\" --fail-on-regression")->status, 0);
	sh("\"$T\" report \"$D/r\" --baseline \"$D/old\" --json");
	assert_true(HAS(result.out, "\"change\": \"broken\""));
	sh("\"$T\" report \"$D/r\" --baseline \"$D/old\" --markdown");
	assert_true(HAS(result.out, "**Passed in the baseline, fails now:**\n\n- scx_a / 6.9 / "
				    "4cpu: timed out\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_tables, put_results),
		cmocka_unit_test_setup(test_terminal, put_results),
		cmocka_unit_test_setup(test_what_is_wrong, put_results),
		cmocka_unit_test_setup(test_documents, put_results),
		cmocka_unit_test_setup(test_html, put_results),
		cmocka_unit_test_setup(test_baseline, put_results),
		cmocka_unit_test_setup(test_order_of_files, put_results),
	};
	int failed;

	shell_begin();
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	shell_end();
	return failed;
}
