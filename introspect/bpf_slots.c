// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdlib.h>
#include <string.h>

#include "introspect/bpf_idr.h"
#include "introspect/bpf_ids.h"
#include "introspect/bpf_slots.h"
#include "util/cleanup.h"
#include "util/cursor.h"

#define POINTER_SIZE 8u /* 64-bit kernels */
/* Of all maps together: half a megabyte. Maps beyond it are counted, and not read. */
#define MAX_SLOTS 65536u

enum { MAP_REFCNT, MAP_ID, MAP_TYPE, MAP_ENTRIES };
static const struct view_field map_fields[] = {
	[MAP_REFCNT] = {.path = "refcnt.counter", .optional = true},
	[MAP_ID] = {.path = "id"},
	[MAP_TYPE] = {.path = "map_type"},
	[MAP_ENTRIES] = {.path = "max_entries"},
};
static const struct view_type map_view = VIEW_TYPE("bpf_map", map_fields);
static const struct bpf_idr_type map_idr = {
	.symbol = "map_idr", .view = &map_view, .id = MAP_ID, .refcnt = MAP_REFCNT};

static const struct {
	const char *type; /* of the map */
	enum held_kind to;
} kinds[] = {
	{"BPF_MAP_TYPE_PROG_ARRAY", HELD_PROG},
	{"BPF_MAP_TYPE_ARRAY_OF_MAPS", HELD_MAP},
};

/* A map with slots. */
struct array {
	uint32_t id, n;
	enum held_kind to;
	gaddr_t at;
	uint8_t *slots;
};

struct search {
	struct bpf_idr idr;
	KT_VEC(struct array) arrays;
	KT_VEC(gaddr_t) objects; /* of each slot of the result */
};

bool bpf_slots_wants(struct wants *wants)
{
	return bpf_idr_wants(&map_idr, wants) && bpf_ids_wants(wants) &&
	       wants_add(wants, KFACTS_ENUM, "bpf_map_type", NULL, true) &&
	       wants_add(wants, KFACTS_MEMBER, "bpf_array", "map", true) &&
	       wants_add(wants, KFACTS_MEMBER, "bpf_array", "ptrs", true);
}

static struct kt_error *find_layout(const struct kfacts *facts, uint64_t *ret)
{
	struct kfacts_member map, ptrs;

	if (!kfacts_member(facts, "bpf_array", "map", &map) ||
	    !kfacts_member(facts, "bpf_array", "ptrs", &ptrs))
		return kt_error_new(KT_ERROR_NOT_FOUND, "this kernel's struct bpf_array has no "
							"slots");
	*ret = (uint64_t)ptrs.offset - map.offset;
	return NULL;
}

struct kt_error *bpf_slots_check(const struct kfacts *facts)
{
	struct kt_error *err = bpf_idr_check(&map_idr, facts);

	return err ? err : find_layout(facts, &(uint64_t){0});
}

static void search_deinit(struct search *search)
{
	kt_vec_for_each (&search->arrays, array)
		free(array->slots);
	kt_vec_free(&search->arrays);
	kt_vec_free(&search->objects);
	bpf_idr_deinit(&search->idr);
}

/* The slots of a map that are wanted; NULL: it has none. */
static const enum held_kind *kind_of(const struct kfacts *facts, uint64_t type)
{
	const char *name = kfacts_enum_name(facts, "bpf_map_type", (int64_t)type);

	for (size_t i = 0; name && i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(name, kinds[i].type) == 0)
			return &kinds[i].to;
	return NULL;
}

static struct kt_error *find_arrays(struct search *search, const struct kfacts *facts,
				    uint64_t offset, struct slots *out)
{
	const struct view *view = &search->idr.view;
	size_t left = MAX_SLOTS;

	for (size_t i = 0; i < search->idr.n; i++) {
		const struct bpf_idr_entry *entry = &search->idr.entries[i];
		struct array array = {.id = (uint32_t)entry->index, .at = entry->addr + offset};
		const enum held_kind *to;

		if (bpf_idr_state(&search->idr, entry) != BPF_IDR_HERE)
			continue;
		to = kind_of(facts, view_uint(view, entry->image, MAP_TYPE));
		if (!to)
			continue;
		array.to = *to;
		array.n = (uint32_t)view_uint(view, entry->image, MAP_ENTRIES);
		if (array.n > left) {
			out->n_unreadable++;
			continue;
		}
		left -= array.n;
		array.slots = calloc(array.n + 1, POINTER_SIZE);
		if (!array.slots || !kt_vec_push(&search->arrays, array)) {
			free(array.slots);
			return kt_error_no_memory();
		}
	}
	return NULL;
}

static struct kt_error *take_array(struct search *search, const struct array *array,
				   bool big_endian, struct slots *out)
{
	for (uint32_t i = 0; i < array->n; i++) {
		gaddr_t object = kt_load_uint(array->slots + i * POINTER_SIZE, POINTER_SIZE,
					      big_endian);

		if (!object)
			continue;
		out->all[out->n++] = (struct slot){
			.map_id = array->id, .index = i, .to.kind = array->to};
		if (!kt_vec_push(&search->objects, object))
			return kt_error_no_memory();
	}
	return NULL;
}

static struct kt_error *read_arrays(struct search *search, struct guest *guest, struct slots *out)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch batch = {0};
	bool big_endian = kfacts_kernel(guest_facts(guest))->big_endian;
	struct kt_error *err;
	size_t total = 0, piece = 0;

	kt_vec_for_each (&search->arrays, array) {
		total += array->n;
		if (!gmem_batch_add(&batch, array->at, array->slots, array->n * POINTER_SIZE))
			return kt_error_no_memory();
	}
	out->all = calloc(total + 1, sizeof(*out->all));
	if (!out->all)
		return kt_error_no_memory();
	err = guest_read(guest, &batch);
	kt_vec_for_each (&search->arrays, array) {
		if (err)
			break;
		if (!array->n) /* nothing was read of it */
			continue;
		if (batch.reads.data[piece++].fault)
			out->n_unreadable++;
		else
			err = take_array(search, array, big_endian, out);
	}
	return err;
}

static struct kt_error *read_objects(struct search *search, struct guest *guest, struct slots *out)
{
	_cleanup_(bpf_ids_deinit) struct bpf_ids ids = {0};
	struct kt_error *err;

	for (size_t i = 0; i < out->n; i++)
		if (!bpf_ids_add(&ids, out->all[i].to.kind, search->objects.data[i]))
			return kt_error_no_memory();
	err = bpf_ids_read(&ids, guest);
	for (size_t i = 0; i < out->n && !err; i++) {
		struct slot *slot = &out->all[i];

		slot->known = bpf_ids_find(&ids, slot->to.kind, search->objects.data[i],
					   &slot->to.id);
		out->n_unreadable += !slot->known;
	}
	return err;
}

struct kt_error *bpf_slots_read(struct guest *guest, struct slots *ret)
{
	_cleanup_(search_deinit) struct search search = {0};
	_cleanup_(slots_deinit) struct slots out = {0};
	uint64_t offset;
	struct kt_error *err = find_layout(guest_facts(guest), &offset);

	if (!err)
		err = bpf_idr_read(guest, &map_idr, &search.idr);
	if (err)
		return err;
	out.n_unreadable += search.idr.damaged;
	err = find_arrays(&search, guest_facts(guest), offset, &out);
	if (!err)
		err = read_arrays(&search, guest, &out);
	if (!err)
		err = read_objects(&search, guest, &out);
	if (err)
		return err;
	*ret = out;
	out = (struct slots){0};
	return NULL;
}
