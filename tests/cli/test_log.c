// SPDX-License-Identifier: LGPL-2.1-or-later
/* ktstr-gdb log, in a shell: what goes in, what comes out, what is told. */
#include "tests/cli/shell.h"

/* What a user would not want to lose, of all bytes there are, with no newline at its end. */
static void append_bytes(struct kt_buf *buf)
{
	static const char tail[] = "\r\nline\0with\0NULs\xff\xfe\r\n\x1b[31m red \xc2\x9b";

	for (int i = 0; i < 256; i++) {
		char c = (char)i;

		kt_buf_append(buf, &c, 1);
	}
	kt_buf_append(buf, tail, sizeof(tail) - 1);
}

static void test_usage(void **state)
{
	(void)state;
	tool_refused(RUN("log", "--raw", "--stats"), 2, "--raw and --stats: one of them");
	tool_refused(RUN("log", "--json", "--last"), 2, "one of them");
	tool_refused(RUN("log", "--format", "xml"), 2, "\"xml\": gcc, sarif or github");
	tool_refused(RUN("log", "--format", "gcc", "--last"), 2, "--format and --last: one");
	tool_refused(RUN("log", "--format", "gcc", "--format", "sarif"), 2, "--format twice");
	tool_refused(RUN("log", "--source-root", "."), 2, "--source-root is for --format");
	tool_refused(RUN("log", "--csv"), 2, "--csv is for --stats and --source");
	tool_refused(RUN("log", "--sort", "name"), 2, "--sort is for --stats and --source");
	tool_refused(RUN("log", "--stats", "--sort", "nope"), 2, "nope");
	tool_refused(RUN("log", "--color", "maybe"), 2, "auto, always or never");
	tool_refused(RUN("log", "--bogus"), 2, "log has no option --bogus");
	tool_refused(RUN("log", "--program"), 2, "--program needs an argument: GLOB");
	assert_non_null(strstr(RUN("log", "--help")->out, "--precision"));
	assert_non_null(strstr(RUN("--help")->out, "ktstr-gdb log"));
	tty("\"$T\" log", NULL, NULL);
	assert_int_equal(result.status, 2);
	assert_true(HAS(result.out, "2>&1 | ktstr-gdb log"));
}

/* Without a repeat every byte of every file comes out, as cat(1) has it. */
static void test_verbatim(void **state)
{
	struct kt_buf bytes = KT_BUF_INIT;

	(void)state;
	append_bytes(&bytes);
	put_file("a", bytes.data, bytes.len);
	put_file("empty", "", 0);
	assert_out(sh("\"$T\" log \"$D/a\""), bytes.data, bytes.len);
	assert_out(sh("\"$T\" log --raw \"$D/a\""), bytes.data, bytes.len);
	assert_out(sh("\"$T\" log < \"$D/a\""), bytes.data, bytes.len);
	assert_out(sh("cat \"$D/a\" | \"$T\" log"), bytes.data, bytes.len);
	assert_out(sh("(head -c 9 \"$D/a\" && \"$UNTIL\" drained && tail -c +10 \"$D/a\") |"
		      "\"$T\" log -"),
		   bytes.data, bytes.len);
	assert_out_text(sh("\"$T\" log \"$D/empty\""), "");
	assert_out_text(sh("\"$T\" log < /dev/null"), "");
	assert_out_text(sh("printf b | \"$T\" log --raw \"$D/empty\" - \"$D/empty\" -"), "b");
	assert_out_text(sh("printf 'one\\ntwo\\n' > \"$D/b\"; printf 'three' > \"$D/c\";"
			   "printf 'zero,' | \"$T\" log - \"$D/b\" \"$D/c\" \"$D/b\""),
			"zero,one\ntwo\nthreeone\ntwo\n");
	/* From where a shell has read to, and then nothing is left. */
	assert_out_text(sh("{ read x; \"$T\" log; cat; } < \"$D/b\""), "two\n");
	/* A file that is regular, of size 0, and not empty. */
	assert_out_text(sh("\"$T\" log /proc/sys/kernel/ostype"), "Linux\n");
	kt_buf_deinit(&bytes);
}

static void test_blocks(void **state)
{
	struct kt_buf text = KT_BUF_INIT, around = KT_BUF_INIT;
	size_t at;

	(void)state;
	append_bytes(&around);
	kt_buf_append(&text, around.data, around.len);
	kt_buf_appends(&text, "\nlibbpf: prog 'looper': -- BEGIN PROG LOAD LOG --\n");
	append_loop(&text, 50);
	kt_buf_appends(&text, "R1 is bad\n" STATS "-- END PROG LOAD LOG --\n");
	kt_buf_appends(&text, "libbpf: prog 'other': -- BEGIN PROG LOAD LOG --\n0: (95) exit\n"
			      "-- END PROG LOAD LOG --\n");
	at = text.len;
	kt_buf_append(&text, around.data, around.len);
	put_file("a", text.data, text.len);

	sh("\"$T\" log \"$D/a\"");
	assert_int_equal(result.status, 0);
	assert_true(result.out.len < text.len / 2);
	assert_true(HAS(result.out, "--- 50x of the following 6 lines ---\n"));
	assert_true(HAS(result.out, "R1 is bad\n" STATS "-- END PROG LOAD LOG --\n"));
	assert_memory_equal(result.out.data, around.data, around.len);
	assert_memory_equal(result.out.data + result.out.len - around.len, text.data + at,
			    around.len);

	assert_out(sh("\"$T\" log --raw \"$D/a\""), text.data, text.len);
	assert_out_text(sh("\"$T\" log --program 'oth*' \"$D/a\""), "0: (95) exit\n");
	assert_out_text(sh("\"$T\" log --raw --program other < \"$D/a\""), "0: (95) exit\n");
	sh("\"$T\" log --program looper \"$D/a\"");
	assert_memory_equal(result.out.data, "--- 50x", 7);
	assert_false(HAS(result.out, "BEGIN"));
	assert_told(sh("\"$T\" log --program nope \"$D/a\""), 3, "there are looper, other");
	assert_told(sh("echo x | \"$T\" log --program nope"), 3, "no log of a program");
	kt_buf_deinit(&text);
	kt_buf_deinit(&around);
}

/* No markers: the whole is a log. */
static void test_bare(void **state)
{
	struct kt_buf text = KT_BUF_INIT;

	(void)state;
	append_loop(&text, 50);
	kt_buf_appends(&text, "R1 is bad\n" STATS);
	put_file("a", text.data, text.len);
	sh("\"$T\" log \"$D/a\"");
	assert_int_equal(result.status, 0);
	assert_memory_equal(result.out.data, "--- 50x of the following 6 lines ---\n", 37);
	assert_out(sh("\"$T\" log --raw \"$D/a\""), text.data, text.len);
	kt_buf_deinit(&text);
}

static void test_modes(void **state)
{
	struct kt_buf text = KT_BUF_INIT;

	(void)state;
	kt_buf_appends(&text, "libbpf: prog 'looper': -- BEGIN PROG LOAD LOG --\n");
	append_loop(&text, 20);
	kt_buf_appends(&text, "R1 is bad\n" STATS "-- END PROG LOAD LOG --\n");
	put_file("a", text.data, text.len);
	sh("\"$T\" log --stats \"$D/a\"");
	assert_int_equal(result.status, 0);
	assert_true(HAS(result.out, "looper") && HAS(result.out, "99"));
	sh("\"$T\" log --stats --csv \"$D/a\" \"$D/a\" | grep -c looper");
	assert_string_equal(result.out.data, "2\n");
	sh("\"$T\" log --source \"$D/a\"");
	assert_int_equal(result.status, 0);
	assert_true(HAS(result.out, "sum += i;"));
	sh("\"$T\" log --last \"$D/a\"");
	assert_int_equal(result.status, 0);
	assert_true(HAS(result.out, "R1 is bad"));
	sh("\"$T\" log --json \"$D/a\" | jq -e .schema");
	assert_int_equal(result.status, 0);
	/* Nothing on standard input: the loader's log went by, maybe for want of a "2>&1". */
	assert_out_text(sh("\"$T\" log --last < /dev/null"), "there is no verifier log\n");
	sh("\"$T\" log --stats < /dev/null");
	assert_true(HAS(result.out, "VERDICT"));
	assert_out_text(sh("\"$T\" log --source < /dev/null"),
			"no instruction is in it, and no statistics: is it a verifier log?\n");
	sh("\"$T\" log --json < /dev/null | jq -c .programs");
	assert_string_equal(result.out.data, "[]\n");
	assert_told(sh("\"$T\" log --json \"$D/none\""), 3, "/none: No such file");
	assert_int_equal(result.out.len, 0);
	kt_buf_deinit(&text);
}

static const char *const packers[] = {"zstd", "gzip", "xz", "bzip2", "lz4 -B5"};
#define N_PACKERS (sizeof(packers) / sizeof(packers[0]))

/* Numbers that compress badly enough for a half to be a half. */
static void append_noise(struct kt_buf *buf, size_t len)
{
	uint64_t x = 88172645463325252;

	while (buf->len < len) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		kt_buf_printf(buf, "%llu\n", (unsigned long long)x);
	}
}

static void test_compressed(void **state)
{
	struct kt_buf text = KT_BUF_INIT;

	(void)state;
	append_noise(&text, 1 << 19);
	put_file("plain", text.data, text.len);
	for (size_t i = 0; i < N_PACKERS; i++) {
		setenv("P", packers[i], 1);
		assert_int_equal(sh("$P -c < \"$D/plain\" > \"$D/packed\"")->status, 0);
		assert_out(sh("\"$T\" log --raw \"$D/packed\""), text.data, text.len);
		assert_out(sh("\"$T\" log < \"$D/packed\""), text.data, text.len);
		assert_out(
			sh("(head -c 3 \"$D/packed\" && \"$UNTIL\" drained && tail -c +4 \"$D/packed\") |"
			   "\"$T\" log"),
			text.data, text.len);
		sh("cat \"$D/packed\" \"$D/packed\" | \"$T\" log --raw");
		assert_int_equal(result.status, 0);
		assert_int_equal(result.out.len, 2 * text.len);
		assert_memory_equal(result.out.data + text.len, text.data, text.len);
		assert_out_text(sh(": | $P -c | \"$T\" log"), "");
	}
	/* What only looks like it. */
	assert_out_text(sh("printf 'BZh9 is a fine word' | \"$T\" log"), "BZh9 is a fine word");
	assert_out_text(sh("printf '(\\265/' | \"$T\" log"), "(\xb5/");
	kt_buf_deinit(&text);
}

/* What is there is shown, and then it is told that it was not all. */
static void test_truncated(void **state)
{
	struct kt_buf text = KT_BUF_INIT;

	(void)state;
	append_noise(&text, 2 << 20);
	put_file("plain", text.data, text.len);
	for (size_t i = 0; i < N_PACKERS; i++) {
		setenv("P", packers[i], 1);
		sh("$P -c < \"$D/plain\" > \"$D/all\"; "
		   "head -c $(($(wc -c < \"$D/all\") / 2)) \"$D/all\" > \"$D/half\"");
		assert_told(sh("\"$T\" log --raw \"$D/half\""), 3, "/half is truncated or damaged");
		assert_in_range(result.out.len, text.len / 8, text.len - 1);
		assert_memory_equal(result.out.data, text.data, result.out.len);
		assert_told(sh("head -c 20 \"$D/half\" | \"$T\" log"), 3,
			    "standard input is trunc");
	}
	kt_buf_deinit(&text);
}

static void test_no_such_file(void **state)
{
	const char *err;

	(void)state;
	put_file("a", "a\n", 2);
	assert_told(sh("\"$T\" log \"$D/nope\""), 3, "/nope: No such file or directory");
	assert_told(sh("\"$T\" log \"$D\""), 3, "is a directory");
	assert_told(sh("\"$T\" log < \"$D\""), 3, "standard input is a directory");
	sh("\"$T\" log \"$D/nope\" \"$D/a\" \"$D\" \"$D/a\"");
	assert_int_equal(result.status, 3);
	assert_string_equal(result.out.data, "a\na\n");
	err = strstr(result.err.data, "No such file");
	assert_non_null(err);
	assert_non_null(strstr(err, "is a directory"));
	if (geteuid() != 0) {
		sh("chmod 0 \"$D/a\"");
		assert_told(sh("\"$T\" log \"$D/a\""), 3, "/a: Permission denied");
	}
	/* In the order in which it happened. */
	sh("\"$T\" log \"$D/a\" \"$D/nope\" \"$D/a\" 2>&1");
	assert_memory_equal(result.out.data, "a\nktstr-gdb: ", 13);
	assert_string_equal(result.out.data + result.out.len - 3, "\na\n");
}

static void test_output_fails(void **state)
{
	(void)state;
	sh("seq 1000000 > \"$D/a\"; echo 1 > \"$D/b\"");
	assert_told(sh("\"$T\" log \"$D/a\" > /dev/full"), 3, "stdout: No space left on device");
	assert_told(sh("\"$T\" log \"$D/b\" > /dev/full"), 3, "stdout: No space left on device");
	assert_told(sh("\"$T\" log \"$D/b\" >&-"), 3, "stdout: Bad file descriptor");
	/* Whoever reads has seen enough: not a word. */
	sh("{ \"$T\" log \"$D/a\"; echo $? >&2; } | head -n 1");
	assert_string_equal(result.out.data, "1\n");
	assert_true(strcmp(result.err.data, "141\n") == 0 || strcmp(result.err.data, "0\n") == 0);
	sh("trap '' PIPE; { \"$UNTIL\" closed && \"$T\" log \"$D/a\"; echo $? >&2; } | true");
	assert_string_equal(result.err.data, "3\n");
}

/*
 * The tool waits for its output to be taken; meanwhile its file is truncated. It tells so, and
 * neither dies nor hangs. Once where write(2) finds out, once where our own code does.
 */
static void test_shrinks(void **state)
{
	(void)state;
	sh("seq 1000000 > \"$D/a\"; cp \"$D/a\" \"$D/b\"");
	sh("mkfifo \"$D/fifo\"; \"$T\" log --raw \"$D/a\" > \"$D/fifo\" & p=$!;"
	   "{ read x; \"$UNTIL\" full && : > \"$D/a\"; cat > /dev/null; } < \"$D/fifo\"; wait $p");
	assert_told(&result, 3, "/a became shorter while it was read");
	sh("\"$T\" log --raw --color=always \"$D/b\" > \"$D/fifo\" & p=$!;"
	   "{ read x; \"$UNTIL\" full && : > \"$D/b\"; cat > /dev/null; } < \"$D/fifo\"; wait $p");
	assert_told(&result, 3, "/b became shorter while it was read");
}

int main(int argc, char **argv)
{
	/* clang-format off */
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_usage, empty_dir),
		cmocka_unit_test_setup(test_verbatim, empty_dir),
		cmocka_unit_test_setup(test_blocks, empty_dir),
		cmocka_unit_test_setup(test_bare, empty_dir),
		cmocka_unit_test_setup(test_modes, empty_dir),
		cmocka_unit_test_setup(test_compressed, empty_dir),
		cmocka_unit_test_setup(test_truncated, empty_dir),
		cmocka_unit_test_setup(test_no_such_file, empty_dir),
		cmocka_unit_test_setup(test_output_fails, empty_dir),
		cmocka_unit_test_setup(test_shrinks, empty_dir),
	};
	/* clang-format on */
	int failed;

	if (argc == 2)
		return shell_until(argv[1]);
	shell_begin();
	failed = cmocka_run_group_tests_name("cli log", tests, NULL, NULL);
	shell_end();
	return failed;
}
