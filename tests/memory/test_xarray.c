// SPDX-License-Identifier: LGPL-2.1-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include "memory/xarray.h"
#include "tests/memory/fake_facts.h"
#include "tests/memory/rng.h"
#include "tests/memory/textmem.h"

#define MAX_ENTRIES 5000

static void facts_init(struct kfacts *facts, uint32_t n_slots)
{
	*facts = (struct kfacts){0};
	fake_member(facts, "xa_node", "shift", 0, 1);
	fake_member(facts, "xa_node", "slots", 16, n_slots * 8);
}

/* Walks the tree; checks that it is entries "index:pointer ..." in this order. */
static void check(const char *memory, uint64_t head, bool damaged, const char *wanted)
{
	struct textmem *m = textmem_create();
	struct xarray_entries entries;
	struct kfacts facts;
	struct kt_error *err;
	char got[512] = "";
	size_t len = 0;

	facts_init(&facts, 64);
	textmem_text(m, memory);
	err = xarray_walk(&facts, &(struct gmem){textmem_read_physical, m}, head, MAX_ENTRIES,
			  &entries);
	if (err)
		fail_msg("%s", kt_error_message(err));
	kt_vec_for_each (&entries.v, e)
		len += (size_t)snprintf(got + len, sizeof(got) - len, "%s%llx:%llx", len ? " " : "",
					(unsigned long long)e->index,
					(unsigned long long)e->pointer);
	assert_string_equal(got, wanted);
	assert_int_equal(entries.damaged, damaged);
	xarray_entries_deinit(&entries);
	textmem_destroy(m);
}

static void test_no_node(void **state)
{
	(void)state;
	check("", 0, false, "");
	check("", 0x8000, false, "0:8000"); /* one entry, at index 0 */
	check("", 0x8001, false, "");       /* a value */
	check("", 2, false, "");            /* a sibling of nobody */
	check("", 0x402, false, "");        /* XA_RETRY_ENTRY */
	check("", 0x406, false, "");        /* XA_ZERO_ENTRY */
	check("", 0xffe, false, "");        /* internal, and not above 4096 */
}

static void test_one_level(void **state)
{
	(void)state;
	check("@0x4000 0 0 0xa000 0 0xb000 +480 0xc000", 0x4002, false, "0:a000 2:b000 3f:c000");
	check("@0x4000 0 +520", 0x4002, false, "");
	/* Values, siblings, retry, zero; a pointer with the low bits 11 is a value too. */
	check("@0x4000 0 0 0xa001 0xa003 2 0x402 0x406 0xfe 0xb000 +448", 0x4002, false, "6:b000");
}

static void test_levels(void **state)
{
	/* 6 | 0 ... : [1] -> leaf at 0x6000, [63] -> one at 0x7000 */
	static const char two[] = "@0x4000 6/1 +15 0 0x6002 +488 0x7002\n"
				  "@0x6000 0/1 +15 0xa000 0 0xb000 +488\n"
				  "@0x7000 0/1 +15 0 0xc000 +496\n";
	static const char three[] = "@0x9000 12/1 +15 0x4002 0 0x4002 +488\n";
	static const char four[] = "@0xd000 18/1 +15 0 0x9002 +496\n";
	char text[512];

	(void)state;
	check(two, 0x4002, false, "40:a000 42:b000 fc1:c000");
	snprintf(text, sizeof(text), "%s%s", two, three);
	check(text, 0x9002, false, "40:a000 42:b000 fc1:c000 2040:a000 2042:b000 2fc1:c000");
	snprintf(text, sizeof(text), "%s%s%s", two, three, four);
	check(text, 0xd002, false,
	      "40040:a000 40042:b000 40fc1:c000 42040:a000 42042:b000 42fc1:c000");
	/* Entries above the leaves: the walk takes them as the kernel would. */
	check("@0x4000 6/1 +15 0 0xe000 0x6002 +488 @0x6000 0/1 +15 0xa000 +504", 0x4002, false,
	      "40:e000 80:a000");
	check("@0x4000 6/1 +15 0 0x6002 0xe000 +488 @0x6000 0/1 +15 0xa000 +504", 0x4002, false,
	      "40:a000 80:e000");
}

static void test_bad_shift(void **state)
{
	(void)state;
	/* The node leads to itself: its shift is not smaller than its own. */
	check("@0x4000 6/1 +15 0xa000 0x4002 +496", 0x4002, true, "0:a000");
	/* Two that lead to each other. */
	check("@0x4000 6/1 +15 0x6002 +504 @0x6000 6/1 +15 0xa000 0x4002 +496", 0x4002, true, "");
	check("@0x4000 6/1 +15 0x6002 +504 @0x6000 5/1 +15 0xa000 0x4002 +496", 0x4002, true,
	      "0:a000");
	/* A leaf with a node in it. */
	check("@0x4000 0/1 +15 0xa000 0x6002 +496 @0x6000 0/1 +15 0xb000 +504", 0x4002, true,
	      "0:a000");
	/* More bits than an index has. */
	check("@0x4000 61/1 +15 0xa000 +504", 0x4002, true, "");
	check("@0x4000 255/1 +15 0xa000 +504", 0x4002, true, "");
	check("@0x4000 60/1 +15 0xa000 +504", 0x4002, false, "0:a000");
}

static void test_unreadable(void **state)
{
	(void)state;
	check("", 0x4002, true, "");
	check("@0x4000 6/1 +15 0x60000002 0x7002 +496 @0x7000 0/1 +15 0xa000 +504", 0x4002, true,
	      "40:a000");
	/* Its first half is there, its second not. */
	check("@0x4f00 0/1 +15 0xa000", 0x4f02, true, "");
	/* Around the top of the address space. */
	check("@0 +64", 0xfffffffffffffe02, true, "");
}

static void test_big_endian(void **state)
{
	struct textmem *m = textmem_create();
	struct xarray_entries entries;
	struct kfacts facts;

	(void)state;
	facts_init(&facts, 16); /* CONFIG_BASE_SMALL */
	facts.kernel.big_endian = m->big_endian = true;
	textmem_text(m, "@0x4000 4/1 +15 0 0x6002 +112 @0x6000 0/1 +15 0xa000 +120 0xffff00");
	assert_null(xarray_walk(&facts, &(struct gmem){textmem_read_physical, m}, 0x4002, 10,
				&entries));
	assert_int_equal(entries.v.len, 1);
	assert_true(entries.v.data[0].index == 0x10 && entries.v.data[0].pointer == 0xa000);
	xarray_entries_deinit(&entries);
	textmem_destroy(m);
}

static void test_layout_is_not_there(void **state)
{
	struct xarray_entries entries;
	struct kfacts facts = {0};
	struct kt_error *err;

	(void)state;
	fake_member(&facts, "xa_node", "shift", 0, 1);
	err = xarray_walk(&facts, &(struct gmem){textmem_read_physical, NULL}, 0x4002, 10,
			  &entries);
	assert_int_equal(kt_error_code(err), KT_ERROR_NOT_FOUND);
	assert_non_null(strstr(kt_error_message(err), "xa_node has no slots"));
	kt_error_destroy(err);
}

/* Walks with a bound of max; the number of entries, or -1 for KT_ERROR_FORMAT. */
static long walk_bounded(struct textmem *m, gaddr_t head, size_t max)
{
	struct xarray_entries entries;
	struct kfacts facts;
	struct kt_error *err;
	long n;

	facts_init(&facts, 64);
	err = xarray_walk(&facts, &(struct gmem){textmem_read_physical, m}, head, max, &entries);
	if (err) {
		assert_int_equal(kt_error_code(err), KT_ERROR_FORMAT);
		kt_error_destroy(err);
		return -1;
	}
	n = (long)entries.v.len;
	xarray_entries_deinit(&entries);
	return n;
}

static void test_too_many_entries(void **state)
{
	struct textmem *m = textmem_create();

	(void)state;
	textmem_text(m, "@0x4000 0/1 +15");
	for (int i = 0; i < 64; i++)
		textmem_text(m, "0xa000");
	assert_int_equal(walk_bounded(m, 0x4002, 64), 64);
	assert_int_equal(walk_bounded(m, 0x4002, 63), -1);
	textmem_destroy(m);
}

/*
 * All slots of a node lead to the same next node: 64 ^ depth paths in a few hundred bytes
 * each. Also where each level alone is within the bound, all of them together are not.
 */
static void test_too_many_paths(void **state)
{
	struct textmem *m = textmem_create();

	(void)state;
	for (unsigned int i = 0; i < 10; i++) {
		textmem_printf(m, "@%#x %u/1 +15", 0x10000 - i * 0x1000, 6 * i);
		for (unsigned int j = 0; j < 64 && i; j++)
			textmem_printf(m, "%#x ", (0x10000 - (i - 1) * 0x1000) | 2);
	}
	textmem_text(m, "@0x10010 +512");
	assert_int_equal(walk_bounded(m, 0x7002, MAX_ENTRIES), -1);
	textmem_destroy(m);

	/* 1 + 40 + 40 + ... nodes. */
	m = textmem_create();
	for (unsigned int i = 0; i < 50; i++) {
		textmem_printf(m, "@%#x %u/1 +15", 0x100000 - i * 0x1000, i);
		for (unsigned int j = 0; j < (i == 49 ? 40 : 1) && i; j++)
			textmem_printf(m, "%#x ", (0x100000 - (i - 1) * 0x1000) | 2);
		textmem_text(m, "+512");
	}
	assert_int_equal(walk_bounded(m, (0x100000 - 49 * 0x1000) | 2, 41), -1);
	assert_int_equal(walk_bounded(m, (0x100000 - 49 * 0x1000) | 2, 4000), 0);
	textmem_destroy(m);
}

/* A tree built entry by entry, as the kernel would; the list of entries is the oracle. */
struct oracle {
	struct textmem *m;
	gaddr_t head, next;
	uint64_t indexes[400];
	size_t n;
};

static gaddr_t oracle_node(struct oracle *o, unsigned int shift)
{
	gaddr_t at = o->next;

	o->next += 16 + 512 + 16; /* they lie across pages, too */
	textmem_put(o->m, at, NULL, 16 + 512);
	textmem_put_uint(o->m, at, shift, 1);
	return at;
}

static void oracle_insert(struct oracle *o, uint64_t index, unsigned int levels)
{
	gaddr_t node = o->head & ~UINT64_C(3);

	for (unsigned int shift = 6 * (levels - 1); shift; shift -= 6) {
		gaddr_t slot = node + 16 + (index >> shift & 63) * 8;
		uint64_t entry = 0;

		assert_true(textmem_get(o->m, slot, &entry, 8));
		if (!entry) {
			entry = oracle_node(o, shift - 6) | 2;
			textmem_put_uint(o->m, slot, entry, 8);
		}
		node = entry & ~UINT64_C(3);
	}
	textmem_put_uint(o->m, node + 16 + (index & 63) * 8, 0x1000000 + index * 8, 8);
}

static void test_random_trees(void **state)
{
	uint64_t rng = 7;

	(void)state;
	for (unsigned int round = 0; round < 60; round++) {
		unsigned int levels = 1 + round % 4;
		struct oracle o = {.m = textmem_create(), .next = 0x10000};
		struct xarray_entries entries;
		struct kfacts facts;
		uint64_t last = 0;

		o.head = oracle_node(&o, 6 * (levels - 1)) | 2;
		o.n = 1 + rng_below(&rng, levels == 1 ? 60 : 400);
		for (size_t i = 0; i < o.n; i++) {
			bool dense = round % 3;

			o.indexes[i] = dense ? i : rng_below(&rng, UINT64_C(1) << 6 * levels);
			o.indexes[i] %= UINT64_C(1) << 6 * levels;
			oracle_insert(&o, o.indexes[i], levels);
		}
		facts_init(&facts, 64);
		assert_null(xarray_walk(&facts, &(struct gmem){textmem_read_physical, o.m}, o.head,
					MAX_ENTRIES, &entries));
		assert_false(entries.damaged);
		for (size_t i = 0; i < o.n; i++) {
			bool found = false;

			kt_vec_for_each (&entries.v, e)
				found |= e->index == o.indexes[i];
			assert_true(found);
		}
		assert_true(entries.v.len <= o.n);
		kt_vec_for_each (&entries.v, e) {
			assert_true(e == entries.v.data || e->index > last);
			assert_true(e->pointer == 0x1000000 + e->index * 8);
			last = e->index;
		}
		assert_int_equal(o.m->calls, levels); /* a batch a level */
		xarray_entries_deinit(&entries);
		textmem_destroy(o.m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_node),
		cmocka_unit_test(test_one_level),
		cmocka_unit_test(test_levels),
		cmocka_unit_test(test_bad_shift),
		cmocka_unit_test(test_unreadable),
		cmocka_unit_test(test_big_endian),
		cmocka_unit_test(test_layout_is_not_there),
		cmocka_unit_test(test_too_many_entries),
		cmocka_unit_test(test_too_many_paths),
		cmocka_unit_test(test_random_trees),
	};

	return cmocka_run_group_tests_name("xarray", tests, NULL, NULL);
}
