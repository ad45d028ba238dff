/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A synthetic kernel with one map, whose contents are read. Include once, after cmocka.h. */
#ifndef KT_TESTS_INTROSPECT_ONE_MAP_H
#define KT_TESTS_INTROSPECT_ONE_MAP_H

#include "introspect/inspect.h"
#include "tests/introspect/walk.h"

#define MAP_IDR 0x0b00100
#define ID      5

static gaddr_t leaf, map;

static inline int setup_map(void **state)
{
	static const struct {
		const char *type, *path;
		uint32_t offset, size;
	} members[] = {
		{"bpf_map", "refcnt.counter", 8, 8}, {"bpf_map", "map_type", 16, 4},
		{"bpf_map", "name", 32, 16},         {"bpf_map", "map_flags", 48, 4},
		{"bpf_map", "key_size", 52, 4},      {"bpf_map", "value_size", 56, 4},
		{"bpf_map", "max_entries", 60, 4},   {"bpf_map", "btf", 72, 8},
		{"bpf_array", "elem_size", 80, 4},   {"bpf_array", "value", 96, 0},
		{"bpf_htab", "buckets", 80, 8},      {"bpf_htab", "n_buckets", 88, 4},
		{"bpf_htab", "elem_size", 92, 4},    {"htab_elem", "hash_node.next", 0, 8},
		{"htab_elem", "hash", 16, 4},        {"htab_elem", "key", 24, 0},
		{"bucket", "head.first", 0, 8},      {"lpm_trie", "root", 80, 8},
		{"lpm_trie_node", "child", 0, 16},   {"lpm_trie_node", "prefixlen", 16, 4},
		{"lpm_trie_node", "flags", 20, 4},   {"lpm_trie_node", "data", 24, 0},
		{"bpf_queue_stack", "head", 80, 4},  {"bpf_queue_stack", "tail", 84, 4},
		{"bpf_queue_stack", "size", 88, 4},  {"bpf_queue_stack", "elements", 96, 0},
	};

	setup(state);
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		fake_member(&s.facts, members[i].type, members[i].path, members[i].offset,
			    members[i].size);
	fake_size(&s.facts, "bucket", 16);
	fake_enum(&s.facts, "bpf_map_type", "BPF_MAP_TYPE_HASH", 1);
	fake_enum(&s.facts, "bpf_map_type", "BPF_MAP_TYPE_ARRAY", 2);
	fake_enum(&s.facts, "bpf_map_type", "BPF_MAP_TYPE_PROG_ARRAY", 3);
	fake_enum(&s.facts, "bpf_map_type", "BPF_MAP_TYPE_LPM_TRIE", 11);
	fake_enum(&s.facts, "bpf_map_type", "BPF_MAP_TYPE_QUEUE", 22);
	fake_enum(&s.facts, "bpf_map_type", "BPF_MAP_TYPE_LATER", 98);
	fake_symbol(&s.facts, "map_idr", SYNTH_TEXT + MAP_IDR);
	leaf = synth_alloc(&s, 40 + 512);
	textmem_printf(s.mem, "@%#llx %#llx\n", (unsigned long long)SYNTH_IMAGE + MAP_IDR + 8,
		       (unsigned long long)synth_va(leaf) | 2);
	map = synth_alloc(&s, 4096);
	textmem_put_uint(s.mem, leaf + 40 + 8 * ID, synth_va(map), 8);
	synth_set(&s, "bpf_map", "refcnt.counter", map, 1);
	synth_set(&s, "bpf_map", "id", map, ID);
	return 0;
}

static inline void shape(uint32_t type, uint32_t key, uint32_t value, uint32_t n)
{
	synth_set(&s, "bpf_map", "map_type", map, type);
	synth_set(&s, "bpf_map", "key_size", map, key);
	synth_set(&s, "bpf_map", "value_size", map, value);
	synth_set(&s, "bpf_map", "max_entries", map, n);
}

static inline struct kt_error *try_dump(const struct map_dump_order *order, struct map_dump *ret)
{
	struct guest *guest;
	struct kt_error *err;

	synth_cpu(&s);
	assert_null(synth_guest(&s, &guest));
	err = bpf_map_dump_read(guest, order, ret);
	guest_destroy(guest);
	return err;
}

static inline struct map_dump dump(void)
{
	const struct map_dump_order order = {.id = ID, .large = true};
	struct map_dump ret;
	struct kt_error *err = try_dump(&order, &ret);

	if (err)
		fail_msg("%s", kt_error_message(err));
	return ret;
}

static inline void refused(const struct map_dump_order *order, enum kt_error_code code,
			   const char *words)
{
	struct map_dump ret;
	struct kt_error *err = try_dump(order, &ret);

	assert_non_null(err);
	assert_int_equal(kt_error_code(err), code);
	if (!strstr(kt_error_message(err), words))
		fail_msg("%s", kt_error_message(err));
	kt_error_destroy(err);
}

static inline void refused_now(enum kt_error_code code, const char *words)
{
	refused(&(struct map_dump_order){.id = ID, .large = true}, code, words);
}

/* A pointer. */
static inline void lead(gaddr_t from, gaddr_t to)
{
	textmem_put_uint(s.mem, from, synth_va(to), 8);
}

#define TEST_MAP(name) cmocka_unit_test_setup_teardown(name, setup_map, teardown)

#endif
