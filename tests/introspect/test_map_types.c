// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Maps of storage, sockets, devices, stacks, rings and pages, well and ill. Truth is in
 * tests/guest/contents.sh.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
/* cmocka.h needs those before it. */
#include <cmocka.h>

#include "tests/introspect/one_map.h"

/* The kernel's numbers. */
enum {
	CPUMAP = 16,
	SOCKHASH = 18,
	STACK_TRACE = 7,
	STRUCT_OPS = 26,
	RINGBUF = 27,
	TASK = 29,
	BLOOM = 30,
	ARENA = 33,
	PERF = 4,
	CGROUP = 19,
	SOCKMAP = 15
};

static int setup_types(void **state)
{
	static const struct {
		const char *type, *path;
		uint32_t offset, size;
	} members[] = {
		{"bpf_local_storage_map", "buckets", 80, 8},
		{"bpf_local_storage_map", "bucket_log", 88, 4},
		{"bpf_local_storage_map_bucket", "list.first", 0, 8},
		{"bpf_local_storage_elem", "map_node.next", 8, 8},
		{"bpf_local_storage_elem", "local_storage", 24, 8},
		{"bpf_local_storage_elem", "sdata.smap", 32, 8},
		{"bpf_local_storage_elem", "sdata.data", 40, 0},
		{"bpf_local_storage", "owner", 16, 8},
		{"task_struct", "pid", 4, 4},
		{"task_struct", "comm", 16, 16},
		{"bpf_cpu_map", "cpu_map", 80, 8},
		{"bpf_cpu_map_entry", "value", 8, 8},
		{"bpf_stab", "sks", 80, 8},
		{"bpf_shtab", "buckets", 80, 8},
		{"bpf_shtab", "buckets_num", 88, 4},
		{"bpf_shtab_bucket", "head.first", 0, 8},
		{"bpf_shtab_elem", "node.next", 0, 8},
		{"bpf_shtab_elem", "hash", 16, 4},
		{"bpf_shtab_elem", "sk", 24, 8},
		{"bpf_shtab_elem", "key", 32, 0},
		{"sock", "__sk_common.skc_cookie.counter", 8, 8},
		{"sock", "__sk_common.skc_dport", 2, 2},
		{"bpf_stack_map", "n_buckets", 80, 4},
		{"bpf_stack_map", "buckets", 88, 0},
		{"stack_map_bucket", "hash", 8, 4},
		{"stack_map_bucket", "nr", 12, 4},
		{"stack_map_bucket", "data", 16, 0},
		{"bpf_struct_ops_map", "map.refcnt.counter", 8, 8},
		{"bpf_struct_ops_map", "map.usercnt.counter", 64, 8},
		{"bpf_struct_ops_map", "uvalue", 80, 8},
		{"bpf_struct_ops_map", "kvalue.common.state", 88, 4},
		{"bpf_struct_ops_link", "map", 0, 8},
		{"bpf_struct_ops_value", "common.state", 4, 4},
		{"bpf_struct_ops_value", "common.refcnt", 0, 4},
		{"bpf_ringbuf_map", "rb", 80, 8},
		{"bpf_ringbuf", "mask", 0, 8},
		{"bpf_ringbuf", "consumer_pos", 64, 8},
		{"bpf_ringbuf", "producer_pos", 128, 8},
		{"bpf_bloom_filter", "bitset_mask", 80, 4},
		{"bpf_bloom_filter", "nr_hash_funcs", 84, 4},
		{"bpf_bloom_filter", "bitset", 96, 0},
		{"bpf_arena", "user_vm_start", 80, 8},
		{"bpf_arena", "user_vm_end", 88, 8},
		{"bpf_arena", "kern_vm", 96, 8},
		{"bpf_arena", "rt.it_root.rb_root.rb_node", 104, 8},
		{"vm_struct", "addr", 0, 8},
		{"range_node", "rn_rbnode", 8, 24},
		{"range_node", "rn_rbnode.rb_right", 16, 8},
		{"range_node", "rn_rbnode.rb_left", 24, 8},
		{"range_node", "rn_start", 32, 4},
		{"range_node", "rn_last", 36, 4},
		{"bpf_cgroup_storage_map", "list.next", 80, 8},
		{"bpf_cgroup_storage", "buf", 0, 8},
		{"bpf_cgroup_storage", "map", 8, 8},
		{"bpf_cgroup_storage", "key", 16, 16},
		{"bpf_cgroup_storage", "list_map.next", 32, 8},
		{"bpf_storage_buffer", "data", 16, 0},
	};

	setup_map(state);
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		fake_member(&s.facts, members[i].type, members[i].path, members[i].offset,
			    members[i].size);
	fake_size(&s.facts, "bpf_local_storage_map_bucket", 16);
	fake_size(&s.facts, "bpf_shtab_bucket", 16);
	fake_enum(&s.facts, "bpf_map_type", "BPF_MAP_TYPE_CPUMAP", CPUMAP);
	fake_enum(&s.facts, "bpf_map_type", "BPF_MAP_TYPE_SOCKMAP", SOCKMAP);
	fake_enum(&s.facts, "bpf_map_type", "BPF_MAP_TYPE_SOCKHASH", SOCKHASH);
	fake_enum(&s.facts, "bpf_map_type", "BPF_MAP_TYPE_STACK_TRACE", STACK_TRACE);
	fake_enum(&s.facts, "bpf_map_type", "BPF_MAP_TYPE_STRUCT_OPS", STRUCT_OPS);
	fake_enum(&s.facts, "bpf_map_type", "BPF_MAP_TYPE_RINGBUF", RINGBUF);
	fake_enum(&s.facts, "bpf_map_type", "BPF_MAP_TYPE_TASK_STORAGE", TASK);
	fake_enum(&s.facts, "bpf_map_type", "BPF_MAP_TYPE_BLOOM_FILTER", BLOOM);
	fake_enum(&s.facts, "bpf_map_type", "BPF_MAP_TYPE_ARENA", ARENA);
	fake_enum(&s.facts, "bpf_map_type", "BPF_MAP_TYPE_PERF_EVENT_ARRAY", PERF);
	fake_enum(&s.facts, "bpf_map_type", "BPF_MAP_TYPE_CGROUP_STORAGE_DEPRECATED", CGROUP);
	return 0;
}

/* --- storage --- */

static gaddr_t put_task(uint32_t pid, const char *comm)
{
	gaddr_t task = synth_alloc(&s, 32);

	synth_set(&s, "task_struct", "pid", task, pid);
	textmem_put(s.mem, task + 16, comm, strlen(comm));
	return task;
}

/* An element of this map with a value of 4 bytes. */
static gaddr_t put_stored(gaddr_t task, uint32_t value)
{
	gaddr_t elem = synth_alloc(&s, 48), storage = synth_alloc(&s, 32);

	synth_set(&s, "bpf_local_storage_elem", "sdata.smap", elem, synth_va(map));
	synth_set(&s, "bpf_local_storage_elem", "local_storage", elem, synth_va(storage));
	textmem_put_uint(s.mem, elem + 40, value, 4);
	if (task)
		synth_set(&s, "bpf_local_storage", "owner", storage, synth_va(task));
	return elem;
}

static gaddr_t put_storage_map(void)
{
	gaddr_t lists = synth_alloc(&s, 32);

	shape(TASK, 4, 4, 0);
	synth_set(&s, "bpf_local_storage_map", "buckets", map, synth_va(lists));
	synth_set(&s, "bpf_local_storage_map", "bucket_log", map, 1);
	return lists;
}

/* Lists lead to the node in an element, at 8. */
static void lead_node(gaddr_t from, gaddr_t to)
{
	textmem_put_uint(s.mem, from, synth_va(to) + 8, 8);
}

static void test_storage(void **state)
{
	gaddr_t lists = put_storage_map(), one = put_stored(put_task(7, "seven"), 70);
	struct map_dump out;

	(void)state;
	lead_node(lists, one);
	lead_node(one + 8, put_stored(0, 80));
	lead_node(lists + 16, put_stored(put_task(9, "a name of 16 by."), 90));
	out = dump();
	assert_int_equal(out.n, 3);
	assert_int_equal(out.key_len, 0);
	assert_int_equal(out.n_unreadable, 0);
	assert_true(out.done);
	assert_string_equal(out.facts_of, "task");
	for (size_t i = 0; i < 3; i++) {
		const struct map_fact *facts = &out.facts[i * out.n_facts];

		if (out.values[4 * i] == 80) {
			assert_false(facts[0].known);
			continue;
		}
		assert_true(facts[0].known);
		assert_int_equal(facts[0].number * 10, out.values[4 * i]);
		assert_false(facts[1].known); /* this kernel has no tgid */
		assert_string_equal(facts[2].text,
				    facts[0].number == 7 ? "seven" : "a name of 16 by.");
	}
	map_dump_deinit(&out);
}

/* A circle, an element of another map, one that is nowhere, more buckets than CPUs can make. */
static void test_storage_damaged(void **state)
{
	gaddr_t lists = put_storage_map(), one = put_stored(put_task(7, "seven"), 70);
	gaddr_t two = put_stored(put_task(8, "eight"), 80), stray = put_stored(0, 90);
	const struct map_dump_order few = {.id = ID, .max_entries = 1};
	struct map_dump out;

	(void)state;
	lead_node(lists, one);
	lead_node(one + 8, two);
	lead_node(two + 8, one);
	synth_set(&s, "bpf_local_storage_elem", "sdata.smap", stray, 0);
	lead_node(lists + 16, stray);
	assert_null(try_dump(&few, &out));
	assert_int_equal(out.n, 1);
	assert_false(out.done);
	map_dump_deinit(&out);
	s.mem->reads = 0;
	out = dump();
	assert_int_equal(out.n, 2);
	assert_true(out.n_unreadable > 1);
	assert_true(s.mem->reads < 1000); /* no number of rounds */
	map_dump_deinit(&out);
	textmem_put_uint(s.mem, two + 8, NOWHERE, 8);
	out = dump();
	assert_int_equal(out.n, 2);
	assert_int_equal(out.n_unreadable, 2);
	map_dump_deinit(&out);
	shape(TASK, 4, 200u << 20, 0); /* more bytes than one stop may read */
	refused_now(KT_ERROR_UNSUPPORTED, "has more than 1 elements");
	shape(TASK, 4, 4, 0);
	synth_set(&s, "bpf_local_storage_map", "bucket_log", map, 63);
	refused_now(KT_ERROR_FORMAT, "number of buckets");
}

/* A list that ends in the map; keys of 16 bytes, and larger ones that no such map has. */
static void test_cgroup_storage(void **state)
{
	gaddr_t one = synth_alloc(&s, 48), buf = synth_alloc(&s, 32);
	struct map_dump out;

	(void)state;
	shape(CGROUP, 16, 4, 0);
	textmem_put_uint(s.mem, map + 80, synth_va(one) + 32, 8);
	textmem_put_uint(s.mem, one + 32, synth_va(map) + 80, 8);
	synth_set(&s, "bpf_cgroup_storage", "map", one, synth_va(map));
	synth_set(&s, "bpf_cgroup_storage", "buf", one, synth_va(buf));
	textmem_put_uint(s.mem, one + 16, 0x77, 8);
	textmem_put_uint(s.mem, buf + 16, 0x1234, 4);
	out = dump();
	assert_int_equal(out.n, 1);
	assert_int_equal(out.keys[0], 0x77);
	assert_int_equal(out.values[0], 0x34);
	map_dump_deinit(&out);
	textmem_put_uint(s.mem, one + 32, synth_va(one) + 32, 8);
	out = dump();
	assert_int_equal(out.n, 1);
	assert_int_equal(out.n_unreadable, 1);
	map_dump_deinit(&out);
	shape(CGROUP, 64, 4, 0);
	refused_now(KT_ERROR_FORMAT, "its keys are none of a cgroup");
}

/* --- slots --- */

static void test_slots(void **state)
{
	gaddr_t slots = synth_alloc(&s, 24), entry = synth_alloc(&s, 16);
	struct map_dump out;

	(void)state;
	shape(CPUMAP, 4, 4, 3);
	synth_set(&s, "bpf_cpu_map", "cpu_map", map, synth_va(slots));
	textmem_put_uint(s.mem, entry + 8, 64, 4);
	lead(slots, entry);
	textmem_put_uint(s.mem, slots + 16, NOWHERE, 8);
	out = dump();
	assert_int_equal(out.n, 3);
	assert_int_equal(out.states[0], MAP_THERE);
	assert_int_equal(out.values[0], 64);
	assert_int_equal(out.states[1], MAP_EMPTY);
	assert_int_equal(out.states[2], MAP_UNREADABLE);
	map_dump_deinit(&out);
	shape(CPUMAP, 4, 16, 3);
	refused_now(KT_ERROR_FORMAT, "larger than what they are of");
	shape(CPUMAP, 8, 4, 3);
	refused_now(KT_ERROR_FORMAT, "it is no array");
	synth_set(&s, "bpf_cpu_map", "cpu_map", map, NOWHERE);
	shape(CPUMAP, 4, 4, 3);
	refused_now(KT_ERROR_FAULT, "its pointers are not mapped");
	shape(PERF, 4, 4, 2);
	out = dump();
	assert_int_equal(out.n, 2);
	assert_int_equal(out.states[1], MAP_REFUSED);
	assert_string_equal(out.refusal, "Unknown error 524");
	map_dump_deinit(&out);
}

static gaddr_t put_sock(uint64_t cookie)
{
	gaddr_t sock = synth_alloc(&s, 16);

	textmem_put_uint(s.mem, sock + 2, 0x5000, 2); /* port 80, in network byte order */
	textmem_put_uint(s.mem, sock + 8, cookie, 8);
	return sock;
}

static void test_sockets(void **state)
{
	gaddr_t slots = synth_alloc(&s, 24);
	struct map_dump out;

	(void)state;
	shape(SOCKMAP, 4, 8, 3);
	synth_set(&s, "bpf_stab", "sks", map, synth_va(slots));
	lead(slots, put_sock(5));
	lead(slots + 8, put_sock(0));
	out = dump();
	assert_int_equal(out.states[0], MAP_THERE);
	assert_int_equal(out.values[0], 5);
	assert_int_equal(out.facts[4].number, 80);
	assert_int_equal(out.states[1], MAP_NO_COOKIE);
	assert_int_equal(out.states[2], MAP_EMPTY);
	map_dump_deinit(&out);
	shape(SOCKMAP, 4, 4, 3);
	out = dump();
	assert_int_equal(out.states[0], MAP_REFUSED);
	assert_string_equal(out.refusal, "No space left on device");
	map_dump_deinit(&out);
}

static gaddr_t put_hashed(uint32_t hash, uint8_t key, gaddr_t sock)
{
	gaddr_t elem = synth_alloc(&s, 40);

	synth_set(&s, "bpf_shtab_elem", "hash", elem, hash);
	synth_set(&s, "bpf_shtab_elem", "sk", elem, sock);
	textmem_put_uint(s.mem, elem + 32, key, 1);
	return elem;
}

static void test_sockhash(void **state)
{
	gaddr_t lists = synth_alloc(&s, 32), one = put_hashed(4, 0x11, synth_va(put_sock(5)));
	struct map_dump out;

	(void)state;
	shape(SOCKHASH, 6, 8, 2);
	synth_set(&s, "bpf_shtab", "buckets", map, synth_va(lists));
	synth_set(&s, "bpf_shtab", "buckets_num", map, 2);
	lead(lists, one);
	lead(one, put_hashed(3, 0x22, NOWHERE)); /* of the other bucket */
	lead(lists + 16, put_hashed(5, 0x33, NOWHERE));
	out = dump();
	assert_int_equal(out.n, 2);
	assert_int_equal(out.n_unreadable, 1);
	assert_int_equal(out.keys[0], 0x11);
	assert_int_equal(out.states[0], MAP_THERE);
	assert_int_equal(out.states[1], MAP_UNREADABLE);
	map_dump_deinit(&out);
	lead(one, one);
	out = dump();
	assert_int_equal(out.n, 2);
	assert_true(out.n_unreadable > 0);
	map_dump_deinit(&out);
	synth_set(&s, "bpf_shtab", "buckets_num", map, 6);
	refused_now(KT_ERROR_FORMAT, "number of buckets");
}

/* --- stacks --- */

static void test_stacks(void **state)
{
	gaddr_t bucket = synth_alloc(&s, 48);
	struct map_dump out;

	(void)state;
	shape(STACK_TRACE, 4, 32, 4);
	synth_set(&s, "bpf_stack_map", "n_buckets", map, 4);
	lead(map + 88 + 2 * 8, bucket);
	synth_set(&s, "stack_map_bucket", "hash", bucket, 0xabc2);
	synth_set(&s, "stack_map_bucket", "nr", bucket, 2);
	for (unsigned int i = 0; i < 4; i++)
		textmem_put_uint(s.mem, bucket + 16 + 8 * i, 0x40 + i, 8);
	out = dump();
	assert_int_equal(out.n, 1);
	assert_int_equal(out.keys[0], 2);
	assert_int_equal(out.values[8], 0x41);
	assert_int_equal(out.values[16], 0); /* of an older stack */
	map_dump_deinit(&out);
	synth_set(&s, "stack_map_bucket", "nr", bucket, UINT32_MAX);
	out = dump();
	assert_int_equal(out.states[0], MAP_UNREADABLE);
	map_dump_deinit(&out);
	synth_set(&s, "stack_map_bucket", "nr", bucket, 1);
	synth_set(&s, "stack_map_bucket", "hash", bucket, 1);
	out = dump();
	assert_int_equal(out.states[0], MAP_UNREADABLE);
	map_dump_deinit(&out);
	synth_set(&s, "bpf_stack_map", "n_buckets", map, 1u << 31);
	refused_now(KT_ERROR_FORMAT, "number of buckets");
}

/* --- struct_ops, rings, filters --- */

static void test_struct_ops(void **state)
{
	gaddr_t value = synth_alloc(&s, 16);
	struct map_dump out;

	(void)state;
	shape(STRUCT_OPS, 4, 12, 1);
	synth_set(&s, "bpf_struct_ops_map", "map.refcnt.counter", map, 7);
	synth_set(&s, "bpf_struct_ops_map", "map.usercnt.counter", map, 4);
	synth_set(&s, "bpf_struct_ops_map", "uvalue", map, synth_va(value));
	textmem_put_uint(s.mem, value + 8, 0x99, 4);
	out = dump();
	assert_int_equal(out.values[8], 0); /* not registered yet */
	map_dump_deinit(&out);
	synth_set(&s, "bpf_struct_ops_map", "kvalue.common.state", map, 1);
	out = dump();
	assert_int_equal(out.values[0], 3);
	assert_int_equal(out.values[4], 1);
	assert_int_equal(out.values[8], 0x99);
	map_dump_deinit(&out);
	/* A value that is too short for its state. */
	shape(STRUCT_OPS, 4, 4, 1);
	out = dump();
	assert_int_equal(out.value_len, 4);
	map_dump_deinit(&out);
}

static void test_rings(void **state)
{
	gaddr_t ring = synth_alloc(&s, 256);
	struct map_dump out;

	(void)state;
	shape(RINGBUF, 0, 0, 4096);
	synth_set(&s, "bpf_ringbuf_map", "rb", map, synth_va(ring));
	synth_set(&s, "bpf_ringbuf", "mask", ring, 4095);
	synth_set(&s, "bpf_ringbuf", "consumer_pos", ring, 24);
	synth_set(&s, "bpf_ringbuf", "producer_pos", ring, UINT64_MAX);
	out = dump();
	assert_int_equal(out.n, 1);
	assert_int_equal(out.facts[0].number, 4096);
	assert_int_equal(out.facts[1].number, 24);
	assert_true(out.facts[2].number == UINT64_MAX);
	assert_false(out.facts[3].known);
	map_dump_deinit(&out);
	synth_set(&s, "bpf_ringbuf_map", "rb", map, NOWHERE);
	refused_now(KT_ERROR_FAULT, "its buffer is not mapped");
	shape(BLOOM, 0, 8, 100);
	synth_set(&s, "bpf_bloom_filter", "bitset_mask", map, 63);
	synth_set(&s, "bpf_bloom_filter", "nr_hash_funcs", map, 3);
	textmem_put_uint(s.mem, map + 96, UINT64_C(0x8000000000000013), 8);
	out = dump();
	assert_int_equal(out.facts[1].number, 64);
	assert_int_equal(out.facts[2].number, 4);
	map_dump_deinit(&out);
	synth_set(&s, "bpf_bloom_filter", "bitset_mask", map, UINT32_MAX);
	out = dump();
	assert_true(out.facts[1].number == UINT64_C(1) << 32);
	assert_false(out.facts[2].known);
	map_dump_deinit(&out);
}

/* --- arenas --- */

#define USER UINT64_C(0x7f0000000000)

static gaddr_t put_free(uint32_t first, uint32_t last)
{
	gaddr_t node = synth_alloc(&s, 48);

	synth_set(&s, "range_node", "rn_start", node, first);
	synth_set(&s, "range_node", "rn_last", node, last);
	return node;
}

/* An arena of 8 pages, which the kernel has at the returned place; 0 to 2 and 5 to 7 are free. */
static gaddr_t put_arena(gaddr_t *left, gaddr_t *right)
{
	gaddr_t vm = synth_alloc(&s, 16), pages = synth_alloc(&s, 9 * 4096);

	pages = (pages + 4095) & ~(gaddr_t)4095;
	shape(ARENA, 0, 0, 8);
	*left = put_free(0, 2);
	*right = put_free(5, 7);
	synth_set(&s, "bpf_arena", "user_vm_start", map, USER);
	synth_set(&s, "bpf_arena", "user_vm_end", map, USER + UINT64_C(8) * 4096);
	synth_set(&s, "bpf_arena", "kern_vm", map, synth_va(vm));
	textmem_put_uint(s.mem, vm, synth_va(pages) - 32768, 8);
	synth_set(&s, "bpf_arena", "rt.it_root.rb_root.rb_node", map, synth_va(*left) + 8);
	lead_node(*left + 16, *right);
	return pages;
}

static void test_arena(void **state)
{
	gaddr_t left, right, pages = put_arena(&left, &right);
	struct map_dump out;

	(void)state;
	textmem_put_uint(s.mem, pages + 4 * 4096 + 9, 0x77, 1);
	out = dump();
	assert_int_equal(out.n, 2);
	assert_int_equal(out.value_len, 4096);
	assert_int_equal(out.facts[0].number, 3);
	assert_true(out.facts[1].number == USER + 3 * 4096);
	assert_int_equal(out.facts[2].number, 4);
	assert_int_equal(out.values[4096 + 9], 0x77);
	assert_true(out.done);
	map_dump_deinit(&out);
}

/* Ranges that no arena has, and circles: what is below them is not known, so pages are as they are.
 */
static void test_arena_damaged(void **state)
{
	gaddr_t left, right;
	struct map_dump out;

	(void)state;
	put_arena(&left, &right);
	lead_node(right + 24, left); /* a circle */
	out = dump();
	assert_int_equal(out.n, 2);
	assert_int_equal(out.n_unreadable, 1);
	map_dump_deinit(&out);
	synth_set(&s, "range_node", "rn_last", right, UINT32_MAX);
	out = dump();
	assert_int_equal(out.n, 5);
	assert_int_equal(out.n_unreadable, 1);
	map_dump_deinit(&out);
	synth_set(&s, "bpf_arena", "user_vm_end", map, USER + 5);
	refused_now(KT_ERROR_FORMAT, "its range makes no sense");
	shape(ARENA, 0, 0, UINT32_MAX);
	refused_now(KT_ERROR_FORMAT, "its range makes no sense");
	synth_set(&s, "bpf_arena", "user_vm_start", map, 0);
	out = dump();
	assert_int_equal(out.n, 0);
	assert_true(out.done);
	map_dump_deinit(&out);
}

#define TEST_TYPE(name) cmocka_unit_test_setup_teardown(name, setup_types, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_TYPE(test_storage),        TEST_TYPE(test_storage_damaged),
		TEST_TYPE(test_cgroup_storage), TEST_TYPE(test_slots),
		TEST_TYPE(test_sockets),        TEST_TYPE(test_sockhash),
		TEST_TYPE(test_stacks),         TEST_TYPE(test_struct_ops),
		TEST_TYPE(test_rings),          TEST_TYPE(test_arena),
		TEST_TYPE(test_arena_damaged),
	};

	return cmocka_run_group_tests_name("map types", tests, NULL, NULL);
}
