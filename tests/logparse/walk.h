/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A small verifier: makes a random program of loops, branches and calls, walks it as the
 * kernel's does (the branch not taken is put off and popped later; a state seen before at the
 * same instruction is pruned), and prints what Linux 6.12 prints at log_level 2. Loop counters
 * are known numbers, all else is unknown.
 */
#ifndef KT_TESTS_LOGPARSE_WALK_H
#define KT_TESTS_LOGPARSE_WALK_H

#include <stdlib.h>
#include <string.h>

#include "tests/memory/rng.h"
#include "util/buf.h"
#include "util/vec.h"

#define WALK_LOOPS 6
#define WALK_CALLS 3

enum walk_op { WALK_ALU, WALK_BRANCH, WALK_SET, WALK_LOOP, WALK_CALL, WALK_EXIT };

struct walk_insn {
	enum walk_op op;
	unsigned int target;  /* BRANCH, LOOP, CALL */
	unsigned int counter; /* SET, LOOP */
	unsigned int limit;   /* LOOP */
	unsigned int source;
	bool prune; /* states are remembered here */
};

struct walk_state {
	unsigned int pc, from;
	unsigned int counter[WALK_LOOPS];
	unsigned int calls[WALK_CALLS], depth;
};

struct walker {
	uint64_t rng;
	unsigned int loops, source;
	bool precision;
	KT_VEC(struct walk_insn) program;
	KT_VEC(struct walk_state) pending, seen;
	unsigned int last_source;
	struct kt_buf *out;
	size_t lines_left, insns;
};

static inline size_t walk_pick(struct walker *w, size_t lo, size_t hi)
{
	return lo + (size_t)rng_below(&w->rng, hi - lo + 1);
}

static inline struct walk_insn *walk_add(struct walker *w, enum walk_op op)
{
	struct walk_insn insn = {.op = op, .source = w->source};

	if (walk_pick(w, 0, 2) == 0)
		insn.source = w->source = (unsigned int)w->program.len + 1;
	if (!kt_vec_push(&w->program, insn))
		abort();
	return &w->program.data[w->program.len - 1];
}

static inline void walk_block(struct walker *w, unsigned int depth, unsigned int callee);

static inline void walk_loop(struct walker *w, unsigned int depth, unsigned int callee)
{
	unsigned int counter = w->loops++, head;
	struct walk_insn *insn;

	walk_add(w, WALK_SET)->counter = counter;
	head = (unsigned int)w->program.len;
	walk_add(w, WALK_ALU)->prune = true;
	walk_block(w, depth + 1, callee);
	insn = walk_add(w, WALK_LOOP);
	insn->target = head;
	insn->counter = counter;
	insn->limit = (unsigned int)walk_pick(w, 1, 30);
}

static inline void walk_block(struct walker *w, unsigned int depth, unsigned int callee)
{
	size_t first, n = walk_pick(w, 1, depth ? 3 : 5);

	while (n--) {
		for (size_t i = walk_pick(w, 1, 6); i; i--)
			walk_add(w, WALK_ALU);
		switch (depth < 4 ? walk_pick(w, 0, 5) : 0) {
		case 1:
			first = w->program.len;
			walk_add(w, WALK_BRANCH);
			walk_block(w, depth + 2, callee);
			w->program.data[first].target = (unsigned int)w->program.len;
			walk_add(w, WALK_ALU)->prune = true;
			break;
		case 2:
		case 3:
			if (w->loops < WALK_LOOPS)
				walk_loop(w, depth, callee);
			break;
		case 4:
			if (callee)
				walk_add(w, WALK_CALL)->target = callee;
		}
	}
}

static inline void walk_line(struct walker *w)
{
	kt_buf_appendc(w->out, '\n');
	w->lines_left -= w->lines_left > 0;
}

static inline void walk_registers(struct walker *w, const struct walk_state *s)
{
	if (s->depth)
		kt_buf_printf(w->out, "frame%u: ", s->depth);
	kt_buf_printf(w->out, "R%zu_w=%zu R%u=%u", walk_pick(w, 0, 5), walk_pick(w, 0, 255), 6,
		      s->counter[0]);
	if (walk_pick(w, 0, 3) == 0)
		kt_buf_printf(w->out, " fp-8=scalar(umax=%zu)", walk_pick(w, 0, 99));
}

static inline void walk_precision(struct walker *w, const struct walk_state *s)
{
	size_t n = walk_pick(w, 0, 1) ? walk_pick(w, 1, 4) : walk_pick(w, 1, 25);

	if (!w->precision)
		return;
	kt_buf_printf(w->out, "mark_precise: frame%u: last_idx %u first_idx 0 subseq_idx -1 ",
		      s->depth, s->pc);
	walk_line(w);
	for (size_t i = 1; i < n && i < s->pc; i++) {
		kt_buf_printf(w->out,
			      "mark_precise: frame%u: regs=r%zu stack= before %zu: "
			      "(07) r1 += 3",
			      s->depth, walk_pick(w, 0, 9), s->pc - i);
		walk_line(w);
	}
	kt_buf_printf(w->out, "%u: ", s->pc);
	walk_registers(w, s);
	walk_line(w);
}

static inline bool walk_seen(struct walker *w, const struct walk_state *s)
{
	struct walk_state key = *s;

	key.from = 0;
	kt_vec_for_each (&w->seen, other)
		if (memcmp(&key, other, sizeof(key)) == 0)
			return true;
	if (!kt_vec_push(&w->seen, key))
		abort();
	return false;
}

static inline void walk_print(struct walker *w, const struct walk_state *s,
			      const struct walk_insn *insn)
{
	size_t start;

	if (insn->source != w->last_source) {
		kt_buf_printf(w->out, "; stmt(%u); @ walk.bpf.c:%u", insn->source, insn->source);
		walk_line(w);
		w->last_source = insn->source;
	}
	start = w->out->len;
	kt_buf_printf(w->out, "%u: ", s->pc);
	switch (insn->op) {
	case WALK_ALU: kt_buf_printf(w->out, "(07) r%u += %u", s->pc % 6, s->pc * 3); break;
	case WALK_SET: kt_buf_printf(w->out, "(b7) r%u = 0", 6 + insn->counter % 4); break;
	case WALK_BRANCH:
		kt_buf_printf(w->out, "(15) if r%u == 0x%x goto pc+%u", s->pc % 6, s->pc,
			      insn->target - s->pc - 1);
		break;
	case WALK_LOOP:
		kt_buf_printf(w->out, "(55) if r%u != 0x%x goto pc-%u", 6 + insn->counter % 4,
			      insn->limit, s->pc + 1 - insn->target);
		break;
	case WALK_CALL: kt_buf_printf(w->out, "(85) call pc-%u", s->pc + 1 - insn->target); break;
	case WALK_EXIT: kt_buf_appends(w->out, "(95) exit");
	}
	if (insn->op < WALK_LOOP && walk_pick(w, 0, 5)) {
		kt_buf_printf(w->out, "%*s; ",
			      (int)(start + 38 > w->out->len ? start + 38 - w->out->len : 1), "");
		walk_registers(w, s);
	}
	walk_line(w);
}

/* What the instruction does to the state. False: this path is at its end. */
static inline bool walk_step(struct walker *w, struct walk_state *s, const struct walk_insn *insn)
{
	struct walk_state other = *s;

	s->from = s->pc++;
	switch (insn->op) {
	case WALK_BRANCH:
		other.from = other.pc;
		other.pc = insn->target;
		if (!kt_vec_push(&w->pending, other))
			abort();
		break;
	case WALK_SET: s->counter[insn->counter] = 0; break;
	case WALK_LOOP:
		walk_precision(w, &other);
		if (++s->counter[insn->counter] < insn->limit)
			s->pc = insn->target;
		break;
	case WALK_CALL:
		kt_buf_appends(w->out, "caller:\n R10=fp0\ncallee:\n frame1: R1=1 R10=fp0\n");
		s->calls[s->depth++] = s->pc;
		s->pc = insn->target;
		break;
	case WALK_EXIT:
		if (!s->depth)
			return false;
		s->pc = s->calls[--s->depth];
		s->calls[s->depth] = 0;
		kt_buf_printf(w->out,
			      "returning from callee:\n frame1: R0=%zu R10=fp0\n"
			      "to caller at %u:\n R0=1 R10=fp0\n",
			      walk_pick(w, 0, 9), s->pc);
		break;
	case WALK_ALU: break;
	}
	return true;
}

static inline void walk_path(struct walker *w, struct walk_state *s)
{
	while (w->lines_left) {
		const struct walk_insn *insn = &w->program.data[s->pc];

		w->insns++;
		if (insn->prune && walk_seen(w, s)) {
			kt_buf_printf(w->out, "%u: safe", s->pc);
			walk_line(w);
			return;
		}
		walk_print(w, s, insn);
		if (!walk_step(w, s, insn))
			return;
	}
}

/* The log of a random program, at most some max_lines; appended to out. */
static inline void walk_log(uint64_t seed, size_t max_lines, struct kt_buf *out)
{
	struct walker w = {.rng = rng_mix(seed), .lines_left = max_lines, .out = out};
	struct walk_state s = {0};
	unsigned int callee;

	w.precision = walk_pick(&w, 0, 1);
	/* The subprogram first, so that its place is known; then the program. */
	walk_add(&w, WALK_EXIT);
	callee = (unsigned int)w.program.len;
	walk_block(&w, 2, 0);
	walk_add(&w, WALK_EXIT);
	s.pc = (unsigned int)w.program.len;
	walk_block(&w, 0, callee);
	walk_add(&w, WALK_EXIT);
	kt_buf_printf(out, "func#0 @0\n%u: R1=ctx() R10=fp0\n", s.pc);
	walk_path(&w, &s);
	while (w.lines_left && w.pending.len) {
		s = w.pending.data[--w.pending.len];
		w.last_source = 0;
		kt_buf_printf(out, "\nfrom %u to %u: ", s.from, s.pc);
		walk_registers(&w, &s);
		kt_buf_printf(out, "\n%u: ", s.pc);
		walk_registers(&w, &s);
		kt_buf_appendc(out, '\n');
		walk_path(&w, &s);
	}
	if (!w.lines_left)
		kt_buf_printf(out, "BPF program is too large. Processed %zu insn\n", w.insns);
	kt_buf_printf(out,
		      "processed %zu insns (limit 1000000) max_states_per_insn 4 total_states "
		      "%zu peak_states 9 mark_read 0\n",
		      w.insns, w.seen.len);
	kt_vec_free(&w.program);
	kt_vec_free(&w.pending);
	kt_vec_free(&w.seen);
}

#endif
