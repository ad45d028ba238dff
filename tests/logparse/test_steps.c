// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * States put together from the log's parts. Truth is what the kernel says of the same states later:
 * where a branch is taken up, where a function is called ("caller:"), and on 5.10 at each
 * instruction.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include <ctype.h>
#include <zstd.h>

#include "logparse/insn.h"
#include "logparse/steps.h"
#include "tests/memory/rng.h"
#include "util/buf.h"
#include "util/vec.h"

#define LOG_MAX (16 << 20)

static struct kt_text text_of(const char *s)
{
	return (struct kt_text){s, strlen(s)};
}

/* To be freed. */
static struct kt_text read_packed(const char *name)
{
	static char packed[1 << 20];
	char path[200], *data = malloc(LOG_MAX);
	size_t n, len;
	FILE *f;

	snprintf(path, sizeof(path), "tests/logparse/collapse_logs/%s.log.zst", name);
	f = fopen(path, "rb");
	assert_non_null(f);
	assert_non_null(data);
	n = fread(packed, 1, sizeof(packed), f);
	fclose(f);
	len = ZSTD_decompress(data, LOG_MAX, packed, n);
	assert_false(ZSTD_isError(len));
	data = realloc(data, len);
	assert_non_null(data);
	return (struct kt_text){data, len};
}

/* --- small logs, each step as text --- */

static const char *const hows[] = {
	[KT_CHANGE_SET] = "=",
	[KT_CHANGE_SHOWN] = "~",
	[KT_CHANGE_LOST] = "?",
	[KT_CHANGE_GONE] = "-",
};

static void append_change(struct kt_buf *out, const struct kt_change *change)
{
	kt_buf_appendc(out, ' ');
	if (change->frame)
		kt_buf_printf(out, "frame%u:", change->frame);
	switch (change->place) {
	case KT_PLACE_REG: kt_buf_printf(out, "R%d", change->number); break;
	case KT_PLACE_SLOT: kt_buf_printf(out, "fp%d", change->number); break;
	case KT_PLACE_REFS: kt_buf_appends(out, "refs"); break;
	case KT_PLACE_FLAG: kt_buf_appends(out, "flag"); break;
	}
	kt_buf_appends(out, hows[change->how]);
	kt_buf_append(out, change->value.data, change->value.len);
}

/* "0<- R1~ctx() R10~fp0; 1<0 R1=0; ...": steps, what they follow on, and their changes. */
static void check_steps(const char *log, const char *want)
{
	struct kt_buf out = KT_BUF_INIT;
	struct kt_steps *steps;
	struct kt_event ev;
	struct kt_step step;
	bool more;

	assert_null(kt_steps_create(text_of(log), &steps));
	for (;;) {
		assert_null(kt_steps_next(steps, &ev, &step, &more));
		if (!more)
			break;
		if (step.number == KT_STEP_NONE)
			continue;
		kt_buf_printf(&out, "%s%u<", out.len ? "; " : "", step.number);
		if (step.before == KT_STEP_NONE)
			kt_buf_appendc(&out, '-');
		else
			kt_buf_printf(&out, "%u", step.before);
		for (size_t i = 0; i < step.n_changes; i++)
			append_change(&out, &step.changes[i]);
	}
	kt_steps_destroy(steps);
	assert_string_equal(out.data ? out.data : "", want);
	kt_buf_deinit(&out);
}

static void test_straight(void **state)
{
	(void)state;
	check_steps("0: R1=ctx() R10=fp0\n"
		    "0: (bf) r6 = r1                       ; R1=ctx() R6_w=ctx()\n"
		    "1: (b7) r1 = 0                        ; R1_w=0\n"
		    "2: (7b) *(u64 *)(r10 -8) = r1         ; R1_w=0 R10=fp0 fp-8_w=0\n"
		    "3: (85) call bpf_get_prandom_u32#7    ; R0_w=scalar()\n"
		    "4: (57) r0 &= 7                       ; R0_w=scalar(umax=7)\n"
		    "5: (95) exit\n"
		    "processed 6 insns (limit 1000000)\n",
		    "0<- R1~ctx() R10~fp0; 1<0 R6=ctx(); 2<1 R1=0; 3<2 fp-8=0; "
		    "4<3 R0=scalar() R1-; 5<4 R0=scalar(umax=7); 6<5");
}

/* The branch goes on where it was put off: R6 is what it was there. */
static void test_branch(void **state)
{
	(void)state;
	check_steps("0: R1=ctx() R10=fp0\n"
		    "0: (b7) r6 = 1                        ; R6_w=1\n"
		    "1: (85) call bpf_get_prandom_u32#7    ; R0_w=scalar()\n"
		    "2: (15) if r0 == 0x0 goto pc+2        ; R0_w=scalar(umin=1)\n"
		    "3: (b7) r6 = 2                        ; R6_w=2\n"
		    "4: (b7) r0 = 0                        ; R0_w=0\n"
		    "5: (95) exit\n"
		    "\n"
		    "from 2 to 5: R0=0 R6=1 R10=fp0\n"
		    "5: (95) exit\n",
		    "0<- R1~ctx() R10~fp0; 1<0 R6=1; 2<1 R0=scalar() R1-; "
		    "3<2 R0~scalar(umin=1); 4<3 R6=2; 5<4 R0=0; 6<5; 7<3 R0~0; 8<7");
}

/* What the log does not say is not made up: 5.10 says at level 1 what is there after jumps only. */
static void test_not_said(void **state)
{
	(void)state;
	check_steps("0: (b7) r1 = 0\n"
		    "1: (63) *(u32 *)(r10 -4) = r1\n"
		    "2: (bf) r2 = r10\n"
		    "3: (85) call bpf_map_lookup_elem#1\n"
		    "4: (15) if r0 == 0x0 goto pc+1\n"
		    " R0_w=map_value(id=0,off=0,ks=4,vs=8,imm=0) R10=fp0 fp-8=mmmm????\n",
		    "0<- R1?; 1<0 fp-8?; 2<1 R2?; 3<2 R0?; 4<3; "
		    "5<4 R0~map_value(id=0,off=0,ks=4,vs=8,imm=0) R10~fp0 fp-8~mmmm????");
}

/* A test of one register tells of those that have the same id. */
static void test_others(void **state)
{
	(void)state;
	check_steps("0: (85) call bpf_map_lookup_elem#1    ; R0_w=map_value_or_null(id=1,vs=8)\n"
		    "1: (bf) r6 = r0 ; R0_w=map_value_or_null(id=1,vs=8) "
		    "R6_w=map_value_or_null(id=1,vs=8)\n"
		    "2: (15) if r0 == 0x0 goto pc+1        ; R0_w=map_value(vs=8)\n",
		    "0<- R0=map_value_or_null(id=1,vs=8); 1<0 R6=map_value_or_null(id=1,vs=8); "
		    "2<1 R0~map_value(vs=8) R6~map_value(vs=8)");
	check_steps(
		"0: R1=pkt(r=0) R2=pkt(off=14,r=0) R3=pkt_end() R4=pkt(id=2,r=0)\n"
		"0: (2d) if r2 > r3 goto pc+1          ; R2_w=pkt(off=14,r=14) R3_w=pkt_end()\n",
		"0<- R1~pkt(r=0) R2~pkt(off=14,r=0) R3~pkt_end() R4~pkt(id=2,r=0); "
		"1<0 R2~pkt(off=14,r=14) R1~pkt(r=14)");
}

/* A call takes the type of what it does not set: the log prints R7 when it is used, or never. */
static void test_taken(void **state)
{
	(void)state;
	check_steps("0: R1=ctx() R6=ctx() R7=pkt(r=14) R8=pkt_end() R9=map_value() fp-8=pkt(r=14)\n"
		    "0: (85) call bpf_skb_pull_data#39     ; R0_w=scalar()\n",
		    "0<- R1~ctx() R6~ctx() R7~pkt(r=14) R8~pkt_end() R9~map_value() "
		    "fp-8~pkt(r=14); 1<0 R7? R8? fp-8? R0=scalar() R1-");
	check_steps("0: R1=sock(ref_obj_id=2) R6=sock(ref_obj_id=2) R7=sock(ref_obj_id=4) "
		    "refs=2,4\n"
		    "0: (85) call bpf_sk_release#86        ; refs=4\n",
		    "0<- R1~sock(ref_obj_id=2) R6~sock(ref_obj_id=2) R7~sock(ref_obj_id=4) "
		    "refs~2,4; 1<0 R6? R0? R1- refs~4");
}

static void test_frames(void **state)
{
	(void)state;
	check_steps("0: R1=ctx() R10=fp0\n"
		    "0: (b7) r6 = 3                        ; R6_w=3\n"
		    "1: (85) call pc+2\n"
		    "caller:\n"
		    " R6_w=3 R10=fp0\n"
		    "callee:\n"
		    " frame1: R1=ctx() R10=fp0\n"
		    "4: (b7) r0 = 7                        ; frame1: R0_w=7\n"
		    "5: (95) exit\n"
		    "returning from callee:\n"
		    " frame1: R0_w=7 R1=ctx() R10=fp0\n"
		    "to caller at 2:\n"
		    " R0_w=7 R6_w=3 R10=fp0\n"
		    "2: (95) exit\n",
		    "0<- R1~ctx() R10~fp0; 1<0 R6=3; 2<1 R1-; "
		    "3<2 frame1:R1=ctx() frame1:R10~fp0; 4<3 frame1:R0=7; 5<4; 6<5 R0=7; 7<6");
}

/* Another log begins anew, and so does a function that is looked at by itself. */
static void test_anew(void **state)
{
	(void)state;
	check_steps("0: R1=ctx() R10=fp0\n"
		    "0: (95) exit\n"
		    "processed 1 insns\n"
		    "0: (b7) r0 = 1                        ; R0_w=1\n"
		    "Validating f() func#1...\n"
		    "5: R1=scalar() R10=fp0\n",
		    "0<- R1~ctx() R10~fp0; 1<0; 2<- R0=1; 3<- R1~scalar() R10~fp0");
}

/* What was before missing lines is not known behind them. */
static void test_gap(void **state)
{
	(void)state;
	check_steps("0: (b7) r1 = 1                        ; R1_w=1\n"
		    "...\n"
		    "9: (b7) r2 = 2                        ; R2_w=2\n",
		    "0<- R1=1; 1<- R2=2");
	check_steps("0: (b7) r1 = 1                        ; R1_w=1\n"
		    "9: (b7) r2 = 2                        ; R2_w=2\n",
		    "0<- R1=1; 1<- R2=2");
}

/* --- instructions --- */

static void test_insn(void **state)
{
	struct kt_insn_store store = {0};
	uint32_t frame = 3;
	int32_t offset;

	(void)state;
	assert_int_equal(kt_insn_sets(text_of("(07) r1 += 3"), 0x07), 1 << 1);
	assert_int_equal(kt_insn_sets(text_of("(85) call bpf_loop#181"), 0x85), 0x3f);
	assert_int_equal(kt_insn_sets(text_of("(30) r0 = *(u8 *)skb[23]"), 0x30), 0x3f);
	assert_int_equal(kt_insn_sets(text_of("(18) r2 = 0xffff"), 0x18), 1 << 2);
	assert_int_equal(kt_insn_sets(text_of("(15) if r0 == 0x0 goto pc+1"), 0x15), 0);
	assert_true(kt_insn_stores(text_of("(63) *(u32 *)(r10 -4) = r1"), &store));
	assert_int_equal(store.base, 10);
	assert_int_equal(store.offset, -4);
	assert_int_equal(store.size, 4);
	assert_true(kt_insn_stores(text_of("(c3) lock *(u64 *)(r1 +16) += r2"), &store));
	assert_int_equal(store.base, 1);
	assert_int_equal(store.offset, 16);
	assert_false(kt_insn_stores(text_of("(61) r1 = *(u32 *)(r0 +0)"), &store));
	assert_false(kt_insn_stores(text_of("(63) *(u32 *)(r1"), &store));
	assert_true(kt_stack_pointer(text_of("fp-16"), &frame, &offset));
	assert_int_equal(frame, 3);
	assert_int_equal(offset, -16);
	assert_true(kt_stack_pointer(text_of("fp[0]-8"), &frame, &offset));
	assert_int_equal(frame, 0);
	assert_int_equal(offset, -8);
	assert_false(kt_stack_pointer(text_of("fp(off=-300,umax=3)"), &frame, &offset));
	assert_false(kt_stack_pointer(text_of("fp-"), &frame, &offset));
}

/* --- real logs --- */

struct truth {
	size_t popped;     /* registers and slots that are told of where a branch is taken up */
	size_t popped_bad; /* of those, others than the ones that the jump tests differ */
	size_t caller, caller_bad;
};

/* Does the instruction name the register, as r or w? Calls make up r0 to r5. */
static bool names(struct kt_text insn, int32_t number)
{
	if (number < 6 && memmem(insn.data, insn.len, "call ", 5))
		return true;
	for (size_t i = 0; i + 1 < insn.len; i++)
		if ((insn.data[i] == 'r' || insn.data[i] == 'w') &&
		    isdigit((unsigned char)insn.data[i + 1]) && atoi(insn.data + i + 1) == number)
			return true;
	return false;
}

static void compare_pop(struct truth *t, const struct kt_event *ev, const struct kt_step *step,
			struct kt_text jump)
{
	struct kt_state_items it;
	struct kt_state_item item;

	kt_state_items_init(&it, ev->state);
	while (kt_state_items_next(&it, &item))
		t->popped++;
	for (size_t i = 0; i < step->n_changes; i++) {
		const struct kt_change *change = &step->changes[i];

		/* From 7.1 on the kernel forgets what will not be read. */
		if (change->how == KT_CHANGE_GONE)
			continue;
		t->popped_bad += change->place != KT_PLACE_REG || !names(jump, change->number);
	}
}

/* The second line of "caller:" is all of the calling frame. */
static void compare_caller(struct truth *t, const struct kt_event *ev, const struct kt_steps *steps)
{
	struct kt_text rest = ev->text, line;
	struct kt_state_items it;
	struct kt_state_item item;

	kt_text_next_line(&rest, &line);
	if (!kt_text_next_line(&rest, &line))
		return;
	kt_state_items_init(&it, line);
	while (kt_state_items_next(&it, &item)) {
		struct kt_text value = kt_steps_value(steps, it.frame, item.place, item.number);

		t->caller++;
		t->caller_bad += !kt_text_equals(value, item.value);
	}
}

static struct truth compare(struct kt_text log)
{
	struct {
		KT_VEC(struct kt_text) v;
	} insns = {0};
	struct truth t = {0};
	struct kt_steps *steps;
	struct kt_event ev;
	struct kt_step step;
	bool more;

	assert_null(kt_steps_create(log, &steps));
	for (;;) {
		assert_null(kt_steps_next(steps, &ev, &step, &more));
		if (!more)
			break;
		if (step.number == KT_STEP_NONE)
			continue;
		assert_int_equal(step.number, insns.v.len);
		assert_true(step.before == KT_STEP_NONE || step.before < step.number);
		if (ev.kind == KT_EVENT_POP && step.before != KT_STEP_NONE)
			compare_pop(&t, &ev, &step, insns.v.data[step.before]);
		if (ev.kind == KT_EVENT_CALL)
			compare_caller(&t, &ev, steps);
		assert_true(kt_vec_push(&insns.v, ev.insn));
	}
	kt_steps_destroy(steps);
	kt_vec_free(&insns.v);
	return t;
}

/* How many differ: slots whose bytes the kernel forgets ("mmmm????"), and iterators' own depth. */
static void test_truth(void **state)
{
	static const struct {
		const char *name;
		size_t popped, popped_bad, caller, caller_bad;
	} logs[] = {
		{"6.1_xdp_parse", 2182, 1, 0, 0},
		{"6.12_xdp_parse", 2182, 1, 0, 0},
		{"6.12_big_straight", 4607, 0, 0, 0},
		{"6.1_raw_nested", 903, 2, 0, 0},
		{"6.1_fe_subprog", 0, 0, 86, 0},
		/* An id that no other register has any more is forgotten, too. */
		{"7.2_fe_subprog", 0, 0, 66, 7},
		{"6.12_mod_for_sub", 118, 10, 3, 0},
		{"6.16_scx_fix.fix_enqueue", 110, 0, 0, 0},
		{"7.2_scx_fix.fix_enqueue", 94, 0, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(logs) / sizeof(logs[0]); i++) {
		struct kt_text log = read_packed(logs[i].name);
		struct truth t = compare(log);

		print_message("%s: %zu of %zu behind branches differ, %zu of %zu of callers\n",
			      logs[i].name, t.popped_bad, t.popped, t.caller_bad, t.caller);
		assert_int_equal(t.popped, logs[i].popped);
		assert_int_equal(t.popped_bad, logs[i].popped_bad);
		assert_int_equal(t.caller, logs[i].caller);
		assert_int_equal(t.caller_bad, logs[i].caller_bad);
		free((char *)log.data);
	}
}

/* --- what the steps say, put together by who reads them --- */

struct known {
	KT_VEC(struct kt_change) v;
};

static struct kt_change *find_known(struct known *known, const struct kt_change *like)
{
	kt_vec_for_each (&known->v, it)
		if (it->frame == like->frame && it->place == like->place &&
		    it->number == like->number)
			return it;
	return NULL;
}

static struct known replay(const struct known *before, const struct kt_step *step)
{
	struct known known = {0};

	for (size_t i = 0; before && i < before->v.len; i++)
		if (before->v.data[i].frame <= step->frame)
			assert_true(kt_vec_push(&known.v, before->v.data[i]));
	for (size_t i = 0; i < step->n_changes; i++) {
		struct kt_change *old = find_known(&known, &step->changes[i]);

		if (old)
			*old = step->changes[i];
		else
			assert_true(kt_vec_push(&known.v, step->changes[i]));
	}
	return known;
}

/* Every step is what the one before it was, and its changes: what was taken back left nothing. */
static void check_replay(struct kt_text log)
{
	struct {
		KT_VEC(struct known) v;
	} all = {0};
	struct kt_steps *steps;
	struct kt_event ev;
	struct kt_step step;
	bool more = true;

	assert_null(kt_steps_create(log, &steps));
	while (more) {
		size_t n = 0;

		assert_null(kt_steps_next(steps, &ev, &step, &more));
		if (!more || step.number == KT_STEP_NONE)
			continue;
		assert_true(kt_vec_push(&all.v, replay(step.before == KT_STEP_NONE
							       ? NULL
							       : &all.v.data[step.before],
						       &step)));
		assert_null(kt_steps_whole(steps, &step));
		for (size_t i = 0; i < step.n_changes; i++) {
			struct kt_change *got = find_known(&all.v.data[step.number],
							   &step.changes[i]);

			assert_non_null(got);
			assert_true(kt_text_equals(got->value, step.changes[i].value));
		}
		kt_vec_for_each (&all.v.data[step.number].v, it)
			n += it->value.len > 0;
		assert_int_equal(n, step.n_changes);
	}
	kt_vec_for_each (&all.v, it)
		kt_vec_free(&it->v);
	kt_vec_free(&all.v);
	kt_steps_destroy(steps);
}

static void test_replay(void **state)
{
	static const char *const names[] = {"6.12_mod_for_sub", "7.3_kp_bpf_loop", "7.3_bad_stack",
					    "6.12_tp_loop1", "6.16_scx_fix.fix_enqueue"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct kt_text log = read_packed(names[i]);

		check_replay(log);
		free((char *)log.data);
	}
}

/* Any text is read; and going back leaves nothing of what was taken back. */
static void test_hostile(void **state)
{
	static const char *const lines[] = {
		"0: (b7) r1 = 0 ; R1_w=0\n",
		"1: (15) if r1 == 0x0 goto pc+2 ; R1=1\n",
		"from 1 to 4: R1=0 fp-8=mmmm fp-99999=0 fp-8000=1 fp-7=2\n",
		"from 1 to 4: safe\n",
		"from 7 to 9: frame3: R1=0\n",
		"caller:\n R1=1\ncallee:\n frame1: R1=1 R11=2\n",
		"2: frame999999999: R1=0\n",
		"returning from callee:\n frame1: R0=1\nto caller at 9:\n R0=1\n",
		"3: (85) call pc+1\n",
		"4: (95) exit\n",
		"5: (7b) *(u64 *)(r1 -99999999999) = r2\n",
		"6: (7b) *(u64 *)(r10 -8) = r2\n",
		"Validating f() func#1...\n",
		"processed 3 insns\n",
		"7: R1=pkt(r=0\n",
		"8: (2d) if r1 > r2 goto pc+0 ; R1=pkt(r=5) R2=pkt(,r=\n",
		"R1=pkt(id=1,r=0) R3=pkt(id=1,off=3,r=0)\n",
		"\n",
		"\xff\0",
	};
	uint64_t rng = 16;

	(void)state;
	for (int round = 0; round < 300; round++) {
		struct kt_buf log = KT_BUF_INIT;

		for (size_t n = rng_below(&rng, 200); n; n--) {
			const char *line = lines[rng_below(&rng, sizeof(lines) / sizeof(*lines))];
			size_t len = strlen(line);

			kt_buf_append(&log, line,
				      rng_below(&rng, 9) ? len : rng_below(&rng, len + 1));
		}
		compare((struct kt_text){log.data, log.len});
		check_replay((struct kt_text){log.data, log.len});
		kt_buf_deinit(&log);
	}
}

/* A test of one pointer into the packet says as much of others, but never of a flood of them. */
static void test_flood(void **state)
{
	struct kt_buf log = KT_BUF_INIT;
	struct kt_steps *steps;
	struct kt_event ev;
	struct kt_step step;
	bool more = true;

	(void)state;
	kt_buf_appends(&log, "0: R1=pkt(id=1,r=0) R2=pkt_end()");
	for (int slot = -8; slot >= -512; slot -= 8)
		kt_buf_printf(&log, " fp%d=pkt(id=1,off=%d,r=0)", slot, -slot);
	for (int i = 1; i < 100; i++)
		kt_buf_printf(&log, "\n%d: (2d) if r1 > r2 goto pc+0 ; R1=pkt(id=1,r=%d)", i, i);
	assert_null(kt_steps_create((struct kt_text){log.data, log.len}, &steps));
	while (!kt_steps_next(steps, &ev, &step, &more) && more)
		if (ev.kind == KT_EVENT_INSN)
			assert_in_range(step.n_changes, 2, 20);
	kt_steps_destroy(steps);
	kt_buf_deinit(&log);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_straight), cmocka_unit_test(test_branch),
		cmocka_unit_test(test_not_said), cmocka_unit_test(test_others),
		cmocka_unit_test(test_taken),    cmocka_unit_test(test_frames),
		cmocka_unit_test(test_anew),     cmocka_unit_test(test_gap),
		cmocka_unit_test(test_insn),     cmocka_unit_test(test_truth),
		cmocka_unit_test(test_replay),   cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_flood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
