// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Maps that have no entries: ring buffers (kernel/bpf/ringbuf.c) and Bloom filters
 * (bloom_filter.c). What is told of them is one entry, which has facts and no value.
 */
#include <stdlib.h>

#include "introspect/bpf_map_dump_impl.h"
#include "util/cleanup.h"

static const struct view_field map_fields[] = {{.path = "rb"}};
static const struct view_type map_view = VIEW_TYPE("bpf_ringbuf_map", map_fields);

enum { RING_MASK, RING_CONSUMER, RING_PRODUCER, RING_PENDING, RING_OVERWRITE };
static const struct view_field ring_fields[] = {
	[RING_MASK] = {.path = "mask"},
	[RING_CONSUMER] = {.path = "consumer_pos"},
	[RING_PRODUCER] = {.path = "producer_pos"},
	/* Since 6.10, and stable releases before it. */
	[RING_PENDING] = {.path = "pending_pos", .optional = true},
	[RING_OVERWRITE] = {.path = "overwrite_pos", .optional = true}, /* since 6.19 */
};
static const struct view_type ring_view = VIEW_TYPE("bpf_ringbuf", ring_fields);

enum { BLOOM_MASK, BLOOM_HASHES };
static const struct view_field bloom_fields[] = {
	[BLOOM_MASK] = {.path = "bitset_mask"},
	[BLOOM_HASHES] = {.path = "nr_hash_funcs"},
};
static const struct view_type bloom_view = VIEW_TYPE("bpf_bloom_filter", bloom_fields);

bool map_rings_wants(struct wants *wants)
{
	return view_wants(&map_view, wants) && view_wants(&ring_view, wants) &&
	       view_wants(&bloom_view, wants) &&
	       wants_add(wants, KFACTS_MEMBER, "bpf_bloom_filter", "bitset", true);
}

/* The one entry, with the facts of this name. */
static struct kt_error *begin(struct map_walk *walk, const char *of,
			      const struct map_fact_type *types, size_t n)
{
	walk->out->facts_of = of;
	walk->out->fact_types = types;
	walk->out->n_facts = n;
	walk->out->done = true;
	return map_walk_grow(walk, 1) ? NULL : kt_error_no_memory();
}

/* Positions only grow; the place of one in the buffer is its remainder by the size. */
struct kt_error *map_ringbuf_read(struct map_walk *walk)
{
	static const struct map_fact_type types[] = {
		{"size", 0, 0},        {"consumer_pos", 0, 0},  {"producer_pos", 0, 0},
		{"pending_pos", 0, 0}, {"overwrite_pos", 0, 0},
	};
	_cleanup_(object_deinit) struct object map = {0}, ring = {0};
	struct gmem memory = guest_memory(walk->guest);
	struct view map_v, ring_v;
	struct kt_error *err = map_walk_head(walk, &map_view, NULL, &map_v, &map, NULL);

	if (!err)
		err = view_init(&ring_v, &ring_view, guest_facts(walk->guest));
	if (!err)
		err = object_read(&ring, &ring_v, view_uint(&map_v, map.image, 0), &memory);
	if (!err && !ring.known)
		err = map_walk_fault(walk, "its buffer is not mapped in the guest");
	if (!err)
		err = begin(walk, "ringbuf", types, sizeof(types) / sizeof(types[0]));
	for (unsigned int i = 0; i < sizeof(types) / sizeof(types[0]) && !err; i++)
		map_walk_facts(walk, 0)[i] = (struct map_fact){
			.known = view_has(&ring_v, i),
			.number = view_uint(&ring_v, ring.image, i) + (i == RING_MASK)};
	return err;
}

/* How many bits are set. Unknown: there are more than one stop should read. */
static struct kt_error *count_bits(struct map_walk *walk, gaddr_t bits, uint64_t n,
				   struct map_fact *ret)
{
	size_t len = (size_t)((n + 7) / 8);
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	_cleanup_free_ uint8_t *bytes = NULL;
	struct kt_error *err;

	if (len > BPF_MAP_PIECE)
		return NULL;
	bytes = calloc(1, len + 1);
	if (!bytes || !gmem_batch_add(&batch, bits, bytes, len))
		return kt_error_no_memory();
	err = guest_read(walk->guest, &batch);
	if (err || gmem_batch_fault(&batch, 0, batch.reads.len))
		return err;
	ret->known = true;
	for (size_t i = 0; i < len; i++)
		ret->number += (unsigned int)__builtin_popcount(bytes[i]);
	return NULL;
}

struct kt_error *map_bloom_read(struct map_walk *walk)
{
	static const struct map_fact_type types[] = {
		{"hash_funcs", 0, 0}, {"bits", 0, 0}, {"bits_set", 0, 0}};
	_cleanup_(object_deinit) struct object object = {0};
	struct map_fact *facts;
	struct view view;
	gaddr_t bits = 0;
	uint64_t n;
	struct kt_error *err = map_walk_head(walk, &bloom_view, "bitset", &view, &object, &bits);

	if (!err)
		err = begin(walk, "bloom_filter", types, sizeof(types) / sizeof(types[0]));
	if (err)
		return err;
	n = view_uint(&view, object.image, BLOOM_MASK) + 1;
	facts = map_walk_facts(walk, 0);
	facts[0] = (struct map_fact){true, view_uint(&view, object.image, BLOOM_HASHES), ""};
	facts[1] = (struct map_fact){true, n, ""};
	return count_bits(walk, bits, n, &facts[2]);
}
