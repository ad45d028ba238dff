// SPDX-License-Identifier: LGPL-2.1-or-later
#include "logparse/last_path.h"

#include <ctype.h>

#include "logparse/state.h"

/* What the kernel takes from root is 1,000,000 (BPF_COMPLEXITY_LIMIT_INSNS). */
#define MAX_STEPS   (1U << 20)
#define MAX_INDEXES (1U << 20)

#define CALL_DEFS 0x3f /* r0 to r5 */

enum {
	STEP_STATE = 1, /* no instruction: a state that was printed by itself */
	STEP_TAKEN = 2, /* its branch has been taken up */
	STEP_MULTI = 4, /* it has any number of branches: gotox */
};

void kt_path_deinit(struct kt_path *path)
{
	kt_vec_free(&path->steps);
}

void kt_path_restart(struct kt_path *path, bool whole, bool global)
{
	path->steps.len = 0;
	path->n_insns = 0;
	path->whole = whole;
	path->global = global;
}

static bool is_reg(struct kt_text text, uint32_t *ret)
{
	if (text.len < 2 || (text.data[0] != 'r' && text.data[0] != 'w') ||
	    !isdigit((unsigned char)text.data[1]))
		return false;
	*ret = (uint32_t)(text.data[1] - '0');
	if (text.len > 2 && isdigit((unsigned char)text.data[2]))
		*ret = *ret * 10 + (uint32_t)(text.data[2] - '0');
	return *ret <= 10;
}

/*
 * Which registers an instruction sets. Those that set one begin with it:
 *	(07) r1 += 3
 *	(61) r1 = *(u32 *)(r0 +0)
 *	(db) r2 = atomic64_fetch_add((u64 *)(r10 -8), r2)
 *	(85) call bpf_map_lookup_elem#1
 *	(30) r0 = *(u8 *)skb[23]		which is a call inside
 */
static uint16_t insn_defs(struct kt_text insn, uint8_t opcode)
{
	uint32_t reg;

	if (opcode == 0x85 || opcode == 0x8d)
		return CALL_DEFS;
	if (insn.len < 5 || !is_reg((struct kt_text){insn.data + 5, insn.len - 5}, &reg))
		return 0;
	if (memmem(insn.data, insn.len, "*)skb[", 6))
		return CALL_DEFS;
	return (uint16_t)(1U << reg);
}

/* Makes room by forgetting the earlier half. */
static void forget(struct kt_path *path)
{
	size_t half = path->steps.len / 2;

	memmove(path->steps.data, path->steps.data + half,
		(path->steps.len - half) * sizeof(*path->steps.data));
	path->steps.len -= half;
	path->whole = false;
}

static bool push(struct kt_path *path, struct kt_path_step step, const char *at)
{
	if (path->steps.len >= MAX_STEPS)
		forget(path);
	step.offset = (uint64_t)(at - path->log.data);
	return kt_vec_push(&path->steps, step);
}

/* Back to the jump at from, whose other branch is taken up. */
static void resume(struct kt_path *path, uint32_t from, bool speculative)
{
	while (path->steps.len) {
		struct kt_path_step *step = &path->steps.data[path->steps.len - 1];

		if (step->index == from && !(step->flags & (STEP_STATE | STEP_TAKEN))) {
			if (!speculative && !(step->flags & STEP_MULTI))
				step->flags |= STEP_TAKEN;
			return;
		}
		path->n_insns -= !(step->flags & STEP_STATE) && path->n_insns;
		path->steps.len--;
	}
	/* It was printed before what there is of the log. */
	path->whole = false;
	path->n_insns = 0;
}

static bool add_insn(struct kt_path *path, const struct kt_event *ev)
{
	struct kt_path_step step = {
		.index = ev->index,
		.defs = insn_defs(ev->insn, ev->opcode),
		.frame = (uint8_t)(ev->frame < 255 ? ev->frame : 255),
	};

	if (ev->opcode == 0x0d)
		step.flags |= STEP_MULTI;
	if (ev->resumed)
		step.flags |= STEP_TAKEN;
	path->n_insns++;
	return push(path, step, ev->text.data);
}

bool kt_path_add(struct kt_path *path, const struct kt_event *ev)
{
	struct kt_path_step state = {
		.index = KT_LINE_NO_INDEX,
		.frame = (uint8_t)(ev->frame < 255 ? ev->frame : 255),
		.flags = STEP_STATE,
	};

	if (ev->kind == KT_EVENT_INSN)
		return add_insn(path, ev);
	if ((ev->kind == KT_EVENT_POP || ev->kind == KT_EVENT_PRUNED) &&
	    ev->from != KT_LINE_NO_INDEX)
		resume(path, ev->from, ev->speculative);
	return !ev->state.len || push(path, state, ev->state.data);
}

bool kt_path_sources_add(struct kt_path_sources *sources, uint32_t index, size_t offset)
{
	if (index >= MAX_INDEXES)
		return true;
	while (sources->by_index.len <= index)
		if (!kt_vec_push(&sources->by_index, 0))
			return false;
	sources->by_index.data[index] = offset + 1;
	return true;
}

/*
 * A source line is printed where it changes, so that of an instruction without one is the one
 * of those before it.
 */
struct kt_source_ref kt_path_source(const struct kt_path_sources *sources, uint32_t index)
{
	struct kt_source_ref ref = {0};
	struct kt_text rest, line;
	size_t i = index < sources->by_index.len ? index + 1 : sources->by_index.len;

	if (index == KT_LINE_NO_INDEX)
		return ref;
	while (i && !sources->by_index.data[i - 1])
		i--;
	if (!i)
		return ref;
	rest = sources->log;
	rest.data += sources->by_index.data[i - 1] - 1;
	rest.len -= sources->by_index.data[i - 1] - 1;
	if (kt_text_next_line(&rest, &line))
		kt_source_ref_read(line, &ref);
	return ref;
}

/* Reads the step's line anew. */
static void read_step(const struct kt_path *path, const struct kt_path_step *step,
		      struct kt_event *ret)
{
	struct kt_text rest = {path->log.data + step->offset, path->log.len - (size_t)step->offset};
	struct kt_text line = {0};
	struct kt_trace trace;

	*ret = (struct kt_event){0};
	kt_text_next_line(&rest, &line);
	if (step->flags & STEP_STATE) {
		ret->state = line;
		return;
	}
	kt_trace_init(&trace, line);
	trace.frame = step->frame;
	kt_trace_next(&trace, ret);
}

static struct kt_last_insn insn_of(const struct kt_path *path,
				   const struct kt_path_sources *sources,
				   const struct kt_path_step *step)
{
	struct kt_event ev;

	read_step(path, step, &ev);
	if (ev.text.len && ev.text.data[ev.text.len - 1] == '\r')
		ev.text.len--;
	return (struct kt_last_insn){
		.index = step->index,
		.frame = step->frame,
		.insn = ev.insn,
		.line = ev.text,
		.source = kt_path_source(sources, step->index),
	};
}

bool kt_path_last(const struct kt_path *path, const struct kt_path_sources *sources, uint32_t index,
		  struct kt_last_insn *ret)
{
	for (size_t i = path->steps.len; i; i--) {
		const struct kt_path_step *step = &path->steps.data[i - 1];

		if (step->flags & STEP_STATE)
			continue;
		if (index == KT_LINE_NO_INDEX || step->index == index) {
			*ret = insn_of(path, sources, step);
			return true;
		}
	}
	return false;
}

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
		.insn = insn_of(w->path, w->sources, step),
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
	const char *p = memmem(insn.data, insn.len, " = ", 3);
	struct kt_text source;

	if (insn.len < 4 || !p || (memcmp(insn.data, "(bf)", 4) && memcmp(insn.data, "(bc)", 4)))
		return false;
	source = (struct kt_text){p + 3, (size_t)(insn.data + insn.len - p - 3)};
	return is_reg(source, from) && source.len == 2 + (*from >= 10);
}

/* True for "(85) call pc+5", which enters a function of the program. */
static bool calls_function(const struct kt_path *path, const struct kt_path_step *step)
{
	struct kt_event ev;

	read_step(path, step, &ev);
	return ev.insn.len && memmem(ev.insn.data, ev.insn.len, "call pc", 7);
}

/* The step before i at frame, which called what was passed. */
static const struct kt_path_step *caller_of(const struct kt_path *path, size_t i, uint32_t frame)
{
	for (; i; i--) {
		const struct kt_path_step *step = &path->steps.data[i - 1];

		if (!(step->flags & STEP_STATE) && step->frame == frame)
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
	/* What a callback gets, its helper makes up. */
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

	if (step->defs == CALL_DEFS)
		return found(w, w->reg ? KT_LAST_CLOBBER : KT_LAST_RESULT, step);
	read_step(w->path, step, &ev);
	if (!is_copy(ev.insn, &from) || w->subject->n_steps + 1 >= KT_LAST_MAX_STEPS)
		return found(w, KT_LAST_SET, step);
	w->reg = from;
	add_step(w, KT_LAST_COPIED, step);
	return false;
}

/* Where the walk came to the front of the path. */
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

		if (step->flags & STEP_STATE)
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
	const char *p = memmem(insn.data, insn.len, " *)(r10 -", 9);
	const char *u = memmem(insn.data, insn.len, "*(u", 3), *end = insn.data + insn.len;
	int32_t offset = 0, bits = 0;

	if (!p || !u || u > p || u - insn.data > 10 || !memmem(p, (size_t)(end - p), ") = ", 4))
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

		if ((step->flags & STEP_STATE) || step->frame != w->frame)
			continue;
		read_step(w->path, step, &ev);
		if (stores_to(ev.insn, w->subject->number) ||
		    (!ev.resumed && step->defs == CALL_DEFS &&
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

	while ((p = memmem(rest.data, rest.len, "id=", 3))) {
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
		if (!(path->steps.data[at - 1].flags & STEP_STATE) &&
		    path->steps.data[at - 1].index == acquired)
			break;
	if (!at) {
		w->subject->origin = KT_LAST_ORIGIN_GONE;
		return;
	}
	found(w, KT_LAST_ACQUIRED, &path->steps.data[at - 1]);
	for (size_t i = at - 1; i < path->steps.len && i < at + 4; i++) {
		read_step(path, &path->steps.data[i], &ev);
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
		read_step(path, step, &ev);
		kt_state_items_init(&it, ev.state);
		if (it.frame == s->frame && kt_state_find(ev.state, place, s->number, &item)) {
			s->value = item.value;
			return;
		}
		if (step->flags & STEP_STATE) {
			/* Everything is printed, but this is not. */
			if (it.frame == s->frame &&
			    kt_state_find(ev.state, KT_PLACE_REG, 10, &item))
				return;
		} else if (step->frame == s->frame && place == KT_PLACE_REG &&
			   (step->defs >> s->number & 1)) {
			return;
		}
	}
}

void kt_path_explain(const struct kt_path *path, const struct kt_path_sources *sources,
		     uint32_t acquired, struct kt_last_subject *subject)
{
	struct walk w = {.path = path, .sources = sources, .subject = subject};
	size_t n = path->steps.len;

	subject->origin = KT_LAST_ORIGIN_GONE;
	while (n && (path->steps.data[n - 1].flags & STEP_STATE))
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
