// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Stacks by ORC and by frame pointers, in memory that is well, and that is not: whatever it has,
 * the walk ends, and what nothing proves is marked as a guess. The truth of a real kernel's tables
 * is tests/guest/sched-watch.sh's, against the kernel's own backtraces.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "introspect/stack.h"
#include "tests/memory/fake_facts.h"
#include "tests/memory/rng.h"

#define BASE   UINT64_C(0xffffffff80000000)
#define TEXT   (BASE + 0x1000)
#define A      (TEXT + 0x100) /* 0x40 bytes on its stack */
#define B      (TEXT + 0x200) /* has a frame pointer */
#define C      (TEXT + 0x300) /* an interrupt came to it */
#define ENTRY  (TEXT + 0x400) /* nobody calls it */
#define PANIC  (TEXT + 0x500)
#define END    (TEXT + 0x600)
#define IPS    (BASE + 0x3000)
#define TABLE  (BASE + 0x4000)
#define LOOKUP (BASE + 0x5000)
#define STACK  (BASE + 0x8000)
#define JIT    (BASE + 0x7000) /* code that has no entry */
#define SIZE   0x10000

static uint8_t memory[SIZE];
static size_t hole; /* a page that is not mapped; 0: none */

static struct kt_error *read_memory(void *source, struct gmem_read *reads, size_t count)
{
	(void)source;
	for (size_t i = 0; i < count; i++) {
		gaddr_t at = reads[i].addr - BASE;

		reads[i].fault = at >= SIZE || reads[i].len > SIZE - at ||
				 (hole && at < hole + 0x1000 && at + reads[i].len > hole);
		if (!reads[i].fault)
			memcpy(reads[i].buf, memory + at, reads[i].len);
	}
	return NULL;
}

static void put(gaddr_t addr, uint64_t value, size_t size)
{
	for (size_t i = 0; i < size; i++)
		memory[addr - BASE + i] = (uint8_t)(value >> 8 * i);
}

/* The registers' numbers, of 6.4 and of 7.x. */
static const struct numbers {
	uint8_t sp, bp, prev_sp;
} old = {5, 4, 1}, new = {3, 4, 8};

static size_t n_entries;

static void entry(gaddr_t from, int16_t sp_offset, uint8_t sp_reg, int16_t bp_offset,
		  uint8_t bp_reg, uint8_t type)
{
	gaddr_t ip = IPS + n_entries * 4, at = TABLE + n_entries * 6;

	put(ip, (uint32_t)(from - ip), 4);
	put(at, (uint16_t)sp_offset, 2);
	put(at + 2, (uint16_t)bp_offset, 2);
	put(at + 4, (uint16_t)(sp_reg | bp_reg << 4 | type << 8), 2);
	n_entries++;
}

static void make(struct kfacts *facts, struct stack_views *views, const struct numbers *n)
{
	static const struct {
		const char *name;
		gaddr_t addr;
	} symbols[] = {
		{"a", A},
		{"b", B},
		{"c", C},
		{"entry", ENTRY},
		{"panic", PANIC},
		{"_stext", TEXT},
		{"_etext", END},
		{"__start_orc_unwind_ip", IPS},
		{"orc_lookup", LOOKUP},
		{"__start_orc_unwind", TABLE},
	};

	memset(memory, 0, sizeof(memory));
	memset(facts, 0, sizeof(*facts));
	hole = n_entries = 0;
	entry(A, 0x48, n->sp, 0, 0, 2);
	entry(B, 16, n->bp, -16, n->prev_sp, 2);
	entry(C, 0, n->sp, 0, 0, 3);
	entry(ENTRY, 0, 0, 0, 0, 1);
	entry(PANIC, 8, n->sp, 0, 0, 2);
	entry(END, 0, 0, 0, 0, 0);
	for (size_t i = 0; i < sizeof(symbols) / sizeof(symbols[0]); i++)
		fake_symbol(facts, symbols[i].name, symbols[i].addr);
	fake_symbol(facts, "__stop_orc_unwind_ip", IPS + n_entries * 4);
	fake_symbol(facts, "orc_lookup_end", LOOKUP + 8 * 4);
	/* Blocks of 256 bytes: the entry that each begins in. */
	for (size_t i = 0; i < 8; i++)
		put(LOOKUP + i * 4, i < 1 ? 0 : i < 6 ? i - 1 : 5, 4);
	fake_member(facts, "pt_regs", "ip", 128, 8);
	fake_member(facts, "pt_regs", "sp", 152, 8);
	fake_member(facts, "pt_regs", "bp", 32, 8);
	stack_views_init(views, facts, 0);
	assert_true(views->has_orc);
}

struct result {
	struct scx_frame *frames;
	size_t n;
	bool cut;
};

static struct result walk(const struct stack_views *views, uint64_t pc, uint64_t sp, uint64_t bp)
{
	const struct gmem gmem = {read_memory, NULL};
	const struct stack_registers registers = {pc, sp, bp};
	struct result ret = {0};

	assert_null(stack_read(views, &gmem, &registers, &ret.frames, &ret.n, &ret.cut));
	assert_true(ret.n <= STACK_MAX_FRAMES);
	return ret;
}

static void drop(struct result *r)
{
	for (size_t i = 0; i < r->n; i++)
		free(r->frames[i].func);
	free(r->frames);
}

static void assert_frame(const struct result *r, size_t i, const char *func, uint64_t offset,
			 bool is_guess)
{
	assert_true(i < r->n);
	assert_string_equal(r->frames[i].func, func);
	assert_int_equal(r->frames[i].offset, offset);
	assert_int_equal(r->frames[i].is_guess, is_guess);
}

/* A, that B called, that an interrupt stopped C for, that ENTRY called: in both numberings. */
static void test_tables(void **state)
{
	const struct numbers *const all[] = {&old, &new};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		gaddr_t regs = STACK + 0x100, inner = STACK + 0x20;
		struct stack_views views;
		struct kfacts facts;
		struct result r;

		make(&facts, &views, all[i]);
		put(STACK + 0x40, B + 0x21, 8);       /* A's return address */
		put(inner + 0x80, STACK + 0x300, 8);  /* B's caller's frame pointer */
		put(inner + 0x88, C + 0x31, 8);       /* and where it returns to */
		put(inner + 0x90 + 128, C + 0x55, 8); /* the registers at the interrupt */
		put(inner + 0x90 + 152, regs + 0x100, 8);
		put(inner + 0x90 + 32, 0, 8);
		put(regs + 0x100 + 128, ENTRY + 0x10, 8);
		put(regs + 0x100 + 152, regs + 0x300, 8);
		r = walk(&views, A + 0x10, STACK, inner + 0x80);
		assert_int_equal(r.n, 5);
		assert_frame(&r, 0, "a", 0x10, false);
		assert_frame(&r, 1, "b", 0x21, false);
		assert_frame(&r, 2, "c", 0x31, false);
		assert_frame(&r, 3, "c", 0x55, false);
		assert_frame(&r, 4, "entry", 0x10, false);
		assert_false(r.cut);
		drop(&r);
	}
}

/* A program of BPF has no entry, and a frame pointer: its caller is proved by its call. */
static void test_frame_pointer(void **state)
{
	struct stack_views views;
	struct kfacts facts;
	struct result r;

	(void)state;
	make(&facts, &views, &new);
	put(STACK + 0x10, STACK + 0x60, 8);
	put(STACK + 0x18, ENTRY + 0x21, 8);
	put(ENTRY + 0x21 - 5, 0xe8, 1);
	r = walk(&views, JIT, STACK, STACK + 0x10);
	assert_int_equal(r.n, 2);
	assert_frame(&r, 1, "entry", 0x21, false);
	drop(&r);
	/* Without a call in front of it, it is nobody's return address. */
	put(ENTRY + 0x21 - 5, 0x90, 1);
	r = walk(&views, JIT, STACK, STACK + 0x10);
	assert_int_equal(r.n, 1);
	drop(&r);
}

/* Where the tables do not lead on, what is behind a call is a guess. */
static void test_guess(void **state)
{
	struct stack_views views;
	struct kfacts facts;
	struct result r;

	(void)state;
	make(&facts, &views, &new);
	put(STACK + 0x28, A + 0x35, 8);
	put(A + 0x35 - 5, 0xe8, 1);
	put(STACK + 0x30, A + 0x37, 8); /* not behind a call */
	r = walk(&views, JIT, STACK, 1);
	assert_int_equal(r.n, 2);
	assert_frame(&r, 1, "a", 0x35, true);
	drop(&r);
	/* Numbers that nobody knows: all is a guess. */
	put(TABLE + 4 * 6 + 4, 0x200 | 7, 2);
	r = walk(&views, A + 0x10, STACK, 1);
	assert_int_equal(r.n, 2);
	assert_frame(&r, 1, "a", 0x35, true);
	drop(&r);
}

/* A stack that leads back to itself, or up for ever. */
static void test_endless(void **state)
{
	struct stack_views views;
	struct kfacts facts;
	struct result r;

	(void)state;
	make(&facts, &views, &new);
	/* The registers of an interrupt are those of the same one. */
	put(STACK + 128, C + 0x10, 8);
	put(STACK + 152, STACK, 8);
	r = walk(&views, C + 0x10, STACK, 0);
	assert_int_equal(r.n, STACK_MAX_FRAMES);
	assert_true(r.cut);
	drop(&r);
	/* And A after A, up to the end of what is mapped. */
	for (gaddr_t at = STACK + 0x40; at + 8 <= BASE + SIZE; at += 0x48)
		put(at, A + 0x10, 8);
	r = walk(&views, A + 0x10, STACK, 0);
	assert_int_equal(r.n, STACK_MAX_FRAMES);
	drop(&r);
	hole = STACK + 0x1000 - BASE;
	r = walk(&views, A + 0x10, STACK, 0);
	assert_in_range(r.n, 40, 60);
	assert_false(r.cut);
	drop(&r);
}

/* Any bytes as tables and as a stack. */
static void test_noise(void **state)
{
	uint64_t rng = 1;

	(void)state;
	for (size_t round = 0; round < 400; round++) {
		struct stack_views views;
		struct kfacts facts;
		struct result r;

		make(&facts, &views, round & 1 ? &old : &new);
		for (gaddr_t at = STACK; at + 8 <= BASE + SIZE; at += 8)
			put(at,
			    rng_next(&rng) % 4 ? TEXT + rng_next(&rng) % 0x600
					       : STACK + rng_next(&rng) % 0x8000,
			    8);
		for (size_t i = 0; i < 20; i++)
			put(IPS + rng_next(&rng) % 0x2100, rng_next(&rng), 1);
		hole = rng_next(&rng) % 4 ? 0 : rng_next(&rng) % 15 * 0x1000;
		r = walk(&views, TEXT + rng_next(&rng) % 0x600, STACK + rng_next(&rng) % 0x8000,
			 STACK + rng_next(&rng) % 0x8000);
		drop(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tables), cmocka_unit_test(test_frame_pointer),
		cmocka_unit_test(test_guess),  cmocka_unit_test(test_endless),
		cmocka_unit_test(test_noise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
