// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Every instruction that can be reached has a mark for each kind of way that it is on:
 *
 *   PASSING   some way leads on from it to the call that makes the file descriptor
 *   CHECKING  from that call to the branch that knows whether it got one
 *   DONE      behind that branch, when it got one; the function's end, which all loads have
 *
 * An instruction without any of these is one that only a load gets to that fails. The last of them
 * on each way, before it joins DONE, are the exits. A way that goes from PASSING to DONE at once
 * has none, and so is no proof.
 */
#include <stdlib.h>

#include "util/cleanup.h"
#include "watch/failing.h"

enum { REACHED = 1, PASSING = 2, CHECKING = 4, DONE = 8, FAILING = 16 };

/* How far behind a call its result may be tested, and a branch may be that tests it. */
#define NEAR_INSNS 6
/* The same, of a program that did not get its descriptor until it is given back. */
#define GIVEN_BACK_INSNS 16

struct walk {
	const struct watch_arch *arch;
	const struct failing_callees *callees;
	const uint8_t *code;
	size_t len;
	gaddr_t addr;
	uint8_t *marks; /* of the instruction that begins at each byte */
	size_t *stack;  /* instructions to go on from */
	struct failing *found;
	const char *why; /* why it is no proof; NULL: nothing is against it */
};

#define NO_OFFSET SIZE_MAX

static struct watch_insn insn_at(const struct walk *w, size_t at)
{
	return w->arch->decode(w->code + at, w->len - at, w->addr + at);
}

/* NO_OFFSET: outside of the code. */
static size_t offset_of(const struct walk *w, gaddr_t target)
{
	return target >= w->addr && target - w->addr < w->len ? (size_t)(target - w->addr)
							      : NO_OFFSET;
}

static bool calls(const struct walk *w, const struct watch_insn *insn, gaddr_t function)
{
	return insn->kind == WATCH_INSN_CALL && function && w->arch->calls(insn->target, function);
}

/* Where the instruction leads to, NO_OFFSET for out of the function. Returns how many. */
static size_t follow(struct walk *w, size_t at, size_t ret[2])
{
	struct watch_insn insn = insn_at(w, at);
	size_t n = 0;

	if (insn.kind == WATCH_INSN_UNKNOWN)
		w->why = "an instruction in it is not known";
	if (insn.kind == WATCH_INSN_END)
		ret[n++] = NO_OFFSET;
	if (insn.kind == WATCH_INSN_JUMP || insn.kind == WATCH_INSN_BRANCH)
		ret[n++] = offset_of(w, insn.target);
	if (insn.kind == WATCH_INSN_PLAIN || insn.kind == WATCH_INSN_BRANCH ||
	    (insn.kind == WATCH_INSN_CALL && !calls(w, &insn, w->callees->no_return)))
		ret[n++] = at + insn.len < w->len ? at + insn.len : NO_OFFSET;
	return n;
}

/* Marks all that can be reached from there, but not through what has one of the marks `end`. */
static void mark_from(struct walk *w, size_t start, uint8_t mark, uint8_t end)
{
	size_t n = 0;

	if (start == NO_OFFSET || w->marks[start] & (mark | end))
		return;
	w->marks[start] |= mark;
	w->stack[n++] = start;
	while (n && !w->why) {
		size_t to[2], n_to = follow(w, w->stack[--n], to);

		for (size_t i = 0; i < n_to; i++) {
			if (to[i] == NO_OFFSET || w->marks[to[i]] & (mark | end))
				continue;
			w->marks[to[i]] |= mark;
			w->stack[n++] = to[i];
		}
	}
}

/* Marks all that leads to what has the mark. Backwards, as most code leads forward. */
static void mark_ways_to(struct walk *w, uint8_t mark)
{
	bool more = true;

	while (more) {
		more = false;
		for (size_t at = w->len; at-- > 0;) {
			size_t to[2], n;

			if (!(w->marks[at] & REACHED) || w->marks[at] & mark)
				continue;
			n = follow(w, at, to);
			for (size_t i = 0; i < n; i++)
				if (to[i] != NO_OFFSET && w->marks[to[i]] & mark) {
					w->marks[at] |= mark;
					more = true;
				}
		}
	}
}

/* The one call of a or b that can be reached; NO_OFFSET: none, or several. */
static size_t only_call(const struct walk *w, gaddr_t a, gaddr_t b)
{
	size_t found = NO_OFFSET;

	for (size_t at = 0; at < w->len; at++) {
		struct watch_insn insn;

		if (!(w->marks[at] & REACHED))
			continue;
		insn = insn_at(w, at);
		if (!calls(w, &insn, a) && !calls(w, &insn, b))
			continue;
		if (found != NO_OFFSET)
			return NO_OFFSET;
		found = at;
	}
	return found;
}

/*
 * From the call on: "mov %eax,…; test %eax,%eax; jns DONE", or "tbz w0, #31, DONE". Marks the way,
 * and what is behind it when there is a descriptor. Returns where it goes on without one.
 */
static size_t mark_done(struct walk *w, size_t call)
{
	size_t at = call;
	bool tested = false;

	for (size_t i = 0; i < NEAR_INSNS && at != NO_OFFSET; i++) {
		struct watch_insn insn = insn_at(w, at);
		size_t next = at + insn.len, target;

		w->marks[at] |= CHECKING;
		if (insn.kind == WATCH_INSN_BRANCH && (tested || insn.tests_result) &&
		    insn.condition != WATCH_IF_OTHER) {
			target = offset_of(w, insn.target);
			if (target == NO_OFFSET || next >= w->len)
				return NO_OFFSET;
			if (insn.condition == WATCH_IF_NEGATIVE) {
				mark_from(w, next, DONE, 0);
				return target;
			}
			mark_from(w, target, DONE, 0);
			return next;
		}
		if (at != call && !insn.stores_result && !insn.tests_result)
			return NO_OFFSET;
		tested = insn.tests_result || (tested && insn.stores_result);
		at = next < w->len ? next : NO_OFFSET;
	}
	return NO_OFFSET;
}

static bool only_fails(const struct walk *w, size_t at)
{
	return (w->marks[at] & (REACHED | PASSING | CHECKING | DONE)) == REACHED;
}

static void add_program(struct walk *w, size_t at)
{
	struct failing *found = w->found;

	if (found->n_programs < FAILING_PROGRAMS && only_fails(w, at)) {
		found->programs[found->n_programs++] = w->addr + at;
		w->marks[at] |= FAILING; /* the ways behind it are taken care of */
	}
}

/* The program whose descriptor could not be made is given back by the next call. */
static size_t next_call(const struct walk *w, size_t at)
{
	for (size_t i = 0; i < GIVEN_BACK_INSNS && at != NO_OFFSET && at < w->len; i++) {
		struct watch_insn insn = insn_at(w, at);

		if (insn.kind == WATCH_INSN_CALL)
			return at;
		if (insn.kind == WATCH_INSN_JUMP)
			at = offset_of(w, insn.target);
		else if (insn.kind == WATCH_INSN_PLAIN)
			at += insn.len;
		else
			break;
	}
	return NO_OFFSET;
}

/* The call right before the instruction, whose result that may be about. */
static struct watch_insn call_before(const struct walk *w, size_t at)
{
	struct watch_insn none = {0};
	size_t to = at;

	for (size_t i = 0; i < NEAR_INSNS; i++) {
		size_t before = to;

		while (before-- > 0)
			if (w->marks[before] & REACHED && before + insn_at(w, before).len == to)
				break;
		if (before == SIZE_MAX)
			return none;
		to = before;
		if (insn_at(w, to).kind == WATCH_INSN_CALL)
			return insn_at(w, to);
	}
	return none;
}

/* A way that only loads take that fail, and none of its instructions is theirs alone. */
static void judge_short_way(struct walk *w, size_t at)
{
	struct watch_insn call = call_before(w, at);

	if (calls(w, &call, w->callees->kernel_btf))
		return;
	if (calls(w, &call, w->callees->token) && !w->found->token)
		w->found->token = w->addr + at;
	else
		w->why = "some loads that fail share their whole way with those that pass";
}

static void add_exit(struct walk *w, size_t at)
{
	struct failing *found = w->found;

	if (found->n_exits == FAILING_EXITS)
		w->why = "it has too many ways out";
	else
		found->exits[found->n_exits++] = w->addr + at;
}

static void find_exits(struct walk *w)
{
	/* All that a load gets to that fails, up to the calls with a program. */
	for (size_t at = 0; at < w->len && !w->why; at++) {
		size_t to[2], n;

		if (!(w->marks[at] & (PASSING | CHECKING)))
			continue;
		n = follow(w, at, to);
		for (size_t i = 0; i < n; i++)
			if (to[i] != NO_OFFSET && only_fails(w, to[i]))
				mark_from(w, to[i], FAILING, PASSING | CHECKING | DONE);
	}
	for (size_t at = 0; at < w->len && !w->why; at++) {
		bool passes = w->marks[at] & PASSING, leaves = false;
		bool is_program = false;
		size_t to[2], n;

		if (!(w->marks[at] & (PASSING | FAILING)) || w->marks[at] & CHECKING)
			continue;
		for (size_t i = 0; i < w->found->n_programs; i++)
			is_program |= w->found->programs[i] == w->addr + at;
		n = is_program ? 0 : follow(w, at, to);
		for (size_t i = 0; i < n; i++)
			leaves |= to[i] == NO_OFFSET || w->marks[to[i]] & DONE;
		if (leaves && passes)
			judge_short_way(w, at);
		else if (leaves)
			add_exit(w, at);
	}
}

static void find(struct walk *w)
{
	const struct failing_callees *callees = w->callees;
	size_t new_fd, without, put;

	mark_from(w, 0, REACHED, 0);
	new_fd = only_call(w, callees->new_fd[0], callees->new_fd[1]);
	put = only_call(w, callees->put, 0);
	if (!w->why && (new_fd == NO_OFFSET || put == NO_OFFSET))
		w->why =
			"it does not make file descriptors, or put programs away, in just one place";
	if (w->why)
		return;
	w->marks[new_fd] |= PASSING;
	mark_ways_to(w, PASSING);
	without = mark_done(w, new_fd);
	if (without == NO_OFFSET) {
		w->why = "it does not test whether there is a file descriptor";
		return;
	}
	for (size_t at = 0; at < w->len; at++)
		if (w->marks[at] & DONE && w->marks[at] & (PASSING | CHECKING)) {
			w->why = "it makes several file descriptors";
			return;
		}
	add_program(w, put);
	if (!w->found->n_programs) {
		w->why = "loads that pass put a program away";
		return;
	}
	without = next_call(w, without);
	if (without != NO_OFFSET)
		add_program(w, without);
	find_exits(w);
}

struct kt_error *failing_find(const struct watch_arch *arch, const uint8_t *code, size_t len,
			      gaddr_t addr, const struct failing_callees *callees,
			      struct failing *ret)
{
	_cleanup_free_ uint8_t *marks = calloc(len + 1, 1);
	_cleanup_free_ size_t *stack = calloc(len + 1, sizeof(*stack));
	struct failing found = {0};
	struct walk w = {
		.arch = arch,
		.callees = callees,
		.code = code,
		.len = len,
		.addr = addr,
		.marks = marks,
		.stack = stack,
		.found = &found,
	};

	if (!marks || !stack)
		return kt_error_no_memory();
	if (len)
		find(&w);
	else
		w.why = "it cannot be read";
	if (w.why)
		return kt_error_new(KT_ERROR_UNSUPPORTED,
				    "no place of bpf_prog_load() is proved to be for loads alone "
				    "that fail: %s",
				    w.why);
	*ret = found;
	return NULL;
}
