// SPDX-License-Identifier: LGPL-2.1-or-later
#include "logparse/steps.h"

#include <ctype.h>

#include "logparse/gap.h"
#include "logparse/insn.h"
#include "logparse/last_lost.h"
#include "logparse/last_path.h"
#include "util/vec.h"

/* Items of one state text that are read: real ones have some 80. */
#define MAX_ITEMS 512
/* Steps of the path that can be gone back to: of a longer one, the latest half. */
#define MAX_MARKS (1U << 21)
/* Changes that can be gone back over: 200 MB of them. */
#define MAX_UNDO (1U << 23)
/* A test tells of so many other values, at most; a log with more is none of a compiler's. */
#define MAX_OTHERS 16
/* No pointer into the packet has a longer text. */
#define MAX_PACKET_VALUE 512
/* So many of the values made last are looked at before another is made. */
#define MADE_AGAIN 64

/* A frame's values: registers, references, flags, and the stack downwards. */
enum {
	CELL_REFS = 11,
	CELL_FLAG,
	CELL_SLOT,
	N_CELLS = CELL_SLOT + KT_STEP_STACK / 8,
};

struct frame {
	struct kt_text cells[N_CELLS];
	uint32_t n; /* those from here on are empty */
};

struct undo {
	uint32_t frame, cell;
	struct kt_text value;
};

/* A step of the path. What was changed since is in undo, from n_undo on. */
struct mark {
	uint64_t offset; /* of its event in the log */
	uint32_t number;
	size_t n_undo;
};

struct kt_steps {
	struct kt_text log;
	struct kt_trace trace;
	struct kt_path path;
	struct kt_gap gap;
	KT_VEC(struct mark) marks;
	KT_VEC(struct undo) undo;
	KT_VEC(struct kt_change) changes;
	KT_VEC(struct kt_text) made; /* values that are in no line of the log */
	uint32_t n, frame;
	uint32_t tested; /* the test that was executed last, if nothing was since; or NO_INDEX */
	bool tests;      /* the event at hand tells what became of it */
	bool old;        /* as 5.10 prints it: each state is a whole one */
	bool processed;  /* statistics were read, so that another log may begin */
	bool no_memory;
	struct frame frames[KT_STEP_FRAMES];
};

struct kt_error *kt_steps_create(struct kt_text log, struct kt_steps **ret)
{
	struct kt_steps *steps = calloc(1, sizeof(*steps));

	if (!steps)
		return kt_error_no_memory();
	steps->log = log;
	steps->tested = KT_LINE_NO_INDEX;
	steps->gap = (struct kt_gap)KT_GAP_INIT;
	steps->old = kt_path_find(log, "=inv");
	kt_trace_init(&steps->trace, log);
	kt_path_init(&steps->path, log);
	kt_path_restart(&steps->path, true, false);
	*ret = steps;
	return NULL;
}

void kt_steps_destroy(struct kt_steps *steps)
{
	if (!steps)
		return;
	kt_path_deinit(&steps->path);
	kt_vec_free(&steps->marks);
	kt_vec_free(&steps->undo);
	kt_vec_free(&steps->changes);
	kt_vec_for_each (&steps->made, text)
		free((char *)text->data);
	kt_vec_free(&steps->made);
	free(steps);
}

/* --- the cells --- */

/* False: no such cell is kept. */
static bool cell_of(enum kt_place place, int32_t number, uint32_t *ret)
{
	switch (place) {
	case KT_PLACE_REG: *ret = (uint32_t)number; return number >= 0 && number <= 10;
	case KT_PLACE_REFS: *ret = CELL_REFS; return true;
	case KT_PLACE_FLAG: *ret = CELL_FLAG; return true;
	case KT_PLACE_SLOT:
		if (number >= 0 || number < -KT_STEP_STACK || number % 8)
			return false;
		*ret = CELL_SLOT + (uint32_t)(-number / 8 - 1);
		return true;
	}
	return false;
}

static struct kt_change change_of(uint32_t frame, uint32_t cell)
{
	struct kt_change change = {.frame = frame};

	if (cell >= CELL_SLOT) {
		change.place = KT_PLACE_SLOT;
		change.number = -8 * (int32_t)(cell - CELL_SLOT + 1);
	} else if (cell >= CELL_REFS) {
		change.place = cell == CELL_REFS ? KT_PLACE_REFS : KT_PLACE_FLAG;
	} else {
		change.place = KT_PLACE_REG;
		change.number = (int32_t)cell;
	}
	return change;
}

static void put_cell(struct kt_steps *s, uint32_t frame, uint32_t cell, struct kt_text value)
{
	struct frame *f = &s->frames[frame];

	if (!kt_vec_push(&s->undo, (struct undo){frame, cell, f->cells[cell]})) {
		s->no_memory = true;
		return;
	}
	f->cells[cell] = value;
	if (value.len && cell >= f->n)
		f->n = cell + 1;
}

static void change(struct kt_steps *s, uint32_t frame, uint32_t cell, enum kt_change_how how,
		   struct kt_text value)
{
	struct kt_change change = change_of(frame, cell);

	change.how = how;
	change.value = value;
	if (!kt_vec_push(&s->changes, change))
		s->no_memory = true;
	put_cell(s, frame, cell, value);
}

/* Up to 6.17 a number that has to be precise is "P3" or "Pscalar(...)", which is no other value. */
static struct kt_text without_mark(struct kt_text value)
{
	if (value.len > 1 && value.data[0] == 'P' &&
	    (value.data[1] == '-' || value.data[1] == 's' || isdigit((unsigned char)value.data[1])))
		return (struct kt_text){value.data + 1, value.len - 1};
	return value;
}

static bool same_value(struct kt_text a, struct kt_text b)
{
	return kt_text_equals(a, b) || kt_text_equals(without_mark(a), without_mark(b));
}

static void clear_frame(struct kt_steps *s, uint32_t frame)
{
	struct frame *f = &s->frames[frame];

	for (uint32_t i = 0; i < f->n; i++)
		if (f->cells[i].len)
			put_cell(s, frame, i, (struct kt_text){0});
	f->n = 0;
}

/* Takes back all changes but the first n. */
static void take_back(struct kt_steps *s, size_t n)
{
	while (s->undo.len > n) {
		const struct undo *undo = &s->undo.data[--s->undo.len];
		struct frame *f = &s->frames[undo->frame];

		f->cells[undo->cell] = undo->value;
		if (undo->value.len && undo->cell >= f->n)
			f->n = undo->cell + 1;
	}
}

static void forget_all(struct kt_steps *s)
{
	for (uint32_t i = 0; i < KT_STEP_FRAMES; i++) {
		memset(s->frames[i].cells, 0, s->frames[i].n * sizeof(*s->frames[i].cells));
		s->frames[i].n = 0;
	}
	s->marks.len = s->undo.len = 0;
	s->frame = 0;
}

/* --- the path --- */

static void forget_half(struct kt_steps *s)
{
	size_t half = s->marks.len / 2, n_undo = s->marks.data[half].n_undo;

	memmove(s->marks.data, s->marks.data + half,
		(s->marks.len - half) * sizeof(*s->marks.data));
	s->marks.len -= half;
	kt_vec_for_each (&s->marks, mark)
		mark->n_undo -= n_undo;
	memmove(s->undo.data, s->undo.data + n_undo,
		(s->undo.len - n_undo) * sizeof(*s->undo.data));
	s->undo.len -= n_undo;
}

/* Goes back to the step that the path goes on behind, if the event takes up a branch. */
static void follow_path(struct kt_steps *s, const struct kt_event *ev)
{
	bool pushed = ev->kind == KT_EVENT_INSN || ev->state.len;
	size_t n = s->path.steps.len - (pushed && s->path.steps.len);
	uint64_t offset = n ? s->path.steps.data[n - 1].offset + 1 : 0;

	while (s->marks.len && s->marks.data[s->marks.len - 1].offset >= offset) {
		s->marks.len--;
		take_back(s, s->marks.data[s->marks.len].n_undo);
	}
}

/* --- changes --- */

/* The cells that a store alters: of which frame, from which to which. False: not known, or none. */
static bool stored_cells(const struct kt_steps *s, const struct kt_event *ev, uint32_t *frame,
			 uint32_t *first, uint32_t *last)
{
	struct kt_insn_store store;
	int32_t start = 0, low, high;

	*frame = ev->frame;
	if (!kt_insn_stores(ev->insn, &store) || store.size < 1)
		return false;
	if (store.base != 10 &&
	    !kt_stack_pointer(s->frames[ev->frame].cells[store.base], frame, &start))
		return false;
	low = start + store.offset;
	high = low + store.size - 1;
	if (low < -KT_STEP_STACK || high >= 0 || *frame >= KT_STEP_FRAMES)
		return false;
	*last = CELL_SLOT + (uint32_t)(-low - 1) / 8;
	*first = CELL_SLOT + (uint32_t)(-high - 1) / 8;
	return true;
}

/*
 * What the instruction sets is no more what it was; the log may say what it is. A call of the
 * program's own function ("call pc+3") gives r0 when it returns.
 */
static void lose_what_is_set(struct kt_steps *s, const struct kt_event *ev, uint32_t sets)
{
	uint32_t frame, first, last;
	bool call = sets == KT_INSN_CALL_SETS;
	bool own = call && kt_path_find(ev->insn, "call pc");

	for (uint32_t reg = 0; reg <= 10; reg++) {
		bool given = !call || (!reg && !own);

		if (!(sets >> reg & 1) || (!given && !s->frames[ev->frame].cells[reg].len))
			continue;
		change(s, ev->frame, reg, given ? KT_CHANGE_LOST : KT_CHANGE_GONE,
		       (struct kt_text){0});
	}
	if (sets || !stored_cells(s, ev, &frame, &first, &last))
		return;
	for (uint32_t cell = first; cell <= last; cell++)
		change(s, frame, cell, KT_CHANGE_LOST, (struct kt_text){0});
}

/* What the event itself has changed already: the log says now to what. */
static struct kt_change *changed_now(struct kt_steps *s, uint32_t frame, uint32_t cell)
{
	struct kt_change like = change_of(frame, cell);

	kt_vec_for_each (&s->changes, it)
		if (it->frame == frame && it->place == like.place && it->number == like.number)
			return it;
	return NULL;
}

/* --- what a test of one register says of others --- */

/* "(id=3," or ",ref_obj_id=3)": the text behind "id=", or nothing. */
static struct kt_text id_of(struct kt_text value)
{
	const char *p = kt_path_find(value, "id=");
	struct kt_text id = {0};

	if (!p)
		return id;
	id.data = p + 3;
	while (id.data + id.len < value.data + value.len && isdigit((unsigned char)id.data[id.len]))
		id.len++;
	return id;
}

/* Of "pkt(off=14,r=15)" the digits behind "r="; else nothing. */
static struct kt_text range_of(struct kt_text value)
{
	struct kt_text range = {0};
	const char *p;

	if (!kt_text_starts_with(value, KT_TEXT("pkt(")))
		return range;
	p = kt_path_find(value, ",r=");
	if (!p)
		p = kt_path_find(value, "(r=");
	if (!p)
		return range;
	range.data = p + 3;
	while (range.data + range.len < value.data + value.len &&
	       isdigit((unsigned char)range.data[range.len]))
		range.len++;
	return range;
}

/* `value` with another range, in memory of its own. */
static struct kt_text with_range(struct kt_steps *s, struct kt_text value, struct kt_text range)
{
	struct kt_text old = range_of(value), made = {0};
	size_t front = (size_t)(old.data - value.data), back = value.len - front - old.len;
	char *text = malloc(value.len + range.len + 1);

	if (!text) {
		s->no_memory = true;
		return made;
	}
	memcpy(text, value.data, front);
	memcpy(text + front, range.data, range.len);
	memcpy(text + front + range.len, old.data + old.len, back);
	made = (struct kt_text){text, front + range.len + back};
	for (size_t i = s->made.len; i && i + MADE_AGAIN > s->made.len; i--) {
		if (!kt_text_equals(s->made.data[i - 1], made))
			continue;
		free(text);
		return s->made.data[i - 1];
	}
	if (kt_vec_push(&s->made, made))
		return made;
	free(text);
	s->no_memory = true;
	return (struct kt_text){0};
}

/*
 * A test of a register tells as much about others, which the log does not print: copies of a value
 * with an id, and pointers into the packet, of which the same bytes are there.
 *	3: (15) if r0 == 0x0 goto pc+2        ; R0=map_value(...)	and R6, which was equal
 *	9: (2d) if r2 > r3 goto pc+5          ; R2=pkt(off=14,r=14)	and R1=pkt(r=14)
 */
static void say_of_others(struct kt_steps *s, struct kt_text old, struct kt_text value)
{
	struct kt_text id = id_of(old), range = range_of(value);
	bool pkt = range.len && range_of(old).len;
	size_t most = s->changes.len + MAX_OTHERS;

	if (!pkt && !id.len)
		return;
	for (uint32_t i = 0; i < KT_STEP_FRAMES; i++) {
		struct frame *f = &s->frames[i];

		for (uint32_t cell = 0; cell < f->n; cell++) {
			struct kt_text *at = &f->cells[cell];

			if (!at->len || changed_now(s, i, cell))
				continue;
			if (s->changes.len == most)
				return;
			if (same_value(*at, old))
				change(s, i, cell, KT_CHANGE_SHOWN, value);
			else if (pkt && at->len <= MAX_PACKET_VALUE && range_of(*at).len &&
				 kt_text_equals(id_of(*at), id) &&
				 !kt_text_equals(range_of(*at), range))
				change(s, i, cell, KT_CHANGE_SHOWN, with_range(s, *at, range));
		}
	}
}

static void say(struct kt_steps *s, uint32_t frame, const struct kt_state_item *item,
		enum kt_change_how how)
{
	struct kt_change *now;
	struct kt_text old;
	uint32_t cell;

	if (!cell_of(item->place, item->number, &cell))
		return;
	old = s->frames[frame].cells[cell];
	now = changed_now(s, frame, cell);
	if (now) {
		if (now->how == KT_CHANGE_LOST || now->how == KT_CHANGE_GONE)
			now->how = now->how == KT_CHANGE_LOST || how == KT_CHANGE_SET
					   ? KT_CHANGE_SET
					   : KT_CHANGE_SHOWN;
		now->value = item->value;
		put_cell(s, frame, cell, item->value);
	} else if (how == KT_CHANGE_SET || !same_value(old, item->value)) {
		change(s, frame, cell, how, item->value);
		if (s->tests && item->place == KT_PLACE_REG)
			say_of_others(s, old, item->value);
	}
}

/*
 * The slots that are printed behind a call or a store are those that it wrote. References and flags
 * are printed whenever there are any.
 */
static void say_some(struct kt_steps *s, const struct kt_event *ev, bool writes_slots)
{
	bool refs = false, flag = false;
	struct kt_state_items it;
	struct kt_state_item item;
	struct frame *f;

	kt_state_items_init(&it, ev->state);
	if (it.frame >= KT_STEP_FRAMES)
		return;
	f = &s->frames[it.frame];
	for (size_t i = 0; i < MAX_ITEMS && kt_state_items_next(&it, &item); i++) {
		refs |= item.place == KT_PLACE_REFS;
		flag |= item.place == KT_PLACE_FLAG;
		say(s, it.frame, &item,
		    writes_slots && item.place == KT_PLACE_SLOT ? KT_CHANGE_SET : KT_CHANGE_SHOWN);
	}
	if (!refs && f->cells[CELL_REFS].len)
		change(s, it.frame, CELL_REFS, KT_CHANGE_GONE, (struct kt_text){0});
	if (!flag && f->cells[CELL_FLAG].len)
		change(s, it.frame, CELL_FLAG, KT_CHANGE_GONE, (struct kt_text){0});
}

/* All that there is in a frame. What is not named has no value. */
static void say_all(struct kt_steps *s, const struct kt_event *ev, enum kt_change_how how)
{
	bool named[N_CELLS] = {0};
	struct kt_state_items it;
	struct kt_state_item item;
	struct frame *f;
	uint32_t cell;

	kt_state_items_init(&it, ev->state);
	if (it.frame >= KT_STEP_FRAMES)
		return;
	f = &s->frames[it.frame];
	for (size_t i = 0; i < MAX_ITEMS && kt_state_items_next(&it, &item); i++) {
		if (!cell_of(item.place, item.number, &cell))
			continue;
		named[cell] = true;
		/* A frame pointer is no value that somebody set. */
		say(s, it.frame, &item, cell == 10 ? KT_CHANGE_SHOWN : how);
	}
	for (cell = 0; cell < f->n; cell++)
		if (f->cells[cell].len && !named[cell])
			change(s, it.frame, cell, KT_CHANGE_GONE, (struct kt_text){0});
}

/* Whether a call makes this value useless, which the log does not say. */
static bool takes_value(unsigned takes, uint32_t ref, struct kt_text value)
{
	if (takes & KT_TAKES_PACKET && kt_text_starts_with(value, KT_TEXT("pkt")))
		return true;
	if (takes & KT_TAKES_SECTION &&
	    (kt_path_find(value, "rcu_ptr_") || kt_path_find(value, "non_own_ref")))
		return true;
	return ref && kt_value_ref(value) == ref;
}

/* What a call of a helper takes from values that it does not set, in all frames. */
static void take_values(struct kt_steps *s, const struct kt_event *ev)
{
	unsigned takes;
	uint32_t ref = 0;
	struct kt_op op;

	kt_op_read(ev->insn, &op);
	if (op.kind != KT_OP_CALL || !op.name.len)
		return;
	takes = kt_lost_takes(op.name);
	for (uint32_t reg = 1; takes & KT_TAKES_OBJECT && !ref && reg <= 2; reg++)
		ref = kt_value_ref(s->frames[ev->frame].cells[reg]);
	for (uint32_t i = 0; takes && i < KT_STEP_FRAMES; i++)
		for (uint32_t cell = 0; cell < s->frames[i].n; cell++)
			if ((cell > 5 || i != ev->frame) && cell != CELL_REFS &&
			    takes_value(takes, ref, s->frames[i].cells[cell]))
				change(s, i, cell, KT_CHANGE_LOST, (struct kt_text){0});
}

static void take_insn(struct kt_steps *s, const struct kt_event *ev)
{
	uint32_t sets = kt_insn_sets(ev->insn, ev->opcode);
	bool store = (ev->opcode & 7) == 2 || (ev->opcode & 7) == 3;

	if (ev->frame < KT_STEP_FRAMES) {
		if (sets == KT_INSN_CALL_SETS)
			take_values(s, ev);
		lose_what_is_set(s, ev, sets);
	}
	if (!ev->state.len)
		return;
	if (ev->resumed)
		say_all(s, ev, KT_CHANGE_SHOWN);
	else
		say_some(s, ev, store || sets == KT_INSN_CALL_SETS);
}

/* The callee gets its arguments, the caller its result. */
static void take_call(struct kt_steps *s, const struct kt_event *ev)
{
	if (ev->kind == KT_EVENT_CALL) {
		say_all(s, ev, ev->frame > s->frame ? KT_CHANGE_SET : KT_CHANGE_SHOWN);
		return;
	}
	if (ev->frame >= KT_STEP_FRAMES)
		return;
	if (ev->frame < s->frame)
		change(s, ev->frame, 0, KT_CHANGE_LOST, (struct kt_text){0});
	if (ev->state.len)
		say_all(s, ev, KT_CHANGE_SHOWN);
}

/* "if r1 > 10 goto pc+2": classes 5 and 6, but for goto, call, exit and gotox. */
static bool is_test(uint8_t opcode)
{
	return ((opcode & 7) == 5 || (opcode & 7) == 6) && (opcode & 0xf0) >= 0x10 &&
	       (opcode & 0xf0) != 0x80 && (opcode & 0xf0) != 0x90 && (opcode & 0xf0) != 0xe0;
}

static void take_event(struct kt_steps *s, const struct kt_event *ev)
{
	for (uint32_t i = ev->frame + 1; i < KT_STEP_FRAMES; i++)
		if (s->frames[i].n)
			clear_frame(s, i);
	if (ev->kind == KT_EVENT_INSN)
		s->tested = is_test(ev->opcode) ? ev->index : KT_LINE_NO_INDEX;
	s->tests = s->tested != KT_LINE_NO_INDEX && ev->index == s->tested && !ev->resumed;
	switch (ev->kind) {
	case KT_EVENT_INSN: take_insn(s, ev); break;
	case KT_EVENT_CALL:
	case KT_EVENT_RETURN: take_call(s, ev); break;
	case KT_EVENT_POP:
		if (ev->state.len)
			say_all(s, ev, KT_CHANGE_SHOWN);
		break;
	case KT_EVENT_STATE:
		if (s->old || s->path.implied)
			say_all(s, ev, KT_CHANGE_SHOWN);
		else
			say_some(s, ev, false);
		break;
	default: break;
	}
	s->frame = ev->frame;
}

/* --- events --- */

static bool is_step(const struct kt_event *ev)
{
	switch (ev->kind) {
	case KT_EVENT_INSN:
	case KT_EVENT_STATE:
	case KT_EVENT_POP:
	case KT_EVENT_CALL:
	case KT_EVENT_RETURN: return true;
	case KT_EVENT_PRUNED: return ev->from != KT_LINE_NO_INDEX;
	default: return false;
	}
}

/* A trace that begins anew: another log, a global function by itself, or behind missing lines. */
static void begin_again(struct kt_steps *s, const struct kt_event *ev)
{
	forget_all(s);
	kt_path_restart(&s->path, !s->gap.elided, ev->kind == KT_EVENT_SUBPROG);
	s->tested = KT_LINE_NO_INDEX;
	s->processed = s->gap.elided = false;
}

static bool push_step(struct kt_steps *s, const struct kt_event *ev, struct kt_step *step)
{
	struct mark mark = {
		.offset = (uint64_t)(ev->text.data - s->log.data),
		.number = s->n++,
	};

	if (s->marks.len >= MAX_MARKS || (s->undo.len >= MAX_UNDO && s->marks.len > 1))
		forget_half(s);
	step->number = mark.number;
	step->before = s->marks.len ? s->marks.data[s->marks.len - 1].number : KT_STEP_NONE;
	step->frame = ev->frame;
	mark.n_undo = s->undo.len;
	s->changes.len = 0;
	return kt_vec_push(&s->marks, mark);
}

struct kt_error *kt_steps_next(struct kt_steps *steps, struct kt_event *ev, struct kt_step *step,
			       bool *more)
{
	*step = (struct kt_step){.number = KT_STEP_NONE, .before = KT_STEP_NONE};
	*more = kt_trace_next(&steps->trace, ev);
	if (!*more)
		return NULL;
	if (ev->kind == KT_EVENT_STATS)
		steps->processed = true;
	if (ev->kind == KT_EVENT_SUBPROG ||
	    (is_step(ev) && (steps->processed || kt_gap_before(&steps->gap, ev))))
		begin_again(steps, ev);
	kt_gap_add(&steps->gap, ev);
	if (!is_step(ev))
		return NULL;
	if (!kt_path_add(&steps->path, ev))
		return kt_error_no_memory();
	follow_path(steps, ev);
	if (!push_step(steps, ev, step))
		return kt_error_no_memory();
	take_event(steps, ev);
	if (steps->no_memory)
		return kt_error_no_memory();
	step->changes = steps->changes.data;
	step->n_changes = steps->changes.len;
	return NULL;
}

struct kt_error *kt_steps_whole(struct kt_steps *steps, struct kt_step *step)
{
	const struct mark *mark = steps->marks.len ? &steps->marks.data[steps->marks.len - 1]
						   : NULL;

	steps->changes.len = 0;
	for (uint32_t i = 0; i < KT_STEP_FRAMES; i++) {
		const struct frame *f = &steps->frames[i];

		for (uint32_t cell = 0; cell < f->n; cell++) {
			struct kt_change change = change_of(i, cell);

			change.how = KT_CHANGE_SHOWN;
			change.value = f->cells[cell];
			if (change.value.len && !kt_vec_push(&steps->changes, change))
				return kt_error_no_memory();
		}
	}
	*step = (struct kt_step){
		.number = mark ? mark->number : KT_STEP_NONE,
		.before = KT_STEP_NONE,
		.frame = steps->frame,
		.changes = steps->changes.data,
		.n_changes = steps->changes.len,
	};
	return NULL;
}

struct kt_text kt_steps_value(const struct kt_steps *steps, uint32_t frame, enum kt_place place,
			      int32_t number)
{
	uint32_t cell;

	if (frame >= KT_STEP_FRAMES || !cell_of(place, number, &cell))
		return (struct kt_text){0};
	return steps->frames[frame].cells[cell];
}
