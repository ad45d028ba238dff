// SPDX-License-Identifier: LGPL-2.1-or-later
/* The entries of a map that is being read, whatever its type: room for them, and their values. */
#include <stdlib.h>
#include <string.h>

#include "introspect/bpf_map_dump_impl.h"
#include "memory/object.h"
#include "util/cleanup.h"
#include "util/cursor.h"

/* A round trip asks for so many pieces at most: all CPUs of a machine with thousands of them. */
#define PIECES_MAX 65536u

struct kt_error *map_walk_senseless(const struct map_walk *walk, const char *why)
{
	return kt_error_new(KT_ERROR_FORMAT, "map %u cannot be read: %s", walk->order->id, why);
}

struct kt_error *map_walk_fault(const struct map_walk *walk, const char *what)
{
	return kt_error_new(KT_ERROR_FAULT, "map %u cannot be read: %s", walk->order->id, what);
}

uint64_t map_walk_room(const struct map_walk *walk, uint64_t entry_size)
{
	uint64_t values = walk->out->n_values;
	uint64_t size = entry_size + walk->out->value_len * values;
	uint64_t n = BPF_MAP_PIECE / (size ? size : 1);

	if (n > PIECES_MAX / values)
		n = PIECES_MAX / values;
	return n ? n : 1;
}

uint64_t map_walk_part(const struct map_walk *walk, uint64_t entry_size, uint64_t left)
{
	uint64_t n = map_walk_room(walk, entry_size);

	if (walk->order->max_entries && n > walk->order->max_entries)
		n = walk->order->max_entries;
	return n < left ? n : left;
}

struct kt_error *map_walk_head(struct map_walk *walk, const struct view_type *type,
			       const char *array, struct view *view, struct object *object,
			       gaddr_t *array_ret)
{
	struct gmem memory = guest_memory(walk->guest);
	struct kfacts_member member;
	struct kt_error *err = view_init(view, type, guest_facts(walk->guest));

	if (err)
		return err;
	if (array && !kfacts_member(guest_facts(walk->guest), type->name, array, &member))
		return kt_error_new(KT_ERROR_NOT_FOUND, "this kernel's struct %s has no %s",
				    type->name, array);
	if (array)
		*array_ret = walk->addr + member.offset;
	err = object_read(object, view, walk->addr, &memory);
	if (!err && !object->known)
		err = map_walk_fault(walk, "it is not mapped in the guest");
	return err;
}

struct kt_error *map_walk_slots(struct map_walk *walk, gaddr_t addr, size_t n, gaddr_t *slots)
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

static size_t values_size(const struct map_walk *walk)
{
	return walk->out->n_values * walk->out->value_len;
}

static bool grow(void *array, size_t size, size_t n, size_t more)
{
	char *p = realloc(*(void **)array, (n + more) * size + 1);

	if (!p)
		return false;
	memset(p + n * size, 0, more * size + 1);
	*(void **)array = p;
	return true;
}

bool map_walk_grow(struct map_walk *walk, size_t n)
{
	struct map_dump *out = walk->out;

	if (!grow(&out->keys, out->key_len, out->n, n) ||
	    !grow(&out->values, values_size(walk), out->n, n) ||
	    !grow(&out->states, sizeof(*out->states), out->n, n) ||
	    !grow(&out->facts, sizeof(*out->facts) * out->n_facts, out->n, n))
		return false;
	out->n += n;
	return true;
}

uint8_t *map_walk_key(const struct map_walk *walk, size_t i)
{
	return walk->out->keys + i * walk->out->key_len;
}

uint8_t *map_walk_value(const struct map_walk *walk, size_t i)
{
	return walk->out->values + i * values_size(walk);
}

struct map_fact *map_walk_facts(const struct map_walk *walk, size_t i)
{
	return walk->out->facts + i * walk->out->n_facts;
}

/* Only what is there so far stays there. */
static void set_state(struct map_dump *out, size_t i, bool there)
{
	if (!there && out->states[i] == MAP_THERE)
		out->states[i] = MAP_UNREADABLE;
}

struct kt_error *map_walk_values(struct map_walk *walk, size_t first, const gaddr_t *values)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	struct map_dump *out = walk->out;
	struct kt_error *err;

	for (size_t i = first; i < out->n; i++)
		if (!gmem_batch_add(&batch, values[i - first], map_walk_value(walk, i),
				    out->value_len))
			return kt_error_no_memory();
	err = guest_read(walk->guest, &batch);
	for (size_t i = first; i < out->n && !err; i++)
		set_state(out, i, !gmem_batch_fault(&batch, i - first, i - first + 1));
	return err;
}

static struct kt_error *follow_percpu(struct map_walk *walk, size_t first, const gaddr_t *slots)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	struct map_dump *out = walk->out;
	size_t cpus = out->n_values;
	struct kt_error *err;

	for (size_t i = first; i < out->n; i++)
		for (size_t cpu = 0; cpu < cpus; cpu++)
			if (!gmem_batch_add(
				    &batch, slots[i - first] + walk->percpu.offsets.data[cpu],
				    map_walk_value(walk, i) + cpu * out->value_len, out->value_len))
				return kt_error_no_memory();
	err = guest_read(walk->guest, &batch);
	for (size_t i = first; i < out->n && !err; i++)
		set_state(out, i,
			  slots[i - first] && !gmem_batch_fault(&batch, (i - first) * cpus,
								(i - first + 1) * cpus));
	return err;
}

struct kt_error *map_walk_numbers(struct map_walk *walk, const char *type, const char *path,
				  const gaddr_t *from, uint64_t *to, bool *there, size_t n)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	_cleanup_free_ uint8_t *raw = calloc(n + 1, 8);
	struct kfacts_member member;
	struct kt_error *err;
	size_t at = 0;

	if (!kfacts_member(guest_facts(walk->guest), type, path, &member) || member.size > 8)
		return kt_error_new(KT_ERROR_NOT_FOUND, "this kernel's struct %s has no %s", type,
				    path);
	if (!raw)
		return kt_error_no_memory();
	for (size_t i = 0; i < n; i++)
		if (from[i] &&
		    !gmem_batch_add(&batch, from[i] + member.offset, raw + i * 8, member.size))
			return kt_error_no_memory();
	err = guest_read(walk->guest, &batch);
	for (size_t i = 0; i < n && !err; i++) {
		bool known = from[i] && !gmem_batch_fault(&batch, at, at + 1);

		at += from[i] != 0;
		there[i] = known;
		to[i] = known ? kt_load_uint(raw + i * 8, member.size, walk->out->big_endian) : 0;
	}
	return err;
}

/* Takes the entries out whose slot is empty. */
static void drop_empty(struct map_walk *walk, size_t first, const gaddr_t *slots)
{
	struct map_dump *out = walk->out;
	size_t kept = first;

	for (size_t i = first; i < out->n; i++) {
		if (!slots[i - first])
			continue;
		memmove(map_walk_key(walk, kept), map_walk_key(walk, i), out->key_len);
		memmove(map_walk_value(walk, kept), map_walk_value(walk, i), values_size(walk));
		out->states[kept++] = out->states[i];
	}
	out->n = kept;
}

void map_walk_store(uint8_t *to, uint64_t value, size_t size, bool big_endian)
{
	for (size_t i = 0; i < size; i++)
		to[big_endian ? size - 1 - i : i] = (uint8_t)(value >> 8 * i);
}

/* The IDs, in the bytes that a lookup gives (bpf_fd_array_map_lookup_elem()). */
static struct kt_error *follow_objects(struct map_walk *walk, size_t first, const gaddr_t *slots)
{
	size_t n = walk->out->n - first;
	_cleanup_free_ uint64_t *ids = calloc(n + 1, sizeof(*ids));
	_cleanup_free_ bool *there = calloc(n + 1, sizeof(*there));
	struct kt_error *err = NULL;

	if (!ids || !there)
		return kt_error_no_memory();
	if (walk->content == MAP_PROGRAMS) {
		err = map_walk_numbers(walk, "bpf_prog", "aux", slots, ids, there, n);
		if (!err)
			err = map_walk_numbers(walk, "bpf_prog_aux", "id", ids, ids, there, n);
	} else {
		err = map_walk_numbers(walk, "bpf_map", "id", slots, ids, there, n);
	}
	if (err)
		return err;
	for (size_t i = 0; i < n; i++) {
		/* A pointer to what has no ID was no pointer to an object, or to one that dies. */
		set_state(walk->out, first + i, there[i] && ids[i]);
		map_walk_store(map_walk_value(walk, first + i), ids[i], 4, walk->out->big_endian);
	}
	drop_empty(walk, first, slots);
	return NULL;
}

struct kt_error *map_walk_follow(struct map_walk *walk, size_t first, const gaddr_t *slots)
{
	return walk->content == MAP_PER_CPU ? follow_percpu(walk, first, slots)
					    : follow_objects(walk, first, slots);
}
