// SPDX-License-Identifier: LGPL-2.1-or-later
/* Walks back along the path to the instructions that set a register, slot or reference. */
#include "logparse/last_walk.h"

#include <ctype.h>

#include "logparse/last_lost.h"

/* A size or offset below this is what the verifier calls bounded (BPF_MAX_VAR_SIZ). */
#define BOUNDED (1U << 29)
/* How often a walk searches the steps before another one, which keeps it linear. */
#define MAX_LOOKUPS 4096

/* A walk back over the steps, after one register, slot or reference. */
struct walk {
	const struct kt_path *path;
	const struct kt_path_sources *sources;
	struct kt_last_query *query;
	struct kt_last_subject *subject;
	struct kt_path_place at;
	struct kt_lost lost;
	bool dynptrs; /* the log has dynptrs, which a store may overwrite */
	size_t now;   /* the step that is looked at */
	unsigned lookups;
	bool in_callee; /* the steps just passed were a callee's */
	uint32_t next;  /* the frame of the instruction that was passed before: the next one */
};

static struct kt_path_place reg_place(uint32_t reg, uint32_t frame)
{
	return (struct kt_path_place){KT_PLACE_REG, (int32_t)reg, 0, frame};
}

/* The step of the explanation that is the same one of an earlier iteration; or NULL. */
static struct kt_last_step *find_same(const struct walk *w, enum kt_last_how how)
{
	const struct kt_path_step *step = &w->path->steps.data[w->now];
	struct kt_last_subject *s = w->subject;

	for (size_t i = 0; i < s->n_steps; i++)
		if (s->steps[i].how == how && s->steps[i].insn.index == step->index &&
		    s->steps[i].insn.frame == step->frame)
			return &s->steps[i];
	return NULL;
}

/* Adds the step w->now, which leads on to w->at. What it leaves is in `behind`. */
static struct kt_last_step *add_step(struct walk *w, enum kt_last_how how,
				     const struct kt_path_place *behind)
{
	struct kt_last_step *step = find_same(w, how);
	struct kt_last_subject *s = w->subject;

	if (step) {
		step->times++;
		return step;
	}
	if (s->n_steps == KT_LAST_MAX_STEPS) {
		s->left_out++;
		s->n_steps--;
	}
	step = &s->steps[s->n_steps++];
	*step = (struct kt_last_step){
		.how = how,
		.frame = w->at.frame,
		.times = 1,
		.insn = kt_path_insn(w->path, w->sources, &w->path->steps.data[w->now]),
	};
	if (w->at.kind == KT_PLACE_REG)
		step->reg = (uint32_t)w->at.number;
	else
		step->slot = w->at.number;
	if (behind)
		kt_path_value_behind(w->path, w->now, behind, &step->value);
	return step;
}

/* Puts the call that took the type where it belongs in the explanation. */
static void add_lost(struct walk *w, const struct kt_lost_call *call, struct kt_text was)
{
	struct kt_last_subject *s = w->subject;
	size_t i = call->position < s->n_steps ? call->position : s->n_steps;

	if (s->n_steps == KT_LAST_MAX_STEPS) {
		s->left_out++;
		s->n_steps--;
		if (i > s->n_steps)
			i = s->n_steps;
	}
	memmove(&s->steps[i + 1], &s->steps[i], (s->n_steps - i) * sizeof(s->steps[0]));
	s->n_steps++;
	s->steps[i] = (struct kt_last_step){
		.how = KT_LAST_LOST,
		.frame = w->at.frame,
		.times = 1,
		.insn = kt_path_insn(w->path, w->sources, &w->path->steps.data[call->step]),
	};
	s->was = was;
}

static bool found(struct walk *w, enum kt_last_how how)
{
	struct kt_path_place behind = w->at;
	struct kt_last_step *step;
	const struct kt_lost_call *call;
	struct kt_event ev;
	struct kt_op op;

	kt_path_read_step(w->path, &w->path->steps.data[w->now], &ev);
	kt_op_read(ev.insn, &op);
	call = kt_lost_guess(&w->lost, w->path, &op);
	if (call)
		add_lost(w, call, (struct kt_text){0});
	step = add_step(w, how, &behind);
	step->reg = 0;
	step->slot = 0;
	w->subject->origin = KT_LAST_ORIGIN_FOUND;
	return true;
}

/* The value was in `reg` before the step; the walk goes on with that. */
static bool go_on(struct walk *w, enum kt_last_how how, uint32_t reg)
{
	struct kt_path_place behind = w->at;

	w->at = reg_place(reg, behind.frame);
	add_step(w, how, &behind);
	return false;
}

/* What a register holds before the step w->now. False: the log does not say so nearby. */
static bool value_before(const struct walk *w, uint32_t reg, struct kt_text *ret)
{
	struct kt_path_value find = {
		.path = w->path,
		.place = reg_place(reg, w->at.frame),
		.step = w->now,
		.begin = w->now,
		.max = KT_PATH_NEAR,
	};

	return kt_path_find_value(&find, ret);
}

static bool is_bounded(struct kt_text value)
{
	uint64_t max;

	return kt_value_max(value, &max) && max < BOUNDED;
}

/* "r6 += r2": the other register is an offset, if it varies. The last one that was added counts. */
static void note_operand(struct walk *w, const struct kt_op *op, uint32_t reg, struct kt_text value)
{
	int64_t n;

	if ((op->op != '+' && op->op != '-') || w->query->operand_step ||
	    kt_value_is_const(value, &n))
		return;
	w->query->operand = reg;
	w->query->operand_step = w->now + 1;
}

/*
 * Which of the two registers of "r6 += r2" the walk goes on with: the address; of two numbers
 * the one without a bound.
 */
static uint32_t choose(struct walk *w, const struct kt_op *op)
{
	struct kt_text left = {0}, right = {0};
	bool has_left, has_right;

	if (w->lookups++ >= MAX_LOOKUPS)
		return op->dst;
	has_left = value_before(w, op->dst, &left);
	has_right = value_before(w, op->src, &right);
	if (has_right && kt_value_rank(right) > KT_VALUE_SCALAR &&
	    kt_value_rank(left) <= KT_VALUE_SCALAR) {
		note_operand(w, op, op->dst, left);
		return op->src;
	}
	if (has_left && has_right && kt_value_rank(left) == KT_VALUE_SCALAR)
		return is_bounded(left) && !is_bounded(right) ? op->src : op->dst;
	note_operand(w, op, op->src, right);
	return op->dst;
}

/* Is a number that the verifier takes for a size or an offset: not negative, and not too large? */
static bool is_size(struct kt_text value)
{
	int64_t min;

	return is_bounded(value) && kt_value_min(value, &min) && min >= 0;
}

/* Did the instruction take a bound from a number? A constant that it makes has its bounds. */
static bool unbounds(const struct walk *w, struct kt_text behind, uint32_t reg)
{
	struct kt_text before;
	int64_t n;

	return kt_value_rank(behind) == KT_VALUE_SCALAR && !kt_value_is_const(behind, &n) &&
	       !is_size(behind) && value_before(w, reg, &before) &&
	       kt_value_rank(before) == KT_VALUE_SCALAR && is_size(before);
}

static bool walk_alter(struct walk *w, const struct kt_op *op)
{
	struct kt_last_step *step = find_same(w, KT_LAST_ALTERED);
	uint32_t reg = op->op ? op->dst : op->src;

	/* No pointer survives anything else. */
	if (op->narrow || (op->op != '+' && op->op != '-') ||
	    (op->op == '-' && op->src != KT_OP_NO_REG))
		w->lost.over = true;
	if (step) {
		w->at.number = (int32_t)step->reg;
		step->times++;
		return false;
	}
	if (op->op && op->src != KT_OP_NO_REG && op->src != op->dst)
		reg = choose(w, op);
	go_on(w, KT_LAST_ALTERED, reg);
	step = find_same(w, KT_LAST_ALTERED);
	step->unbounds = unbounds(w, step->value, reg);
	return false;
}

/* An instruction that sets the register. True: over. */
static bool walk_def(struct walk *w)
{
	const struct kt_path_step *step = &w->path->steps.data[w->now];
	struct kt_path_place slot, behind = w->at;
	struct kt_event ev;
	struct kt_op op;

	if (step->defs == KT_STEP_CALL_DEFS)
		return found(w, w->at.number ? KT_LAST_CLOBBER : KT_LAST_RESULT);
	kt_path_read_step(w->path, step, &ev);
	kt_op_read(ev.insn, &op);
	switch (op.kind) {
	case KT_OP_COPY:
		if (op.src == 10)
			break; /* nothing is to be told of the frame pointer */
		w->lost.over |= op.narrow;
		return go_on(w, KT_LAST_COPIED, op.src);
	case KT_OP_ALTER: return walk_alter(w, &op);
	case KT_OP_LOAD:
		if (!kt_path_stack_of(w->path, w->now, &op, &slot))
			break;
		w->lost.over |= op.size < 8;
		w->at = slot;
		add_step(w, KT_LAST_FILLED, &behind);
		return false;
	default: break;
	}
	return found(w, KT_LAST_SET);
}

/* True for "(85) call pc+5", which enters a function of the program. */
static bool calls_function(const struct kt_path *path, const struct kt_path_step *step)
{
	struct kt_event ev;

	kt_path_read_step(path, step, &ev);
	return kt_path_find(ev.insn, "call pc");
}

/* The step before i at frame, which called what was passed. */
static const struct kt_path_step *caller_of(const struct kt_path *path, size_t i, uint32_t frame)
{
	for (; i; i--) {
		const struct kt_path_step *step = &path->steps.data[i - 1];

		if (!(step->flags & KT_STEP_STATE) && step->frame == frame)
			return step;
	}
	return NULL;
}

/*
 * A step of a callee that has returned. It cannot touch the caller's registers, but for r0,
 * which it hands over; of a callback (bpf_loop) it is the helper that gives r0. True: over.
 */
static bool walk_callee(struct walk *w)
{
	const struct kt_path_step *call;

	if (w->at.number || w->in_callee) {
		w->in_callee = true;
		return false;
	}
	call = caller_of(w->path, w->now, w->at.frame);
	if (call && !calls_function(w->path, call)) {
		w->now = (size_t)(call - w->path->steps.data);
		return found(w, KT_LAST_RESULT);
	}
	w->at.frame = w->path->steps.data[w->now].frame;
	add_step(w, KT_LAST_RETURNED, NULL);
	return false;
}

/* The call that entered the function whose register or slot it is. True: over. */
static bool walk_caller(struct walk *w)
{
	const struct kt_path_step *step = &w->path->steps.data[w->now];

	if (w->at.kind != KT_PLACE_REG || w->at.number < 1 || w->at.number > 5) {
		w->subject->origin = KT_LAST_ORIGIN_NEVER;
		return true;
	}
	/* The helper makes up a callback's arguments. */
	if (!calls_function(w->path, step))
		return found(w, KT_LAST_ARGUMENT);
	w->at.frame = step->frame;
	add_step(w, KT_LAST_ARGUMENT, NULL);
	return false;
}

/*
 * The stack that a store writes. Where its base is no r10, the state behind it tells: it prints
 * the slot that was written, if that is of its own frame.
 */
static bool stored_at(struct walk *w, const struct kt_event *ev, const struct kt_op *op,
		      struct kt_path_place *ret)
{
	uint32_t frame = w->path->steps.data[w->now].frame;
	struct kt_state_item item;

	if (op->base != 10 && frame == w->at.frame && ev->state.len &&
	    !kt_state_find(ev->state, KT_PLACE_SLOT, w->at.number, &item))
		return false;
	return (op->base == 10 || w->lookups++ < MAX_LOOKUPS) &&
	       kt_path_stack_of(w->path, w->now, op, ret) && ret->frame == w->at.frame;
}

/* Does a call write the slot? Up to 5.17 no state says so, but the call gets a pointer to it. */
static bool call_writes(struct walk *w, const struct kt_event *ev)
{
	struct kt_state_item item;

	if (w->path->steps.data[w->now].frame != w->at.frame)
		return false;
	if (ev->state.len)
		return !ev->resumed && kt_state_find(ev->state, KT_PLACE_SLOT, w->at.number, &item);
	/* What a function of the program writes was passed one by one. */
	return w->next <= w->at.frame && w->lookups++ < MAX_LOOKUPS &&
	       kt_path_call_gets(w->path, w->now, &w->at);
}

/*
 * Before 5.16, and where a part of it is read, a number comes back from the stack without its
 * bounds.
 */
static void note_lossy_fill(struct walk *w, uint32_t reg)
{
	struct kt_last_subject *s = w->subject;
	struct kt_last_step *fill = s->n_steps > 1 ? &s->steps[s->n_steps - 2] : NULL;

	if (fill && fill->how == KT_LAST_FILLED && fill->times == 1)
		fill->unbounds = unbounds(w, fill->value, reg);
}

/* An instruction at the slot's frame or deeper, which may write it. True: over. */
static bool walk_store(struct walk *w)
{
	const struct kt_path_step *step = &w->path->steps.data[w->now];
	struct kt_path_place to;
	struct kt_event ev;
	struct kt_op op;

	kt_path_read_step(w->path, step, &ev);
	if (step->defs == KT_STEP_CALL_DEFS)
		return call_writes(w, &ev) && found(w, KT_LAST_SET);
	if ((ev.opcode & 7) != 2 && (ev.opcode & 7) != 3)
		return false;
	kt_op_read(ev.insn, &op);
	if ((op.kind != KT_OP_STORE && op.kind != KT_OP_ATOMIC) || !stored_at(w, &ev, &op, &to))
		return false;
	if (to.number >= w->at.number + (int32_t)w->at.size ||
	    to.number + (int32_t)to.size <= w->at.number)
		return false;
	if (op.kind != KT_OP_STORE || op.src == KT_OP_NO_REG || to.number > w->at.number ||
	    to.number + (int32_t)to.size < w->at.number + (int32_t)w->at.size)
		return found(w, KT_LAST_SET);
	to = w->at;
	w->at = reg_place(op.src, step->frame);
	add_step(w, KT_LAST_SPILLED, &to);
	note_lossy_fill(w, op.src);
	return false;
}

/*
 * A call that may have taken the type of the value, which survives it; or a store, which may
 * overwrite the dynptr that the value is a slice of. What a function of the program calls is passed
 * one by one.
 */
static void pass(struct walk *w)
{
	struct kt_lost_call call = {w->now, w->subject->n_steps, w->at};
	uint16_t defs = w->path->steps.data[w->now].defs;

	if (!w->lost.over &&
	    (defs ? defs == KT_STEP_CALL_DEFS && w->next <= w->path->steps.data[w->now].frame
		  : w->dynptrs))
		kt_lost_pass(&w->lost, &call);
}

/* The state of the step tells the type. */
static void look(struct walk *w)
{
	const struct kt_lost_call *call;
	struct kt_text value;

	if (w->lost.over || !kt_path_state_at(w->path, w->now, &w->at, &value))
		return;
	call = kt_lost_see(&w->lost, w->path, value);
	if (call)
		add_lost(w, call, value);
}

/* The walk reached the front of the path. */
static void walk_ended(struct walk *w)
{
	const struct kt_path *path = w->path;
	uint32_t reg = (uint32_t)w->at.number;
	bool given = w->at.kind == KT_PLACE_REG &&
		     (reg == 10 ||
		      (!w->at.frame && (reg == 1 || (path->global && reg >= 1 && reg <= 5))));

	/* The frame pointer is the same everywhere. */
	if (!path->whole && !(w->at.kind == KT_PLACE_REG && reg == 10))
		w->subject->origin = KT_LAST_ORIGIN_GONE;
	else if (given)
		w->subject->origin = KT_LAST_ORIGIN_ENTRY;
	else
		w->subject->origin = KT_LAST_ORIGIN_NEVER;
}

/* Back from before the step n. */
static void walk(struct walk *w, size_t n)
{
	for (size_t i = n; i; i--) {
		const struct kt_path_step *step = &w->path->steps.data[i - 1];
		bool over = false;

		w->now = i - 1;
		if (w->at.kind == KT_PLACE_REG && w->at.number == 10)
			break;
		look(w);
		if (step->flags & KT_STEP_STATE)
			continue;
		if (step->frame < w->at.frame) {
			over = walk_caller(w);
		} else if (w->at.kind == KT_PLACE_SLOT) {
			over = walk_store(w);
			pass(w);
		} else if (step->frame > w->at.frame) {
			pass(w);
			over = walk_callee(w);
		} else if (step->defs >> w->at.number & 1) {
			over = walk_def(w);
		} else {
			pass(w);
		}
		if (step->frame <= w->at.frame)
			w->in_callee = false;
		w->next = step->frame;
		if (over)
			return;
	}
	walk_ended(w);
}

/* Does a value hold a reference: "ringbuf_mem(id=2,sz=8)", "(ref_obj_id=2,off=0)", "ref_id=2"? */
static bool holds(struct kt_text value, int32_t id)
{
	struct kt_text rest = value;
	const char *p;

	while ((p = kt_path_find(rest, "id="))) {
		int64_t n = 0;

		rest.len = (size_t)(value.data + value.len - p - 3);
		rest.data = p + 3;
		for (size_t i = 0; i < rest.len && isdigit((unsigned char)rest.data[i]); i++)
			n = n < INT32_MAX ? n * 10 + (rest.data[i] - '0') : n;
		if (n == id)
			return true;
	}
	return false;
}

/* The first "R0=ringbuf_mem(id=2,sz=8)" in a state. */
static bool find_holder(struct kt_text state, int32_t id, struct kt_text *ret)
{
	struct kt_state_items it;
	struct kt_state_item item;

	kt_state_items_init(&it, state);
	while (kt_state_items_next(&it, &item)) {
		if ((item.place == KT_PLACE_REG || item.place == KT_PLACE_SLOT) &&
		    holds(item.value, id)) {
			ret->data = item.name.data;
			ret->len = (size_t)(item.value.data + item.value.len - ret->data);
			return true;
		}
	}
	return false;
}

/* The state that the call left behind it is printed with it, or some lines after it. */
static void walk_ref(struct walk *w, uint32_t acquired)
{
	const struct kt_path *path = w->path;
	size_t at = path->steps.len;
	struct kt_event ev;

	for (; at; at--)
		if (!(path->steps.data[at - 1].flags & KT_STEP_STATE) &&
		    path->steps.data[at - 1].index == acquired)
			break;
	if (!at) {
		w->subject->origin = KT_LAST_ORIGIN_GONE;
		return;
	}
	w->now = at - 1;
	found(w, KT_LAST_ACQUIRED);
	for (size_t i = at - 1; i < path->steps.len && i < at + 4; i++) {
		kt_path_read_step(path, &path->steps.data[i], &ev);
		if (find_holder(ev.state, w->subject->number, &w->subject->value))
			return;
	}
}

/* "(b7) r1 = 0", maybe with copies behind it: what the log says, though it prints no state. */
static bool const_of_steps(const struct kt_last_subject *s, struct kt_text *ret)
{
	struct kt_op op;
	int64_t n;

	for (size_t i = 0; i < s->n_steps; i++) {
		if (s->steps[i].how == KT_LAST_ALTERED || s->steps[i].how == KT_LAST_LOST)
			return false;
		if (kt_value_is_const(s->steps[i].value, &n)) {
			*ret = s->steps[i].value;
			return true;
		}
		kt_op_read(s->steps[i].insn.insn, &op);
		/* (18) may be the address of a map. "w1 = -1" is no -1. */
		if (s->steps[i].how == KT_LAST_SET && op.kind == KT_OP_CONST &&
		    kt_value_is_const(op.value, &n) && !(op.narrow && n < 0) &&
		    !kt_text_starts_with(s->steps[i].insn.insn, KT_TEXT("(18)"))) {
			*ret = op.value;
			return true;
		}
	}
	return false;
}

/* What the subject is in the end, by the log, its instructions and the message. */
static void settle_value(const struct walk *w, struct kt_last_subject *s)
{
	const struct kt_last_query *query = w->query;

	if (s->kind == KT_LAST_SUBJECT_REF)
		return;
	s->unreadable = query->unreadable;
	if (s->value.len && (query->type.len || query->unreadable) &&
	    kt_value_rank(query->type) < kt_value_rank(s->value) &&
	    kt_value_rank(s->value) > KT_VALUE_SCALAR) {
		if (!s->was.len)
			s->was = s->value;
		s->value = (struct kt_text){0};
	}
	if (s->value.len)
		return;
	if (!query->unreadable && const_of_steps(s, &s->value)) {
		s->value_from = KT_LAST_FROM_INSN;
	} else if (query->type.len) {
		s->value = query->type;
		s->value_from = KT_LAST_FROM_MESSAGE;
	}
}

/* A register that has a value was given one, whatever the log lacks. */
static void settle_origin(struct kt_last_subject *s)
{
	if (s->origin == KT_LAST_ORIGIN_NEVER && s->kind == KT_LAST_SUBJECT_REG && s->value.len)
		s->origin = KT_LAST_ORIGIN_GONE;
}

static void explain_place(struct walk *w, size_t n, size_t begin)
{
	struct kt_path_value find = {
		.path = w->path,
		.place = w->at,
		.step = n,
		.begin = begin,
		.max = SIZE_MAX,
	};

	w->dynptrs = kt_path_find(w->path->log, "dynptr_");
	kt_path_find_value(&find, &w->subject->value);
	if (w->query->type.len || w->query->unreadable) {
		w->lost.known = true;
		w->lost.now = kt_value_rank(w->query->type);
	}
	walk(w, n);
}

void kt_path_explain(const struct kt_path *path, const struct kt_path_sources *sources,
		     struct kt_last_query *query, struct kt_last_subject *subject)
{
	struct walk w = {.path = path, .sources = sources, .query = query, .subject = subject};
	size_t n = query->step ? query->step : path->steps.len, begin = n;

	subject->origin = KT_LAST_ORIGIN_GONE;
	subject->before = KT_LINE_NO_INDEX;
	while (n && (path->steps.data[n - 1].flags & KT_STEP_STATE))
		n--;
	if (!n--)
		return;
	subject->before = path->steps.data[n].index;
	subject->frame = path->steps.data[n].frame;
	w.now = n;
	switch (subject->kind) {
	case KT_LAST_SUBJECT_REG:
		w.at = reg_place((uint32_t)subject->number, subject->frame);
		explain_place(&w, n, begin);
		break;
	case KT_LAST_SUBJECT_SLOT:
		w.at = (struct kt_path_place){KT_PLACE_SLOT, subject->number, 1, subject->frame};
		explain_place(&w, n, begin);
		break;
	case KT_LAST_SUBJECT_REF: walk_ref(&w, query->acquired); break;
	}
	settle_value(&w, subject);
	settle_origin(subject);
}
