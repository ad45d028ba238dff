// SPDX-License-Identifier: LGPL-2.1-or-later
#include "logparse/last_place.h"

#include <stdio.h>

#include "logparse/insn.h"
#include "logparse/value.h"

/* Cheaper than reading it: does the line of the step name the place at all? */
static bool mentions(const struct kt_path *path, const struct kt_path_step *step,
		     const struct kt_path_place *place)
{
	const char *line = path->log.data + step->offset;
	const char *nl = memchr(line, '\n', path->log.len - (size_t)step->offset);
	size_t len = nl ? (size_t)(nl - line) : path->log.len - (size_t)step->offset;
	int32_t number = place->number;
	char name[16];

	if (place->kind == KT_PLACE_REG) {
		snprintf(name, sizeof(name), "R%d", number);
	} else {
		number -= number % 8 ? 8 + number % 8 : 0;
		snprintf(name, sizeof(name), "fp%d", number);
	}
	return memmem(line, len, name, strlen(name));
}

bool kt_path_state_at(const struct kt_path *path, size_t step, const struct kt_path_place *place,
		      struct kt_text *ret)
{
	const struct kt_path_step *s = &path->steps.data[step];
	struct kt_state_items it;
	struct kt_state_item item;
	struct kt_event ev;

	if (!mentions(path, s, place))
		return false;
	kt_path_read_step(path, s, &ev);
	kt_state_items_init(&it, ev.state);
	if (it.frame != place->frame || !kt_state_find(ev.state, place->kind, place->number, &item))
		return false;
	*ret = item.value;
	return true;
}

/* Is that all that the step knows? Then what it does not name has no value. */
static bool says_all(const struct kt_path *path, const struct kt_path_step *step, uint32_t frame)
{
	struct kt_state_items it;
	struct kt_event ev;

	if (!(step->flags & KT_STEP_WHOLE))
		return false;
	kt_path_read_step(path, step, &ev);
	kt_state_items_init(&it, ev.state);
	return it.frame == frame;
}

bool kt_path_find_value(const struct kt_path_value *find, struct kt_text *ret)
{
	const struct kt_path_place *place = &find->place;
	size_t n = 0;

	for (size_t i = find->begin; i && n < find->max; i--, n++) {
		const struct kt_path_step *step = &find->path->steps.data[i - 1];

		if (i - 1 == find->step)
			continue;
		if (kt_path_state_at(find->path, i - 1, place, ret))
			return true;
		if (says_all(find->path, step, place->frame))
			return false;
		if (place->kind == KT_PLACE_REG && step->frame == place->frame &&
		    (step->defs >> place->number & 1))
			return false;
	}
	return false;
}

bool kt_path_value_behind(const struct kt_path *path, size_t step,
			  const struct kt_path_place *place, struct kt_text *ret)
{
	if (kt_path_state_at(path, step, place, ret))
		return true;
	for (size_t i = step + 1; i < path->steps.len && i < step + 4; i++) {
		if (!(path->steps.data[i].flags & KT_STEP_STATE))
			return false;
		if (kt_path_state_at(path, i, place, ret))
			return true;
	}
	return false;
}

/* The number of a constant: "-8". */
static int32_t number_of(struct kt_text value)
{
	int64_t n;

	return kt_value_is_const(value, &n) && n > -100000 && n < 100000 ? (int32_t)n : 0;
}

/*
 * Where on the stack a register points to before a step, by the instructions right before it, as
 * compilers have them:
 *	3: (bf) r2 = r10
 *	4: (07) r2 += -8
 */
static bool stack_by_insns(const struct kt_path *path, size_t step, uint32_t reg, int32_t *ret)
{
	uint32_t frame = path->steps.data[step].frame;
	int32_t offset = 0;

	for (size_t i = step, n = 0; i && n < KT_PATH_NEAR && reg != 10; i--, n++) {
		const struct kt_path_step *s = &path->steps.data[i - 1];
		struct kt_event ev;
		struct kt_op op;

		if (s->frame != frame || !(s->defs >> reg & 1))
			continue;
		kt_path_read_step(path, s, &ev);
		kt_op_read(ev.insn, &op);
		if (op.kind == KT_OP_COPY && !op.narrow)
			reg = op.src;
		else if (op.kind == KT_OP_ALTER && op.op == '+' && op.value.len)
			offset += number_of(op.value);
		else
			return false;
	}
	*ret = offset;
	return reg == 10;
}

/*
 * Whose frame a pointer into the stack is of. Before 6.4 "fp-8" may be a caller's, too, that was
 * passed: then no instruction of this function made it.
 */
static uint32_t owner_of(const struct kt_path *path, size_t step, uint32_t reg)
{
	uint32_t frame = path->steps.data[step].frame;

	for (size_t i = step, n = 0; i && n < 4 * KT_PATH_NEAR && frame && reg != 10; i--, n++) {
		const struct kt_path_step *s = &path->steps.data[i - 1];
		struct kt_event ev;
		struct kt_op op;

		if (s->flags & KT_STEP_STATE || s->frame > frame)
			continue;
		if (s->frame < frame) {
			frame = s->frame;
			continue;
		}
		if (!(s->defs >> reg & 1))
			continue;
		kt_path_read_step(path, s, &ev);
		kt_op_read(ev.insn, &op);
		if (op.kind != KT_OP_COPY && op.kind != KT_OP_ALTER)
			break;
		if (op.kind == KT_OP_COPY)
			reg = op.src;
	}
	return frame;
}

static bool stack_of_reg(const struct kt_path *path, size_t step, uint32_t reg,
			 struct kt_path_place *ret)
{
	struct kt_path_value find = {
		.path = path,
		.place = {KT_PLACE_REG, (int32_t)reg, 0, path->steps.data[step].frame},
		.step = step,
		.begin = step,
		.max = KT_PATH_NEAR,
	};
	struct kt_text value;

	*ret = (struct kt_path_place){.kind = KT_PLACE_SLOT, .frame = find.place.frame};
	if (reg == 10)
		return true;
	if (kt_path_find_value(&find, &value)) {
		if (!kt_text_starts_with(value, KT_TEXT("fp[")))
			ret->frame = owner_of(path, step, reg);
		return kt_stack_pointer(value, &ret->frame, &ret->number);
	}
	return stack_by_insns(path, step, reg, &ret->number);
}

bool kt_path_stack_of(const struct kt_path *path, size_t step, const struct kt_op *op,
		      struct kt_path_place *ret)
{
	if (op->base == KT_OP_NO_REG || !stack_of_reg(path, step, op->base, ret))
		return false;
	ret->number += op->offset;
	ret->size = op->size;
	return ret->number < 0;
}

/* Helpers that read what their arguments point to. */
static bool only_reads(const struct kt_path *path, size_t step)
{
	static const char *const names[] = {"bpf_map_",         "bpf_trace_",
					    "bpf_perf_event_",  "bpf_ringbuf_output",
					    "bpf_probe_write_", "bpf_skb_store_bytes",
					    "bpf_xdp_store_",   NULL};
	struct kt_event ev;
	struct kt_op op;

	kt_path_read_step(path, &path->steps.data[step], &ev);
	kt_op_read(ev.insn, &op);
	for (size_t i = 0; names[i]; i++)
		if (kt_text_starts_with(op.name, (struct kt_text){names[i], strlen(names[i])}))
			return true;
	return false;
}

bool kt_path_call_gets(const struct kt_path *path, size_t step, const struct kt_path_place *slot)
{
	struct kt_path_place arg;

	if (only_reads(path, step))
		return false;
	for (uint32_t reg = 1; reg <= 5; reg++)
		if (stack_of_reg(path, step, reg, &arg) && arg.frame == slot->frame &&
		    arg.number <= slot->number && arg.number + 512 > slot->number)
			return true;
	return false;
}
