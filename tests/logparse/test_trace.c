// SPDX-License-Identifier: LGPL-2.1-or-later
/* A log read as events, of kernels from 5.10 to 7.3. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include "logparse/trace.h"
#include "tests/logparse/errors.h"
#include "tests/memory/rng.h"

#define MAX_EVENTS 200

/* A letter for each kind. */
static const char letters[] = {
	[KT_EVENT_TEXT] = 'x',        [KT_EVENT_INSN] = 'i',  [KT_EVENT_SOURCE] = ';',
	[KT_EVENT_STATE] = 's',       [KT_EVENT_POP] = '<',   [KT_EVENT_PRUNED] = '.',
	[KT_EVENT_PRECISION] = 'p',   [KT_EVENT_CALL] = '(',  [KT_EVENT_RETURN] = ')',
	[KT_EVENT_SUBPROG] = 'f',     [KT_EVENT_TABLE] = 't', [KT_EVENT_NOTE] = 'n',
	[KT_EVENT_EXPLANATION] = 'e', [KT_EVENT_STATS] = '=',
};

struct reading {
	struct kt_event events[MAX_EVENTS];
	char kinds[MAX_EVENTS + 1];
	size_t n;
};

/* Reads all events; together they have to be the log. */
static void read_all(struct kt_text log, struct reading *r)
{
	struct kt_trace trace;
	struct kt_event ev;
	size_t at = 0, line = 1;

	r->n = 0;
	kt_trace_init(&trace, log);
	while (kt_trace_next(&trace, &ev)) {
		assert_ptr_equal(ev.text.data, log.data + at);
		assert_true(ev.text.len > 0 && ev.n_lines > 0);
		assert_int_equal(ev.line, line);
		at += ev.text.len;
		line += ev.n_lines;
		if (r->n < MAX_EVENTS) {
			r->kinds[r->n] = letters[ev.kind];
			r->events[r->n++] = ev;
		}
	}
	r->kinds[r->n] = '\0';
	assert_int_equal(at, log.len);
}

static void read_text(const char *log, struct reading *r)
{
	read_all((struct kt_text){log, strlen(log)}, r);
}

static void test_source_formats(void **state)
{
	static const struct {
		const char *line, *text, *file;
		uint32_t number;
	} cases[] = {
		{"; u32 k = 1;", "u32 k = 1;", "", 0},                          /* 6.1 */
		{"; u32 k = 1; @ bad.bpf.c:40", "u32 k = 1;", "bad.bpf.c", 40}, /* 6.12 */
		{";  @ bad.bpf.c:0", "", "bad.bpf.c", 0},
		{"; ", "", "", 0},
		{";", "", "", 0},
		{"; a @ b; @ x.h:7\r", "a @ b;", "x.h", 7},
		{"; mail @ me:12x", "mail @ me:12x", "", 0},
		{"; x @ c:/y.c:99999999999", "x @ c:/y.c:99999999999", "", 0},
	};
	struct kt_source_ref ref;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kt_text line = {cases[i].line, strlen(cases[i].line)};

		assert_true(kt_source_ref_read(line, &ref));
		assert_text(ref.text, cases[i].text);
		assert_text(ref.file, cases[i].file);
		assert_int_equal(ref.line, cases[i].number);
	}
	assert_false(kt_source_ref_read(KT_TEXT("u32 k = 1;"), &ref));
	assert_false(kt_source_ref_read(KT_TEXT(""), &ref));
}

/* Level 2 of 6.12, read line by line. */
static void test_bounds(void **state)
{
	struct kt_text log = read_error_log("6.12_bad_bounds");
	struct reading r;
	const struct kt_event *ev;

	(void)state;
	read_all(log, &r);
	assert_string_equal(r.kinds, "tns;i;ii;i;iii;i;i;i;iipsiixx=");
	ev = &r.events[4];
	assert_int_equal(ev->index, 0);
	assert_int_equal(ev->opcode, 0xb4);
	assert_text(ev->insn, "(b4) w1 = 1");
	assert_text(ev->state, "R1_w=1");
	assert_text(ev->source.text, "int bad_bounds(void *ctx)");
	assert_int_equal(ev->source.line, 47);
	/* "12: (0f) r6 += r0", seven lines of backtracking, and the state behind it as 13 */
	ev = &r.events[22];
	assert_text(ev->insn, "(0f) r6 += r0");
	assert_int_equal(ev->state.len, 0);
	assert_text(ev->source.text, "v[i] = 1;");
	assert_text(ev->source.file, "bad.bpf.c");
	assert_int_equal(ev->source.line, 53);
	assert_int_equal(ev[1].n_lines, 7);
	assert_int_equal(ev[2].index, 13);
	assert_true(kt_text_starts_with(ev[2].state, KT_TEXT("R0_w=scalar(smin=smin32=0,")));
	assert_text(r.events[28].text, "R6 max value is outside of the allowed memory range\n");
	free((char *)log.data);
}

static void test_explanation(void **state)
{
	struct kt_text log = read_error_log("7.3_bad_leak");
	struct reading r;
	const struct kt_event *ev;

	(void)state;
	read_all(log, &r);
	ev = &r.events[r.n - 3];
	assert_string_equal(r.kinds + r.n - 5, "xxex=");
	assert_true(kt_text_starts_with(ev->text, KT_TEXT("Verification failed: Resource ")));
	assert_non_null(memmem(ev->text.data, ev->text.len, "Suggestion:", 11));
	assert_text(ev[1].text, "BPF_EXIT instruction in main prog would lead to reference leak\n");
	free((char *)log.data);
}

static void test_subprog(void **state)
{
	struct kt_text log = read_error_log("7.2_bad_global");
	struct reading r;

	(void)state;
	read_all(log, &r);
	assert_string_equal(r.kinds, "ts;i;ii;i;insifs;ix=");
	assert_int_equal(r.events[0].n_lines, 48);
	assert_int_equal(r.events[14].index, 1);
	free((char *)log.data);
}

/* 5.10 has the state of all registers on lines of its own, and backtracking without a frame. */
static void test_5_10(void **state)
{
	struct reading r;

	(void)state;
	read_text("func#0 @0\n"
		  "0: R1=ctx(id=0,off=0,imm=0) R10=fp0\n"
		  "; int k = ctx->len & 7;\n"
		  "0: (61) r6 = *(u32 *)(r1 +0)\n"
		  "1: R1=ctx(id=0,off=0,imm=0) R6_w=inv(id=0) R10=fp0\n"
		  "1: (15) if r6 == 0x0 goto pc+3\n"
		  " R1=ctx(id=0,off=0,imm=0) R6_w=inv(id=0) R10=fp0\n"
		  "2: R1=ctx(id=0,off=0,imm=0) R6_w=inv(id=0) R10=fp0\n"
		  "2: (0f) r7 += r6\n"
		  "last_idx 2 first_idx 0\n"
		  "regs=40 stack=0 before 1: (15) if r6 == 0x0 goto pc+3\n"
		  " R1_r=ctx(id=0,off=0,imm=0) R10=fp0\n"
		  "parent didn't have regs=40 stack=0 marks\n"
		  "R7 !read_ok\n"
		  "processed 3 insns (limit 1000000) max_states_per_insn 0 total_states 0 "
		  "peak_states 0 mark_read 0\n",
		  &r);
	assert_string_equal(r.kinds, "ts;isissipx=");
	assert_text(r.events[5].insn, "(15) if r6 == 0x0 goto pc+3");
	assert_int_equal(r.events[6].index, KT_LINE_NO_INDEX);
	assert_text(r.events[6].state, "R1=ctx(id=0,off=0,imm=0) R6_w=inv(id=0) R10=fp0");
	assert_int_equal(r.events[9].n_lines, 4);
}

/* The depth of calls comes from what the states say; a return is no branch. */
static void test_frames(void **state)
{
	struct reading r;

	(void)state;
	read_text("8: (85) call pc+5\n"
		  "caller:\n"
		  " R6_w=fp-300 R10=fp0 fp-304=mmmm????\n"
		  "callee:\n"
		  " frame1: R1_w=scalar(umax=3,var_off=(0x0; 0x3)) R10=fp0\n"
		  "14: frame1: R1=scalar(umax=3,var_off=(0x0; 0x3)) R10=fp0\n"
		  "; return n;\n"
		  "14: (bc) w0 = w1                      ; frame1: R0_w=0 R1=0\n"
		  "15: (95) exit\n"
		  "returning from callee:\n"
		  " frame1: R0_w=0 R1=0 R10=fp0\n"
		  "to caller at 9:\n"
		  " R0_w=0 R6=fp-300 R10=fp0\n"
		  "\n"
		  "from 15 to 9: R0_w=0 R6=fp-300 R10=fp0\n"
		  "9: (71) r1 = *(u8 *)(r6 +0)           ; R1_w=0 R6=fp-300\n"
		  "\n"
		  "from 3 to 9: R0=1 R10=fp0\n"
		  "9: safe\n"
		  "from 4 to 9: safe\n"
		  "from 4 to 9 (speculative execution): R0=1 R10=fp0\n",
		  &r);
	assert_string_equal(r.kinds, "i(s;ii)x)ix<..<");
	assert_int_equal(r.events[1].n_lines, 4);
	assert_text(r.events[1].state, "frame1: R1_w=scalar(umax=3,var_off=(0x0; 0x3)) R10=fp0");
	assert_int_equal(r.events[0].frame, 0);
	assert_int_equal(r.events[4].frame, 1);
	assert_int_equal(r.events[5].frame, 1);
	assert_int_equal(r.events[6].index, 9);
	assert_text(r.events[6].state, "R0_w=0 R6=fp-300 R10=fp0");
	assert_int_equal(r.events[9].frame, 0);
	assert_int_equal(r.events[11].from, 3);
	assert_int_equal(r.events[11].index, 9);
	assert_int_equal(r.events[12].from, KT_LINE_NO_INDEX);
	assert_int_equal(r.events[13].from, 4);
	assert_false(r.events[11].speculative);
	assert_true(r.events[14].speculative);
}

/* What level 1 glues to a jump to which the log was taken back. */
static void test_glued(void **state)
{
	struct reading r;

	(void)state;
	read_text("36: (55) if r3 != 0x7 goto pc-3 34: R1=ctx() R3=scalar() R10=fp0\n"
		  "8: (ad) if r3 < r2 goto pc-3          ; R0=scalar() R3=5 R10=fp0\n"
		  "9: (15) if r6 == 0x0 goto pc+5        ; R6=map_value(off=0,ks=4,vs=32,imm=0)\n"
		  "47: (85) call scx_bpf_dsq_insert#96929        ;\n"
		  "8: (ad) if r3 < r2 goto pc-3 BPF program is too large. Processed 1000001 insn\n",
		  &r);
	assert_string_equal(r.kinds, "iiiii");
	assert_text(r.events[0].insn, "(55) if r3 != 0x7 goto pc-3");
	assert_text(r.events[0].state, "R1=ctx() R3=scalar() R10=fp0");
	assert_true(r.events[0].resumed);
	assert_text(r.events[1].insn, "(ad) if r3 < r2 goto pc-3");
	assert_true(r.events[1].resumed);
	assert_false(r.events[2].resumed);
	assert_text(r.events[3].insn, "(85) call scx_bpf_dsq_insert#96929");
	assert_int_equal(r.events[3].state.len + r.events[3].message.len, 0);
	assert_text(r.events[4].insn, "(ad) if r3 < r2 goto pc-3");
	assert_text(r.events[4].message, "BPF program is too large. Processed 1000001 insn");
	assert_int_equal(r.events[4].state.len, 0);
}

/* Rows of a listing in 7.2 look as instructions do from the thousandth on. */
static void test_listing(void **state)
{
	struct reading r;

	(void)state;
	read_text("func#0 @0\n"
		  "subprog#0: analyzing (depth 0)...\n"
		  "subprog#0 big:\n"
		  "999: (af) r7 ^= r1\n"
		  "1000: (95) exit\n"
		  "Live regs before insn:\n"
		  "      0: .......... (b7) r7 = 0\n"
		  "0: R1=ctx() R10=fp0\n"
		  "0: (b7) r7 = 0                        ; R7=0\n",
		  &r);
	assert_string_equal(r.kinds, "tsi");
	assert_int_equal(r.events[0].n_lines, 7);
}

static void test_notes_and_errors(void **state)
{
	struct reading r;

	(void)state;
	read_text("reg type unsupported for arg#0 function bad_leak#51\n"
		  "arg#0 reference type('UNKNOWN ') size cannot be determined: -22\n"
		  "func 'vfs_open' arg1 has btf_id 420 type STRUCT 'file'\n"
		  "Func#1 ('glob_fn') is global and assumed valid.\n"
		  "SCC enter (3)\n"
		  "Validating f() func#1...\n"
		  "arg#0 reference type('UNKNOWN ') size cannot be determined: -22\n"
		  "verification time 12 usec\n"
		  "stack depth 8+0\n"
		  "insns processed 14+122\n"
		  "subprog 1 (glob_fn) global insns_self 122 insns_total 122 stack 0\n"
		  "processed 4 insns (limit 1000000)\n",
		  &r);
	assert_string_equal(r.kinds, "nnnnnfx=====");
}

/* Every log, cut off anywhere, with CRLF too: the events are still the log. */
static void test_cut_anywhere(void **state)
{
	struct reading r;

	(void)state;
	for (size_t i = 0; i < N_ERROR_LOGS; i++) {
		struct kt_text log = read_error_log(error_logs[i]);

		for (size_t cut = 0; cut <= log.len; cut += 1 + cut / 200) {
			struct kt_text head = copy_text(log.data, cut);
			struct kt_text tail = copy_text(log.data + cut, log.len - cut);

			read_all(head, &r);
			read_all(tail, &r);
			free((char *)head.data);
			free((char *)tail.data);
		}
		free((char *)log.data);
	}
}

static void test_crlf(void **state)
{
	struct reading r;

	(void)state;
	read_text("; u32 k = 1; @ a.c:4\r\n"
		  "1: (63) *(u32 *)(r10 -4) = r1         ; R1=1 R10=fp0 fp-8=mmmm????\r\n"
		  "2: R1=1\r\n",
		  &r);
	assert_string_equal(r.kinds, ";is");
	assert_int_equal(r.events[1].source.line, 4);
	assert_text(r.events[1].insn, "(63) *(u32 *)(r10 -4) = r1");
	assert_text(r.events[1].state, "R1=1 R10=fp0 fp-8=mmmm????");
	assert_text(r.events[2].state, "R1=1");
}

/* Pieces of logs in any order, and any bytes. */
static void test_random(void **state)
{
	static const char *const pieces[] = {
		"1: (85) call pc+2",
		"caller:\n",
		"callee:\n",
		" frame1: R1=0",
		"from 1 to 2",
		": safe",
		"\n",
		"; x @ a:1",
		"to caller at ",
		"9:\n",
		"returning from callee:\n",
		"regs=1 stack=0 before 2:",
		"Verification failed: ",
		"Reason:\n",
		"subprog#0 ",
		"func#1 @2\n",
		"(07) r1 += 3",
		"R1=",
		"Validating ",
		" func#",
		"processed ",
		"goto pc+1 ",
		"(",
		"99999999999",
		"\r\n",
		" ",
		";",
		"Live regs before insn:\n",
	};
	uint64_t seed = 7;
	struct reading r;

	(void)state;
	for (int run = 0; run < 4000; run++) {
		char bytes[400];
		size_t len = 0;
		struct kt_text log;

		for (uint64_t n = rng_next(&seed) % 20; n; n--) {
			const char *piece =
				pieces[rng_next(&seed) % (sizeof(pieces) / sizeof(pieces[0]))];

			memcpy(bytes + len, piece, strlen(piece));
			len += strlen(piece);
			if (rng_next(&seed) % 8 == 0)
				bytes[len++] = (char)rng_next(&seed);
			if (len > sizeof(bytes) - 40)
				break;
		}
		log = copy_text(bytes, len);
		read_all(log, &r);
		free((char *)log.data);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_source_formats),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_explanation),
		cmocka_unit_test(test_subprog),
		cmocka_unit_test(test_5_10),
		cmocka_unit_test(test_frames),
		cmocka_unit_test(test_glued),
		cmocka_unit_test(test_listing),
		cmocka_unit_test(test_notes_and_errors),
		cmocka_unit_test(test_cut_anywhere),
		cmocka_unit_test(test_crlf),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
