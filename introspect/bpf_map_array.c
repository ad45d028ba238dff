// SPDX-License-Identifier: LGPL-2.1-or-later
/* Arrays (kernel/bpf/arraymap.c), queues and stacks (kernel/bpf/queue_stack_maps.c). */
#include <stdlib.h>

#include "introspect/bpf_map_dump_impl.h"
#include "memory/object.h"
#include "util/cleanup.h"
#include "util/cursor.h"

static const struct view_field array_fields[] = {{.path = "elem_size"}};
static const struct view_type array_view = VIEW_TYPE("bpf_array", array_fields);

enum { QUEUE_HEAD, QUEUE_TAIL, QUEUE_SIZE };
static const struct view_field queue_fields[] = {
	[QUEUE_HEAD] = {.path = "head"},
	[QUEUE_TAIL] = {.path = "tail"},
	[QUEUE_SIZE] = {.path = "size"},
};
static const struct view_type queue_view = VIEW_TYPE("bpf_queue_stack", queue_fields);

/* The values are a flexible array: a member without a size, which no view reads. */
bool map_array_wants(struct wants *wants)
{
	return view_wants(&array_view, wants) &&
	       wants_add(wants, KFACTS_MEMBER, "bpf_array", "value", true);
}

bool map_queue_wants(struct wants *wants)
{
	return view_wants(&queue_view, wants) &&
	       wants_add(wants, KFACTS_MEMBER, "bpf_queue_stack", "elements", true);
}

struct kt_error *map_array_read(struct map_walk *walk)
{
	bool inlined = walk->content == MAP_VALUES;
	_cleanup_(object_deinit) struct object object = {0};
	_cleanup_free_ gaddr_t *addrs = NULL;
	uint64_t first = walk->order->first, n, elem;
	gaddr_t values = 0;
	struct view view;
	struct kt_error *err = map_walk_head(walk, &array_view, "value", &view, &object, &values);

	if (err)
		return err;
	/* Since 6.2 the elements of a per-CPU array have a size of their own; its pointers do not.
	 */
	elem = inlined ? view_uint(&view, object.image, 0) : MAP_POINTER_SIZE;
	if (walk->key_size != 4 || elem < (inlined ? walk->value_size : 1))
		return map_walk_senseless(walk, "it is no array");
	n = first < walk->max_entries ? walk->max_entries - first : 0;
	n = map_walk_part(walk, MAP_POINTER_SIZE, n);
	addrs = calloc((size_t)n + 1, sizeof(*addrs));
	if (!addrs || !map_walk_grow(walk, (size_t)n))
		return kt_error_no_memory();
	for (size_t i = 0; i < n; i++) {
		map_walk_store(map_walk_key(walk, i), first + i, 4, walk->out->big_endian);
		addrs[i] = values + (first + i) * elem;
	}
	walk->out->next = first + n;
	walk->out->done = walk->out->next >= walk->max_entries;
	if (inlined)
		return map_walk_values(walk, 0, addrs);
	err = map_walk_slots(walk, values + first * elem, (size_t)n, addrs);
	return err ? err : map_walk_follow(walk, 0, addrs);
}

/* Oldest first for a queue, newest first for a stack: the order in which pops would give them. */
static struct kt_error *read_ring(struct map_walk *walk, bool newest_first)
{
	_cleanup_(object_deinit) struct object object = {0};
	_cleanup_free_ gaddr_t *addrs = NULL;
	uint64_t first = walk->order->first, head, tail, size, len, n;
	gaddr_t elements = 0;
	struct view view;
	struct kt_error *err = map_walk_head(walk, &queue_view, "elements", &view, &object,
					     &elements);

	if (err)
		return err;
	head = view_uint(&view, object.image, QUEUE_HEAD);
	tail = view_uint(&view, object.image, QUEUE_TAIL);
	size = view_uint(&view, object.image, QUEUE_SIZE);
	if (walk->key_size || size != walk->max_entries + 1 || head >= size || tail >= size)
		return map_walk_senseless(walk, "its head and tail make no sense");
	len = head >= tail ? head - tail : head + size - tail;
	n = map_walk_part(walk, 0, first < len ? len - first : 0);
	addrs = calloc((size_t)n + 1, sizeof(*addrs));
	if (!addrs || !map_walk_grow(walk, (size_t)n))
		return kt_error_no_memory();
	for (size_t i = 0; i < n; i++) {
		uint64_t at = newest_first ? head + size - 1 - (first + i) : tail + first + i;

		addrs[i] = elements + at % size * walk->value_size;
	}
	walk->out->next = first + n;
	walk->out->done = walk->out->next >= len;
	return map_walk_values(walk, 0, addrs);
}

struct kt_error *map_queue_read(struct map_walk *walk)
{
	return read_ring(walk, false);
}

struct kt_error *map_stack_read(struct map_walk *walk)
{
	return read_ring(walk, true);
}
