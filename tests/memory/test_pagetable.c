// SPDX-License-Identifier: LGPL-2.1-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include <unistd.h>

#include "memory/pagetable.h"
#include "tests/memory/rng.h"
#include "tests/memory/textmem.h"

static struct pagetable *table(struct textmem *m, gaddr_t root, unsigned int levels)
{
	/* cr0, cr3, cr4, efer, cs, eflags, rip; the table of a vCPU in the kernel is first. */
	const uint64_t values[] = {0x80000001, root, levels == 5 ? 0x1000 : 0, 0x500, 0x10,
				   0x202,      0};
	struct arch_space space[ARCH_MAX_SPACES];
	const char *unsupported = NULL;
	struct pagetable *pt;

	assert_in_range(arch_x86_64.spaces(values, space, &unsupported), 1, 2);
	assert_null(unsupported);

	assert_null(pagetable_create(&arch_x86_64, false, space,
				     &(struct gmem){textmem_read_physical, m}, &pt));
	return pt;
}

/* A line of a truth table: an address, and where it leads. */
struct truth {
	gaddr_t virtual, physical;
	uint64_t left; /* 0: not mapped */
};

static void check_truth(const char *text, gaddr_t root, unsigned int levels,
			const struct truth *truth, size_t n)
{
	struct textmem *m = textmem_create();
	struct pagetable_query queries[32];
	struct pagetable *pt;

	textmem_text(m, text);
	pt = table(m, root, levels);
	/* Together, then each alone: no query may depend on its neighbours. */
	for (size_t i = 0; i < n; i++)
		queries[i] = (struct pagetable_query){.virtual = truth[i].virtual};
	assert_null(pagetable_translate(pt, queries, n));
	for (size_t round = 0; round < 2; round++) {
		for (size_t i = 0; i < n; i++) {
			if (round)
				assert_null(pagetable_translate(pt, &queries[i], 1));
			assert_true(queries[i].virtual == truth[i].virtual);
			assert_int_equal(queries[i].mapped, truth[i].left != 0);
			if (!truth[i].left)
				continue;
			assert_int_equal(queries[i].physical, truth[i].physical);
			assert_int_equal(queries[i].left, truth[i].left);
		}
	}
	pagetable_destroy(pt);
	textmem_destroy(m);
}

#define CHECK_TRUTH(text, root, levels, truth)                                                     \
	check_truth(text, root, levels, truth, sizeof(truth) / sizeof((truth)[0]))

#define K UINT64_C(1024)
#define M (K * K)
#define G (K * M)

static void test_four_levels(void **state)
{
	static const char text[] =
		"@0x1000 0x2067 0x2066 0x9000000000067 0x1067\n" /* PML4: next, not there, nowhere,
								    and itself at 3 */
		"@0x1ff8 0x8000000000002067\n"                   /* the last, with NX */
		"@0x2000 0x3067\n"                               /* PDPT */
		"@0x2008 0x80000000000010e3\n" /* 1 GiB: PAT (bit 12) is no address */
		"@0x2010 0x1400000e3\n"        /* 1 GiB at 5 GiB; its bit 30 counts, no lower */
		"@0x2ff8 0x3067\n"
		"@0x3000 0x4067 0x2010e3 0x4002000e2\n" /* PD: PT, 2 MiB with PAT, not there */
		"@0x4000 0x5063 0xffffffffff063 0x80/8 0x70c3\n"; /* PT: pages; bit 7 is PAT */
	static const struct truth truth[] = {
		{0, 0x5000, 4 * K},
		{0x123, 0x5123, 4 * K - 0x123},
		{0xfff, 0x5fff, 1},
		{0x1fff, UINT64_C(0xfffffffffffff), 1},
		{0x2000, 0, 0},
		{0x3008, 0x7008, 4 * K - 8},
		{0x4000, 0, 0}, /* an entry of 0 */
		{2 * M, 2 * M, 2 * M},
		{2 * M + 0x1234, 2 * M + 0x1234, 2 * M - 0x1234},
		{4 * M - 1, 4 * M - 1, 1},
		{4 * M, 0, 0},
		{1 * G, 0, G},
		{2 * G - 1, G - 1, 1},
		{2 * G + 5, 5 * G + 5, G - 5},
		{512 * G, 0, 0},
		{1024 * G, 0, 0}, /* the table is where no memory is */
		{UINT64_C(0xffffff8000000000), 0x5000, 4 * K},
		{UINT64_C(0xffffffffc0000123), 0x5123, 4 * K - 0x123},
		/* Not canonical, though bits 47 to 12 would lead to a page. */
		{UINT64_C(0x0001000000000000), 0, 0},
		{UINT64_C(0x0000ff8000000000), 0, 0},
		{UINT64_C(0x7fffff8000000000), 0, 0},
		{UINT64_C(0xff7fff8000000000), 0, 0},
		/* Through the entry that leads back to the table: 0x2000's PD is a page. */
		{3 * 512 * G + 3 * G + 3 * 2 * M + 4 * K * 3, 0x1000, 4 * K},
		{3 * 512 * G + 3 * G + 3 * 2 * M + 0x10, 0x2010, 4 * K - 0x10},
	};

	(void)state;
	CHECK_TRUTH(text, 0x1000, 4, truth);
}

static void test_five_levels(void **state)
{
	static const char text[] = "@0x8000 0xa067\n"          /* PML5 */
				   "@0x8880 0x1067\n"          /* entry 272: from 1 << 63 on */
				   "@0x8ff8 0x1067\n"          /* the highest */
				   "@0x1000 0x2067 0x8000e7\n" /* bit 7 here is reserved */
				   "@0x1ff8 0x2067\n"
				   "@0x2000 0x400000e3\n"
				   "@0x800000 0x40000000e3\n"
				   "@0xa000 0x2067\n";
	static const struct truth truth[] = {
		{0x123, UINT64_C(0x40000123), G - 0x123},
		{UINT64_C(0x0100000000000000), 0, 0},
		{UINT64_C(0xfeffffffffffffff), 0, 0},
		{UINT64_C(0xff10000000000000), UINT64_C(0x40000000), G},
		{UINT64_C(0xffffff8000000000), UINT64_C(0x40000000), G},
		{UINT64_C(0xffffff0000000000), 0, 0},
		{UINT64_C(0x0010000000000000), 0, 0}, /* canonical only with 5 levels; empty */
		{UINT64_C(0xff10008000000001), UINT64_C(0x4000000001), G - 1},
	};

	(void)state;
	CHECK_TRUTH(text, 0x8000, 5, truth);
}

static void test_root_outside_memory(void **state)
{
	static const struct truth truth[] = {{0, 0, 0}, {UINT64_C(0xffffffff81000000), 0, 0}};

	(void)state;
	CHECK_TRUTH("@0x1000 1", UINT64_C(0xffffffffff000), 4, truth);
	CHECK_TRUTH("@0x1000 1", 0x2000, 5, truth);
}

/* Every entry of the only table leads to the table itself: the walk still ends. */
static void test_all_entries_are_the_table(void **state)
{
	struct textmem *m = textmem_create();
	struct pagetable_query q = {.virtual = UINT64_C(0xffffffff81234567)};
	struct pagetable *pt;

	(void)state;
	for (unsigned int i = 0; i < 512; i++)
		textmem_printf(m, "@%#x 0x1067\n", 0x1000 + 8 * i);
	for (unsigned int levels = 4; levels <= 5; levels++) {
		pt = table(m, 0x1000, levels);
		m->calls = 0;
		assert_null(pagetable_translate(pt, &q, 1));
		assert_true(q.mapped);
		assert_int_equal(q.physical, 0x1567);
		assert_true(m->calls <= levels);
		pagetable_destroy(pt);
	}
	textmem_destroy(m);
}

/*
 * A random tree: tables among few frames, so that they share, point at each other and at
 * themselves; flags at random; some frames are no memory.
 */
static void random_tables(struct textmem *m, uint64_t *rng)
{
	for (unsigned int frame = 0; frame < 12; frame++) {
		for (unsigned int i = 0; i < 40; i++) {
			uint64_t slot = rng_below(rng, 3) ? rng_below(rng, 4) : 511;
			uint64_t e = (rng_below(rng, 14) << 12) | 0x66;

			e |= rng_below(rng, 5) ? 1 : 0;
			e |= rng_below(rng, 4) ? 0 : 0x80;
			e |= rng_below(rng, 8) ? 0 : rng_next(rng) & UINT64_C(0xfff0000000000000);
			e |= rng_below(rng, 8) ? 0 : rng_next(rng) & UINT64_C(0x000fffffffe00000);
			textmem_put_uint(m, frame << 12 | slot << 3, e, 8);
		}
	}
}

static gaddr_t random_va(uint64_t *rng, unsigned int levels)
{
	gaddr_t va = rng_below(rng, 4096);

	for (unsigned int level = 1; level <= levels; level++)
		va |= (rng_below(rng, 3) ? rng_below(rng, 4) : 511) << (3 + 9 * level);
	if (va >> (11 + 9 * levels) & 1 && rng_below(rng, 8))
		va |= ~UINT64_C(0) << (11 + 9 * levels);
	return va;
}

static void test_random_tables_against_naive_walk(void **state)
{
	size_t n_mapped = 0;
	uint64_t rng = 42;

	(void)state;
	for (unsigned int round = 0; round < 120; round++) {
		unsigned int levels = 4 + round % 2;
		struct textmem *m = textmem_create();
		struct pagetable_query queries[200];
		struct pagetable *pt;

		random_tables(m, &rng);
		pt = table(m, 0, levels);
		for (size_t i = 0; i < 200; i++)
			queries[i] = (struct pagetable_query){.virtual = random_va(&rng, levels)};
		for (size_t first = 0; first < 200; first += 50)
			assert_null(pagetable_translate(pt, queries + first, 50));
		for (size_t i = 0; i < 200; i++) {
			gaddr_t pa = 0;
			bool mapped = textmem_walk(m, 0, levels, queries[i].virtual, &pa);

			assert_int_equal(queries[i].mapped, mapped);
			if (mapped)
				assert_int_equal(queries[i].physical, pa);
			n_mapped += mapped;
		}
		pagetable_destroy(pt);
		textmem_destroy(m);
	}
	assert_in_range(n_mapped, 5000, 20000); /* else the test tests nothing */
}

/* Two pages, side by side in the virtual, far apart in the physical; the third is not there. */
static void test_reads_across_pages(void **state)
{
	static const char text[] = "@0x1000 0x2067 @0x2000 0x3067 @0x3000 0x4067\n"
				   "@0x4000 0x9063 0x7063 0 0xf0000063\n"
				   "@0x9ffc \"abcd\" @0x7000 \"efgh\" @0x7ffe \"yz\"";
	struct textmem *m = textmem_create();
	struct pagetable *pt;
	static char big[0x2000];
	char whole[9] = "", over[5] = "", gone[4], far[4], wrap[8];
	struct gmem_read reads[] = {
		{.addr = 0xffc, .len = 8, .buf = whole},
		{.addr = 0x1ffe, .len = 4, .buf = over},
		{.addr = 0x2000, .len = 4, .buf = gone},
		{.addr = 0x3000, .len = 4, .buf = far}, /* mapped to where no memory is */
		{.addr = 0, .len = 0x2000, .buf = big},
		{.addr = UINT64_C(0xfffffffffffffffc), .len = 8, .buf = wrap},
	};

	(void)state;
	textmem_text(m, text);
	pt = table(m, 0x1000, 4);
	assert_null(pagetable_read(pt, reads, 6));
	assert_false(reads[0].fault);
	assert_string_equal(whole, "abcdefgh");
	assert_true(reads[1].fault);
	assert_true(reads[2].fault);
	assert_true(reads[3].fault);
	assert_false(reads[4].fault);
	assert_memory_equal(big + 0xffc, "abcdefgh", 8);
	assert_memory_equal(big + 0x1ffe, "yz", 2);
	assert_true(reads[5].fault);
	pagetable_destroy(pt);
	textmem_destroy(m);
}

/* What was read once is not read again: the walk of a second batch costs only its pages. */
static void test_tables_are_kept(void **state)
{
	struct textmem *m = textmem_create();
	struct pagetable *pt;
	char buf[4];
	struct gmem_read read = {.addr = 0x10, .len = 4, .buf = buf};
	size_t calls;

	(void)state;
	textmem_text(m, "@0x1000 0x2067 @0x2000 0x3067 @0x3000 0x4067 @0x4000 0x9063 @0x9000 7");
	pt = table(m, 0x1000, 4);
	assert_null(pagetable_read(pt, &read, 1));
	calls = m->calls;
	assert_int_equal(calls, 5);
	assert_null(pagetable_read(pt, &read, 1));
	assert_int_equal(m->calls, calls + 1);
	read.addr = UINT64_C(0x200000000000); /* nothing there: one line of the top table */
	assert_null(pagetable_read(pt, &read, 1));
	assert_true(read.fault);
	pagetable_destroy(pt);
	textmem_destroy(m);
}

/* More queries at once than the cache of lines has at the start. */
static void test_many_lines(void **state)
{
	enum { N = 3000 };
	struct textmem *m = textmem_create();
	static struct pagetable_query queries[N];
	struct pagetable *pt;

	(void)state;
	m->next_table = 0x100000;
	textmem_text(m, "@0x1000 +8");
	for (unsigned int i = 0; i < N; i++)
		textmem_map(m, 0x1000, 4, (gaddr_t)i << 16, (gaddr_t)i << 12, 1);
	pt = table(m, 0x1000, 4);
	for (unsigned int i = 0; i < N; i++)
		queries[i] = (struct pagetable_query){.virtual = (gaddr_t)i << 16 | i};
	assert_null(pagetable_translate(pt, queries, N));
	for (unsigned int i = 0; i < N; i++) {
		assert_true(queries[i].mapped);
		assert_int_equal(queries[i].physical, (gaddr_t)i << 12 | i);
	}
	pagetable_destroy(pt);
	textmem_destroy(m);
}

static void test_too_many_lines(void **state)
{
	size_t n = 1000001;
	struct textmem *m = textmem_create();
	struct pagetable_query *queries = calloc(n, sizeof(*queries));
	struct pagetable *pt = table(m, 0x1000, 4);
	struct kt_error *err = pagetable_translate(pt, queries, n);

	(void)state;
	assert_non_null(err);
	assert_int_equal(kt_error_code(err), KT_ERROR_FORMAT);
	kt_error_destroy(err);
	pagetable_destroy(pt);
	free(queries);
	textmem_destroy(m);
}

/*
 * A guest that knows the hash of the cache puts its tables where they collide. Without a salt
 * that it does not know, this takes minutes: 250,000 lines in 8,192 slots out of 2 million.
 */
static void test_lines_that_collide(void **state)
{
	size_t max = 512 * 512, n = 0;
	struct textmem *m = textmem_create();
	struct pagetable_query *queries = calloc(max, sizeof(*queries));
	struct pagetable *pt;

	(void)state;
	assert_non_null(queries);
	textmem_text(m, "@0x1000 0x2067");
	for (unsigned int i = 0; i < 512; i++)
		textmem_put_uint(m, 0x2000 + 8 * i, (0x100000 + i * 0x1000) | 0x67, 8);
	for (uint64_t line = 0; line < 1 << 26 && n < max; line++) {
		if ((line * UINT64_C(0x9e3779b97f4a7c15) >> 20 & 0x1fffff) >= 8192)
			continue;
		textmem_put_uint(m, 0x100000 + 8 * n, (line << 6 & ~UINT64_C(0xfff)) | 0x67, 8);
		queries[n].virtual = n << 21 | (line & 63) << 15;
		n++;
	}
	assert_true(n > 250000);
	pt = table(m, 0x1000, 4);
	alarm(120);
	assert_null(pagetable_translate(pt, queries, n));
	alarm(0);
	pagetable_destroy(pt);
	free(queries);
	textmem_destroy(m);
}

static void test_arch_by_name(void **state)
{
	(void)state;
	assert_ptr_equal(arch_by_name("x86_64"), &arch_x86_64);
	assert_null(arch_by_name("x86"));
	assert_null(arch_by_name(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_four_levels),
		cmocka_unit_test(test_five_levels),
		cmocka_unit_test(test_root_outside_memory),
		cmocka_unit_test(test_all_entries_are_the_table),
		cmocka_unit_test(test_random_tables_against_naive_walk),
		cmocka_unit_test(test_reads_across_pages),
		cmocka_unit_test(test_tables_are_kept),
		cmocka_unit_test(test_many_lines),
		cmocka_unit_test(test_too_many_lines),
		cmocka_unit_test(test_lines_that_collide),
		cmocka_unit_test(test_arch_by_name),
	};

	return cmocka_run_group_tests_name("pagetable", tests, NULL, NULL);
}
