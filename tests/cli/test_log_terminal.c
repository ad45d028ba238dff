// SPDX-License-Identifier: LGPL-2.1-or-later
/* ktstr-gdb log, in a terminal: nothing that the log has in it gets to control that; pagers. */
#include "tests/cli/shell.h"
#include "tests/logparse/wrappings.h"

/* What would do something to a terminal, and what the user is to see of it instead. */
#define NASTY                                                                                      \
	"a\x1b[2Jb\x07\x08\x7f\rz\n"                                                               \
	"c1 \x9b"                                                                                  \
	"31m \xc2\x9b"                                                                             \
	"31m \xc3\xa9 \xe2\x82\xac \xff \xe2\x82\n"                                                \
	"crlf\r\n\ttab\nend\x1b"
#define HARMLESS                                                                                   \
	"a\\x1b[2Jb\\x07\\x08\\x7f\\x0dz\n"                                                        \
	"c1 \\x9b31m \\xc2\\x9b31m \xc3\xa9 \xe2\x82\xac \\xff \\xe2\\x82\n"                       \
	"crlf\n\ttab\nend\\x1b"

static void test_escapes(void **state)
{
	(void)state;
	put_file("a", NASTY, sizeof(NASTY) - 1);
	put_file("nul", "x\0y\n", 4);
	assert_out_text(tty("\"$T\" log --no-pager --color=never \"$D/a\"", NULL, NULL), HARMLESS);
	assert_out_text(tty("\"$T\" log --raw --no-pager --color=never \"$D/a\"", NULL, NULL),
			HARMLESS);
	assert_out_text(tty("\"$T\" log --no-pager --color=never \"$D/nul\"", NULL, NULL),
			"x\\x00y\n");
	assert_out_text(tty("PAGER='tee' \"$T\" log --color=never \"$D/a\"", NULL, NULL), HARMLESS);
	/* A plain file or pipe gets what was there. */
	assert_out_text(sh("\"$T\" log \"$D/a\""), NASTY);
	assert_out_text(sh("\"$T\" log --color=never \"$D/a\" | cat"), NASTY);
	/* With --color=always there are our colours, and else nothing. */
	sh("\"$T\" log --color=always \"$D/a\" | sed 's/\x1b\\[[0-9;]*m//g'");
	assert_out_text(&result, HARMLESS);
}

/* No byte that a terminal obeys gets through, in whatever mode it is asked for. */
static void test_escapes_everywhere(void **state)
{
	static const char *const modes[] = {"", "--raw", "--last", "--stats", "--source", "--json"};
	struct kt_buf text = KT_BUF_INIT;

	(void)state;
	kt_buf_appends(&text, "libbpf: prog 'l\x1b[5mo\xc2\x9b': -- BEGIN PROG LOAD LOG --\n");
	append_loop(&text, 2);
	kt_buf_appends(&text, "; evil\x1b[2J\x9b\xc2\x9b @ a\x1b[2J.c:3\n6: (95) exit\n");
	kt_buf_appends(&text, "R1 \x1b[2J\x9b is bad\n" STATS "-- END PROG LOAD LOG --\n");
	put_file("a", text.data, text.len);
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		setenv("M", modes[i], 1);
		tty("\"$T\" log $M --no-pager --color=never \"$D/a\"", NULL, NULL);
		assert_int_equal(result.status, 0);
		for (size_t at = 0; at < result.out.len; at++)
			if ((result.out.data[at] & 0xe0) == 0 && result.out.data[at] != '\n' &&
			    result.out.data[at] != '\t')
				fail_msg("%s: byte %02x", modes[i], result.out.data[at]);
		assert_false(HAS(result.out, "\x9b"));
	}
	kt_buf_deinit(&text);
}

/* Characters that lie where pieces end; a line that is longer than any buffer. */
static void test_escapes_long(void **state)
{
	struct kt_buf text = KT_BUF_INIT, shown = KT_BUF_INIT;

	(void)state;
	for (int i = 0; i < 200000; i++) {
		kt_buf_appends(&text, i % 1000 == 7 ? "\x1b" : "\xe2\x82\xac");
		kt_buf_appends(&shown, i % 1000 == 7 ? "\\x1b" : "\xe2\x82\xac");
	}
	kt_buf_appends(&text, "\r\n\xe2\x82\xac");
	kt_buf_appends(&shown, "\n\xe2\x82\xac");
	put_file("a", text.data, text.len);
	assert_out(tty("\"$T\" log --no-pager --color=never \"$D/a\"", NULL, NULL), shown.data,
		   shown.len);
	sh("\"$T\" log --color=always \"$D/a\" | sed 's/\x1b\\[[0-9;]*m//g'");
	assert_out(&result, shown.data, shown.len);
	kt_buf_deinit(&text);
	kt_buf_deinit(&shown);
}

static void test_escapes_in_messages(void **state)
{
	(void)state;
	assert_told(sh("\"$T\" log \"$(printf 'no\\033[2Jpe\\233\\302\\233\\nx')\""), 3,
		    "no\\x1b[2Jpe\\x9b\\xc2\\x9b\\x0ax");
	sh("f=$(printf \"$D/a\\033[2J\"); echo x | gzip | head -c 15 > \"$f\"; \"$T\" log \"$f\"");
	assert_told(&result, 3, "/a\\x1b[2J is truncated");
}

static void test_color(void **state)
{
	struct kt_buf text = KT_BUF_INIT;

	(void)state;
	kt_buf_appends(&text, "func#0 is no error here\nlibbpf: -- BEGIN PROG LOAD LOG --\n");
	append_loop(&text, 9);
	kt_buf_appends(&text, "R1 is bad\nand worse\n" STATS "-- END PROG LOAD LOG --\nnor here\n");
	put_file("a", text.data, text.len);
	sh("\"$T\" log --color=always \"$D/a\"");
	assert_int_equal(result.status, 0);
	assert_true(HAS(result.out, "\n\x1b[36m--- 9x of the following 6 lines ---\x1b[0m\n"));
	assert_true(HAS(result.out, "\n\x1b[32m; sum += i; @ loop.bpf.c:7\x1b[0m\n"));
	assert_true(HAS(result.out, "\n\x1b[1;31mR1 is bad\x1b[0m\n\x1b[1;31mand worse\x1b[0m\n"));
	assert_true(HAS(result.out, "\n\x1b[1mprocessed 99 insns"));
	assert_memory_equal(result.out.data, "func#0 is no error here\n", 24);
	assert_true(HAS(result.out, "\nnor here\n"));
	assert_out_text(sh("printf 'no log\\nat all' | \"$T\" log --color=always"),
			"no log\nat all");
	/* Neither where nobody wants it, nor where it is no terminal. */
	assert_false(HAS(sh("\"$T\" log \"$D/a\"")->out, "\x1b"));
	assert_true(HAS(tty("PAGER= \"$T\" log \"$D/a\"", NULL, NULL)->out, "\x1b"));
	assert_false(HAS(tty("PAGER= NO_COLOR=1 \"$T\" log \"$D/a\"", NULL, NULL)->out, "\x1b"));
	kt_buf_deinit(&text);
}

/* The text without each occurrence of what. */
static struct kt_buf without(const struct kt_buf *text, const char *what)
{
	struct kt_buf out = KT_BUF_INIT;
	size_t len = strlen(what);
	const char *p = text->data;

	for (const char *next; (next = strstr(p, what)); p = next + len)
		kt_buf_append(&out, p, (size_t)(next - p));
	kt_buf_appends(&out, p);
	return out;
}

/*
 * A log with something around its lines: each line has the colour that it has without that, and
 * what is around it is faint.
 */
static void check_wrapped_color(const struct wrapping_kind *kind, const struct kt_buf *log)
{
	struct kt_buf text = KT_BUF_INIT, faint = KT_BUF_INIT, inner;

	if (kind->escape != AS_IS || !kind->before || strchr(kind->before, '\x1b'))
		return;
	wrap_log(&text, (struct kt_text){log->data, log->len}, kind);
	put_file("a", text.data, text.len);
	kt_buf_printf(&faint, "\x1b[2m%s\x1b[0m", kind->before);
	sh("\"$T\" log --color=always \"$D/a\"");
	inner = without(&result.out, faint.data);
	if (!*kind->head) {
		sh("\"$T\" log --color=always \"$D/plain\"");
		if (strcmp(inner.data, result.out.data) != 0)
			fail_msg("%s: %s", kind->name, inner.data);
	}
	assert_true(HAS(inner, "\x1b[36m--- 50x of the following 6 lines ---\x1b[0m\n"));
	assert_true(HAS(inner, "\n\x1b[1;31mR1 is bad\x1b[0m\n\x1b[1;31mand worse\x1b[0m\n"));
	kt_buf_deinit(&text);
	kt_buf_deinit(&faint);
	kt_buf_deinit(&inner);
}

static void test_color_wrapped(void **state)
{
	static const char *const modes[] = {"", "--raw"};
	struct kt_buf log = KT_BUF_INIT;

	(void)state;
	append_loop(&log, 50);
	kt_buf_appends(&log, "R1 is bad\nand worse\n" STATS);
	put_file("plain", log.data, log.len);
	for (size_t i = 0; i < N_WRAPPINGS; i++) {
		struct kt_buf text = KT_BUF_INIT;

		check_wrapped_color(&wrapping_kinds[i], &log);
		kt_buf_appends(&text, "Starting\n");
		wrap_log(&text, (struct kt_text){log.data, log.len}, &wrapping_kinds[i]);
		kt_buf_appends(&text, "and so on\n\nends without a newline");
		put_file("a", text.data, text.len);
		/* Colours are all that they add. */
		for (size_t m = 0; m < 2; m++) {
			setenv("M", modes[m], 1);
			sh("\"$T\" log $M --color=always \"$D/a\" | sed 's/\x1b\\[[0-9;]*m//g' > "
			   "\"$D/colored\"");
			tty("\"$T\" log $M --no-pager --color=never \"$D/a\"", NULL, NULL);
			put_file("plainly", result.out.data, result.out.len);
			sh("diff \"$D/colored\" \"$D/plainly\"");
			if (result.status)
				fail_msg("%s %s: %s", wrapping_kinds[i].name, modes[m],
					 result.out.data);
		}
		kt_buf_deinit(&text);
	}
	/* In a string several lines are one. */
	sh("printf 'failed: 0: (b7) r1 = 0#012; x = 1; @ a.c:3#0121: (61) r0 = *(u32 *)(r1 "
	   "+0)#012R1 invalid mem access#012processed 2 insns (limit 1000000) "
	   "max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0\n' | "
	   "\"$T\" log --color=always");
	assert_true(HAS(result.out, "\x1b[2mfailed: \x1b[0m0: (b7) r1 = 0\x1b[2m#012\x1b[0m"
				    "\x1b[32m; x = 1; @ a.c:3\x1b[0m\x1b[2m#012\x1b[0m1: (61) "));
	assert_true(HAS(result.out, "#012\x1b[0m\x1b[1;31mR1 invalid mem access\x1b[0m"));
	kt_buf_deinit(&log);
}

/* What stands behind a log is no error of it. */
static void test_color_behind(void **state)
{
	(void)state;
	sh("printf '0: (b7) r0 = 0\nR1 is bad\n" STATS "Caused by:\nno\n' |"
	   "\"$T\" log --color=always");
	assert_true(HAS(result.out, "\x1b[1;31mR1 is bad\x1b[0m\n"));
	assert_true(HAS(result.out, "mark_read 1\x1b[0m\nCaused by:\nno\n"));
}

/* A pager that tells what it was given: its environment, and how much came in. */
static const char pager[] = "#!/bin/sh\n"
			    "echo \"[$LESS,$LV]\"\n"
			    "wc -c\n";

static void test_pager(void **state)
{
	(void)state;
	put_file("p", pager, sizeof(pager) - 1);
	put_file("a", "1234567\n", 8);
	sh("chmod +x \"$D/p\"");
	unsetenv("LESS");
	unsetenv("LV");
	assert_out_text(tty("PAGER=\"$D/p\" \"$T\" log \"$D/a\"", NULL, NULL), "[FRX,-c]\n8\n");
	assert_out_text(tty("LESS=x LV=y PAGER=\"$D/p\" \"$T\" log \"$D/a\"", NULL, NULL),
			"[x,y]\n8\n");
	assert_out_text(tty("PAGER=false KTSTR_GDB_PAGER=\"$D/p\" \"$T\" log \"$D/a\"", NULL, NULL),
			"[FRX,-c]\n8\n");
	assert_out_text(tty("PAGER='echo $((6 * 7)); cat' \"$T\" log \"$D/a\"", NULL, NULL),
			"42\n1234567\n");
	assert_out_text(tty("PAGER='cat -n' \"$T\" log \"$D/a\"", NULL, NULL), "     1\t1234567\n");
	/* None is wanted, or there is none. */
	assert_out_text(tty("PAGER=cat \"$T\" log \"$D/a\"", NULL, NULL), "1234567\n");
	assert_out_text(tty("PAGER= \"$T\" log \"$D/a\"", NULL, NULL), "1234567\n");
	assert_out_text(tty("PAGER=/nonexistent \"$T\" log \"$D/a\"", NULL, NULL), "1234567\n");
	assert_out_text(tty("PAGER='nonexistent -x' \"$T\" log \"$D/a\"", NULL, NULL), "1234567\n");
	assert_out_text(tty("PAGER=\"$D/p\" \"$T\" log --no-pager \"$D/a\"", NULL, NULL),
			"1234567\n");
	assert_out_text(tty("PAGER=\"$D/p\" KTSTR_GDB_PAGER= \"$T\" log \"$D/a\"", NULL, NULL),
			"1234567\n");
	/* Stdout is no terminal. */
	assert_out_text(tty("PAGER=\"$D/p\" \"$T\" log \"$D/a\" | sed s/1/2/", NULL, NULL),
			"2234567\n");
	/* Nothing to show, or only an error: not started. */
	assert_out_text(tty("PAGER=\"$D/p\" \"$T\" log /dev/null", NULL, NULL), "");
	tty("PAGER=\"$D/p\" \"$T\" log \"$D/none\"", NULL, NULL);
	assert_memory_equal(result.out.data, "ktstr-gdb: ", 11);
	assert_int_equal(result.status, 3);
}

static void test_pager_quit(void **state)
{
	(void)state;
	sh("seq 1000000 > \"$D/a\"");
	/* It is waited for, and quitting early is no error. */
	assert_out_text(tty("PAGER='head -n 1' \"$T\" log \"$D/a\"; echo $?", NULL, NULL),
			"1\n0\n");
	assert_out_text(tty("PAGER='head -n 1; sleep 0.3; echo end' \"$T\" log \"$D/a\"; echo $?",
			    NULL, NULL),
			"1\nend\n0\n");
	assert_out_text(tty("echo 1 > \"$D/b\"; PAGER='cat; sleep 0.3; echo end' "
			    "\"$T\" log \"$D/b\"; echo $?",
			    NULL, NULL),
			"1\nend\n0\n");
	/* Ctrl-C is the pager's, which waits for it here: half a minute at most. */
	assert_out_text(tty("trap : INT; PAGER='i=300; n=; trap \"echo int; n=1\" INT; head -n 1; "
			    "while [ -z \"$n\" ] && [ $i -gt 0 ]; do sleep 0.1; i=$((i - 1)); "
			    "done; sleep 0.3; echo end' "
			    "\"$T\" log \"$D/a\"; echo $?",
			    "\003", "1\n"),
			"1\nint\nend\n0\n");
}

int main(void)
{
	/* clang-format off */
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_escapes, empty_dir),
		cmocka_unit_test_setup(test_escapes_everywhere, empty_dir),
		cmocka_unit_test_setup(test_escapes_long, empty_dir),
		cmocka_unit_test_setup(test_escapes_in_messages, empty_dir),
		cmocka_unit_test_setup(test_color, empty_dir),
		cmocka_unit_test_setup(test_color_wrapped, empty_dir),
		cmocka_unit_test_setup(test_color_behind, empty_dir),
		cmocka_unit_test_setup(test_pager, empty_dir),
		cmocka_unit_test_setup(test_pager_quit, empty_dir),
	};
	/* clang-format on */
	int failed;

	shell_begin();
	failed = cmocka_run_group_tests_name("cli log, terminal", tests, NULL, NULL);
	shell_end();
	return failed;
}
