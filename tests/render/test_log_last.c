// SPDX-License-Identifier: LGPL-2.1-or-later
/* What a person is shown of a log that ends in an error. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include "render/log_last.h"
#include "tests/logparse/errors.h"
#include "tests/memory/rng.h"

#define STATS                                                                                      \
	"processed 3 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 "    \
	"mark_read 0\n"

static char *render(struct kt_text log, const char *program)
{
	struct kt_buf out = KT_BUF_INIT;

	assert_null(render_log_last(log, (struct kt_text){program, strlen(program)}, &out));
	return kt_buf_steal(&out);
}

static char *render_file(const char *name, const char *program)
{
	struct kt_text log = read_error_log(name);
	char *text = render(log, program);

	free((char *)log.data);
	return text;
}

static size_t count_lines(const char *text)
{
	size_t n = 0;

	for (; (text = strchr(text, '\n')); text++)
		n++;
	return n;
}

/* The whole of it, put together from the log and the program by hand. */
static void test_nullcheck(void **state)
{
	char *text = render_file("6.1_bad_nullcheck", "bad_nullcheck");

	(void)state;
	assert_string_equal(
		text,
		"bad_nullcheck: R0 invalid mem access 'map_value_or_null'\n"
		"  at insn 8: (7b) *(u64 *)(r0 +0) = r1\n"
		"    ; *v = 1;\n"
		"  R0=map_value_or_null(id=1,off=0,ks=4,vs=32,imm=0)\n"
		"    set at insn 6: (85) call bpf_map_lookup_elem#1\n"
		"      ; u64 *v = bpf_map_lookup_elem(&arr, &k);\n"
		"  path since the start (8 instructions):\n"
		"    0: R1=ctx(off=0,imm=0) R10=fp0\n"
		"    ; int bad_nullcheck(void *ctx)\n"
		"    0: (b4) w1 = 1                        ; R1_w=1\n"
		"    ; u32 k = 1;\n"
		"    1: (63) *(u32 *)(r10 -4) = r1         ; R1_w=1 R10=fp0 fp-8=mmmm????\n"
		"    2: (bf) r2 = r10                      ; R2_w=fp0 R10=fp0\n"
		"    ; \n"
		"    3: (07) r2 += -4                      ; R2_w=fp-4\n"
		"    ; u64 *v = bpf_map_lookup_elem(&arr, &k);\n"
		"    4: (18) r1 = 0xff476a3ffafad800       ; R1_w=map_ptr(off=0,ks=4,vs=32,imm=0)\n"
		"    6: (85) call bpf_map_lookup_elem#1    ; R0_w=map_value_or_null(id=1,off=0,"
		"ks=4,vs=32,imm=0)\n"
		"    7: (b7) r1 = 1                        ; R1_w=1\n"
		"    ; *v = 1;\n"
		"    8: (7b) *(u64 *)(r0 +0) = r1\n"
		"  Reason (Register Type Safety, null-check):\n"
		"    R0 may be NULL here: it is what bpf_map_lookup_elem returned (insn 6). The "
		"program accesses\n"
		"    memory through it, and no check on this path tells it from NULL.\n"
		"  What to do:\n"
		"    - Check the pointer before it is used, and use it only where it is not NULL: "
		"if (!p) return\n"
		"      0;\n"
		"    - Check the variable that is used. A check of a copy counts only where the "
		"verifier knows\n"
		"      that both are the same, which a reload from a map or the context is not.\n"
		"    - If the check is there, look at how the program got here: the path that the "
		"log shows may\n"
		"      go around it.\n"
		"  processed 8 insns (limit 1000000) max_states_per_insn 0 total_states 0 "
		"peak_states 0 mark_read 0\n");
	free(text);
}

/* The error first, and all of the kernel's explanation, as it is. */
static void test_explanation(void **state)
{
	struct kt_text log = read_error_log("7.3_bad_argtype");
	char *text = render(log, ""), *end;
	const char *why = memmem(log.data, log.len, "Verification failed", 19), *after;
	char *block;

	(void)state;
	assert_memory_equal(text, "R2 type=scalar expected=fp, ", 28);
	after = memmem(why, (size_t)(log.data + log.len - why), "\nprocessed ", 11);
	assert_non_null(after);
	block = strndup(why, (size_t)(after - why - 1));
	assert_non_null(strstr(text, block));
	end = strstr(text, "    copied from R0 at insn 1: (bc) w2 = w0\n");
	assert_non_null(end);
	assert_non_null(strstr(end, "    set at insn 0: (85) call bpf_get_prandom_u32#7\n"));
	free(block);
	free(text);
	free((char *)log.data);
}

/* Short, however long the log is; what the kernel explains comes on top. */
static void test_length(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ERROR_LOGS; i++) {
		char *text = render_file(error_logs[i], "x");
		char *why = strstr(text, "\nVerification failed");
		char *end = why ? strstr(why, "\n\n  processed ") : NULL;

		if (end)
			memmove(why, end, strlen(end) + 1);
		assert_in_range(count_lines(text), 2, 55);
		free(text);
	}
}

static void test_long_path(void **state)
{
	struct kt_buf log = KT_BUF_INIT;
	uint64_t seed = 1;
	char *text;

	(void)state;
	kt_buf_appends(&log, "0: R1=ctx() R10=fp0\n");
	for (unsigned int i = 0; i < 5000; i++)
		kt_buf_printf(&log, "%u: (b7) r%u = %u\n", i, (unsigned int)rng_below(&seed, 6),
			      (unsigned int)rng_below(&seed, 100000));
	kt_buf_appends(&log, "5000: (bf) r0 = r9\nR9 !read_ok\n" STATS);
	text = render((struct kt_text){log.data, log.len}, "p");
	assert_in_range(count_lines(text), 10, 55);
	assert_non_null(strstr(text, "p: R9 !read_ok\n  at insn 5000: (bf) r0 = r9\n"));
	assert_non_null(strstr(text, "  R9 has no value\n    never set on this path\n"));
	assert_non_null(strstr(text, "(5001 instructions):\n"));
	assert_non_null(strstr(text, "lines of the path are not shown"));
	assert_non_null(strstr(text, "    5000: (bf) r0 = r9\n"));
	free(text);
	kt_buf_deinit(&log);
}

/* A loop into the limit is shown as a loop. */
static void test_too_large(void **state)
{
	struct kt_buf log = KT_BUF_INIT;
	char *text;

	(void)state;
	kt_buf_appends(&log, "0: R1=ctx() R10=fp0\n");
	for (unsigned int i = 0; i < 1000; i++)
		kt_buf_printf(&log,
			      "; s += i; @ a.bpf.c:17\n"
			      "6: (0f) r1 += r3                      ; R1_w=%u R3_w=%u\n"
			      "; for (i = 0; i < n; i++) @ a.bpf.c:15\n"
			      "7: (07) r3 += 1                       ; R3_w=%u\n"
			      "8: (ad) if r3 < r2 goto pc-3          ; R2=scalar() R10=fp0\n",
			      i, i, i + 1);
	kt_buf_appends(&log, "; s += i; @ a.bpf.c:17\n"
			     "6: (0f) r1 += r3                      ; R1_w=9 R3_w=9\n"
			     "8: (ad) if r3 < r2 goto pc-3 BPF program is too large. "
			     "Processed 1000001 insn\n" STATS);
	text = render((struct kt_text){log.data, log.len}, "p");
	assert_in_range(count_lines(text), 10, 45);
	assert_non_null(strstr(text, "x of the following 5 lines ---\n"));
	free(text);
	kt_buf_deinit(&log);
}

static size_t count(const char *text, const char *what)
{
	size_t n = 0;

	for (; (text = strstr(text, what)); text++)
		n++;
	return n;
}

/* A loop of 30 instructions of which the path shows the last turn's end, as a part of a loop. */
static void test_marks_pair(void **state)
{
	struct kt_buf log = KT_BUF_INIT;
	char *text, *gap, *begin;

	(void)state;
	kt_buf_appends(&log, "0: R1=ctx() R10=fp0\n0: (b7) r6 = 0    ; R6_w=0\n");
	for (unsigned int turn = 0; turn < 50; turn++)
		for (unsigned int i = 1; i <= 30; i++)
			kt_buf_printf(&log,
				      i == 30 ? "%s%u: (55) if r6 != 0x%x goto pc-30   ; R6_w=%u\n"
					      : "%s%u: (07) r6 += %u   ; R6_w=%u\n",
				      i % 10 ? "" : "; n++; @ a.c:3\n", i, i * 3, turn * 1000 + i);
	kt_buf_appends(&log, "mark_precise: frame0: last_idx 30 first_idx 1\n"
			     "31: (bf) r0 = r9\nR9 !read_ok\n" STATS);
	text = render((struct kt_text){log.data, log.len}, "p");
	gap = strstr(text, "lines of the path are not shown");
	assert_non_null(gap);
	begin = strstr(text, "--- 50x of the following 33");
	assert_true(begin && begin > gap);
	assert_int_equal(count(text, "x of the following"), count(text, "--- end repeat ---"));
	assert_null(strstr(text, "mark_precise"));
	/* The catalogue's advice is behind the path. */
	*strstr(text, "\n  Reason (") = '\0';
	assert_in_range(count(text, "\n    "), 24, 30);
	free(text);
	kt_buf_deinit(&log);
}

/* Of what is added to an address its value is told; of a constant there is nothing to tell. */
static void test_operand(void **state)
{
	char *text = render_file("7.3_bad_bounds", "p"),
	     *text_2 = render_file("6.12_bad_bounds", "p");

	(void)state;
	/* At level 2 precision tracking stands between: "13: R0=scalar(...) R6_w=..." */
	assert_non_null(strstr(text_2, "  R0=scalar(smin=smin32=0,smax=umax=smax32=umax32=56,"
				       "var_off=(0x0; 0x38)), which insn 12 adds: 0 to 56\n"
				       "    altered at insn 11: (67) r0 <<= 3\n"
				       "    altered at insn 10: (54) w0 &= 7\n"));
	free(text_2);
	assert_non_null(strstr(text, "    altered at insn 12: (0f) r6 += r0\n"
				     "    copied from R0 at insn 7: (bf) r6 = r0\n"));
	assert_non_null(strstr(text, ", which insn 12 adds: 0 to 56\n"));
	free(text);
	text = render_file("5.10_unroll_lookups", "p");
	assert_non_null(strstr(text, "    altered at insn 9: (07) r6 += 16\n"
				     "      ; __u64 *v = bpf_map_lookup_elem(&seen, &k);\n"
				     "    copied from R1 at insn 0: (bf) r6 = r1\n"));
	free(text);
	text = render(KT_TEXT("0: R1=ctx() R10=fp0\n"
			      "0: (0f) r3 += r3                      ; R3_w=8\n"
			      "1: (bf) r0 = r9\nR3 is bad\n" STATS),
		      "p");
	assert_non_null(strstr(text, "    altered at insn 0: (0f) r3 += r3\n    set before "));
	free(text);
}

/* A loop's turns are steps of the causal path of 7.3, 3 each; the first step and the last stay. */
static void test_causal_path(void **state)
{
	struct kt_buf log = KT_BUF_INIT;
	char *text;

	(void)state;
	for (unsigned int n = 4; n < 40; n++) {
		char first[50], last[50];

		log.len = 0;
		kt_buf_appends(&log, "0: (bf) r0 = r9\nR9 !read_ok\n\n"
				     "Verification failed: Type: x\n\nReason:\n  It is so.\n\n"
				     "Causal path:\n");
		for (unsigned int i = 0; i < n; i++)
			kt_buf_printf(&log,
				      "  f @ a.c:%u:1\n  Source context:\n"
				      "  >>>  %u | x\n         |  ^-- branch\n\n",
				      1000 + i, 1000 + i);
		kt_buf_appends(&log, "Suggestion:\n  Do not.\n\n" STATS);
		text = render((struct kt_text){log.data, log.len}, "p");
		snprintf(first, sizeof(first), "\nCausal path:\n  f @ a.c:1000:1\n");
		snprintf(last, sizeof(last), "  f @ a.c:%u:1\n", 1000 + n - 1);
		assert_non_null(strstr(text, first));
		assert_non_null(strstr(text, last));
		assert_non_null(strstr(text, "^-- branch\n\nSuggestion:\n  Do not.\n"));
		assert_int_equal(count(text, "  f @ "), n < 6 ? n : 4);
		snprintf(last, sizeof(last), "  ... %u steps of the causal path", n - 4);
		assert_int_equal(count(text, last), n >= 6);
		free(text);
	}
	kt_buf_deinit(&log);
}

static void test_outcomes(void **state)
{
	char *text = render_file("7.3_bad_stackread", "good");

	(void)state;
	assert_memory_equal(text, "good: nothing failed\n  processed 10 insns ", 42);
	assert_int_equal(count_lines(text), 2);
	free(text);
	text = render(KT_TEXT("\nlibbpf: failed to find BTF\nhello\n\n"), "p");
	assert_memory_equal(text, "p: there is no verifier log\n", 28);
	assert_non_null(strstr(text, "    libbpf: failed to find BTF\n    hello\n"));
	free(text);
	text = render(KT_TEXT("\177ELF\0\1\2"), "");
	assert_string_equal(text, "there is no verifier log\n");
	free(text);
	text = render(KT_TEXT(""), "");
	assert_string_equal(text, "there is no verifier log\n");
	free(text);
	text = render(KT_TEXT("0: R1=ctx() R10=fp0\n0: (b7) r6 = 0     ; R6_w=0\n1: (07) r6 +="),
		      "p");
	assert_non_null(strstr(text, "p: the log ends before the error"));
	assert_non_null(strstr(text, "  last seen: insn 1: (07) r6 +=\n"));
	free(text);
	text = render(KT_TEXT("7: (bf) r0 = r6\nR6 !read_ok\n" STATS), "p");
	assert_non_null(strstr(text, "set before what there is of the log\n"));
	assert_non_null(strstr(text, "lacks its beginning"));
	free(text);
}

/* What was in the buffer stays. */
static void test_appends(void **state)
{
	struct kt_buf out = KT_BUF_INIT;

	(void)state;
	kt_buf_appends(&out, "before\n");
	assert_null(render_log_last(KT_TEXT(""), KT_TEXT("p"), &out));
	assert_string_equal(out.data, "before\np: there is no verifier log\n");
	kt_buf_deinit(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nullcheck),   cmocka_unit_test(test_explanation),
		cmocka_unit_test(test_length),      cmocka_unit_test(test_long_path),
		cmocka_unit_test(test_too_large),   cmocka_unit_test(test_outcomes),
		cmocka_unit_test(test_appends),     cmocka_unit_test(test_marks_pair),
		cmocka_unit_test(test_causal_path), cmocka_unit_test(test_operand),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
