// SPDX-License-Identifier: LGPL-2.1-or-later
/* The contents of maps of a synthetic kernel, well and ill. Truth is in tests/guest/contents.sh. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include "tests/introspect/one_map.h"

static void test_array(void **state)
{
	struct map_dump out;

	(void)state;
	shape(2, 4, 6, 3);
	synth_set(&s, "bpf_array", "elem_size", map, 8);
	textmem_put(s.mem, map + 96 + 8, "second", 6);
	out = dump();
	assert_int_equal(out.n, 3);
	assert_true(out.done);
	assert_memory_equal(out.keys + 4, "\1\0\0\0", 4);
	assert_memory_equal(out.values + 6, "second", 6);
	assert_int_equal(out.states[1], MAP_THERE);
	map_dump_deinit(&out);
}

/* What an array claims is not believed: values beyond its memory are missing, each by itself. */
static void test_array_unmapped(void **state)
{
	struct map_dump out;
	size_t missing = 0;

	(void)state;
	shape(2, 4, 4096, 64);
	synth_set(&s, "bpf_array", "elem_size", map, 4096);
	out = dump();
	assert_int_equal(out.n, 64);
	for (size_t i = 0; i < out.n; i++)
		missing += out.states[i] == MAP_UNREADABLE;
	assert_true(missing > 0);
	map_dump_deinit(&out);
}

static void test_refused(void **state)
{
	const struct map_dump_order other = {.id = ID + 1};

	(void)state;
	refused(&other, KT_ERROR_NOT_FOUND, "no map has the id 6");
	shape(98, 0, 0, 4096);
	refused_now(KT_ERROR_UNSUPPORTED, "of type later, whose contents are not read");
	shape(99, 4, 4, 1);
	refused_now(KT_ERROR_UNSUPPORTED, "of type unknown");
	shape(2, 4, 0, 1);
	refused_now(KT_ERROR_FORMAT, "sizes of its keys and values");
	shape(2, 4, UINT32_MAX, 1);
	refused_now(KT_ERROR_FORMAT, "sizes of its keys and values");
	shape(2, 4, 4096, UINT32_MAX);
	refused_now(KT_ERROR_UNSUPPORTED, "may hold 4294967295 entries");
	shape(2, 8, 4, 1);
	synth_set(&s, "bpf_array", "elem_size", map, 8);
	refused_now(KT_ERROR_FORMAT, "it is no array");
	shape(3, 4, 8, 1);
	refused_now(KT_ERROR_FORMAT, "its values are no IDs");
	shape(1, 4, 8, 8);
	synth_set(&s, "bpf_htab", "n_buckets", map, 3);
	refused_now(KT_ERROR_FORMAT, "number of buckets");
	synth_set(&s, "bpf_htab", "n_buckets", map, 1u << 31);
	refused_now(KT_ERROR_FORMAT, "number of buckets");
	synth_set(&s, "bpf_htab", "n_buckets", map, 8);
	synth_set(&s, "bpf_htab", "elem_size", map, 30);
	refused_now(KT_ERROR_FORMAT, "smaller than their key and value");
	shape(22, 0, 4, 3);
	synth_set(&s, "bpf_queue_stack", "size", map, 4);
	synth_set(&s, "bpf_queue_stack", "head", map, 4);
	refused_now(KT_ERROR_FORMAT, "head and tail");
	synth_set(&s, "bpf_map", "refcnt.counter", map, 0);
	refused_now(KT_ERROR_NOT_FOUND, "no map has the id 5");
	textmem_put_uint(s.mem, leaf + 40 + 8 * ID, NOWHERE, 8);
	refused_now(KT_ERROR_FAULT, "not mapped");
}

static gaddr_t buckets;

/* A hash of four buckets, whose lists are empty. */
static void put_hash(void)
{
	shape(1, 4, 8, 4);
	buckets = synth_alloc(&s, 64);
	synth_set(&s, "bpf_htab", "buckets", map, synth_va(buckets));
	synth_set(&s, "bpf_htab", "n_buckets", map, 4);
	synth_set(&s, "bpf_htab", "elem_size", map, 40);
	for (unsigned int i = 0; i < 4; i++)
		textmem_put_uint(s.mem, buckets + i * 16, 2 * i + 1, 8);
}

static gaddr_t put_elem(uint32_t hash, uint32_t key, uint64_t value)
{
	gaddr_t elem = synth_alloc(&s, 40);

	synth_set(&s, "htab_elem", "hash_node.next", elem, 1);
	synth_set(&s, "htab_elem", "hash", elem, hash);
	textmem_put_uint(s.mem, elem + 24, key, 4);
	textmem_put_uint(s.mem, elem + 32, value, 8);
	return elem;
}

static void test_hash(void **state)
{
	struct map_dump out;
	gaddr_t one, two;

	(void)state;
	put_hash();
	one = put_elem(0x12342, 7, 70);
	two = put_elem(0x55552, 8, 80);
	lead(buckets + 2 * 16, one);
	lead(one, two);
	lead(buckets + 3 * 16, put_elem(0x3, 9, 90));
	out = dump();
	assert_int_equal(out.n, 3);
	assert_int_equal(out.n_unreadable, 0);
	assert_true(out.done);
	/* By bucket, and each list in its order, is not promised; that each is there is. */
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(out.keys[i * 4] * 10, out.values[i * 8]);
	assert_int_equal(out.keys[0] + out.keys[4] + out.keys[8], 24);
	map_dump_deinit(&out);
}

/* A circle, a list that leads into another, an element that is not there: each costs itself. */
static void test_hash_damaged(void **state)
{
	struct map_dump out;
	gaddr_t one, two, stray;

	(void)state;
	put_hash();
	one = put_elem(0, 1, 10);
	two = put_elem(4, 2, 20);
	lead(buckets, one);
	lead(one, two);
	lead(two, one);
	lead(buckets + 16, two); /* its hash belongs to another bucket */
	stray = put_elem(2, 3, 30);
	lead(buckets + 2 * 16, stray);
	textmem_put_uint(s.mem, stray, NOWHERE, 8);
	textmem_put_uint(s.mem, buckets + 3 * 16, NOWHERE, 8);
	out = dump();
	assert_int_equal(out.n, 3);
	assert_true(out.n_unreadable >= 3);
	assert_int_equal(out.keys[0] + out.keys[4] + out.keys[8], 6);
	map_dump_deinit(&out);
	/* Buckets that are nowhere. */
	synth_set(&s, "bpf_htab", "buckets", map, NOWHERE);
	out = dump();
	assert_int_equal(out.n, 0);
	assert_int_equal(out.n_unreadable, 4);
	map_dump_deinit(&out);
}

/* Told before it is read; then in parts, which come together. */
static void test_large(void **state)
{
	struct map_dump_order order = {.id = ID};
	struct map_dump whole = {0}, part;
	gaddr_t big = synth_alloc(&s, 4096 + (2u << 20));
	size_t parts = 0;

	(void)state;
	map = big;
	textmem_put_uint(s.mem, leaf + 40 + 8 * ID, synth_va(map), 8);
	synth_set(&s, "bpf_map", "refcnt.counter", map, 1);
	synth_set(&s, "bpf_map", "id", map, ID);
	shape(2, 4, 4096, 512);
	synth_set(&s, "bpf_array", "elem_size", map, 4096);
	for (uint32_t i = 0; i < 512; i++)
		textmem_put_uint(s.mem, map + 96 + 4096 * i, i, 8);
	assert_null(try_dump(&order, &whole));
	assert_int_equal(whole.n, 0);
	assert_false(whole.done);
	assert_int_equal(whole.size, 512 * 4100);
	order.large = true;
	while (!whole.done && parts++ < 10) {
		order.first = whole.next;
		assert_null(try_dump(&order, &part));
		assert_true(map_dump_append(&whole, &part));
	}
	assert_true(parts > 1);
	assert_int_equal(whole.n, 512);
	for (uint32_t i = 0; i < 512; i++) {
		assert_int_equal(whole.keys[4 * i] + 256 * whole.keys[4 * i + 1], i);
		assert_int_equal(whole.values[4096 * i] + 256 * whole.values[4096 * i + 1], i);
	}
	map_dump_deinit(&whole);
}

/* A part of another map does not come in. */
static void test_append_other(void **state)
{
	struct map_dump whole = {.map = {.id = 1}, .key_len = 4, .n_values = 1, .value_len = 4};
	struct map_dump other = {.map = {.id = 1}, .key_len = 4, .n_values = 1, .value_len = 8};

	(void)state;
	assert_false(map_dump_append(&whole, &other));
	assert_int_equal(whole.n, 0);
}

static gaddr_t put_node(uint32_t prefix, uint32_t flags, gaddr_t left, gaddr_t right)
{
	gaddr_t node = synth_alloc(&s, 40);

	textmem_put_uint(s.mem, node, left ? synth_va(left) : 0, 8);
	textmem_put_uint(s.mem, node + 8, right ? synth_va(right) : 0, 8);
	textmem_put_uint(s.mem, node + 16, prefix, 4);
	textmem_put_uint(s.mem, node + 20, flags, 4);
	textmem_put_uint(s.mem, node + 24, prefix, 4);
	textmem_put_uint(s.mem, node + 28, 100 + prefix, 4);
	return node;
}

/* Forks are no entries. A child whose prefix is not longer, as in any circle, is none. */
static void test_trie(void **state)
{
	gaddr_t low = put_node(24, 0, 0, 0), root = put_node(8, 1, low, put_node(16, 0, 0, 0));
	struct map_dump out;

	(void)state;
	shape(11, 8, 4, 8);
	textmem_put_uint(s.mem, map + 80, synth_va(root), 8);
	out = dump();
	assert_int_equal(out.n, 2);
	assert_int_equal(out.keys[0] + out.keys[8], 24 + 16);
	assert_int_equal(out.values[0] + out.values[4], 224 + 16);
	map_dump_deinit(&out);
	lead(low, root);
	out = dump();
	assert_int_equal(out.n, 2);
	assert_int_equal(out.n_unreadable, 1);
	map_dump_deinit(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_MAP(test_array), TEST_MAP(test_array_unmapped), TEST_MAP(test_refused),
		TEST_MAP(test_hash),  TEST_MAP(test_hash_damaged),   TEST_MAP(test_large),
		TEST_MAP(test_trie),  TEST_MAP(test_append_other),
	};

	return cmocka_run_group_tests_name("map dump", tests, NULL, NULL);
}
