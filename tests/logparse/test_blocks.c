// SPDX-License-Identifier: LGPL-2.1-or-later
/* Verifier logs in what a loader printed: where they start, where they end, whose they are. */
#include <stdio.h>
#include <string.h>

#include "logparse/blocks.h"
#include "tests/logparse/logs.h"
#include "util/buf.h"

#define BEGIN "-- BEGIN PROG LOAD LOG --"
#define END   "-- END PROG LOAD LOG --"

struct want {
	const char *program, *trace;
	bool complete;
};

static void check_text(struct kt_text got, const char *want)
{
	assert_int_equal(got.len, strlen(want));
	assert_memory_equal(got.data, want, got.len);
}

/* The blocks of a blob, up to one without a trace. A copy of its own length is for ASan. */
static void check_bytes(const char *text, size_t len, const struct want *want)
{
	char *copy = malloc(len + !len);
	struct kt_log_blocks it;
	struct kt_log_block got;

	memcpy(copy, text, len);
	kt_log_blocks_init(&it, (struct kt_text){copy, len});
	for (; want->trace; want++) {
		assert_true(kt_log_blocks_next(&it, &got));
		check_text(got.program, want->program);
		check_text(got.trace, want->trace);
		assert_int_equal(got.complete, want->complete);
		assert_true(got.trace.data >= copy && got.trace.data + got.trace.len <= copy + len);
	}
	assert_false(kt_log_blocks_next(&it, &got));
	assert_false(kt_log_blocks_next(&it, &got));
	free(copy);
}

#define CHECK(text, ...)                                                                           \
	check_bytes(text, sizeof(text) - 1,                                                        \
		    (const struct want[]){__VA_ARGS__ __VA_OPT__(, ){NULL, NULL, false}})

static void test_none(void **state)
{
	(void)state;
	check_bytes("", 0, (const struct want[]){{NULL, NULL, false}});
	CHECK("\n");
	CHECK("0: R1=ctx() R10=fp0\nprocessed 1 insns\n");
	CHECK("libbpf: " END "\n");
	CHECK("libbpf: -- BEGIN MAP LOAD LOG ---\nx\n-- END MAP LOAD LOG --\n");
	CHECK("libbpf: - BEGIN PROG LOAD LOG --\nx\n" END "\n");
	CHECK("it stands between \"" BEGIN "\" and \"" END "\".\n");
	CHECK("; puts(\"" BEGIN "\");\nx\n" END "\n");
	CHECK("; /* " BEGIN "\nx\n" END "\n");
}

static void test_one(void **state)
{
	(void)state;
	/* libbpf 0.7 to 1.7: the END has no prefix. */
	CHECK("a\nlibbpf: prog 'p': " BEGIN "\n0: R1=ctx()\n" END "\nlibbpf: failed\n",
	      {"p", "0: R1=ctx()\n", true});
	CHECK("libbpf: prog 'p': " BEGIN "\n0: R1=ctx()\nlibbpf: " END "\n",
	      {"p", "0: R1=ctx()\n", true});
	CHECK("libbpf: prog 'p': " BEGIN "\nx\nlibbpf: prog 'p': " END "\n", {"p", "x\n", true});
	CHECK(BEGIN "\nx\n" END, {"", "x\n", true});
	CHECK("libbpf: " BEGIN "-\nx\n " END "\n", {"", "x\n", true});
	CHECK("prog 'p': " BEGIN "\nx\n" END "\n", {"p", "x\n", true});
	CHECK(BEGIN "\n" END "\n", {"", "", true});
	CHECK(BEGIN "\n\n\n" END "\n", {"", "\n\n", true});
	CHECK(BEGIN "\r\nx\r\n" END "\r\ny\r\n", {"", "x\r\n", true});
	/* Strange names: quotes, nothing, bytes. */
	CHECK("libbpf: prog '': " BEGIN "\nx\n" END "\n", {"", "x\n", true});
	CHECK("libbpf: prog '\xff\33': " BEGIN "\nx\n" END "\n", {"\xff\33", "x\n", true});
	CHECK("libbpf: map 'p': " BEGIN "\nx\n" END "\n", {"", "x\n", true});
}

/* libbpf 0.6 and before: pr_warn("\n%s\n", log_buf) puts its own prefix on a line. */
static void test_old(void **state)
{
	(void)state;
	CHECK("libbpf: load bpf program failed: Permission denied\nlibbpf: -- BEGIN DUMP LOG ---\n"
	      "libbpf: \n0: R1=ctx()\n\nlibbpf: -- END LOG --\nlibbpf: failed\n",
	      {"", "0: R1=ctx()\n\n", true});
	CHECK("libbpf: -- BEGIN DUMP LOG ---\nlibbpf: \n", {"", "", false});
	CHECK(BEGIN "\nlibbpf: \n" END "\n", {"", "libbpf: \n", true});
	CHECK("libbpf: -- BEGIN DUMP LOG ---\nlibbpf: x\nlibbpf: -- END LOG --\n",
	      {"", "libbpf: x\n", true});
}

static void test_loggers(void **state)
{
	(void)state;
	CHECK("[12:33:01] libbpf: prog 'p': " BEGIN "\nx\n[12:33:01] libbpf: " END "\n",
	      {"p", "x\n", true});
	CHECK("12:33:01 libbpf: prog 'p': " BEGIN "\n1: x\n12:33:01 libbpf: " END "\n",
	      {"p", "1: x\n", true});
	CHECK("Nov 23 host loader[7]: " BEGIN "\nx\nNov 23 host loader[7]: " END "\n",
	      {"", "x\n", true});
	CHECK("\33[33m" BEGIN "\33[0m\nx\n" END "\33[0m\n", {"", "x\n", true});
	CHECK("\33[33mlibbpf: prog 'p': " BEGIN "\33[0m\nx\n" END "\33[0m\n", {"p", "x\n", true});
	/* What was printed before had no newline. */
	CHECK("loading...libbpf: prog 'p': " BEGIN "\nx\n" END "\n", {"p", "x\n", true});
	CHECK("loading..." BEGIN "\nx\n" END "\n", {"", "x\n", true});
	CHECK("0: libbpf: prog 'p': " BEGIN "\nx\n" END "\n", {"p", "x\n", true});
}

/* A log that was cut off lacks its last newline. */
static void test_end_inside_a_line(void **state)
{
	(void)state;
	CHECK(BEGIN "\n0: (b7) r0 = 0\n1: (bf) r1 = r" END "\nb\n",
	      {"", "0: (b7) r0 = 0\n1: (bf) r1 = r", true});
	CHECK(BEGIN "\n1: (bf) r1 = rlibbpf: " END "\n", {"", "1: (bf) r1 = r", true});
	CHECK(BEGIN "\nlast" END, {"", "last", true});
	CHECK(BEGIN "\ncaller:" END "\n", {"", "caller:", true});
	CHECK(BEGIN "\n1:" END "\n", {"", "1:", true});
	CHECK(BEGIN "\n1: " END "\n", {"", "1: ", true});
	CHECK(BEGIN "\n; for (int i = 0; i <" END "\nb\n", {"", "; for (int i = 0; i <", true});
	CHECK(BEGIN "\n; for (libbpf: -- END LOG --\nb\n", {"", "; for (", true});
	/* Behind it the line of another process. */
	CHECK(BEGIN "\n1: (bf) r" END " done\nb\n", {"", "1: (bf) r", true});
}

#define QUOTED  "; puts(\"" END "\"); @ a.c:1\n"
#define COMMENT "; // up to " END "\n"

static void test_quoted_end(void **state)
{
	(void)state;
	CHECK(BEGIN "\n" QUOTED "x\n" END "\n", {"", QUOTED "x\n", true});
	CHECK(BEGIN "\n" COMMENT "x\n" COMMENT END "\n", {"", COMMENT "x\n" COMMENT, true});
	CHECK(BEGIN "\n" QUOTED QUOTED "1: r" END "\n", {"", QUOTED QUOTED "1: r", true});
	/* No other END: the one with text behind it stays none. */
	CHECK(BEGIN "\n" QUOTED "x\n", {"", QUOTED "x\n", false});
	CHECK(BEGIN "\n" COMMENT "x\n", {"", "; // up to ", true});
	CHECK(BEGIN "\n" COMMENT "x\n" COMMENT "y", {"", COMMENT "x\n; // up to ", true});
	/* The END of the next block is not this one's. */
	CHECK(BEGIN "\n; cu" END "\nfailed\n" BEGIN "\ny\n" END "\n", {"", "; cu", true},
	      {"", "y\n", true});
	/* Neither is a quoted BEGIN a new block. */
	CHECK(BEGIN "\n; puts(\"" BEGIN "\");\n; // " BEGIN "\n1: " BEGIN "\n" END "\n",
	      {"", "; puts(\"" BEGIN "\");\n; // " BEGIN "\n1: " BEGIN "\n", true});
}

static void test_many(void **state)
{
	(void)state;
	CHECK("libbpf: prog 'a': " BEGIN "\nx\n" END "\nbetween\nlibbpf: prog 'b': " BEGIN
	      "\ny\n" END "\nlibbpf: prog 'a': " BEGIN "\n" END "\nafter\n",
	      {"a", "x\n", true}, {"b", "y\n", true}, {"a", "", true});
	CHECK(BEGIN "\nx\n" END BEGIN "\ny\n" END "\n", {"", "x\n", true}, {"", "y\n", true});
}

static void test_cut_off(void **state)
{
	(void)state;
	CHECK("libbpf: prog 'p': " BEGIN, {"p", "", false});
	CHECK("libbpf: prog 'p': " BEGIN "\n", {"p", "", false});
	CHECK("libbpf: prog 'p': " BEGIN "\n0: x\n1: (b", {"p", "0: x\n1: (b", false});
	/* The loader was killed, and started again. */
	CHECK("libbpf: prog 'p': " BEGIN "\n0: x\n[7] libbpf: prog 'q': " BEGIN "\n0: y\n" END "\n",
	      {"p", "0: x\n", false}, {"q", "0: y\n", true});
	CHECK("libbpf: prog 'p': " BEGIN "\n0: xlibbpf: prog 'q': " BEGIN "\n0: y\n" END "\n",
	      {"p", "0: x", false}, {"q", "0: y\n", true});
	CHECK(BEGIN "\n" BEGIN "\n" BEGIN "\n", {"", "", false}, {"", "", false}, {"", "", false});
}

static void test_odd_bytes(void **state)
{
	static const char blob[] = "\0\n\0 " BEGIN "\n\0\xff\n\0" END "\0\n";
	struct kt_log_blocks it;
	struct kt_log_block got;

	(void)state;
	kt_log_blocks_init(&it, KT_TEXT(blob));
	assert_true(kt_log_blocks_next(&it, &got));
	assert_int_equal(got.trace.len, 4);
	assert_memory_equal(got.trace.data, "\0\xff\n\0", 4);
	assert_true(got.complete);
}

static void test_extract(void **state)
{
	static const char *const none[] = {"", "x\n", BEGIN "\nx\n", "x\n" END "\n",
					   END "\n" BEGIN "\n"};
	struct kt_text got = {"before", 6};

	(void)state;
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		assert_false(
			kt_extract_verifier_log((struct kt_text){none[i], strlen(none[i])}, &got));
		check_text(got, "before");
	}
	assert_true(kt_extract_verifier_log(KT_TEXT("a\n" BEGIN "\nx\n\ny\n\n\n" END "\n"), &got));
	check_text(got, "x\n\ny");
	assert_true(kt_extract_verifier_log(KT_TEXT(BEGIN "\r\nx\r\n\r\n" END "\r\n"), &got));
	check_text(got, "x");
	assert_true(kt_extract_verifier_log(KT_TEXT(BEGIN "\n\n" END "\n"), &got));
	check_text(got, "");
	/* The first one that has an END of its own. */
	assert_true(kt_extract_verifier_log(
		KT_TEXT(BEGIN "\nx\n" BEGIN "\ny\n" END "\n" BEGIN "\nz\n" END "\n"), &got));
	check_text(got, "y");
}

/* What libbpf 1.4.6 made of this log on Linux 6.12, all but the map's address. */
static void test_real(void **state)
{
	struct kt_text blob = log_read("6.12_bad_bounds.stderr");
	struct kt_text log = log_read("6.12_bad_bounds.1.log");
	char *log_start;
	struct kt_log_blocks it;
	struct kt_log_block got;

	(void)state;
	log_start = (char *)log.data;
	kt_log_blocks_init(&it, blob);
	assert_true(kt_log_blocks_next(&it, &got));
	check_text(got.program, "bad_bounds");
	assert_true(got.complete);
	assert_int_equal(got.trace.len, log.len);
	for (struct kt_text a, b; kt_text_next_line(&log, &a);) {
		assert_true(kt_text_next_line(&got.trace, &b));
		assert_int_equal(a.len, b.len);
		if (!memmem(a.data, a.len, "r1 = 0xff", 9))
			assert_memory_equal(a.data, b.data, a.len);
	}
	assert_false(kt_log_blocks_next(&it, &got));
	free((char *)blob.data);
	free(log_start);
}

static struct kt_error *append(void *arg, struct kt_text piece)
{
	assert_true(piece.len > 0);
	kt_buf_append(arg, piece.data, piece.len);
	return NULL;
}

static struct kt_error *fail_late(void *arg, struct kt_text piece)
{
	size_t *left = arg;

	(void)piece;
	return (*left)-- ? NULL : kt_error_new(KT_ERROR_CLOSED, "the pipe is gone");
}

/* Ten times around a loop of five lines. */
static void make_loop(struct kt_buf *out)
{
	kt_buf_appends(out, "0: (b7) r1 = 0                        ; R1_w=0\n");
	for (int i = 0; i < 10; i++)
		kt_buf_printf(out,
			      "; for (int i = 0; i < 10; i++) @ a.bpf.c:3\n"
			      "1: (0f) r2 += r1                      ; R1_w=%d R2_w=%d\n"
			      "2: (07) r1 += 1                       ; R1_w=%d\n"
			      "3: (55) if r1 != 0xa goto pc-3        ; R1_w=%d\n"
			      "; sum += i; @ a.bpf.c:4\n",
			      i, i * i, i + 1, i + 1);
	kt_buf_appends(out, "4: (95) exit\n");
}

/* Each trace is what kt_collapse_cycles() makes of it, and all else is as it was. */
static void test_collapse(void **state)
{
	static const char *const around[] = {
		"\33[1mstart\1\xff\n; int i;\r\nlibbpf: prog 'p': " BEGIN "\n",
		END "\n\n\nlibbpf: again\n" BEGIN "\n", "tail \n\n"};
	struct kt_buf loop = KT_BUF_INIT, blob = KT_BUF_INIT, want = KT_BUF_INIT, got = KT_BUF_INIT;
	char *collapsed;
	size_t collapsed_len;

	(void)state;
	make_loop(&loop);
	assert_null(kt_collapse_cycles((struct kt_text){loop.data, loop.len}, NULL, &collapsed,
				       &collapsed_len));
	assert_true(collapsed_len < loop.len / 2);
	for (int i = 0; i < 2; i++) {
		kt_buf_appends(&blob, around[i]);
		kt_buf_append(&blob, loop.data, loop.len);
		kt_buf_appends(&want, around[i]);
		kt_buf_append(&want, collapsed, collapsed_len);
	}
	kt_buf_appends(&blob, END "\n");
	kt_buf_appends(&want, END "\n");
	kt_buf_appends(&blob, around[2]);
	kt_buf_appends(&want, around[2]);
	assert_null(
		kt_collapse_blocks_to((struct kt_text){blob.data, blob.len}, NULL, append, &got));
	assert_int_equal(got.len, want.len);
	assert_memory_equal(got.data, want.data, want.len);
	/* The second one was cut off. */
	got.len = 0;
	blob.len -= strlen(END "\n") + strlen(around[2]);
	want.len -= strlen(END "\n") + strlen(around[2]);
	assert_null(
		kt_collapse_blocks_to((struct kt_text){blob.data, blob.len}, NULL, append, &got));
	assert_int_equal(got.len, want.len);
	assert_memory_equal(got.data, want.data, want.len);
	free(collapsed);
	kt_buf_deinit(&loop);
	kt_buf_deinit(&blob);
	kt_buf_deinit(&want);
	kt_buf_deinit(&got);
}

/* Without a marker nothing is touched, not even a loop. */
static void test_collapse_nothing(void **state)
{
	struct kt_buf loop = KT_BUF_INIT, got = KT_BUF_INIT;

	(void)state;
	assert_null(kt_collapse_blocks_to((struct kt_text){NULL, 0}, NULL, append, &got));
	assert_int_equal(got.len, 0);
	make_loop(&loop);
	assert_null(
		kt_collapse_blocks_to((struct kt_text){loop.data, loop.len}, NULL, append, &got));
	assert_int_equal(got.len, loop.len);
	assert_memory_equal(got.data, loop.data, loop.len);
	kt_buf_deinit(&loop);
	kt_buf_deinit(&got);
}

static void test_sink_fails(void **state)
{
	struct kt_text blob = KT_TEXT("a\n" BEGIN "\n0: x\n" END "\nb\n");

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		size_t left = i;
		struct kt_error *err = kt_collapse_blocks_to(blob, NULL, fail_late, &left);

		assert_non_null(err);
		assert_int_equal(kt_error_code(err), KT_ERROR_CLOSED);
		kt_error_destroy(err);
	}
}

static uint32_t rng;

static uint32_t random_below(uint32_t n)
{
	rng = rng * 1664525 + 1013904223;
	return (rng >> 8) % n;
}

#define PICK(a) (a)[random_below(sizeof(a) / sizeof((a)[0]))]

/* Outputs made at random, of which it is known where the blocks are. */
static void test_random_outputs(void **state)
{
	static const char *const outside[] = {"hello\n",   "\n",    "libbpf: failed\n",
					      QUOTED,      COMMENT, "libbpf: " END "\n",
					      "12: text\n"};
	static const char *const inside[] = {"0: R1=ctx()\n",       "\n",    QUOTED, "; int i;\n",
					     "from 1 to 2: R0=1\n", COMMENT, "\r\n", "LOG --\n"};
	static const char *const ends[] = {END "\n", "libbpf: " END "\n", "[7] libbpf: " END "\r\n",
					   "libbpf: -- END LOG --\n"};

	(void)state;
	for (rng = 1; rng < 3000; rng++) {
		struct kt_buf blob = KT_BUF_INIT;
		struct kt_log_blocks it;
		struct kt_log_block got;
		size_t start[8], end[8], n = 1 + random_below(8);
		uint32_t seed = rng;

		for (size_t i = 0; i < n; i++) {
			while (random_below(3))
				kt_buf_appends(&blob, PICK(outside));
			kt_buf_printf(&blob, "libbpf: prog 'p%zu': " BEGIN "\n", i);
			start[i] = blob.len;
			while (random_below(6))
				kt_buf_appends(&blob, PICK(inside));
			end[i] = blob.len;
			kt_buf_appends(&blob, PICK(ends));
		}
		kt_buf_appends(&blob, "end\n");
		kt_log_blocks_init(&it, (struct kt_text){blob.data, blob.len});
		for (size_t i = 0; i < n; i++) {
			assert_true(kt_log_blocks_next(&it, &got));
			assert_int_equal(got.trace.data - blob.data, start[i]);
			assert_int_equal(got.trace.len, end[i] - start[i]);
			assert_true(got.complete);
			assert_int_equal(got.program.data[1], '0' + (int)i);
		}
		assert_false(kt_log_blocks_next(&it, &got));
		kt_buf_deinit(&blob);
		rng = seed;
	}
}

/* Any soup of pieces: blocks come in order, do not overlap, and the walk ends. */
static void test_soup(void **state)
{
	static const char *const pieces[] = {BEGIN,
					     END,
					     "-- BEGIN DUMP LOG ---",
					     "-- END LOG --",
					     "libbpf: ",
					     "prog 'p': ",
					     "prog '",
					     "': ",
					     ";",
					     "12:",
					     " ",
					     "\n",
					     "\n",
					     "\r\n",
					     "-",
					     " LOG --",
					     "x",
					     "\33[0m"};

	(void)state;
	for (rng = 1; rng < 20000; rng++) {
		struct kt_buf blob = KT_BUF_INIT;
		struct kt_log_blocks it;
		struct kt_log_block got;
		const char *last;
		uint32_t seed = rng;

		for (size_t i = 1 + random_below(30); i; i--)
			kt_buf_appends(&blob, PICK(pieces));
		last = blob.data;
		kt_log_blocks_init(&it, (struct kt_text){blob.data, blob.len});
		for (size_t n = 0; kt_log_blocks_next(&it, &got); n++) {
			assert_true(n <= 30);
			assert_true(got.trace.data >= last);
			last = got.trace.data + got.trace.len;
			assert_true(last <= blob.data + blob.len);
			assert_true(got.complete || it.rest.data == last);
			assert_true(it.rest.data >= last);
			/* Between a BEGIN and its trace, a line ends. */
			assert_true(got.trace.data[-1] == '\n' || !got.trace.len);
		}
		kt_buf_deinit(&blob);
		rng = seed;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_one),
		cmocka_unit_test(test_old),
		cmocka_unit_test(test_loggers),
		cmocka_unit_test(test_end_inside_a_line),
		cmocka_unit_test(test_quoted_end),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_cut_off),
		cmocka_unit_test(test_odd_bytes),
		cmocka_unit_test(test_extract),
		cmocka_unit_test(test_real),
		cmocka_unit_test(test_collapse),
		cmocka_unit_test(test_collapse_nothing),
		cmocka_unit_test(test_sink_fails),
		cmocka_unit_test(test_random_outputs),
		cmocka_unit_test(test_soup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
