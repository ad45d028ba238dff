// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdlib.h>
#include <string.h>

#include "introspect/code_names.h"
#include "introspect/stack.h"
#include "util/cleanup.h"
#include "util/cursor.h"

/* arch/x86/include/asm/orc_lookup.h: a number of the table for each so many bytes of code. */
#define LOOKUP_BLOCK 256
/* Entries of the table that one such block has at most, about one for each byte. */
#define BLOCK_ENTRIES_MAX 1024
#define ENTRY_SIZE        6
#define PAGE              4096
#define N_PAGES           12
/* A stack of the kernel; with KASAN it is twice as large. */
#define STACK_SIZE 32768

/* arch/x86/include/asm/orc_types.h, since 6.4 */
enum { REG_UNDEFINED, REG_PREV_SP, REG_BP, REG_SP, REG_BP_INDIRECT, REG_SP_INDIRECT, REGS };

/*
 * The numbers of the registers were given anew in 7.x, and nothing in a kernel's types tells which
 * ones it has. But where a function begins, whatever there is on its stack is above SP.
 */
static const uint8_t numberings[][REGS] = {
	{[REG_PREV_SP] = 1,
	 [REG_BP] = 4,
	 [REG_SP] = 5,
	 [REG_BP_INDIRECT] = 8,
	 [REG_SP_INDIRECT] = 9},
	{[REG_PREV_SP] = 8,
	 [REG_BP] = 4,
	 [REG_SP] = 3,
	 [REG_BP_INDIRECT] = 10,
	 [REG_SP_INDIRECT] = 9},
};
#define N_NUMBERINGS (sizeof(numberings) / sizeof(numberings[0]))
#define REG_OTHER    15
enum { TYPE_END = 1, TYPE_CALL, TYPE_REGS, TYPE_REGS_PARTIAL };

struct orc {
	int16_t sp_offset, bp_offset;
	uint8_t sp_reg, bp_reg, type;
	bool signal;
};

static const char *const symbols[] = {
	"__start_orc_unwind_ip",
	"__stop_orc_unwind_ip",
	"__start_orc_unwind",
	"orc_lookup",
	"orc_lookup_end",
	"_stext",
	"_etext",
};
/* Any function in C. */
#define KNOWN_FUNCTION "panic"
static const char *const members[] = {"ip", "sp", "bp"};

bool stack_wants(struct wants *wants)
{
	for (size_t i = 0; i < sizeof(symbols) / sizeof(symbols[0]); i++)
		if (!wants_add(wants, KFACTS_SYMBOL, symbols[i], NULL, true))
			return false;
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		if (!wants_add(wants, KFACTS_MEMBER, "pt_regs", members[i], true))
			return false;
	/* Bits of an entry: before 6.4 they were others. */
	return wants_add(wants, KFACTS_MEMBER, "orc_entry", "type", true) &&
	       wants_add(wants, KFACTS_SYMBOL, KNOWN_FUNCTION, NULL, true) &&
	       code_names_wants(wants) &&
	       wants_add(wants, KFACTS_FUNCTIONS, KFACTS_ALL, NULL, true);
}

void stack_views_init(struct stack_views *views, const struct kfacts *facts, int64_t kaslr_offset)
{
	gaddr_t *const addrs[] = {&views->ip_begin, &views->ip_end,     &views->entries,
				  &views->lookup,   &views->lookup_end, &views->text,
				  &views->text_end};
	uint32_t *const offsets[] = {&views->ip_in_regs, &views->sp_in_regs, &views->bp_in_regs};
	struct kfacts_member member;

	*views = (struct stack_views){.facts = facts, .kaslr_offset = kaslr_offset};
	views->has_orc = !kfacts_member(facts, "orc_entry", "type", &member) ||
			 (member.bit_size == 3 && member.offset * 8 + member.bit_shift == 40);
	for (size_t i = 0; i < sizeof(addrs) / sizeof(addrs[0]); i++) {
		if (!kfacts_symbol(facts, symbols[i], addrs[i]))
			views->has_orc = false;
		*addrs[i] += (uint64_t)kaslr_offset;
	}
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		if (!kfacts_member(facts, "pt_regs", members[i], &member))
			views->has_orc = false;
		else
			*offsets[i] = member.offset;
	}
	if (kfacts_symbol(facts, KNOWN_FUNCTION, &views->function))
		views->function += (uint64_t)kaslr_offset;
	if (views->ip_end < views->ip_begin || views->lookup_end < views->lookup)
		views->has_orc = false;
}

/* --- memory --- */

struct walk {
	const struct stack_views *views;
	const struct gmem *memory;
	struct {
		gaddr_t addr; /* of the page; 0: none */
		bool fault;
		uint8_t bytes[PAGE];
	} pages[N_PAGES]; /* of stacks */
	size_t next_page;
	struct kt_error *err; /* the source is of no more use */

	struct stack_registers at;
	const uint8_t *numbers; /* of registers; NULL: not known */
	bool exact;             /* pc is where it stands, and not where a call returns to */

	struct scx_frame *frames;
	size_t n;
	bool cut;
};

static bool read_bytes(struct walk *w, gaddr_t addr, void *buf, size_t len)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};

	if (w->err)
		return false;
	if (!gmem_batch_add(&batch, addr, buf, len))
		w->err = kt_error_no_memory();
	else
		w->err = gmem_batch_read(&batch, w->memory->read, w->memory->source);
	return !w->err && !batch.reads.data[0].fault;
}

static const uint8_t *page_of(struct walk *w, gaddr_t addr)
{
	gaddr_t page = addr & ~UINT64_C(0xfff);
	size_t i;

	for (i = 0; i < N_PAGES; i++)
		if (w->pages[i].addr == page)
			return w->pages[i].fault ? NULL : w->pages[i].bytes;
	i = w->next_page++ % N_PAGES;
	w->pages[i].addr = page;
	w->pages[i].fault = !read_bytes(w, page, w->pages[i].bytes, PAGE);
	return w->pages[i].fault ? NULL : w->pages[i].bytes;
}

static bool is_kernel(gaddr_t addr)
{
	return (int64_t)addr < 0;
}

/* A word of a stack. */
static bool word(struct walk *w, gaddr_t addr, uint64_t *ret)
{
	const uint8_t *page = addr % 8 == 0 && is_kernel(addr) ? page_of(w, addr) : NULL;

	if (!page)
		return false;
	*ret = kt_load_uint(page + addr % PAGE, 8, false);
	return true;
}

/* --- the tables --- */

/* The entries of the block that pc is in: [first, first + n) of the table. */
static bool find_block(struct walk *w, gaddr_t pc, uint64_t *first, size_t *n)
{
	const struct stack_views *v = w->views;
	uint64_t index = (pc - v->text) / LOOKUP_BLOCK, last;
	uint64_t all = (v->ip_end - v->ip_begin) / 4;
	uint8_t pair[8];

	if (v->lookup + (index + 2) * 4 > v->lookup_end ||
	    !read_bytes(w, v->lookup + index * 4, pair, sizeof(pair)))
		return false;
	*first = kt_load_uint(pair, 4, false);
	last = kt_load_uint(pair + 4, 4, false);
	if (last < *first || last >= all || last - *first >= BLOCK_ENTRIES_MAX)
		return false;
	*n = (size_t)(last - *first) + 1;
	return true;
}

/* The register of a number in an entry. */
static uint8_t register_of(const struct walk *w, uint64_t number)
{
	for (uint8_t i = 0; i < REGS; i++)
		if (w->numbers[i] == number)
			return i;
	return REG_OTHER;
}

/* The entry of the code at pc, with the registers by their numbers. */
static bool read_orc(struct walk *w, gaddr_t pc, struct orc *ret)
{
	const struct stack_views *v = w->views;
	uint8_t ips[BLOCK_ENTRIES_MAX * 4], entry[ENTRY_SIZE];
	uint64_t first, bits;
	size_t n, found;

	if (!v->has_orc || pc < v->text || pc >= v->text_end || !find_block(w, pc, &first, &n) ||
	    !read_bytes(w, v->ip_begin + first * 4, ips, n * 4))
		return false;
	/* The last one that begins at or before pc; numbers are relative to where they are. */
	for (found = n; found-- > 0;) {
		gaddr_t at = v->ip_begin + (first + found) * 4;

		if (at + (uint64_t)(int64_t)(int32_t)kt_load_uint(ips + found * 4, 4, false) <= pc)
			break;
	}
	if (found == SIZE_MAX ||
	    !read_bytes(w, v->entries + (first + found) * ENTRY_SIZE, entry, sizeof(entry)))
		return false;
	bits = kt_load_uint(entry + 4, 2, false);
	*ret = (struct orc){
		.sp_offset = (int16_t)kt_load_uint(entry, 2, false),
		.bp_offset = (int16_t)kt_load_uint(entry + 2, 2, false),
		.sp_reg = bits & 15,
		.bp_reg = bits >> 4 & 15,
		.type = bits >> 8 & 7,
		.signal = bits >> 11 & 1,
	};
	return true;
}

/* False: this code has no entry. */
static bool find_orc(struct walk *w, gaddr_t pc, struct orc *ret)
{
	if (!w->numbers || !read_orc(w, pc, ret))
		return false;
	ret->sp_reg = register_of(w, ret->sp_reg);
	ret->bp_reg = register_of(w, ret->bp_reg);
	return true;
}

static void find_numbers(struct walk *w)
{
	struct orc orc;

	if (!w->views->function || !read_orc(w, w->views->function, &orc) ||
	    orc.type != TYPE_CALL || orc.sp_offset != 8)
		return;
	for (size_t i = 0; i < N_NUMBERINGS; i++)
		if (numberings[i][REG_SP] == orc.sp_reg)
			w->numbers = numberings[i];
}

/* --- frames --- */

static bool add(struct walk *w, gaddr_t addr, bool is_guess)
{
	struct scx_frame frame = {.addr = addr, .is_guess = is_guess};
	const char *func;

	if (w->n == STACK_MAX_FRAMES) {
		w->cut = true;
		return false;
	}
	func = kfacts_function_around(w->views->facts, addr - (uint64_t)w->views->kaslr_offset,
				      &frame.offset);
	frame.func = func ? strdup(func) : NULL;
	if (func && !frame.func) {
		w->err = kt_error_no_memory();
		return false;
	}
	w->frames[w->n++] = frame;
	return true;
}

/* "e8 REL32  call", "ff /2  call *..." of two or three bytes */
static bool is_behind_call(struct walk *w, gaddr_t addr)
{
	uint8_t code[5];

	return is_kernel(addr) && read_bytes(w, addr - sizeof(code), code, sizeof(code)) &&
	       (code[0] == 0xe8 || (code[3] == 0xff && (code[4] & 0x38) == 0x10) ||
		(code[2] == 0xff && (code[3] & 0x38) == 0x10));
}

/* The stack pointer where the caller goes on. */
static bool previous_sp(struct walk *w, const struct orc *orc, uint64_t *ret)
{
	uint64_t sp = w->at.sp, bp = w->at.bp, offset = (uint64_t)(int64_t)orc->sp_offset;

	switch (orc->sp_reg) {
	case REG_SP: *ret = sp + offset; return true;
	case REG_BP: *ret = bp + offset; return true;
	case REG_BP_INDIRECT: return word(w, bp + offset, ret);
	case REG_SP_INDIRECT:
		if (!word(w, sp, ret))
			return false;
		*ret += offset;
		return true;
	default: return false; /* another register, whose value here nobody knows */
	}
}

/* Where the frame at hand was called from. False: the tables do not lead on. */
static bool step(struct walk *w, const struct orc *orc)
{
	const struct stack_views *v = w->views;
	struct stack_registers to = w->at;
	uint64_t sp;

	if (!previous_sp(w, orc, &sp))
		return false;
	switch (orc->type) {
	case TYPE_CALL:
		to.sp = sp;
		/* Callers are further up; but from an interrupt's stack it goes to any other. */
		if ((sp <= w->at.sp && orc->sp_reg != REG_SP_INDIRECT) || !word(w, sp - 8, &to.pc))
			return false;
		break;
	case TYPE_REGS:
		if (!word(w, sp + v->ip_in_regs, &to.pc) || !word(w, sp + v->sp_in_regs, &to.sp) ||
		    !word(w, sp + v->bp_in_regs, &to.bp))
			return false;
		break;
	case TYPE_REGS_PARTIAL:
		if (!word(w, sp, &to.pc) || !word(w, sp + (v->sp_in_regs - v->ip_in_regs), &to.sp))
			return false;
		break;
	default: return false;
	}
	if ((orc->bp_reg == REG_PREV_SP &&
	     !word(w, sp + (uint64_t)(int64_t)orc->bp_offset, &to.bp)) ||
	    (orc->bp_reg == REG_BP &&
	     !word(w, w->at.bp + (uint64_t)(int64_t)orc->bp_offset, &to.bp)))
		return false;
	w->exact = orc->type != TYPE_CALL;
	w->at = to;
	return true;
}

/* Code without an entry, as a BPF program's: by its frame pointer, if that makes sense. */
static bool step_by_frame_pointer(struct walk *w)
{
	static const struct orc orc = {
		.type = TYPE_CALL,
		.sp_reg = REG_BP,
		.sp_offset = 16,
		.bp_reg = REG_PREV_SP,
		.bp_offset = -16,
	};
	uint64_t sp = w->at.sp, bp = w->at.bp;

	return bp >= sp && bp - sp < STACK_SIZE && step(w, &orc) && is_behind_call(w, w->at.pc);
}

/* What looks like a return address, up to the end of the stack. */
static void guess(struct walk *w, gaddr_t sp)
{
	uint64_t value;

	for (gaddr_t at = (sp + 7) & ~UINT64_C(7); at - sp < STACK_SIZE && !w->err; at += 8) {
		uint64_t offset;

		if (!word(w, at, &value))
			return;
		if (value >= w->views->text && value < w->views->text_end &&
		    kfacts_function_around(w->views->facts,
					   value - (uint64_t)w->views->kaslr_offset, &offset) &&
		    offset && is_behind_call(w, value) && !add(w, value, true))
			return;
	}
}

static void walk_stack(struct walk *w)
{
	gaddr_t sp = w->at.sp;

	find_numbers(w);
	w->exact = true;
	while (is_kernel(w->at.pc) && add(w, w->at.pc, false)) {
		struct orc orc;
		bool known = find_orc(w, w->exact ? w->at.pc : w->at.pc - 1, &orc);

		/* "The end" is what entries of code say that nobody called. */
		if (w->err || (known && orc.type == TYPE_END))
			return;
		sp = w->at.sp;
		if (known ? !step(w, &orc) : !step_by_frame_pointer(w)) {
			guess(w, sp);
			return;
		}
	}
}

struct kt_error *stack_read(const struct stack_views *views, const struct gmem *memory,
			    const struct stack_registers *registers, struct scx_frame **frames_ret,
			    size_t *n_ret, bool *cut_ret)
{
	_cleanup_free_ struct walk *w = calloc(1, sizeof(*w));
	struct scx_frame *frames = calloc(STACK_MAX_FRAMES, sizeof(*frames));

	if (!w || !frames) {
		free(frames);
		return kt_error_no_memory();
	}
	w->views = views;
	w->memory = memory;
	w->at = *registers;
	w->frames = frames;
	walk_stack(w);
	if (w->err) {
		scx_frames_free(frames, w->n);
		return w->err;
	}
	*frames_ret = frames;
	*n_ret = w->n;
	*cut_ret = w->cut;
	return NULL;
}

struct kt_error *stack_name(struct guest *guest, struct scx_frame *frames, size_t n)
{
	_cleanup_free_ struct module_symbol *unnamed = calloc(n + 1, sizeof(*unnamed));
	size_t n_unnamed = 0;
	struct kt_error *err;

	if (!unnamed)
		return kt_error_no_memory();
	for (size_t i = 0; i < n; i++)
		if (!frames[i].func)
			unnamed[n_unnamed++].addr = frames[i].addr;
	err = code_names_read(guest, unnamed, n_unnamed);
	for (size_t i = 0, at = 0; i < n; i++) {
		if (frames[i].func)
			continue;
		frames[i].func = unnamed[at].name;
		frames[i].module = unnamed[at].module;
		if (unnamed[at].name)
			frames[i].offset = frames[i].addr - unnamed[at].start;
		at++;
	}
	return err;
}
