// SPDX-License-Identifier: LGPL-2.1-or-later
/* Walks back along the path to the instructions that set a register, slot or reference. */
#include <ctype.h>

#include "logparse/last_path.h"
#include "logparse/state.h"

/* A walk back over the steps, after one register, slot or reference. */
struct walk {
	const struct kt_path *path;
	const struct kt_path_sources *sources;
	struct kt_last_subject *subject;
	uint32_t reg;
	uint32_t frame;
	bool in_callee; /* the steps just passed were a callee's */
};

static void add_step(struct walk *w, enum kt_last_how how, const struct kt_path_step *step)
{
	struct kt_last_subject *s = w->subject;

	if (s->n_steps == KT_LAST_MAX_STEPS)
		return;
	s->steps[s->n_steps++] = (struct kt_last_step){
		.how = how,
		.reg = w->reg,
		.frame = w->frame,
		.insn = kt_path_insn(w->path, w->sources, step),
	};
}

static bool found(struct walk *w, enum kt_last_how how, const struct kt_path_step *step)
{
	w->reg = 0;
	add_step(w, how, step);
	w->subject->origin = KT_LAST_ORIGIN_FOUND;
	return true;
}

/* "(bf) r6 = r0", "(bc) w2 = w0"; "(bf) r1 = (s8)r2" alters it. */
static bool is_copy(struct kt_text insn, uint32_t *from)
{
	const char *p = kt_path_find(insn, " = ");
	struct kt_text source;

	if (insn.len < 4 || !p || (memcmp(insn.data, "(bf)", 4) && memcmp(insn.data, "(bc)", 4)))
		return false;
	source = (struct kt_text){p + 3, (size_t)(insn.data + insn.len - p - 3)};
	return kt_path_is_reg(source, from) && source.len == 2 + (*from >= 10);
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
static bool walk_callee(struct walk *w, size_t i)
{
	const struct kt_path_step *step = &w->path->steps.data[i];
	const struct kt_path_step *call;

	if (w->reg || w->in_callee) {
		w->in_callee = true;
		return false;
	}
	call = caller_of(w->path, i, w->frame);
	if (call && !calls_function(w->path, call))
		return found(w, KT_LAST_RESULT, call);
	w->frame = step->frame;
	add_step(w, KT_LAST_RETURNED, step);
	return false;
}

/* The call that entered the function whose register it is. True: over. */
static bool walk_caller(struct walk *w, const struct kt_path_step *step)
{
	if (w->reg < 1 || w->reg > 5) {
		w->subject->origin = KT_LAST_ORIGIN_NEVER;
		return true;
	}
	/* The helper makes up a callback's arguments. */
	if (!calls_function(w->path, step)) {
		found(w, KT_LAST_ARGUMENT, step);
		return true;
	}
	w->frame = step->frame;
	add_step(w, KT_LAST_ARGUMENT, step);
	return false;
}

/* An instruction that sets the register. True: over. */
static bool walk_def(struct walk *w, const struct kt_path_step *step)
{
	struct kt_event ev;
	uint32_t from;

	if (step->defs == KT_STEP_CALL_DEFS)
		return found(w, w->reg ? KT_LAST_CLOBBER : KT_LAST_RESULT, step);
	kt_path_read_step(w->path, step, &ev);
	if (!is_copy(ev.insn, &from) || w->subject->n_steps + 1 >= KT_LAST_MAX_STEPS)
		return found(w, KT_LAST_SET, step);
	w->reg = from;
	add_step(w, KT_LAST_COPIED, step);
	return false;
}

/* The walk reached the front of the path. */
static void walk_ended(struct walk *w)
{
	const struct kt_path *path = w->path;
	bool given = w->reg == 10 ||
		     (!w->frame && (w->reg == 1 || (path->global && w->reg >= 1 && w->reg <= 5)));

	if (!path->whole)
		w->subject->origin = KT_LAST_ORIGIN_GONE;
	else
		w->subject->origin = given ? KT_LAST_ORIGIN_ENTRY : KT_LAST_ORIGIN_NEVER;
}

/* Before step n, the instruction that failed. */
static void walk_reg(struct walk *w, size_t n)
{
	for (size_t i = n; i; i--) {
		const struct kt_path_step *step = &w->path->steps.data[i - 1];

		if (step->flags & KT_STEP_STATE)
			continue;
		if (w->reg == 10)
			break;
		if (step->frame > w->frame) {
			if (walk_callee(w, i - 1))
				return;
		} else if (step->frame < w->frame) {
			if (walk_caller(w, step))
				return;
		} else {
			if ((step->defs >> w->reg & 1) && walk_def(w, step))
				return;
			w->in_callee = false;
		}
	}
	walk_ended(w);
}

/* "*(u32 *)(r10 -4) = r1", "*(u64 *)(r10 -8) = 0": a store that covers byte `number`. */
static bool stores_to(struct kt_text insn, int32_t number)
{
	const char *p = kt_path_find(insn, " *)(r10 -"), *u = kt_path_find(insn, "*(u"), *end;
	int32_t offset = 0, bits = 0;

	if (!p || !u || u > p || u - insn.data > 10)
		return false;
	end = insn.data + insn.len;
	if (!memmem(p, (size_t)(end - p), ") = ", 4))
		return false;
	for (u += 3; u < p && isdigit((unsigned char)*u) && bits < 100; u++)
		bits = bits * 10 + (*u - '0');
	for (p += 9; p < end && isdigit((unsigned char)*p) && offset < 10000; p++)
		offset = offset * 10 + (*p - '0');
	return -offset <= number && number < -offset + bits / 8;
}

/* What prints a slot behind an instruction has written it, but where everything is printed. */
static void walk_slot(struct walk *w, size_t n)
{
	struct kt_state_item item;
	struct kt_event ev;

	for (size_t i = n; i; i--) {
		const struct kt_path_step *step = &w->path->steps.data[i - 1];

		if ((step->flags & KT_STEP_STATE) || step->frame != w->frame)
			continue;
		kt_path_read_step(w->path, step, &ev);
		if (stores_to(ev.insn, w->subject->number) ||
		    (!ev.resumed && step->defs == KT_STEP_CALL_DEFS &&
		     kt_state_find(ev.state, KT_PLACE_SLOT, w->subject->number, &item))) {
			found(w, KT_LAST_SET, step);
			return;
		}
	}
	w->subject->origin = w->path->whole ? KT_LAST_ORIGIN_NEVER : KT_LAST_ORIGIN_GONE;
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
	found(w, KT_LAST_ACQUIRED, &path->steps.data[at - 1]);
	for (size_t i = at - 1; i < path->steps.len && i < at + 4; i++) {
		kt_path_read_step(path, &path->steps.data[i], &ev);
		if (find_holder(ev.state, w->subject->number, &w->subject->value))
			return;
	}
}

/*
 * The value just before the last instruction: the last state at its depth that names it,
 * unless it was set behind that. A state behind the last instruction (5.10 prints it before
 * the error) is from before it.
 */
static void find_value(struct walk *w, size_t n, enum kt_place place)
{
	const struct kt_path *path = w->path;
	struct kt_last_subject *s = w->subject;
	struct kt_state_item item;
	struct kt_state_items it;
	struct kt_event ev;

	for (size_t i = path->steps.len; i; i--) {
		const struct kt_path_step *step = &path->steps.data[i - 1];

		if (i - 1 == n)
			continue;
		kt_path_read_step(path, step, &ev);
		kt_state_items_init(&it, ev.state);
		if (it.frame == s->frame && kt_state_find(ev.state, place, s->number, &item)) {
			s->value = item.value;
			return;
		}
		if (step->flags & KT_STEP_WHOLE && it.frame == s->frame)
			return;
		if (place == KT_PLACE_REG && step->frame == s->frame &&
		    (step->defs >> s->number & 1))
			return;
	}
}

void kt_path_explain(const struct kt_path *path, const struct kt_path_sources *sources,
		     uint32_t acquired, struct kt_last_subject *subject)
{
	struct walk w = {.path = path, .sources = sources, .subject = subject};
	size_t n = path->steps.len;

	subject->origin = KT_LAST_ORIGIN_GONE;
	while (n && (path->steps.data[n - 1].flags & KT_STEP_STATE))
		n--;
	if (!n--)
		return;
	subject->frame = w.frame = path->steps.data[n].frame;
	switch (subject->kind) {
	case KT_LAST_SUBJECT_REG:
		w.reg = (uint32_t)subject->number;
		find_value(&w, n, KT_PLACE_REG);
		walk_reg(&w, n);
		break;
	case KT_LAST_SUBJECT_SLOT:
		find_value(&w, n, KT_PLACE_SLOT);
		walk_slot(&w, n);
		break;
	case KT_LAST_SUBJECT_REF: walk_ref(&w, acquired); break;
	}
}
