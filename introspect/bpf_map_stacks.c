// SPDX-License-Identifier: LGPL-2.1-or-later
/* Stack traces (kernel/bpf/stackmap.c): a bucket for each ID, whose value is addresses. */
#include <stdlib.h>
#include <string.h>

#include "introspect/bpf_map_dump_impl.h"
#include "util/cleanup.h"

#define BUILD_ID_FLAG (1u << 5) /* BPF_F_STACK_BUILD_ID */
#define ADDRESS_SIZE  8
#define BUILD_ID_SIZE 32 /* struct bpf_stack_build_id */

static const struct view_field stack_fields[] = {{.path = "n_buckets"}};
static const struct view_type stack_view = VIEW_TYPE("bpf_stack_map", stack_fields);

bool map_stacks_wants(struct wants *wants)
{
	return view_wants(&stack_view, wants) &&
	       wants_add(wants, KFACTS_MEMBER, "bpf_stack_map", "buckets", true) &&
	       wants_add(wants, KFACTS_MEMBER, "stack_map_bucket", "nr", true) &&
	       wants_add(wants, KFACTS_MEMBER, "stack_map_bucket", "hash", true) &&
	       wants_add(wants, KFACTS_MEMBER, "stack_map_bucket", "data", true);
}

/*
 * The stacks: what lies behind the last address of one is of a stack before it, and a lookup gives
 * zeroes. A bucket whose hash belongs to another ID is no bucket.
 */
static struct kt_error *read_stacks(struct map_walk *walk, uint64_t n_buckets,
				    const gaddr_t *buckets, const uint64_t *ids)
{
	size_t n = walk->out->n, size = ADDRESS_SIZE;
	_cleanup_free_ uint64_t *numbers = calloc(n + 1, sizeof(*numbers));
	_cleanup_free_ uint64_t *hashes = calloc(n + 1, sizeof(*hashes));
	_cleanup_free_ gaddr_t *data = calloc(n + 1, sizeof(*data));
	_cleanup_free_ bool *there = calloc(n + 1, sizeof(*there));
	struct kfacts_member member;
	struct kt_error *err;

	if (!numbers || !hashes || !data || !there)
		return kt_error_no_memory();
	if (!kfacts_member(guest_facts(walk->guest), "stack_map_bucket", "data", &member))
		return kt_error_new(KT_ERROR_NOT_FOUND,
				    "this kernel's struct stack_map_bucket has no data");
	for (size_t i = 0; i < n; i++)
		data[i] = buckets[i] + member.offset;
	if (walk->out->map.flags.value & BUILD_ID_FLAG)
		size = BUILD_ID_SIZE;
	err = map_walk_numbers(walk, "stack_map_bucket", "nr", buckets, numbers, there, n);
	if (!err)
		err = map_walk_numbers(walk, "stack_map_bucket", "hash", buckets, hashes, there, n);
	if (!err)
		err = map_walk_values(walk, 0, data);
	for (size_t i = 0; i < n && !err; i++) {
		size_t len = walk->out->value_len;

		if (!there[i] || numbers[i] > len / size || (hashes[i] & (n_buckets - 1)) != ids[i])
			walk->out->states[i] = MAP_UNREADABLE;
		else
			memset(map_walk_value(walk, i) + numbers[i] * size, 0,
			       len - numbers[i] * size);
	}
	return err;
}

struct kt_error *map_stacks_read(struct map_walk *walk)
{
	_cleanup_(object_deinit) struct object object = {0};
	_cleanup_free_ gaddr_t *slots = NULL;
	_cleanup_free_ uint64_t *ids = NULL;
	uint64_t first = walk->order->first, n_buckets, n;
	size_t found = 0;
	gaddr_t buckets = 0;
	struct view view;
	struct kt_error *err = map_walk_head(walk, &stack_view, "buckets", &view, &object,
					     &buckets);

	if (err)
		return err;
	n_buckets = view_uint(&view, object.image, 0);
	if (walk->key_size != 4 || !n_buckets || n_buckets & (n_buckets - 1) ||
	    n_buckets / 2 > walk->max_entries)
		return map_walk_senseless(walk, "its number of buckets makes no sense");
	n = map_walk_part(walk, MAP_POINTER_SIZE, first < n_buckets ? n_buckets - first : 0);
	slots = calloc((size_t)n + 1, sizeof(*slots));
	ids = calloc((size_t)n + 1, sizeof(*ids));
	if (!slots || !ids)
		return kt_error_no_memory();
	err = map_walk_slots(walk, buckets + first * MAP_POINTER_SIZE, (size_t)n, slots);
	for (size_t i = 0; i < n && !err; i++) {
		if (!slots[i])
			continue;
		if (!map_walk_grow(walk, 1))
			return kt_error_no_memory();
		map_walk_store(map_walk_key(walk, found), first + i, 4, walk->out->big_endian);
		ids[found] = first + i;
		slots[found++] = slots[i];
	}
	walk->out->next = first + n;
	walk->out->done = walk->out->next >= n_buckets;
	return err ? err : read_stacks(walk, n_buckets, slots, ids);
}
