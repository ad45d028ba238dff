// SPDX-License-Identifier: LGPL-2.1-or-later
/* explain: an entry by its message, its id, its class; and what no entry is for. */
#include "tests/cli/tool.h"

/* Prints this entry. */
static void expect_entry(const struct tool_run *run, const char *id)
{
	assert_int_equal(run->status, 0);
	assert_string_equal(run->err, "");
	assert_memory_equal(run->out, id, strlen(id));
	assert_memory_equal(run->out + strlen(id), ": ", 2);
	assert_non_null(strstr(run->out, "\n  Class: "));
	assert_non_null(strstr(run->out, "\n  Reason:\n    "));
	assert_non_null(strstr(run->out, "\n  What to do:\n    - "));
}

static void test_message(void **state)
{
	(void)state;
	expect_entry(RUN("explain", "R3 invalid mem access 'scalar'"), "number-dereference");
	/* As a shell has it without quotes, and with what stands around it. */
	expect_entry(RUN("explain", "R8", "!read_ok"), "unreadable-register");
	expect_entry(RUN("explain",
			 "load program: permission denied: 7: (61) r0 = *(u32 *)(r3 +0): "
			 "R3 invalid mem access 'scalar' (12 line(s) omitted)"),
		     "number-dereference");
	/* Several lines: the first that an entry is for. */
	expect_entry(RUN("explain",
			 "; return *p;\n7: (95) exit\nUnreleased reference id=2 alloc_insn=4\n"),
		     "unreleased-reference");
}

static void test_id_and_class(void **state)
{
	const char *out, *id;

	(void)state;
	expect_entry(RUN("explain", "null-check"), "null-check");
	out = RUN("explain", "Memory Safety")->out;
	assert_memory_equal(out, "Memory Safety\n  ", 16);
	assert_non_null(strstr(out, "\n  packet-bounds "));
	assert_null(strstr(out, "\n  null-check "));
	assert_non_null(strstr(RUN("explain", "memory")->out, "\n  packet-bounds "));
	/* Nothing given: all of them, and each can be asked for. */
	id = strstr(RUN("explain")->out, "\n  null-check ");
	assert_non_null(id);
	assert_non_null(strstr(id, "\nVerifier Error\n"));
}

static void test_unknown(void **state)
{
	const struct tool_run *run = RUN("explain", "something about the spin lock and iterators");

	(void)state;
	assert_int_equal(run->status, 1);
	assert_non_null(strstr(run->out, "No entry is for \"something about"));
	assert_non_null(strstr(run->out, "\n  spin-lock "));
	run = RUN("explain", "zzzz \x1b[31mqqqq");
	assert_int_equal(run->status, 1);
	assert_null(strchr(run->out, '\x1b'));
	assert_null(strstr(run->out, "near"));
	assert_int_equal(RUN("explain", "me")->status, 1);
	/* Mistyped, or written in another way. */
	assert_non_null(strstr(RUN("explain", "nullcheck")->out, "\n  null-check "));
	assert_non_null(strstr(RUN("explain", "Spin Lok")->out, "\n  spin-lock "));
	assert_non_null(strstr(RUN("explain", "memroy")->out, "memory"));
	/* An errno is no reason. */
	assert_non_null(strstr(RUN("explain", "Permission denied")->out, "log --last"));
	assert_non_null(strstr(RUN("explain", "E2BIG")->out, "log --last"));
	assert_non_null(strstr(RUN("explain", "--", "-22")->out, "log --last"));
}

static void test_help(void **state)
{
	(void)state;
	assert_non_null(strstr(RUN("explain", "--help")->out, "Usage: ktstr-gdb explain"));
	assert_non_null(strstr(RUN("help", "explain")->out, "Usage: ktstr-gdb explain"));
	assert_non_null(strstr(RUN("--help")->out, "ktstr-gdb explain"));
	tool_refused(RUN("explain", "--bogus"), 2, "explain has no option --bogus");
	/* A message that begins with a hyphen. */
	assert_int_equal(RUN("explain", "--", "-22: R8 !read_ok")->status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_message),
		cmocka_unit_test(test_id_and_class),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_help),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
