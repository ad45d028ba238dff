// SPDX-License-Identifier: LGPL-2.1-or-later
#include "logparse/last_path.h"

#include <ctype.h>

#include "logparse/insn.h"
#include "logparse/state.h"

/* What the kernel takes from root is 1,000,000 (BPF_COMPLEXITY_LIMIT_INSNS). */
#define MAX_STEPS   (1U << 20)
#define MAX_INDEXES (1U << 20)

void kt_path_init(struct kt_path *path, struct kt_text log)
{
	*path = (struct kt_path){
		.log = log,
		.branches = kt_path_find(log, "\nfrom ") || kt_path_find(log, "=inv"),
	};
}

void kt_path_deinit(struct kt_path *path)
{
	kt_vec_free(&path->steps);
}

void kt_path_restart(struct kt_path *path, bool whole, bool global)
{
	path->steps.len = 0;
	path->n_insns = 0;
	path->whole = whole;
	path->inside = !whole;
	path->global = global;
	path->consts = 0;
	path->over = path->no_source = false;
}

static uint64_t const_mask(uint32_t reg)
{
	return ((1ULL << KT_PATH_CONST_BITS) - 1) << reg * KT_PATH_CONST_BITS;
}

/*
 * A number modulo 63, plus 1; 0 for any other value:
 *	-300; 0x336f7; P3; inv1; invP0		the last ones of 5.10
 */
static uint64_t const_of(struct kt_text value)
{
	uint64_t n = 0;
	size_t i = 0;
	unsigned base = 10;

	if (kt_text_starts_with(value, KT_TEXT("inv")))
		i = 3;
	i += i < value.len && value.data[i] == 'P';
	if (i < value.len && value.data[i] == '-')
		i++;
	if (value.len - i > 2 && value.data[i] == '0' && value.data[i + 1] == 'x') {
		i += 2;
		base = 16;
	}
	if (i >= value.len)
		return 0;
	for (; i < value.len; i++) {
		unsigned char c = (unsigned char)value.data[i];

		if (!isxdigit(c) || (base == 10 && !isdigit(c)))
			return 0;
		n = (n * base + (unsigned)(isdigit(c) ? c - '0' : (c | 32) - 'a' + 10)) % 63;
	}
	return n + 1;
}

/* Takes in the constants of a state, which is all that is known if it is a whole one. */
static void note_consts(struct kt_path *path, struct kt_text state, bool whole)
{
	struct kt_state_items it;
	struct kt_state_item item;
	uint32_t reg;

	if (whole)
		path->consts = 0;
	kt_state_items_init(&it, state);
	while (kt_state_items_next(&it, &item)) {
		reg = (uint32_t)item.number;
		if (item.place != KT_PLACE_REG || reg >= 10)
			continue;
		path->consts &= ~const_mask(reg);
		path->consts |= const_of(item.value) << reg * KT_PATH_CONST_BITS;
	}
}

/* Can a branch with the constants b have been put off at a step with a? */
static bool consts_agree(uint64_t a, uint64_t b)
{
	for (uint32_t reg = 0; reg < 10; reg++) {
		uint64_t mask = const_mask(reg);

		if ((a & mask) && (b & mask) && (a & mask) != (b & mask))
			return false;
	}
	return true;
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

/* May it be this step that put the branch off? A call gives its two outcomes different r0. */
static bool put_off(const struct kt_path_step *step, const struct kt_event *ev, uint64_t consts)
{
	if (step->index != ev->from || step->flags & (KT_STEP_STATE | KT_STEP_TAKEN))
		return false;
	if (step->frame != ev->frame)
		return true;
	for (uint32_t reg = 0; reg < 6 && step->defs == KT_STEP_CALL_DEFS; reg++)
		consts &= ~const_mask(reg);
	return consts_agree(step->consts, consts);
}

/* Where a jump goes: "(15) if r0 == 0x0 goto pc+5" at 3 to 9; or NO_INDEX. */
static uint32_t target_of(const struct kt_path *path, const struct kt_path_step *step)
{
	struct kt_event ev;
	const char *p, *end;
	int64_t offset = 0;
	bool minus;

	kt_path_read_step(path, step, &ev);
	p = kt_path_find(ev.insn, " goto pc");
	if (!p || !kt_path_find(ev.insn, "if "))
		return KT_LINE_NO_INDEX;
	end = ev.insn.data + ev.insn.len;
	if (end - p < 10)
		return KT_LINE_NO_INDEX;
	minus = p[8] == '-';
	for (p += 9; p < end && isdigit((unsigned char)*p) && offset < INT32_MAX; p++)
		offset = offset * 10 + (*p - '0');
	offset = (int64_t)step->index + 1 + (minus ? -offset : offset);
	return offset >= 0 && offset < KT_LINE_NO_INDEX ? (uint32_t)offset : KT_LINE_NO_INDEX;
}

/* Likewise, where the log does not say which jump it was, but where it goes. */
static bool put_off_to(const struct kt_path *path, const struct kt_path_step *step, uint32_t to)
{
	return !(step->flags & (KT_STEP_STATE | KT_STEP_TAKEN)) && target_of(path, step) == to &&
	       consts_agree(step->consts, path->consts);
}

static void pop(struct kt_path *path)
{
	struct kt_path_step *step = &path->steps.data[--path->steps.len];

	path->n_insns -= !(step->flags & KT_STEP_STATE) && path->n_insns;
}

/* Back to the jump whose other branch is taken up; ev->from is NO_INDEX where it is implied. */
static void resume(struct kt_path *path, const struct kt_event *ev)
{
	bool implied = ev->from == KT_LINE_NO_INDEX;

	note_consts(path, ev->state, true);
	for (; path->steps.len; pop(path)) {
		struct kt_path_step *step = &path->steps.data[path->steps.len - 1];

		if (implied ? !put_off_to(path, step, ev->index) : !put_off(step, ev, path->consts))
			continue;
		if (!ev->speculative && !(step->flags & KT_STEP_MULTI))
			step->flags |= KT_STEP_TAKEN;
		path->from = step->index;
		return;
	}
	/* Its line was printed before the log begins, which was cut off. */
	path->whole = false;
	path->n_insns = 0;
}

uint32_t kt_path_resume(struct kt_path *path, uint32_t to, struct kt_text state)
{
	struct kt_event ev = {.from = KT_LINE_NO_INDEX, .index = to, .state = state};
	uint64_t consts = path->consts;

	note_consts(path, state, true);
	for (size_t i = path->steps.len; i; i--) {
		if (!put_off_to(path, &path->steps.data[i - 1], to))
			continue;
		resume(path, &ev);
		path->over = false;
		return path->from;
	}
	path->consts = consts;
	return KT_LINE_NO_INDEX;
}

static bool add_insn(struct kt_path *path, const struct kt_event *ev)
{
	struct kt_path_step step = {
		.index = ev->index,
		.consts = path->consts,
		.defs = (uint16_t)kt_insn_sets(ev->insn, ev->opcode),
		.frame = (uint8_t)(ev->frame < 255 ? ev->frame : 255),
	};

	if (ev->opcode == 0x0d)
		step.flags |= KT_STEP_MULTI;
	if (ev->resumed)
		step.flags |= KT_STEP_TAKEN | (ev->state.len ? KT_STEP_WHOLE : 0);
	if (path->no_source)
		step.flags |= KT_STEP_NO_SOURCE;
	path->n_insns++;
	if (path->branches) {
		for (uint32_t reg = 0; reg < 10; reg++)
			if (step.defs >> reg & 1)
				path->consts &= ~const_mask(reg);
		note_consts(path, ev->state, ev->resumed);
	}
	return push(path, step, ev->text.data);
}

/*
 * The log begins inside a function that was called: the first state tells at which depth the
 * instructions before it were executed.
 *	7: (bf) r3 = r0
 *	8: (0f) r3 += r1                      ; frame1: R1=4 R3_w=scalar()
 */
static void find_depth(struct kt_path *path, const struct kt_event *ev)
{
	uint32_t depth = ev->frame;

	if (!ev->state.len || (ev->kind == KT_EVENT_INSN && ev->opcode == 0x95))
		return;
	path->inside = false;
	if (ev->kind == KT_EVENT_CALL && depth)
		depth--;
	else if (ev->kind == KT_EVENT_RETURN)
		depth++;
	kt_vec_for_each (&path->steps, step)
		step->frame = (uint8_t)(depth < 255 ? depth : 255);
}

bool kt_path_add(struct kt_path *path, const struct kt_event *ev)
{
	struct kt_path_step state = {
		.index = KT_LINE_NO_INDEX,
		.frame = (uint8_t)(ev->frame < 255 ? ev->frame : 255),
		.flags = KT_STEP_STATE,
	};

	if (path->inside)
		find_depth(path, ev);
	path->from = KT_LINE_NO_INDEX;
	path->implied = path->over && ev->kind == KT_EVENT_STATE && ev->index != KT_LINE_NO_INDEX;
	path->over = ev->kind == KT_EVENT_PRUNED ||
		     (ev->kind == KT_EVENT_INSN && ev->opcode == 0x95 && !ev->frame) ||
		     (path->over && ev->kind == KT_EVENT_PRECISION);
	if (ev->kind == KT_EVENT_INSN)
		return add_insn(path, ev);
	if (path->implied || ((ev->kind == KT_EVENT_POP || ev->kind == KT_EVENT_PRUNED) &&
			      ev->from != KT_LINE_NO_INDEX))
		resume(path, ev);
	else if (path->branches && ev->state.len)
		note_consts(path, ev->state, ev->kind != KT_EVENT_STATE);
	if (ev->kind != KT_EVENT_STATE || path->implied)
		state.flags |= KT_STEP_WHOLE;
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

bool kt_path_has_source(const struct kt_path_sources *sources, uint32_t index)
{
	return index < sources->by_index.len && sources->by_index.data[index] > sources->since;
}

/*
 * A source line is printed when it changes. So an instruction without one has that of the
 * instructions before it.
 */
struct kt_source_ref kt_path_source(const struct kt_path_sources *sources, uint32_t index)
{
	struct kt_source_ref ref = {0};
	struct kt_text rest, line;
	size_t i = index < sources->by_index.len ? index + 1 : sources->by_index.len;

	if (index == KT_LINE_NO_INDEX)
		return ref;
	while (i && sources->by_index.data[i - 1] <= sources->since)
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

void kt_path_read_step(const struct kt_path *path, const struct kt_path_step *step,
		       struct kt_event *ret)
{
	struct kt_text rest = {path->log.data + step->offset, path->log.len - (size_t)step->offset};
	struct kt_text line = {0};
	struct kt_trace trace;

	*ret = (struct kt_event){0};
	kt_text_next_line(&rest, &line);
	if (step->flags & KT_STEP_STATE) {
		ret->state = line;
		return;
	}
	kt_trace_init(&trace, line);
	trace.frame = step->frame;
	kt_trace_next(&trace, ret);
}

struct kt_last_insn kt_path_insn(const struct kt_path *path, const struct kt_path_sources *sources,
				 const struct kt_path_step *step)
{
	struct kt_last_insn insn = {.index = step->index, .frame = step->frame};
	struct kt_event ev;

	kt_path_read_step(path, step, &ev);
	if (ev.text.len && ev.text.data[ev.text.len - 1] == '\r')
		ev.text.len--;
	insn.insn = ev.insn;
	insn.line = ev.text;
	if (!(step->flags & KT_STEP_NO_SOURCE) || kt_path_has_source(sources, step->index))
		insn.source = kt_path_source(sources, step->index);
	return insn;
}

/* The last instruction (of this index); NULL: there is none. */
static const struct kt_path_step *last_step(const struct kt_path *path, uint32_t index)
{
	for (size_t i = path->steps.len; i; i--) {
		const struct kt_path_step *step = &path->steps.data[i - 1];

		if (!(step->flags & KT_STEP_STATE) &&
		    (index == KT_LINE_NO_INDEX || step->index == index))
			return step;
	}
	return NULL;
}

bool kt_path_last(const struct kt_path *path, const struct kt_path_sources *sources, uint32_t index,
		  struct kt_last_insn *ret)
{
	const struct kt_path_step *step = last_step(path, index);

	if (step)
		*ret = kt_path_insn(path, sources, step);
	return step;
}

bool kt_path_find_last(const struct kt_path *path, uint32_t index, size_t *ret)
{
	const struct kt_path_step *step = last_step(path, index);

	if (step)
		*ret = (size_t)step->offset;
	return step;
}
