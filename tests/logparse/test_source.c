// SPDX-License-Identifier: LGPL-2.1-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include <zstd.h>

#include "logparse/source.h"
#include "util/buf.h"
#include "util/cleanup.h"

#define LOG_MAX (16 << 20)

/* A log of tests/logparse/, to be freed. */
static struct kt_text read_log(const char *name)
{
	static char packed[1 << 20];
	_cleanup_fclose_ FILE *f = NULL;
	char path[200], *data = malloc(LOG_MAX);
	size_t n, len;

	snprintf(path, sizeof(path), "tests/logparse/%s", name);
	f = fopen(path, "re");
	if (!f)
		fail_msg("%s: run from the top of the sources", path);
	assert_non_null(data);
	n = fread(packed, 1, sizeof(packed), f);
	assert_in_range(n, 1, sizeof(packed) - 1);
	if (strstr(name, ".zst")) {
		len = ZSTD_decompress(data, LOG_MAX, packed, n);
		assert_false(ZSTD_isError(len));
	} else {
		memcpy(data, packed, n);
		len = n;
	}
	data = realloc(data, len); /* its own length: ASan sees what is read behind it */
	assert_non_null(data);
	return (struct kt_text){data, len};
}

/* Counts, and checks what holds for every log: the lines and the unknown ones are the total. */
static struct kt_source_counts count(struct kt_text log)
{
	struct kt_source_counts counts;
	struct kt_source_line sum;

	assert_null(kt_count_source_lines(log, &counts));
	sum = counts.unknown;
	kt_vec_for_each (&counts.lines, line) {
		sum.insns += line->insns;
		sum.distinct += line->distinct;
		sum.safe += line->safe;
		sum.pops += line->pops;
		assert_true(line->distinct <= line->insns);
		if (line > counts.lines.data)
			assert_true(line->insns <= line[-1].insns);
	}
	assert_int_equal(sum.insns, counts.total.insns);
	assert_int_equal(sum.distinct, counts.total.distinct);
	assert_int_equal(sum.safe, counts.total.safe);
	assert_int_equal(sum.pops, counts.total.pops);
	return counts;
}

static struct kt_source_counts count_string(const char *log)
{
	return count((struct kt_text){log, strlen(log)});
}

static bool is(struct kt_text text, const char *wanted)
{
	return text.len == strlen(wanted) &&
	       (!text.len || memcmp(text.data, wanted, text.len) == 0);
}

static const struct kt_source_line *find(const struct kt_source_counts *counts, const char *text)
{
	kt_vec_for_each (&counts->lines, line)
		if (is(line->source.text, text))
			return line;
	fail_msg("no line \"%s\"", text);
	return NULL;
}

static void check_line(const struct kt_source_counts *counts, const char *text, uint64_t insns,
		       uint64_t distinct, uint64_t safe, uint64_t pops)
{
	const struct kt_source_line *line = find(counts, text);

	assert_int_equal(line->insns, insns);
	assert_int_equal(line->distinct, distinct);
	assert_int_equal(line->safe, safe);
	assert_int_equal(line->pops, pops);
}

/*
 * What the kernel says that it processed (verified_insns of bpf_prog_info where the program
 * was loaded) is what was executed and what was pruned; `missing` is the instruction at which
 * an infinite loop was found, before it was printed.
 */
static void test_processed(void **state)
{
	static const struct {
		const char *log;
		uint64_t processed, missing;
	} logs[] = {
		{"collapse_logs/6.1_fe_subprog.log.zst", 1276, 0},
		{"collapse_logs/7.2_fe_subprog.log.zst", 1276, 0},
		{"collapse_logs/6.1_kp_bpf_loop.log.zst", 32, 0},
		{"collapse_logs/7.3_kp_bpf_loop.log.zst", 50, 0},
		{"collapse_logs/6.1_raw_nested.log.zst", 3563, 0},
		{"collapse_logs/6.12_raw_nested.log.zst", 3563, 0},
		{"collapse_logs/6.1_xdp_parse.log.zst", 7005, 0},
		{"collapse_logs/7.3_xdp_parse.log.zst", 7005, 0},
		{"collapse_logs/6.12_big_straight.log.zst", 7686, 0},
		{"source_logs/7.2_big_straight.log.zst", 7686, 0},
		{"collapse_logs/6.12_mod_for_seq.log.zst", 267, 0},
		{"collapse_logs/7.3_mod_for_sub.log.zst", 245, 0},
		{"collapse_logs/6.16_scx_fix.fix_enqueue.log.zst", 380, 0},
		{"collapse_logs/7.2_fx_global.log.zst", 136, 0},
		{"collapse_logs/7.3_big_paths.log.zst", 76, 0},
		{"collapse_logs/6.1_bad_stack.log.zst", 45, 0},
		{"collapse_logs/6.18_scx_bad.bad_enqueue.log.zst", 132, 1},
		{"collapse_logs/7.3_scx_bad.bad_enqueue.log.zst", 132, 1},
		{"source_logs/6.1_bad_bounds.1.log", 14, 0},
		{"source_logs/7.3_bad_bounds.1.log", 14, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(logs) / sizeof(logs[0]); i++) {
		struct kt_text log = read_log(logs[i].log);
		struct kt_source_counts counts = count(log);

		if (counts.total.insns + counts.total.safe + logs[i].missing != logs[i].processed)
			fail_msg("%s: %ju executed, %ju pruned, %ju processed", logs[i].log,
				 (uintmax_t)counts.total.insns, (uintmax_t)counts.total.safe,
				 (uintmax_t)logs[i].processed);
		kt_source_counts_deinit(&counts);
		free((char *)log.data);
	}
}

/*
 * A loop of 100 iterations: all but its last jump back is executed 100 times. 6.1 prints the
 * line before each instruction, 6.12 where it changes.
 */
static void test_loop(void **state)
{
	static const char *const logs[] = {"6.1_tp_loop1", "6.12_tp_loop1", "7.3_tp_loop1"};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		char name[100];
		struct kt_source_counts counts;
		struct kt_text log;

		snprintf(name, sizeof(name), "collapse_logs/%s.log.zst", logs[i]);
		log = read_log(name);
		counts = count(log);
		check_line(&counts, "for (u32 i = 0; i < 100; i++) {", 399, 4, 0, 0);
		check_line(&counts, "asm volatile(\"\" : \"+r\"(s));", 300, 3, 0, 0);
		check_line(&counts, "s += i * 3 + (s >> 2);", 200, 2, 0, 0);
		check_line(&counts, "int tp_loop1(void *ctx)", 2, 2, 0, 0);
		check_line(&counts, "sink = s;", 2, 2, 0, 0);
		check_line(&counts, "return 0;", 2, 2, 0, 0);
		assert_int_equal(counts.lines.len, 6);
		assert_int_equal(counts.unknown.insns, 0);
		assert_int_equal(counts.lines.data[0].source.line, i ? 37 : 0);
		assert_true(is(counts.lines.data[0].source.file, i ? "good.bpf.c" : ""));
		kt_source_counts_deinit(&counts);
		free((char *)log.data);
	}
}

/* Nothing of a program that passes is in a log at level 1. */
static void test_no_trace(void **state)
{
	struct kt_text log = read_log("source_logs/7.3_tp_loop1.1.log");
	struct kt_source_counts counts = count(log);

	(void)state;
	assert_int_equal(counts.total.insns, 0);
	assert_int_equal(counts.lines.len, 0);
	kt_source_counts_deinit(&counts);
	free((char *)log.data);
	counts = count((struct kt_text){NULL, 0});
	assert_int_equal(counts.lines.len, 0);
	kt_source_counts_deinit(&counts);
}

/*
 * At level 1 the log is taken back to where a branch was put off, and what the verifier
 * printed last may be gone: line b was, and is not printed again.
 */
static void test_known_instruction(void **state)
{
	struct kt_source_counts counts = count_string("; a\n0: (b7) r1 = 0\n"
						      "; b\n1: (b7) r2 = 0\n"
						      "; c\n2: (15) if r1 == 0x12c goto pc-2\n"
						      "1: (b7) r2 = 0\n"
						      "2: (15) if r1 == 0x12c goto pc-2\n"
						      "3: (b7) r0 = 0\n"
						      "; d\n4: (95) exit\n");

	(void)state;
	check_line(&counts, "a", 1, 1, 0, 0);
	check_line(&counts, "b", 2, 1, 0, 0);
	check_line(&counts, "c", 3, 2, 0, 0);
	check_line(&counts, "d", 1, 1, 0, 0);
	kt_source_counts_deinit(&counts);
}

/* The log lacks its head: what the lines were is told later. Or never. */
static void test_cut_front(void **state)
{
	struct kt_source_counts counts = count_string(" R1_w=3\n"
						      "7: (07) r1 += 3       ; R1_w=3\n"
						      "8: (15) if r1 == 0x12c goto pc+1\n"
						      "; for (;;) { @ a b.c:37\n"
						      "7: (07) r1 += 3       ; R1_w=6\n");

	(void)state;
	check_line(&counts, "for (;;) {", 2, 1, 0, 0);
	assert_true(is(counts.lines.data[0].source.file, "a b.c"));
	assert_int_equal(counts.lines.data[0].source.line, 37);
	assert_int_equal(counts.unknown.insns, 1);
	kt_source_counts_deinit(&counts);
}

/* Pruned states count where they would have gone on, branches where they were put off. */
static void test_branches(void **state)
{
	struct kt_source_counts counts = count_string("; if (v) @ a.c:1\n"
						      "0: (15) if r1 == 0x0 goto pc+2      ; R1=1\n"
						      "; x(); @ a.c:2\n"
						      "1: (85) call bpf_get_prandom_u32#7\n"
						      "2: safe\n"
						      "\n"
						      "from 0 to 2: R1=0 R10=fp0\n"
						      "; y(); @ a.c:3\n"
						      "2: (85) call bpf_get_prandom_u32#7\r\n"
						      "3: safe\r\n"
						      "\n"
						      "from 0 to 3: safe\r\n"
						      "from 0 to 3 (speculative execution): safe\n"
						      "; return 0; @ a.c:4\n"
						      "3: (95) exit\n"
						      "returning from callee:\n"
						      " frame1: R0=1\n"
						      "to caller at 1:\n"
						      " R0=1\n"
						      "\n"
						      "from 3 to 1: R0=1 R10=fp0\n"
						      "1: (85) call bpf_get_prandom_u32#7\n"
						      "from 1 to 2: safe\n");

	(void)state;
	check_line(&counts, "if (v)", 1, 1, 0, 3);
	check_line(&counts, "x();", 2, 1, 0, 1);
	check_line(&counts, "y();", 1, 1, 2, 0);
	check_line(&counts, "return 0;", 1, 1, 3, 0);
	kt_source_counts_deinit(&counts);
}

/* A log ends with what was processed; instruction 0 of the next one is another. */
static void test_two_logs(void **state)
{
	static const char stats[] = "processed 1 insns (limit 1000000) max_states_per_insn 0 "
				    "total_states 0 peak_states 0 mark_read 0\n";
	char log[1000];
	struct kt_source_counts counts;

	(void)state;
	snprintf(log, sizeof(log), "; a\n0: (95) exit\n%s0: (95) exit\n%s; b\n0: (95) exit\n%s%s",
		 stats, stats, stats, "; a\n1: (95) exit\n0: safe\n");
	counts = count_string(log);
	check_line(&counts, "a", 2, 2, 0, 0);
	check_line(&counts, "b", 1, 1, 0, 0);
	assert_int_equal(counts.unknown.insns, 1);
	assert_int_equal(counts.unknown.safe, 1);
	assert_true(counts.lines.data[0].source.text.data == log + 2);
	kt_source_counts_deinit(&counts);
}

/* From the thousandth on, rows of a listing look as what was executed. */
static void test_listing(void **state)
{
	struct kt_source_counts counts = count_string(
		"subprog#1 sub:\n"
		"1000: (af) r7 ^= r1\n"
		"1001: (95) exit\n"
		"stack use/def subprog#1 sub (d0,cs0):\n"
		"1000: (af) r7 ^= r1\n"
		"Live regs before insn:\n"
		"      0: .......... (18) r6 = 0xff2f5e2e41876008\n"
		"0: R1=ctx() R10=fp0\n"
		"; a\n"
		"1000: (af) r7 ^= r1\n");

	(void)state;
	check_line(&counts, "a", 1, 1, 0, 0);
	assert_int_equal(counts.total.insns, 1);
	kt_source_counts_deinit(&counts);
}

/* An index that no program has costs no memory, and is counted all the same. */
static void test_damage(void **state)
{
	struct kt_source_counts counts = count_string("; a\n4294967294: (95) exit\n"
						      "1000000: (95) exit\n"
						      "; \n0: (95) exit\n"
						      "; b\n999999: (95) exit\n"
						      "from 4294967294 to 4000000000: safe\n");
	static const char nul[] = "; a\0b\n0: (95) exit\n; a\n1: (95) exit\n; a\0b\n2: (95) exit";

	(void)state;
	check_line(&counts, "b", 1, 1, 0, 0);
	assert_int_equal(counts.lines.len, 1);
	assert_int_equal(counts.unknown.insns, 3);
	assert_int_equal(counts.unknown.safe, 1);
	assert_int_equal(counts.unknown.pops, 1);
	kt_source_counts_deinit(&counts);
	counts = count((struct kt_text){nul, sizeof(nul) - 1});
	assert_int_equal(counts.lines.len, 2);
	assert_int_equal(counts.lines.data[0].source.text.len, 3);
	assert_int_equal(counts.lines.data[0].insns, 2);
	kt_source_counts_deinit(&counts);
}

/* Two lines of 1 MB, each of 20,000 instructions: they are not compared for each of those. */
static void test_long_lines(void **state)
{
	struct kt_buf log = KT_BUF_INIT;
	struct kt_source_counts counts;
	_cleanup_free_ char *a = malloc(1 << 20);

	(void)state;
	assert_non_null(a);
	memset(a, 'a', 1 << 20);
	for (int i = 0; i < 40000; i++) {
		if (i % 20000 == 0) {
			kt_buf_appends(&log, "; ");
			kt_buf_append(&log, a, 1 << 20);
			kt_buf_appendc(&log, '\n');
		}
		kt_buf_printf(&log, "%d: (95) exit\n", i);
	}
	counts = count((struct kt_text){log.data, log.len});
	assert_int_equal(counts.lines.len, 1);
	assert_int_equal(counts.lines.data[0].insns, 40000);
	assert_int_equal(counts.lines.data[0].distinct, 40000);
	assert_int_equal(counts.lines.data[0].source.text.len, 1024);
	kt_source_counts_deinit(&counts);
	kt_buf_deinit(&log);
}

/* Lines of real logs in any order, broken anywhere: the sums hold (count()), nothing crashes. */
static void test_random(void **state)
{
	struct kt_text log = read_log("collapse_logs/7.2_fx_global.log.zst");
	uint64_t seed = 42;

	(void)state;
	for (int round = 0; round < 200; round++) {
		struct kt_source_counts counts;
		struct kt_buf mixed = KT_BUF_INIT;

		for (int i = 0; i < 50; i++) {
			size_t at, len;

			seed = seed * 6364136223846793005u + 1442695040888963407u;
			at = (size_t)(seed >> 33) % log.len;
			len = (size_t)(seed >> 20) % 400;
			if (len > log.len - at)
				len = log.len - at;
			kt_buf_append(&mixed, log.data + at, len);
		}
		counts = count((struct kt_text){mixed.data, mixed.len});
		kt_source_counts_deinit(&counts);
		kt_buf_deinit(&mixed);
	}
	free((char *)log.data);
}

/* 60 % of a loop is in the log: that much is counted. */
static void test_cut_end(void **state)
{
	struct kt_text log = read_log("collapse_logs/6.12_tp_loop1.log.zst"), line;
	struct kt_text half = {log.data, log.len * 6 / 10}, rest = half;
	struct kt_source_counts counts = count(half);
	uint64_t insns = 0;

	(void)state;
	/* Independently: "N: (xx) " at the start of a line. */
	while (kt_text_next_line(&rest, &line)) {
		size_t i = 0;

		while (i < line.len && line.data[i] >= '0' && line.data[i] <= '9')
			i++;
		insns += i && line.len >= i + 6 && line.data[i] == ':' && line.data[i + 2] == '(';
	}
	assert_in_range(counts.total.insns, insns - 1, insns);
	assert_in_range(insns, 300, 904);
	kt_source_counts_deinit(&counts);
	free((char *)log.data);
}

/* The rest of an instruction's line (7.3 kept the tail) is no source line; its like in C is. */
static void test_cut_line(void **state)
{
	struct kt_source_counts counts = count_string(
		"; 0xffffffff)) R1=scalar(id=133827,smin=0,smax=umax=0xffffffff,"
		"var_off=(0x0; 0xffffffff))\n"
		"7: (16) if w2 == 0x493e0 goto pc+1\n"
		"; BAR(s); @ zmillion.bpf.c:10\n"
		"8: (05) goto pc-7\n");

	(void)state;
	assert_int_equal(counts.lines.len, 1);
	check_line(&counts, "BAR(s);", 1, 1, 0, 0);
	assert_int_equal(counts.unknown.insns, 1);
	kt_source_counts_deinit(&counts);
	counts = count_string("; __u32 R1 = f(0xff), x = 2;\n0: (b4) w0 = 0\n");
	check_line(&counts, "__u32 R1 = f(0xff), x = 2;", 1, 1, 0, 0);
	kt_source_counts_deinit(&counts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_processed), cmocka_unit_test(test_loop),
		cmocka_unit_test(test_no_trace),  cmocka_unit_test(test_known_instruction),
		cmocka_unit_test(test_cut_front), cmocka_unit_test(test_branches),
		cmocka_unit_test(test_two_logs),  cmocka_unit_test(test_listing),
		cmocka_unit_test(test_damage),    cmocka_unit_test(test_long_lines),
		cmocka_unit_test(test_random),    cmocka_unit_test(test_cut_end),
		cmocka_unit_test(test_cut_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
