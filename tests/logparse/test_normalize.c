// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What of a line stays from one iteration to the next, on lines of real kernels; what is
 * expected was written by hand.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include "logparse/line.h"
#include "tests/memory/rng.h"

/* The normalised line, to be freed, without trailing blanks, which mean nothing. */
static char *normal(const char *line, size_t len)
{
	struct kt_buf out = KT_BUF_INIT;
	char *exact = malloc(len ? len : 1), *s;

	assert_non_null(exact);
	memcpy(exact, line, len);
	kt_buf_appends(&out, ">"); /* it appends */
	kt_normalize_verifier_line((struct kt_text){exact, len}, &out);
	free(exact);
	assert_false(kt_buf_failed(&out));
	assert_true(out.len >= 1 && out.data[0] == '>');
	kt_buf_consume(&out, 1);
	while (out.len && out.data[out.len - 1] == ' ')
		out.len--;
	kt_buf_appendc(&out, 0);
	s = kt_buf_steal(&out);
	assert_non_null(s);
	return s;
}

static void becomes(const char *line, const char *want)
{
	char *got = normal(line, strlen(line));

	if (strcmp(got, want) != 0)
		fail_msg("\"%s\" became \"%s\", not \"%s\"", line, got, want);
	free(got);
}

static void stays(const char *line)
{
	becomes(line, line);
}

static bool equal(const char *a, const char *b)
{
	char *x = normal(a, strlen(a)), *y = normal(b, strlen(b));
	bool is = strcmp(x, y) == 0;

	free(x);
	free(y);
	return is;
}

static void alike(const char *a, const char *b)
{
	if (!equal(a, b))
		fail_msg("not alike: \"%s\" and \"%s\"", a, b);
}

static void unlike(const char *a, const char *b)
{
	if (equal(a, b))
		fail_msg("alike: \"%s\" and \"%s\"", a, b);
}

static void test_instructions(void **state)
{
	(void)state;
	/* 6.1 */
	becomes("7: (07) r1 += 3                       ; R1_w=3", "7: (07) r1 += 3");
	becomes("15: (bf) r3 = r1                      ; frame1: R1_w=scalar(id=1) "
		"R3_w=scalar(id=1) cb",
		"15: (bf) r3 = r1");
	becomes("9: (15) if r1 == 0x12c goto pc+1", "9: (15) if r1 == 0x12c goto pc+1");
	becomes("8: (69) r6 = *(u16 *)(r1 +12)         ; R1_w=pkt(off=0,r=14,imm=0) "
		"R6_w=scalar(umax=65535,var_off=(0x0; 0xffff))",
		"8: (69) r6 = *(u16 *)(r1 +12)");
	/* 6.12 */
	becomes("1: (7b) *(u64 *)(r10 -8) = r1         ; R1_w=0 R10=fp0 fp-8_w=0",
		"1: (7b) *(u64 *)(r10 -8) = r1");
	becomes("26: (16) if w6 == 0x81 goto pc-17     ; R6_w=scalar(smin=smin32=0,smax=umax="
		"smax32=umax32=0xffff,var_off=(0x0; 0xffff))",
		"26: (16) if w6 == 0x81 goto pc-17");
	becomes("5: (85) call bpf_iter_num_new#57997   ; R0_w=scalar() "
		"fp-8_w=iter_num(ref_id=1,state=active,depth=0) refs=1",
		"5: (85) call bpf_iter_num_new#57997");
	/* 7.3 */
	becomes("5: (85) call bpf_iter_num_new#70246   ; "
		"fp-8=iter_num(id=1,state=active,depth=0) refs=1",
		"5: (85) call bpf_iter_num_new#70246");
	becomes("24: (7b) *(u64 *)(r2 +0) = r4         ; frame1: R2=fp[0]-8 R4=scalar(id=4) cb",
		"24: (7b) *(u64 *)(r2 +0) = r4");
	/* The state glued behind a jump, as before 5.16 and in the seed's examples. */
	becomes("3028: (15) if r0 == 0x0 goto pc+2 R0=rdonly_mem(id=2,ref_obj_id=1,sz=4) "
		"R6=fp-8 R10=fp0",
		"3028: (15) if r0 == 0x0 goto pc+2");
	becomes("24: (05) goto pc+2", "24: (05) goto pc+2");
	unlike("24: (05) goto pc+2", "24: (05) goto pc+3");
	unlike("24: (05) goto pc+2", "25: (05) goto pc+2");
	unlike("7: (07) r1 += 3    ; R1_w=3", "7: (07) r1 += 4    ; R1_w=3");
	/* State in the one iteration, none in the next: 6.12 has both of this. */
	alike("27: (85) call bpf_iter_num_destroy#57994      ;",
	      "27: (85) call bpf_iter_num_destroy#57994");
	alike("9: (15) if r0 == 0x0 goto pc+15       ; R0=0 refs=1",
	      "9: (15) if r0 == 0x0 goto pc+15");
	alike("20: (0f) r4 += r3", "20: (0f) r4 += r3                     ; R4_w=scalar()");
}

static void test_state(void **state)
{
	(void)state;
	becomes("3041: frame1: R0_w=1 R10=fp0", "3041:");
	becomes("3029: R0=1 R1=2 R10=fp0", "3029:");
	becomes("0: R1=ctx(off=0,imm=0) R10=fp0", "0:");
	becomes("31: R1_w=pkt(off=14,r=14) R5_w=14", "31:");
	becomes("9: R0_w=0 refs=1", "9:");
	unlike("3041: R0=1", "3042: R0=1");
	unlike("3041: R0=1", "3041: safe");
	/* caller:, callee: and what is under them */
	alike(" R10=fp0 fp-8_w=00000000", " R10=fp0 fp-8_w=scalar()");
	alike(" frame1: R1=scalar() R2_w=fp-8 R10=fp0 cb",
	      " frame1: R1=scalar(id=2) R2=fp-8 R10=fp0 cb");
	stays("caller:");
	stays("to caller at 8:");
}

static void test_branches(void **state)
{
	(void)state;
	becomes("from 18 to 3: R0=1 R1=pkt(r=14) R10=fp0", "from 18 to 3:");
	becomes("from 8 to 15: frame1: R1=scalar() R2=fp[0]-8 R10=fp0 cb", "from 8 to 15:");
	becomes("from 27 to 29: R0_w=scalar(umax=65535,var_off=(0x0; 0xffff)) R10=fp0",
		"from 27 to 29:");
	stays("from 24 to 12: safe");
	stays("28: safe");
	unlike("from 18 to 3: R0=1", "from 18 to 4: R0=1");
	unlike("from 18 to 3: R0=1", "from 17 to 3: R0=1");
	unlike("from 18 to 3: R0=1", "from 18 to 3: safe");
}

/* Only that they are alike is promised: what they become is nobody's business. */
static void test_precision(void **state)
{
	(void)state;
	/* 6.1 */
	alike("regs=2 stack=0 before 8: (bf) r2 = r3", "regs=6 stack=100 before 8: (bf) r2 = r3");
	alike("last_idx 9 first_idx 0", "last_idx 10 first_idx 2");
	alike("parent didn't have regs=2 stack=0 marks: R1_rw=P3 R10=fp0",
	      "parent didn't have regs=20 stack=0 marks: R0_w=1 R5_rw=P0 R10=fp0");
	/* 6.12 */
	alike("mark_precise: frame0: regs=r1 stack= before 8: (bf) r2 = r3",
	      "mark_precise: frame0: regs=r1,r2 stack=-8 before 8: (bf) r2 = r3");
	alike("mark_precise: frame0: last_idx 9 first_idx 0 subseq_idx -1 ",
	      "mark_precise: frame0: last_idx 10 first_idx 0 subseq_idx 2 ");
	alike("mark_precise: frame0: parent state regs=r1 stack=:  R1_rw=P3 R10=fp0",
	      "mark_precise: frame0: parent state regs=r1 stack=:  R1_rw=P6 R2=1 R10=fp0");
	unlike("mark_precise: frame0: last_idx 9 first_idx 0 subseq_idx -1 ", "9: (95) exit");
}

/* What iterations are recognised by, and what a person looks for. */
static void test_kept(void **state)
{
	(void)state;
	stays("");
	stays("; for (int j = 0; j < 4; j++) {");
	stays("; for (int j = 0; R1_w=3; j++) {");
	stays("; s += i * 3 + (s >> 2); @ good.bpf.c:38");
	stays("; R1 = R2; @ regs.bpf.c:1");
	stays("12: (85) call pc+11 ; Return value");
	stays("R1 invalid mem access 'map_value_or_null'");
	stays("R1 type=scalar expected=fp, pkt, pkt_meta, map_key, map_value");
	stays("R1 !read_ok");
	stays("R8 unbounded memory access, make sure to bounds check any such access");
	stays("invalid access to map value, value_size=32 off=128 size=4");
	stays("math between fp pointer and register with unbounded min value is not allowed");
	stays("infinite loop detected at insn 7");
	stays("processed 136 insns (limit 1000000) max_states_per_insn 1 total_states 9 "
	      "peak_states 9 mark_read 3");
	stays("stack depth 8+0+0 max 16");
	stays("func#1 @15");
	stays("At program exit the register R0 has smin=1 smax=1 should have been in [0, 0]");
	stays("--- end repeat ---");
	becomes("; for (;;) {\r", "; for (;;) {");
	becomes("7: (07) r1 += 3                       ; R1_w=3\r", "7: (07) r1 += 3");
	becomes("3041: R0_w=1\r", "3041:");
}

/* Once normalised, nothing is left to take away. */
static void idempotent(const char *line, size_t len)
{
	char *once = normal(line, len), *twice = normal(once, strlen(once));

	if (!memchr(line, 0, len) && strcmp(once, twice) != 0)
		fail_msg("\"%s\", then \"%s\"", once, twice);
	free(once);
	free(twice);
}

/* Any bytes, and any cut or change of a real line, are only text. */
static void test_hostile(void **state)
{
	static const char *const real[] = {
		"15: (bf) r3 = r1                      ; frame1: R1_w=scalar(id=1) cb",
		"from 18 to 3: frame2: R0=1 R1=pkt(r=14) R10=fp0",
		"mark_precise: frame0: parent state regs=r1 stack=:  R1_rw=P3 R10=fp0",
		"regs=2 stack=0 before 8: (bf) r2 = r3",
		"3028: (15) if r0 == 0x0 goto pc+2 R0=rdonly_mem(id=2,ref_obj_id=1,sz=4)",
		"3041: frame1: R0_w=1 R10=fp0",
		"  1   2: .12....... (bf) r3 = r2",
		"18446744073709551617: (07) r1 += 3 ; R1=1",
		"last_idx 9 first_idx 0",
	};
	uint64_t rng = 5;

	(void)state;
	for (size_t r = 0; r < sizeof(real) / sizeof(real[0]); r++) {
		for (size_t len = 0; len <= strlen(real[r]); len++) {
			char line[128];

			idempotent(real[r], len);
			for (int i = 0; i < 200 && len; i++) {
				memcpy(line, real[r], len);
				line[rng_below(&rng, len)] = (char)rng_next(&rng);
				free(normal(line, len));
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_instructions), cmocka_unit_test(test_state),
		cmocka_unit_test(test_branches),     cmocka_unit_test(test_precision),
		cmocka_unit_test(test_kept),         cmocka_unit_test(test_hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
