// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What leads to the error: of real logs, where the expected values were read by hand in the
 * log and, for 7.3, in what the kernel itself explains; and of small ones that were made to
 * have the branches and calls that matter.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include "logparse/last.h"
#include "tests/logparse/describe.h"
#include "tests/logparse/errors.h"
#include "tests/memory/rng.h"

static void test_real_errors(void **state)
{
	static const struct {
		const char *name;
		const char *headline;
		uint32_t insn; /* that failed */
		uint32_t line; /* of the source */
		const char *source;
		const char *subjects[3];
	} cases[] = {
		{"5.10_bad_global",
		 "Arg#1 type PTR in gfn() is not supported yet.",
		 KT_LINE_NO_INDEX,
		 0,
		 "",
		 {NULL}},
		{"5.10_bad_loop",
		 "infinite loop detected at insn 10",
		 10,
		 0,
		 "if (*a == ip)",
		 {NULL}},
		{"5.10_unroll_lookups",
		 "dereference of modified ctx ptr R6 off=16 disallowed",
		 12,
		 0,
		 "__u32 k = ctx->rx_queue_index + i * 7;",
		 {"R6=ctx(id=0,off=16,imm=0) altered@9 copied@0:R1 entry"}},
		{"6.1_bad_btfwrite",
		 "only read is supported",
		 2,
		 0,
		 "asm volatile(\"*(u32 *)(%0 + 0) = %1\" :: \"r\"(file), \"r\"(1) : \"memory\");",
		 {"R1=ptr_file(off=0,imm=0) set@0"}},
		{"6.1_bad_global",
		 "R1 invalid mem access 'mem_or_null'",
		 6,
		 0,
		 "return *p;",
		 {"R1=mem_or_null(id=2,off=0,imm=0) entry"}},
		{"6.1_bad_jumprange", "jump out of range from insn 4 to -22014", 4, 0, "", {NULL}},
		{"6.1_bad_leak",
		 "Unreleased reference id=2 alloc_insn=4",
		 9,
		 0,
		 "return 0;",
		 {"ref 2=R0_w=alloc_mem_or_null(id=2,ref_obj_id=2,off=0,imm=0) acquired@4"}},
		{"6.1_bad_nullcheck",
		 "R0 invalid mem access 'map_value_or_null'",
		 8,
		 0,
		 "*v = 1;",
		 {"R0=map_value_or_null(id=1,off=0,ks=4,vs=32,imm=0) result@6"}},
		{"6.1_bad_stack",
		 "combined stack size of 2 calls is 736. Too large",
		 KT_LINE_NO_INDEX,
		 0,
		 "",
		 {NULL}},
		{"6.12_bad_bounds",
		 "invalid access to map value, value_size=32 off=56 size=8",
		 14,
		 53,
		 "v[i] = 1;",
		 {"R6=map_value(map=arr,ks=4,vs=32,smin=smin32=0,smax=umax=smax32=umax32=56,"
		  "var_off=(0x0; 0x38)) "
		  "altered@12 copied@7:R0 result@6",
		  "offset R0=scalar(smin=smin32=0,smax=umax=smax32=umax32=56,"
		  "var_off=(0x0; 0x38)) "
		  "altered@11 altered@10 result@8"}},
		{"6.12_bad_counter_escapes",
		 "invalid indirect access to stack R3 off=-16 size=32",
		 11,
		 31,
		 "bpf_map_update_elem(&arr, &i, &v, 0);",
		 {"R3=fp-16 altered@7 set@6", "fp-16=0 spilled@3:R1 set@0"}},
		{"6.12_bad_iter_uninit",
		 "expected an initialized iter_num as arg #0",
		 2,
		 124,
		 "int *v = bpf_iter_num_next(&it);",
		 {"R1=fp-8 altered@1 set@0"}},
		{"6.12_bad_task_leak",
		 "Unreleased reference id=2 alloc_insn=1",
		 10,
		 145,
		 "int BPF_PROG(bad_task_leak, bool preempt, struct task_struct *prev, "
		 "struct task_struct *next)",
		 {"ref 2=R0_w=ptr_or_null_task_struct(id=2,ref_obj_id=2) acquired@1"}},
		{"7.2_bad_global",
		 "R1 invalid mem access 'mem_or_null'",
		 6,
		 173,
		 "return *p;",
		 {"R1=mem_or_null(id=1,sz=8) entry"}},
		{"7.2_bad_iter_leak",
		 "Unreleased reference id=1 alloc_insn=5",
		 16,
		 117,
		 "return 0;",
		 {"ref 1=fp-8=iter_num(id=1,state=active,depth=0) acquired@5"}},
		{"7.2_bad_retval",
		 "At program exit the register R0 has smin=0 smax=4294967295 "
		 "should have been in [0, 3]",
		 1,
		 116,
		 "return skb->len;",
		 {"R0=scalar(smin=0,smax=umax=0xffffffff,var_off=(0x0; 0xffffffff)) set@0"}},
		/* "update: R2 changed" at 1, "R0 changed" at 0, says its causal path */
		{"7.3_bad_argtype",
		 "R2 type=scalar expected=fp, pkt, pkt_meta, map_key, map_value, "
		 "mem, ringbuf_mem, buf, trusted_ptr_, ctx",
		 4,
		 110,
		 "return (long)bpf_map_lookup_elem(&arr, (void *)(long)bpf_get_prandom_u32());",
		 {"R2=scalar(smin=0,smax=umax=0xffffffff,var_off=(0x0; 0xffffffff)) copied@1:R0 "
		  "result@0"}},
		{"7.3_bad_bounds",
		 "invalid access to map value, value_size=32 off=56 size=8",
		 14,
		 53,
		 "v[i] = 1;",
		 {"R6=map_value(id=1,map=arr,ks=4,vs=32,smin=smin32=0,smax=umax=smax32=umax32=56,"
		  "var_off=(0x0; 0x38)) "
		  "altered@12 copied@7:R0 result@6",
		  "offset R0=scalar(smin=smin32=0,smax=umax=smax32=umax32=56,"
		  "var_off=(0x0; 0x38)) "
		  "altered@11 altered@10 result@8"}},
		{"7.3_bad_leak",
		 "Unreleased reference id=2 alloc_insn=4",
		 9,
		 80,
		 "return 0;",
		 {"ref 2=R0=ringbuf_mem_or_null(id=2,sz=8) acquired@4"}},
		{"7.3_bad_uninit",
		 "R8 !read_ok",
		 0,
		 69,
		 "asm volatile(\"%0 = r8\" : \"=r\"(r));",
		 {"R8= never"}},
		{"7.3_bad_unreach", "unreachable insn 2", 2, 0, "", {NULL}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kt_text log = read_error_log(cases[i].name);
		struct kt_log_last last = find(log);
		size_t n = 0;

		assert_int_equal(last.outcome, KT_LAST_FAILED);
		assert_text(last.headline, cases[i].headline);
		assert_int_equal(last.at.index, cases[i].insn);
		assert_int_equal(last.at.source.line, cases[i].line);
		assert_text(last.at.source.text, cases[i].source);
		while (n < 3 && cases[i].subjects[n])
			n++;
		for (size_t k = 0; k < last.n_subjects; k++)
			assert_string_equal(describe(&last.subjects[k]),
					    k < n ? cases[i].subjects[k] : "none");
		assert_int_equal(last.n_subjects, n);
		assert_false(last.cut_front || last.cut_end);
		free((char *)log.data);
	}
}

/*
 * Level 1 takes the log back where a branch is taken up: what is glued to its jump says so. The
 * branches are those that level 2 of the same loads names.
 */
static void test_taken_back(void **state)
{
	/* "11: (15) if r0 == 0x4 goto pc+6 18: R10=fp0 refs=24", and two instructions */
	struct kt_text log = read_error_log("7.3_tail_leak");
	struct kt_log_last last = find(log);

	(void)state;
	assert_true(last.path_branched && !last.path_loops);
	assert_int_equal(last.path_from, 11);
	assert_int_equal(last.path_to, 18);
	assert_int_equal(last.path_insns, 2);
	assert_int_equal(last.at.source.line, 21);
	free((char *)log.data);

	/*
	 * "24: (16) if w1 == 0x1 goto pc+4 29: R0_w=19 ...", then "29: (95) exit" without a source
	 * line. It is line 23 ("}"), which level 1 does not tell; lines before it are others.
	 */
	log = read_error_log("6.12_tail_retval");
	last = find(log);
	assert_int_equal(last.at.index, 29);
	assert_int_equal(last.at.source.text.len, 0);
	assert_int_equal(last.at.source.line, 0);
	assert_string_equal(describe(&last.subjects[0]), "R0=19 copied@23:R7 altered@25:R7 gone");
	assert_int_equal(last.subjects[0].steps[1].insn.source.line, 19);
	free((char *)log.data);
}

/* What leads from an instruction to itself; the kernel does not print it the second time. */
static void test_loops(void **state)
{
	/* 10 to 14 and, by the branch from 14 to 3, 3 to 9; one of them is of two slots. */
	struct kt_text log = read_error_log("5.10_bad_loop");
	struct kt_log_last last = find(log);

	(void)state;
	assert_int_equal(last.class, KT_LAST_LOOP);
	assert_true(last.path_loops);
	assert_int_equal(last.path_insns, 11);
	assert_int_equal(last.path_line, 19);
	assert_true(kt_text_starts_with(last.path, KT_TEXT("10: (1e) if w1 == w6 goto pc+6\n")));
	free((char *)log.data);

	/* "27: (c6) if w1 s< 0x3 goto pc-26 ;  @ late.bpf.c:0" is the branch to 2. */
	log = read_error_log("7.2_tail_loop");
	last = find(log);
	assert_true(last.path_loops);
	assert_int_equal(last.at.index, 2);
	assert_text(last.at.insn, "(bf) r2 = r10");
	assert_int_equal(last.at.source.line, 0);
	free((char *)log.data);

	/* "8: (16) if w1 == 0x0 goto pc+4 ; total++; @ branch.bpf.c:46" is the branch to 13. */
	log = read_error_log("6.12_tail_glued");
	last = find(log);
	assert_int_equal(last.at.index, 13);
	assert_int_equal(last.at.source.line, 46);
	assert_text(last.at.source.text, "total++;");
	free((char *)log.data);

	/* "8: (16) if w1 == 0x0 goto pc+4", "10: safe", and then the loop at 13: branch 8 to 13 */
	log = read_error_log("6.12_tail_loop");
	last = find(log);
	assert_int_equal(last.at.index, 13);
	assert_int_equal(last.at.source.line, 46);
	assert_text(last.at.source.text, "total++;");
	assert_true(last.cut_front && !last.path_branched && !last.path_loops);
	free((char *)log.data);
}

static void assert_same_outcome(struct kt_text log)
{
	struct kt_log_last last = find(log);
	struct kt_log_outcome outcome;

	kt_log_find_outcome(log, &outcome);
	assert_int_equal(outcome.outcome, last.outcome);
	assert_int_equal(outcome.headline.len, last.headline.len);
	assert_true(!last.headline.len || outcome.headline.data == last.headline.data);
	assert_memory_equal(outcome.stats.has, last.stat_values.has, sizeof(outcome.stats.has));
	assert_memory_equal(outcome.stats.value, last.stat_values.value,
			    sizeof(outcome.stats.value));
}

/* What is read from the end is what is read from the beginning: of whole logs, and cut off. */
static void test_outcome(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ERROR_LOGS + N_TAIL_LOGS; i++) {
		struct kt_text log = read_error_log(i < N_ERROR_LOGS ? error_logs[i]
								     : tail_logs[i - N_ERROR_LOGS]);
		struct kt_buf longer = KT_BUF_INIT;

		for (size_t len = 0; len <= log.len; len++) {
			struct kt_text cut = copy_text(log.data, len);

			assert_same_outcome(cut);
			free((char *)cut.data);
		}
		/* Behind so much of a trace that it is not read. */
		for (unsigned int n = 0; n < 3000; n++)
			kt_buf_printf(&longer, "%u: (07) r1 += 3     ; R1_w=%u\n", n, n);
		kt_buf_append(&longer, log.data, log.len);
		assert_same_outcome((struct kt_text){longer.data, longer.len});
		kt_buf_deinit(&longer);
		free((char *)log.data);
	}
}

/* An explanation as long as this leaves nothing of the trace where the log is read first. */
static void test_outcome_far(void **state)
{
	struct kt_buf log = KT_BUF_INIT;
	struct kt_log_outcome outcome;

	(void)state;
	for (unsigned int n = 0; n < 100000; n++)
		kt_buf_printf(&log, "%u: (07) r1 += 3     ; R1_w=%u\n", n, n);
	kt_buf_appends(&log, "R9 !read_ok\n\nVerification failed: Memory Safety: x\n\nReason:\n");
	for (unsigned int n = 0; n < 10000; n++)
		kt_buf_appends(&log, "  because it is so, and has been so before\n");
	kt_buf_appends(&log, STATS);
	kt_log_find_outcome((struct kt_text){log.data, log.len}, &outcome);
	assert_int_equal(outcome.outcome, KT_LAST_FAILED);
	assert_text(outcome.headline, "R9 !read_ok");
	assert_same_outcome((struct kt_text){log.data, log.len});
	/* And a text of its size that is no log. */
	for (size_t i = 0; i < log.len; i++)
		log.data[i] = "hello, world\n"[i % 13];
	assert_same_outcome((struct kt_text){log.data, log.len});
	kt_buf_deinit(&log);
}

/* 7.3 says itself where it failed: the first ">>> 14 | (7b) ..." behind "Instruction context". */
static void test_kernel_agrees(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ERROR_LOGS; i++) {
		struct kt_text log = read_error_log(error_logs[i]);
		struct kt_log_last last = find(log);
		const char *p = memmem(log.data, log.len, "Instruction context:", 20);
		char at[100] = "";

		if (p && last.class == KT_LAST_INSN) {
			p = memmem(p, (size_t)(log.data + log.len - p), ">>>", 3);
			assert_non_null(p);
			for (p += 3; *p == ' '; p++)
				;
			snprintf(at, sizeof(at), "%u | %.*s\n", last.at.index,
				 (int)last.at.insn.len, last.at.insn.data);
			assert_memory_equal(p, at, strlen(at));
		}
		assert_int_equal(last.explanation.len > 0,
				 memmem(log.data, log.len, "Verification failed", 19) != NULL);
		free((char *)log.data);
	}
}

static void test_explanation(void **state)
{
	struct kt_text log = read_error_log("7.3_bad_leak");
	struct kt_log_last last = find(log);
	static const char end[] = "on every path before the program exits.";

	(void)state;
	assert_text(last.error, "Unreleased reference id=2 alloc_insn=4");
	assert_text(last.error_more,
		    "BPF_EXIT instruction in main prog would lead to reference leak");
	assert_true(kt_text_starts_with(last.explanation, KT_TEXT("Verification failed: ")));
	assert_memory_equal(last.explanation.data + last.explanation.len - strlen(end), end,
			    strlen(end));
	assert_true(last.stat_values.has[KT_STAT_PROCESSED]);
	assert_int_equal(last.stat_values.value[KT_STAT_PROCESSED], 9);
	free((char *)log.data);
}

static void test_passed(void **state)
{
	struct kt_text log = read_error_log("7.3_bad_stackread");
	struct kt_log_last last = find(log);

	(void)state;
	assert_int_equal(last.outcome, KT_LAST_PASSED);
	assert_int_equal(last.error.len + last.path.len + last.n_subjects, 0);
	free((char *)log.data);
	assert_int_equal(find_in(STATS).outcome, KT_LAST_PASSED);
	/* Level 4 of 6.1: what it says of each program is no error. */
	last = find_in("reg type unsupported for arg#0 function tp_loop1#51\n"
		       "verification time 12 usec\nstack depth 8\n" STATS);
	assert_int_equal(last.outcome, KT_LAST_PASSED);
	/* Validated last, since 6.8. */
	last = find_in("0: R1=ctx() R10=fp0\n0: (95) exit\n"
		       "Validating f() func#1...\n2: R1=scalar() R10=fp0\n2: (95) exit\n"
		       "Func#1 ('f') is safe for any args that match its prototype\n" STATS);
	assert_int_equal(last.outcome, KT_LAST_PASSED);
}

static void test_empty(void **state)
{
	(void)state;
	assert_int_equal(find_in("").outcome, KT_LAST_EMPTY);
	assert_int_equal(find_in("\n\n").outcome, KT_LAST_EMPTY);
	assert_int_equal(find_in("libbpf: loading object 'x'\nfailed\n").outcome, KT_LAST_EMPTY);
}

/* The path of level 2 is the one of level 1: what was given up is no part of it. */
#define PATH_HEAD                                                                                  \
	"0: R1=ctx() R10=fp0\n"                                                                    \
	"; int n = f(ctx); @ a.bpf.c:3\n"                                                          \
	"0: (61) r7 = *(u32 *)(r1 +0)          ; R1=ctx() R7_w=scalar()\n"                         \
	"1: (b7) r6 = 7                        ; R6_w=7\n"                                         \
	"; if (n) @ a.bpf.c:4\n"                                                                   \
	"2: (15) if r7 == 0x0 goto pc+2        ; R7_w=scalar()\n"                                  \
	"3: (b7) r6 = 1                        ; R6_w=1\n"                                         \
	"4: (95) exit\n"

static void test_branch(void **state)
{
	struct kt_log_last last = find_in(PATH_HEAD
					  "\n"
					  "from 2 to 5: R1=ctx() R6=7 R7=0 R10=fp0\n"
					  "; return *n; @ a.bpf.c:6\n"
					  "5: (bf) r2 = r6                       ; R2_w=7 R6=7\n"
					  "6: (79) r0 = *(u64 *)(r2 +0)\n"
					  "R2 invalid mem access 'scalar'\n" STATS);

	(void)state;
	assert_int_equal(last.outcome, KT_LAST_FAILED);
	assert_string_equal(describe(&last.subjects[0]), "R2=7 copied@5:R6 set@1");
	assert_text(last.subjects[0].steps[1].insn.source.text, "int n = f(ctx);");
	assert_true(last.path_branched);
	assert_int_equal(last.path_from, 2);
	assert_int_equal(last.path_to, 5);
	assert_int_equal(last.path_insns, 2);
	assert_int_equal(last.path_before, 3);
	assert_int_equal(last.path_line, 10);
	assert_true(kt_text_starts_with(last.path, KT_TEXT("from 2 to 5: R1=ctx()")));
	assert_int_equal(last.at.source.line, 6);
	/* r1 was last seen before the branch: it is what the program was entered with. */
	last = find_in(PATH_HEAD "\n"
				 "from 2 to 5: R1=ctx() R6=7 R7=0 R10=fp0\n"
				 "5: (79) r0 = *(u64 *)(r1 +4096)\n"
				 "invalid bpf_context access off=4096 size=8\n" STATS);
	assert_string_equal(describe(&last.subjects[0]), "R1=ctx() entry");
	assert_false(last.subjects[0].named);
}

/*
 * A loop whose jump puts a branch off in each iteration but the second, where the verifier
 * knows the outcome: the constant in r6 tells which one is taken up.
 */
static void test_known_outcome(void **state)
{
	static const char rounds[] =
		"0: R1=ctx() R10=fp0\n"
		"0: (b7) r6 = 0                        ; R6_w=0\n"
		"1: (b7) r9 = 100                      ; R9_w=100\n"
		"2: (85) call bpf_map_lookup_elem#1    ; R0_w=map_value_or_null(id=1)\n"
		"3: (15) if r0 == 0x0 goto pc+4        ; R0_w=map_value(id=1)\n"
		"4: (07) r6 += 1                       ; R6_w=1\n"
		"5: (05) goto pc-4\n"
		"2: (85) call bpf_map_lookup_elem#1    ; R0_w=map_value()\n"
		"3: (15) if r0 == 0x0 goto pc+4        ; R0_w=map_value()\n"
		"4: (07) r6 += 1                       ; R6_w=2\n"
		"5: (05) goto pc-4\n"
		"2: (85) call bpf_map_lookup_elem#1    ; R0_w=map_value_or_null(id=3)\n"
		"3: (15) if r0 == 0x0 goto pc+4        ; R0_w=map_value(id=3)\n"
		"6: safe\n"
		"\n"
		"from 3 to 8: safe\n"
		"\n"
		"from 3 to 8: R0=0 R6=0 R9=100 R10=fp0\n"
		"8: (79) r0 = *(u64 *)(r6 +0)\n"
		"R6 invalid mem access 'scalar'\n" STATS;
	struct kt_log_last last = find_in(rounds);

	(void)state;
	/* Insns 0 to 3, once. */
	assert_int_equal(last.path_before, 4);
	assert_int_equal(last.path_insns, 1);
	assert_string_equal(describe(&last.subjects[0]), "R6=0 set@0");
}

/* Each branch is taken up once, the one that was put off last first. */
static void test_taken_once(void **state)
{
	static const char log[] = "0: R1=ctx() R10=fp0\n"
				  "1: (85) call bpf_get_prandom_u32#7    ; R0_w=scalar()\n"
				  "2: (15) if r0 == 0x0 goto pc+2        ; R0_w=scalar()\n"
				  "3: (05) goto pc-3\n"
				  "1: (85) call bpf_get_prandom_u32#7    ; R0_w=scalar()\n"
				  "2: (15) if r0 == 0x0 goto pc+2        ; R0_w=scalar()\n"
				  "4: (95) exit\n"
				  "\n"
				  "from 2 to 5: R0=0 R10=fp0\n"
				  "5: (95) exit\n"
				  "\n"
				  "from 2 to 5: R0=0 R10=fp0\n"
				  "5: (bf) r1 = r7\n"
				  "R7 !read_ok\n" STATS;
	struct kt_log_last last = find_in(log);

	(void)state;
	/* Insns 1 and 2, of the first round. */
	assert_int_equal(last.path_before, 2);
	assert_int_equal(last.path_insns, 1);
	assert_int_equal(last.path_line, 12);
}

/* Level 1 takes the log back to the jump, and glues on what comes. */
static void test_level_1(void **state)
{
	struct kt_log_last last = find_in(
		"0: R1=ctx() R10=fp0\n"
		"0: (85) call bpf_get_prandom_u32#7    ; R0_w=scalar()\n"
		"35: (bf) r3 = r0                      ; R0_w=scalar() R3_w=scalar()\n"
		"; while (s != 7) { @ scx_bad.bpf.c:21\n"
		"36: (55) if r3 != 0x7 goto pc-3 34: R1=ctx() R3=scalar() R10=fp0\n"
		"; s = s * 3 + 1; @ scx_bad.bpf.c:22\n"
		"34: (27) r3 *= 3                      ; R3=scalar()\n"
		"35: (07) r3 += 1\n"
		"; while (s != 7) { @ scx_bad.bpf.c:21\n"
		"infinite loop detected at insn 36\n"
		"cur state: R1=ctx() R3=scalar() R10=fp0\n"
		"old state: R1=ctx() R3=scalar() R10=fp0\n" STATS);

	(void)state;
	assert_int_equal(last.class, KT_LAST_LOOP);
	assert_text(last.headline, "infinite loop detected at insn 36");
	assert_int_equal(last.at.index, 36);
	assert_text(last.at.insn, "(55) if r3 != 0x7 goto pc-3");
	assert_int_equal(last.at.source.line, 21);
	assert_int_equal(last.path_from, 36);
	assert_int_equal(last.path_to, 34);
	assert_int_equal(last.path_insns, 3);
	assert_int_equal(last.path_before, 2);
	assert_int_equal(last.n_subjects, 0);
	/* Where no source line stands before the message, it is that of the instruction. */
	last = find_in("0: R1=ctx() R10=fp0\n"
		       "; for (;;) @ a.bpf.c:5\n"
		       "1: (05) goto pc+0\n"
		       "; x++; @ a.bpf.c:6\n"
		       "2: (05) goto pc-2\n"
		       "infinite loop detected at insn 1\n" STATS);
	assert_int_equal(last.at.index, 1);
	assert_int_equal(last.at.source.line, 5);
}

/* Lines that somebody left out: nothing is said of what is before them. */
static void test_gaps(void **state)
{
	static const char *const marks[] = {"...", "[...]", "[snip]", "(...)", "<snip>", "....."};
	struct kt_buf log = KT_BUF_INIT;
	struct kt_log_last last;

	(void)state;
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		log.len = 0;
		kt_buf_printf(&log,
			      "0: R1=ctx() R10=fp0\n0: (b7) r4 = 0 ; R4_w=0\n%s\n"
			      "7: (bf) r3 = r10 ; R3_w=fp0\n8: (71) r0 = *(u8 *)(r4 +0)\n"
			      "R4 invalid mem access 'scalar'\n" STATS,
			      marks[i]);
		last = find_in(log.data);
		assert_true(last.gap);
		assert_int_equal(last.at.index, 8);
		assert_int_equal(last.path_insns, 2);
		assert_int_equal(last.subjects[0].origin, KT_LAST_ORIGIN_GONE);
		assert_int_equal(last.subjects[0].n_steps, 0);
		/* Right before the error: of an instruction that is not there. */
		log.len = 0;
		kt_buf_printf(&log,
			      "0: R1=ctx() R10=fp0\n0: (7b) *(u64 *)(r10 -8) = r1\n%s\n"
			      "R1 invalid mem access 'scalar'\n" STATS,
			      marks[i]);
		last = find_in(log.data);
		assert_int_equal(last.outcome, KT_LAST_FAILED);
		assert_text(last.headline, "R1 invalid mem access 'scalar'");
		assert_int_equal(last.at.index, KT_LINE_NO_INDEX);
		assert_int_equal(last.n_subjects, 0);
	}
	kt_buf_deinit(&log);
	/* Without a mark: no jump leads from 3 to 87. */
	last = find_in("0: R1=ctx() R10=fp0\n3: (b7) r4 = 0\n87: (71) r0 = *(u8 *)(r4 +0)\n"
		       "R4 invalid mem access 'scalar'\n" STATS);
	assert_true(last.gap);
	assert_int_equal(last.subjects[0].n_steps, 0);
	/* A wide instruction takes two places. */
	last = find_in("0: R1=ctx() R10=fp0\n3: (18) r4 = 0xffff888100000000\n"
		       "5: (71) r0 = *(u8 *)(r4 +0)\nR4 invalid mem access 'scalar'\n" STATS);
	assert_false(last.gap);
	assert_int_equal(last.subjects[0].n_steps, 1);
}

/* What is a note in passing is the reason, when the call is rejected for it. */
static void test_call_of_global(void **state)
{
	struct kt_log_last last = find_in(
		"0: R1=ctx() R10=fp0\n0: (85) call pc+2\n"
		"Global function foo() doesn't return scalar. Only those are supported.\n"
		"Caller passes invalid args into func#1 ('foo')\n" STATS);

	(void)state;
	assert_text(last.headline,
		    "Global function foo() doesn't return scalar. Only those are supported.");
	assert_int_equal(last.at.index, 0);
	last = find_in("0: (b7) r1 = 0                        ; R1_w=0\n1: (85) call pc+1\n"
		       "arg#0 reference type('FWD S') size cannot be determined: -22\n"
		       "Caller passes invalid args into func#1 ('foo')\n" STATS);
	assert_text(last.headline, "arg#0 reference type('FWD S') size cannot be determined: -22");
	assert_int_equal(last.at.index, 1);
	/* In passing, it is none. */
	last = find_in("reg type unsupported for arg#0 function f#51\n0: R1=ctx() R10=fp0\n"
		       "0: (61) r0 = *(u32 *)(r0 +0)\nR0 !read_ok\n" STATS);
	assert_text(last.error, "R0 !read_ok");
}

/* The blank before a state gets lost where all lines are indented, and somebody moves them. */
static void test_state_in_first_column(void **state)
{
	struct kt_log_last last = find_in("17: (2d) if r2 > r8 goto pc+14\n"
					  "R1_w=pkt(id=2,off=0,r=0) R2_w=inv3 R10=fp0\n"
					  "18: (71) r1 = *(u8 *)(r1 +0)\n"
					  "R1 offset is outside of the packet\n" STATS);

	(void)state;
	assert_text(last.error, "R1 offset is outside of the packet");
	assert_text(last.subjects[0].value, "pkt(id=2,off=0,r=0)");
}

/* Level 1 glues the state of a callback to the call that enters it; the helper makes its arguments.
 */
static void test_callback(void **state)
{
	struct kt_log_last last = find_in(
		"0: R1=ctx() R10=fp0\n7: (b7) r4 = 0                        ; R4=0\n"
		"8: (85) call bpf_loop#181 11: frame1: R1=scalar() R2=fp[0]-8 R10=fp0 cb\n"
		"11: (79) r0 = *(u64 *)(r1 +0)\nR1 invalid mem access 'scalar'\n" STATS);

	(void)state;
	assert_int_equal(last.at.frame, 1);
	assert_int_equal(last.subjects[0].n_steps, 1);
	assert_int_equal(last.subjects[0].steps[0].how, KT_LAST_ARGUMENT);
	assert_int_equal(last.subjects[0].steps[0].insn.index, 8);
	assert_int_equal(last.subjects[0].steps[0].insn.frame, 0);
}

static void test_budget(void **state)
{
	struct kt_log_last last = find_in(
		"0: R1=ctx() R10=fp0\n"
		"6: (b7) r3 = 0                        ; R3_w=0\n"
		"7: (07) r3 += 1                       ; R3_w=1\n"
		"8: (ad) if r3 < r2 goto pc-2          ; R2=scalar() R3_w=1 R10=fp0\n"
		"7: (07) r3 += 1                       ; R3_w=2\n"
		"8: (ad) if r3 < r2 goto pc-2 BPF program is too large. Processed 1000001 insn\n" STATS);

	(void)state;
	assert_int_equal(last.class, KT_LAST_BUDGET);
	assert_text(last.headline, "BPF program is too large. Processed 1000001 insn");
	assert_int_equal(last.at.index, 8);
	assert_text(last.at.insn, "(ad) if r3 < r2 goto pc-2");
	assert_int_equal(last.path_insns, 5);
	assert_int_equal(last.path_line, 1);
	assert_false(last.path_branched);
}

#define CALL                                                                                       \
	"0: R1=ctx() R10=fp0\n"                                                                    \
	"; long x = 5; @ a.bpf.c:20\n"                                                             \
	"0: (b7) r6 = 5                        ; R6_w=5\n"                                         \
	"1: (b7) r8 = 8                        ; R8_w=8\n"                                         \
	"2: (bf) r1 = r6                       ; R1_w=5 R6_w=5\n"                                  \
	"3: (85) call pc+3\n"                                                                      \
	"caller:\n"                                                                                \
	" R6_w=5 R8_w=8 R10=fp0\n"                                                                 \
	"callee:\n"                                                                                \
	" frame1: R1_w=5 R10=fp0\n"                                                                \
	"7: frame1: R1_w=5 R10=fp0\n"

static void test_callee(void **state)
{
	struct kt_log_last last = find_in(CALL "7: (79) r0 = *(u64 *)(r1 +0)\n"
					       "R1 invalid mem access 'scalar'\n" STATS);

	(void)state;
	assert_int_equal(last.at.frame, 1);
	assert_int_equal(last.subjects[0].frame, 1);
	assert_string_equal(describe(&last.subjects[0]), "R1=5 passed@3 copied@2:R6 set@0");
	assert_int_equal(last.subjects[0].steps[2].insn.source.line, 20);
	/* The caller's r8 is no value of the callee. */
	last = find_in(CALL "7: (bf) r0 = r8\nR8 !read_ok\n" STATS);
	assert_string_equal(describe(&last.subjects[0]), "R8= never");
	/* Nor is what r8 was in a callee before. */
	last = find_in(CALL "7: (b7) r8 = 9                        ; frame1: R8_w=9\n"
			    "8: (95) exit\n"
			    "returning from callee:\n"
			    " frame1: R1=5 R8_w=9 R10=fp0\n"
			    "to caller at 4:\n"
			    " R6=5 R8=8 R10=fp0\n"
			    "4: (85) call pc+2\n"
			    "caller:\n"
			    " R6=5 R8=8 R10=fp0\n"
			    "callee:\n"
			    " frame1: R1=5 R10=fp0\n"
			    "7: frame1: R1=5 R10=fp0\n"
			    "7: (bf) r0 = r8\nR8 !read_ok\n" STATS);
	assert_string_equal(describe(&last.subjects[0]), "R8= never");
}

#define RETURN                                                                                     \
	CALL "7: (bf) r0 = r1                       ; frame1: R0_w=5 R1=5\n"                       \
	     "8: (95) exit\n"                                                                      \
	     "returning from callee:\n"                                                            \
	     " frame1: R0_w=5 R1=5 R10=fp0\n"                                                      \
	     "to caller at 4:\n"                                                                   \
	     " R0_w=5 R6=5 R8=8 R10=fp0\n"                                                         \
	     "\n"                                                                                  \
	     "from 8 to 4: R0_w=5 R6=5 R8=8 R10=fp0\n"

static void test_returned(void **state)
{
	struct kt_log_last last = find_in(RETURN "4: (79) r1 = *(u64 *)(r0 +0)\n"
						 "R0 invalid mem access 'scalar'\n" STATS);

	(void)state;
	assert_string_equal(describe(&last.subjects[0]),
			    "R0=5 returned@8 copied@7:R1 passed@3 copied@2:R6 set@0");
	assert_false(last.path_branched);
	assert_int_equal(last.path_insns, 7);
	/* What a callee did in the meantime does not touch r8; r1 does not survive it. */
	last = find_in(RETURN "4: (79) r1 = *(u64 *)(r8 +0)\n"
			      "R8 invalid mem access 'scalar'\n" STATS);
	assert_string_equal(describe(&last.subjects[0]), "R8=8 set@1");
	last = find_in(RETURN "4: (bf) r2 = r1\nR1 !read_ok\n" STATS);
	assert_string_equal(describe(&last.subjects[0]), "R1= clobber@3");
}

/* A log that begins inside a function that was called. */
static void test_inside(void **state)
{
	struct kt_log_last last = find_in(
		"12: (bf) r6 = r0                      ; frame1: R0=map_value(ks=4,vs=8) "
		"R6_w=map_value(ks=4,vs=8)\n"
		"13: (79) r3 = *(u64 *)(r6 +8)\n"
		"invalid access to map value, value_size=8 off=8 size=8\n"
		"R6 min value is outside of the allowed memory range\n" STATS);

	(void)state;
	assert_int_equal(last.at.frame, 1);
	assert_string_equal(describe(&last.subjects[0]),
			    "R6=map_value(ks=4,vs=8) copied@12:R0 gone");
	assert_int_equal(last.subjects[0].steps[0].insn.frame, 1);
	/* The first state is some instructions behind. */
	last = find_in("11: (b7) r7 = 3\n"
		       "12: (85) call bpf_get_prandom_u32#7   ; frame2: R0_w=scalar()\n"
		       "13: (79) r3 = *(u64 *)(r7 +8)\n"
		       "R7 invalid mem access 'scalar'\n" STATS);
	assert_int_equal(last.at.frame, 2);
	assert_string_equal(describe(&last.subjects[0]), "R7=3 set@11");
	/* It was called at 3, and has returned; r7 is the caller's. */
	last = find_in("2: (b7) r7 = 3\n"
		       "3: (85) call pc+7\n"
		       "caller:\n"
		       " frame1: R7_w=3 R10=fp0\n"
		       "callee:\n"
		       " frame2: R10=fp0\n"
		       "11: (b7) r7 = 9                       ; frame2: R7_w=9\n"
		       "12: (95) exit\n"
		       "returning from callee:\n"
		       " frame2: R7_w=9 R10=fp0\n"
		       "to caller at 4:\n"
		       " frame1: R7=3 R10=fp0\n"
		       "4: (79) r3 = *(u64 *)(r7 +8)\n"
		       "R7 invalid mem access 'scalar'\n" STATS);
	assert_int_equal(last.at.frame, 1);
	assert_string_equal(describe(&last.subjects[0]), "R7=3 set@2");
	/* It begins in the callee, whose return is all that tells the depth. */
	last = find_in("11: (b7) r7 = 9\n"
		       "12: (95) exit\n"
		       "returning from callee:\n"
		       " frame1: R7_w=9 R10=fp0\n"
		       "to caller at 4:\n"
		       " R7=3 R10=fp0\n"
		       "4: (79) r3 = *(u64 *)(r7 +8)\n"
		       "R7 invalid mem access 'scalar'\n" STATS);
	assert_int_equal(last.at.frame, 0);
	assert_string_equal(describe(&last.subjects[0]), "R7=3 gone");
}

/* What libbpf puts in the place of an instruction that cannot be. */
static void test_placeholder(void **state)
{
	static const char *const placeholders[] = {
		"1: <invalid kfunc call>\nkfunc 'R2' is referenced but wasn't resolved\n",
		("1: <invalid CO-RE relocation>\n"
		 "failed to resolve CO-RE relocation <byte_off> [24] struct r2.R2 (0:1 @ offset 8)\n"),
		"1: <invalid BPF map reference>\nBPF map 'R2' is referenced but wasn't created\n",
	};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		char log[500];
		struct kt_log_last last;

		snprintf(log, sizeof(log),
			 "0: R1=ctx() R10=fp0\n0: (b7) r2 = 72          ; R2_w=72\n%s" STATS,
			 placeholders[i]);
		last = find_in(log);
		assert_int_equal(last.outcome, KT_LAST_FAILED);
		assert_int_equal(last.at.index, 1);
		assert_memory_equal(last.at.insn.data, placeholders[i] + 3, last.at.insn.len);
		assert_int_equal(last.at.insn.data[last.at.insn.len - 1], '>');
		assert_true(last.headline.data == strchr(strstr(log, "1: <"), '\n') + 1);
		assert_int_equal(last.n_subjects, 0);
		assert_int_equal(last.path_insns, 2);
	}
}

/* Messages of kernels and programs that the logs here do not have. */
static void test_named(void **state)
{
	static const struct {
		const char *insn, *message, *names;
	} cases[] = {
		{"(85) call bpf_x#9", "Possibly NULL pointer passed to trusted arg0", "R1"},
		{"(85) call bpf_x#9", "arg#1 pointer type STRUCT task_struct must point to ", "R2"},
		{"(85) call bpf_x#9", "kernel function bpf_x args#2 expected pointer to ctx", "R3"},
		{"(85) call bpf_x#9", "R1 must have zero offset when passed to arg#0", "R1"},
		{"(85) call bpf_x#9", "invalid indirect read from stack R2 off -8+4 size 8",
		 "R2 fp-4"},
		{"(0f) r6 += r2",
		 "math between map_value pointer and register with unbounded min "
		 "value is not allowed",
		 "R6 R2"},
		{"(61) r1 = *(u32 *)(r7 +0)",
		 "invalid access to packet, off=14 size=1, "
		 "R7(id=0,off=14,r=0)",
		 "R7"},
		{"(95) exit", "bpf_spin_unlock is missing", ""},
		{"(85) call bpf_x#9", "unknown func bpf_x#9", ""},
		{"(b7) r1 = 0", "XR1 R11 R1x R123 R_1", "R1"}, /* by the instruction */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char log[500], names[100] = "";
		struct kt_log_last last;
		size_t n = 0;

		snprintf(log, sizeof(log), "0: R1=ctx() R10=fp0\n0: %s\n%s\n" STATS, cases[i].insn,
			 cases[i].message);
		last = find_in(log);
		assert_int_equal(last.class, KT_LAST_INSN);
		for (size_t k = 0; k < last.n_subjects; k++)
			n += (size_t)snprintf(names + n, sizeof(names) - n, "%s%s%d", n ? " " : "",
					      last.subjects[k].kind ? "fp" : "R",
					      last.subjects[k].number);
		assert_string_equal(names, cases[i].names);
	}
}

/* 5.10: the state stands before the error, and stack slots are named without a register. */
static void test_5_10(void **state)
{
	struct kt_log_last last = find_in("0: (b7) r1 = 3\n"
					  "1: (63) *(u32 *)(r10 -12) = r1\n"
					  "2: (63) *(u32 *)(r10 -20) = r1\n"
					  "3: (15) if r1 == 0x0 goto pc+1\n"
					  " R1_w=inv3 R10=fp0 fp-16=mmmm????\n"
					  "4: (79) r0 = *(u64 *)(r10 -16)\n"
					  "invalid read from stack off -16+0 size 8\n" STATS);

	(void)state;
	assert_int_equal(last.n_subjects, 1);
	/* The stores cover the bytes -12 to -9 and -20 to -17, not byte -16. */
	assert_string_equal(describe(&last.subjects[0]), "fp-16=mmmm???? never");
	last = find_in("0: (b7) r1 = 3\n"
		       "1: (63) *(u32 *)(r10 -12) = r1\n"
		       "2: (79) r0 = *(u64 *)(r10 -16)\n"
		       "invalid read from stack off -16+4 size 8\n" STATS);
	assert_string_equal(describe(&last.subjects[0]), "fp-12=3 spilled@1:R1 set@0");
	last = find_in(
		"0: (61) r2 = *(u32 *)(r1 +0)\n"
		"1: (0f) r6 += r2\n"
		"; data[n] = 1;\n"
		"2: (73) *(u8 *)(r6 +0) = r1\n"
		" R1=ctx(id=0,off=0,imm=0) R2_w=inv(id=0) "
		"R6_w=map_value(id=0,off=0,ks=4,vs=12,umax_value=9) R10=fp0\n"
		"R6 unbounded memory access, make sure to bounds check any such access\n" STATS);
	assert_string_equal(describe(&last.subjects[0]),
			    "R6=map_value(id=0,off=0,ks=4,vs=12,umax_value=9) altered@1 gone");
	assert_text(last.at.source.text, "data[n] = 1;");
}

/* 5.10 at level 2: a branch is taken up behind an exit or "safe" without a word. */
static void test_5_10_branches(void **state)
{
	struct kt_log_last last = find_in(
		"0: R1=ctx(id=0,off=0,imm=0) R10=fp0\n"
		"0: (b7) r6 = 7\n"
		"1: R1=ctx(id=0,off=0,imm=0) R6_w=inv7 R10=fp0\n"
		"1: (61) r2 = *(u32 *)(r1 +0)\n"
		"2: R1=ctx(id=0,off=0,imm=0) R2_w=inv(id=0) R6_w=inv7 R10=fp0\n"
		"2: (15) if r2 == 0x0 goto pc+3\n"
		" R1=ctx(id=0,off=0,imm=0) R2_w=inv(id=0) R6_w=inv7 R10=fp0\n"
		"3: R1=ctx(id=0,off=0,imm=0) R2_w=inv(id=0) R6_w=inv7 R10=fp0\n"
		"3: (b7) r6 = 9\n"
		"4: R1=ctx(id=0,off=0,imm=0) R2_w=inv(id=0) R6_w=inv9 R10=fp0\n"
		"4: (b7) r0 = 0\n"
		"5: R0_w=inv0 R2_w=inv(id=0) R6_w=inv9 R10=fp0\n"
		"5: (95) exit\n"
		"6: R1=ctx(id=0,off=0,imm=0) R2=inv0 R6=inv7 R10=fp0\n"
		"; return *p;\n"
		"6: (79) r0 = *(u64 *)(r6 +0)\n"
		"R6 invalid mem access 'inv'\n" STATS);

	(void)state;
	assert_true(last.path_branched);
	assert_int_equal(last.path_from, 2);
	assert_int_equal(last.path_to, 6);
	assert_int_equal(last.path_insns, 1);
	assert_int_equal(last.path_before, 3);
	assert_string_equal(describe(&last.subjects[0]), "R6=inv7 set@0");
}

/* 6.1 keeps the head of a log that overflows, 6.4 and later its tail. */
static void test_cut(void **state)
{
	struct kt_log_last last = find_in("0: R1=ctx() R10=fp0\n"
					  "0: (b7) r6 = 0                        ; R6_w=0\n"
					  "; s += i;\n"
					  "1: (07) r6 += 1                       ; R6_");

	(void)state;
	assert_int_equal(last.outcome, KT_LAST_CUT);
	assert_true(last.cut_end);
	assert_false(last.cut_front);
	assert_int_equal(last.at.index, 1);
	assert_text(last.at.source.text, "s += i;");
	assert_int_equal(last.path_insns, 2);
	assert_int_equal(find_in("0: R1=ctx() R10=fp0\n0: (b7) r6 = 0\n; vol").outcome,
			 KT_LAST_CUT);
	assert_int_equal(find_in("0: R1=ctx() R10=fp0\n0: (b7) r6 = 0\n1: (0").outcome,
			 KT_LAST_CUT);
	last = find_in("f=(0x0; 0xff)) R5=3\n"
		       "7: (79) r0 = *(u64 *)(r6 +0)\n"
		       "R6 invalid mem access 'inv'\n" STATS);
	assert_int_equal(last.outcome, KT_LAST_FAILED);
	assert_true(last.cut_front);
	assert_false(last.cut_end);
	assert_string_equal(describe(&last.subjects[0]), "R6=inv gone");
	/* Without its statistics, but with the error. */
	last = find_in("0: R1=ctx() R10=fp0\n0: (bf) r0 = r6\nR6 !read_ok");
	assert_int_equal(last.outcome, KT_LAST_FAILED);
	assert_true(last.cut_end);
	assert_text(last.error, "R6 !read_ok");
}

/* Several logs in a row: the last one counts. */
static void test_last_of_several(void **state)
{
	struct kt_log_last last = find_in(
		"0: R1=ctx() R10=fp0\n0: (bf) r0 = r6\nR6 !read_ok\n" STATS
		"0: R1=ctx() R10=fp0\n0: (bf) r0 = r7\nR7 !read_ok\n" STATS);

	(void)state;
	assert_text(last.error, "R7 !read_ok");
	assert_int_equal(last.path_line, 5);
	assert_int_equal(last.path_insns, 1);
	last = find_in("0: R1=ctx() R10=fp0\n0: (bf) r0 = r6\nR6 !read_ok\n" STATS
		       "0: R1=ctx() R10=fp0\n0: (95) exit\n" STATS);
	assert_int_equal(last.outcome, KT_LAST_PASSED);
}

static void check_within(struct kt_text log, struct kt_text part)
{
	if (part.len)
		assert_true(part.data >= log.data && part.data + part.len <= log.data + log.len);
}

static void check_slices(struct kt_text log)
{
	struct kt_log_last last = find(log);

	check_within(log, last.error);
	check_within(log, last.headline);
	check_within(log, last.explanation);
	check_within(log, last.path);
	check_within(log, last.stats);
	check_within(log, last.at.line);
	for (size_t i = 0; i < last.n_subjects; i++) {
		check_within(log, last.subjects[i].value);
		for (size_t k = 0; k < last.subjects[i].n_steps; k++)
			check_within(log, last.subjects[i].steps[k].insn.insn);
	}
}

/* Logs that are cut off anywhere, and with bytes changed. */
static void test_damaged(void **state)
{
	uint64_t seed = 5;

	(void)state;
	for (size_t i = 0; i < N_ERROR_LOGS; i++) {
		struct kt_text log = read_error_log(error_logs[i]);

		for (size_t cut = 0; cut < log.len; cut += 1 + log.len / 300) {
			struct kt_text head = copy_text(log.data, cut);
			struct kt_text tail = copy_text(log.data + cut, log.len - cut);

			check_slices(head);
			check_slices(tail);
			free((char *)head.data);
			free((char *)tail.data);
		}
		for (int run = 0; run < 200; run++) {
			char *data = (char *)log.data;

			data[rng_below(&seed, log.len)] = (char)rng_next(&seed);
			check_slices(log);
		}
		free((char *)log.data);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_real_errors),
		cmocka_unit_test(test_taken_back),
		cmocka_unit_test(test_loops),
		cmocka_unit_test(test_outcome),
		cmocka_unit_test(test_outcome_far),
		cmocka_unit_test(test_kernel_agrees),
		cmocka_unit_test(test_explanation),
		cmocka_unit_test(test_passed),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_branch),
		cmocka_unit_test(test_known_outcome),
		cmocka_unit_test(test_level_1),
		cmocka_unit_test(test_gaps),
		cmocka_unit_test(test_call_of_global),
		cmocka_unit_test(test_state_in_first_column),
		cmocka_unit_test(test_callback),
		cmocka_unit_test(test_budget),
		cmocka_unit_test(test_callee),
		cmocka_unit_test(test_returned),
		cmocka_unit_test(test_5_10),
		cmocka_unit_test(test_named),
		cmocka_unit_test(test_5_10_branches),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_last_of_several),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_taken_once),
		cmocka_unit_test(test_inside),
		cmocka_unit_test(test_placeholder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
