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

/* Reads the struct that the map begins, and finds where its flexible array is. */
static struct kt_error *read_head(struct map_walk *walk, const struct view_type *type,
				  const char *array, struct view *view, struct object *object,
				  gaddr_t *array_ret)
{
	struct gmem memory = guest_memory(walk->guest);
	struct kfacts_member member;
	struct kt_error *err = view_init(view, type, guest_facts(walk->guest));

	if (err)
		return err;
	if (!kfacts_member(guest_facts(walk->guest), type->name, array, &member))
		return kt_error_new(KT_ERROR_NOT_FOUND, "this kernel's struct %s has no %s",
				    type->name, array);
	*array_ret = walk->addr + member.offset;
	err = object_read(object, view, walk->addr, &memory);
	if (!err && !object->known)
		err = map_walk_fault(walk, "it is not mapped in the guest");
	return err;
}

/* The pointers that an array of n has from addr on. One that cannot be read is an entry unreadable.
 */
static struct kt_error *read_slots(struct map_walk *walk, gaddr_t addr, size_t n, gaddr_t *slots)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	_cleanup_free_ uint8_t *raw = calloc(n + 1, MAP_POINTER_SIZE);
	struct kt_error *err;

	if (!raw)
		return kt_error_no_memory();
	if (!gmem_batch_add(&batch, addr, raw, n * MAP_POINTER_SIZE))
		return kt_error_no_memory();
	err = guest_read(walk->guest, &batch);
	if (!err && gmem_batch_fault(&batch, 0, batch.reads.len))
		err = map_walk_fault(walk, "its pointers are not mapped in the guest");
	for (size_t i = 0; i < n && !err; i++)
		slots[i] = kt_load_uint(raw + i * MAP_POINTER_SIZE, MAP_POINTER_SIZE,
					walk->out->big_endian);
	return err;
}

static void put_index(uint8_t *key, uint64_t index, bool big_endian)
{
	for (size_t i = 0; i < 4; i++)
		key[big_endian ? 3 - i : i] = (uint8_t)(index >> 8 * i);
}

struct kt_error *map_array_read(struct map_walk *walk)
{
	bool inlined = walk->content == MAP_VALUES;
	_cleanup_(object_deinit) struct object object = {0};
	_cleanup_free_ gaddr_t *addrs = NULL;
	uint64_t first = walk->order->first, n, elem;
	gaddr_t values = 0;
	struct view view;
	struct kt_error *err = read_head(walk, &array_view, "value", &view, &object, &values);

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
		put_index(map_walk_key(walk, i), first + i, walk->out->big_endian);
		addrs[i] = values + (first + i) * elem;
	}
	walk->out->next = first + n;
	walk->out->done = walk->out->next >= walk->max_entries;
	if (inlined)
		return map_walk_values(walk, 0, addrs);
	err = read_slots(walk, values + first * elem, (size_t)n, addrs);
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
	struct kt_error *err = read_head(walk, &queue_view, "elements", &view, &object, &elements);

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
