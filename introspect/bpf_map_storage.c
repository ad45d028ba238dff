// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Values that belong to tasks, inodes, sockets and cgroups (kernel/bpf/bpf_local_storage.c). A map
 * has each of its elements on one of its lists. User space names an owner by a descriptor, which is
 * nowhere in memory, and so a dump has no keys. The older storage of cgroups
 * (kernel/bpf/local_storage.c) has them.
 */
#include <stdlib.h>
#include <string.h>

#include "introspect/bpf_map_lists.h"
#include "util/cleanup.h"

/* Elements in one stop, without --max-entries; and bytes of their values. */
#define ELEMS_MAX      65536
#define BYTES_MAX      (64u << 20)
#define BUCKET_LOG_MAX 20 /* of the number of possible CPUs, and a little more */

enum { SMAP_BUCKETS, SMAP_LOG };
static const struct view_field smap_fields[] = {
	[SMAP_BUCKETS] = {.path = "buckets"},
	[SMAP_LOG] = {.path = "bucket_log"},
};
static const struct view_type smap_view = VIEW_TYPE("bpf_local_storage_map", smap_fields);

enum { SELEM_NEXT, SELEM_STORAGE, SELEM_MAP };
static const struct view_field selem_fields[] = {
	[SELEM_NEXT] = {.path = "map_node.next"},
	[SELEM_STORAGE] = {.path = "local_storage"},
	[SELEM_MAP] = {.path = "sdata.smap"},
};
static const struct view_type selem_view = VIEW_TYPE("bpf_local_storage_elem", selem_fields);

#define BUCKET "bpf_local_storage_map_bucket"

enum { CGROUP_NEXT, CGROUP_MAP, CGROUP_BUF, CGROUP_KEY };
static const struct view_field cgroup_fields[] = {
	[CGROUP_NEXT] = {.path = "list_map.next"},
	[CGROUP_MAP] = {.path = "map"},
	[CGROUP_BUF] = {.path = "buf"},
	[CGROUP_KEY] = {.path = "key", .max = 16},
};
static const struct view_type cgroup_view = VIEW_TYPE("bpf_cgroup_storage", cgroup_fields);

bool map_storage_wants(struct wants *wants)
{
	return view_wants(&smap_view, wants) && view_wants(&selem_view, wants) &&
	       wants_add(wants, KFACTS_SIZE, BUCKET, NULL, true) &&
	       wants_add(wants, KFACTS_MEMBER, BUCKET, "list.first", true) &&
	       wants_add(wants, KFACTS_MEMBER, "bpf_local_storage_elem", "sdata.data", true) &&
	       wants_add(wants, KFACTS_MEMBER, "bpf_local_storage", "owner", true);
}

bool map_cgroups_wants(struct wants *wants)
{
	return view_wants(&cgroup_view, wants) &&
	       wants_add(wants, KFACTS_MEMBER, "bpf_cgroup_storage_map", "list.next", true) &&
	       wants_add(wants, KFACTS_MEMBER, "bpf_storage_buffer", "data", true);
}

static bool is_of_map(const struct map_lists *lists, const struct map_elem *elem)
{
	return view_uint(lists->elem, elem->image, SELEM_MAP) == lists->map;
}

/* All that one stop may read, or as many as were asked for. */
static uint64_t elems_limit(const struct map_walk *walk)
{
	uint64_t asked = walk->order->max_entries ? walk->order->max_entries : ELEMS_MAX;
	uint64_t room = BYTES_MAX / (walk->out->value_len * walk->out->n_values) + 1;

	return asked < room ? asked : room;
}

/* Nobody asked for so few. */
static struct kt_error *check_cut(const struct map_walk *walk, const struct map_lists *lists)
{
	if (!lists->cut || (walk->order->max_entries && lists->limit == walk->order->max_entries))
		return NULL;
	return kt_error_hint(
		kt_error_new(KT_ERROR_UNSUPPORTED, "map %u has more than %llu elements",
			     walk->order->id, (unsigned long long)lists->limit),
		"say with --max-entries N, of no more than that, how many are to be read");
}

/* Elements have no order, so there is no next part: what was cut off was not asked for. */
static void finish(struct map_walk *walk, const struct map_lists *lists)
{
	walk->out->next = walk->out->n;
	walk->out->done = !lists->cut || walk->out->n < walk->order->max_entries;
}

static struct kt_error *prepare(struct map_walk *walk, struct view *elem, struct map_lists *ret)
{
	const struct kfacts *facts = guest_facts(walk->guest);
	_cleanup_(object_deinit) struct object object = {0};
	struct kfacts_member first, data;
	struct view view;
	uint64_t log;
	struct kt_error *err = map_walk_head(walk, &smap_view, NULL, &view, &object, NULL);

	if (!err)
		err = view_init(elem, &selem_view, facts);
	if (err)
		return err;
	if (!kfacts_size(facts, BUCKET, &ret->stride) ||
	    !kfacts_member(facts, BUCKET, "list.first", &first) ||
	    !kfacts_member(facts, "bpf_local_storage_elem", "sdata.data", &data))
		return kt_error_new(KT_ERROR_NOT_FOUND,
				    "nothing tells how this kernel lays out a %s",
				    walk->out->map.type);
	log = view_uint(&view, object.image, SMAP_LOG);
	if (log > BUCKET_LOG_MAX)
		return map_walk_senseless(walk, "its number of buckets makes no sense");
	*ret = (struct map_lists){
		.heads = view_uint(&view, object.image, SMAP_BUCKETS) + first.offset,
		.stride = ret->stride,
		.n = UINT64_C(1) << log,
		.elem = elem,
		.next = SELEM_NEXT,
		.node = elem->fields[SELEM_NEXT].member.offset,
		.tail = data.offset,
		.tail_len = walk->out->value_len,
		.limit = elems_limit(walk),
		.belongs = is_of_map,
		.map = walk->addr,
	};
	return NULL;
}

static struct kt_error *read_storage(struct map_walk *walk, const struct map_owner *owner)
{
	_cleanup_(map_elems_deinit) struct map_elems elems = {0};
	_cleanup_free_ uint64_t *owners = NULL;
	_cleanup_free_ bool *there = NULL;
	struct map_lists lists = {0};
	struct view elem_view;
	size_t at = 0;
	struct kt_error *err = prepare(walk, &elem_view, &lists);

	if (!err)
		err = map_lists_read(walk, &lists, 0, (size_t)lists.n, &elems);
	if (!err)
		err = check_cut(walk, &lists);
	if (err)
		return err;
	map_walk_owned(walk, owner);
	owners = calloc(elems.v.len + 1, sizeof(*owners));
	there = calloc(elems.v.len + 1, sizeof(*there));
	if (!owners || !there || !map_walk_grow(walk, map_elems_count(walk, &elems)))
		return kt_error_no_memory();
	kt_vec_for_each (&elems.v, elem) {
		if (elem->gone || at == walk->out->n)
			continue;
		memcpy(map_walk_value(walk, at), elem->image + elem_view.size,
		       walk->out->value_len);
		owners[at++] = view_uint(&elem_view, elem->image, SELEM_STORAGE);
	}
	finish(walk, &lists);
	err = map_walk_numbers(walk, "bpf_local_storage", "owner", owners, owners, there, at);
	return err ? err : map_walk_own(walk, owner, 0, owners);
}

struct kt_error *map_task_storage_read(struct map_walk *walk)
{
	return read_storage(walk, &map_owner_task);
}

struct kt_error *map_inode_storage_read(struct map_walk *walk)
{
	return read_storage(walk, &map_owner_inode);
}

struct kt_error *map_sk_storage_read(struct map_walk *walk)
{
	return read_storage(walk, &map_owner_sock);
}

struct kt_error *map_cgrp_storage_read(struct map_walk *walk)
{
	return read_storage(walk, &map_owner_cgroup);
}

/* --- what programs that are attached to cgroups have there --- */

static bool is_of_cgroup_map(const struct map_lists *lists, const struct map_elem *elem)
{
	return view_uint(lists->elem, elem->image, CGROUP_MAP) == lists->map;
}

/* One list, in a circle that ends in the map. A key of 8 bytes is the cgroup's ID alone. */
struct kt_error *map_cgroups_read(struct map_walk *walk)
{
	const struct kfacts *facts = guest_facts(walk->guest);
	_cleanup_(map_elems_deinit) struct map_elems elems = {0};
	_cleanup_free_ gaddr_t *values = NULL;
	struct kfacts_member list, data;
	struct map_lists lists;
	struct view elem_view;
	size_t at = 0, len = 0;
	struct kt_error *err = view_init(&elem_view, &cgroup_view, facts);

	if (err)
		return err;
	if (!kfacts_member(facts, "bpf_cgroup_storage_map", "list.next", &list) ||
	    !kfacts_member(facts, "bpf_storage_buffer", "data", &data))
		return kt_error_new(KT_ERROR_NOT_FOUND,
				    "nothing tells how this kernel lays out a %s",
				    walk->out->map.type);
	if (walk->out->key_len > elem_view.fields[CGROUP_KEY].len)
		return map_walk_senseless(walk, "its keys are none of a cgroup");
	lists = (struct map_lists){.heads = walk->addr + list.offset,
				   .n = 1,
				   .end = walk->addr + list.offset,
				   .elem = &elem_view,
				   .next = CGROUP_NEXT,
				   .node = elem_view.fields[CGROUP_NEXT].member.offset,
				   .limit = elems_limit(walk),
				   .belongs = is_of_cgroup_map,
				   .map = walk->addr};
	err = map_lists_read(walk, &lists, 0, 1, &elems);
	if (!err)
		err = check_cut(walk, &lists);
	if (err)
		return err;
	values = calloc(elems.v.len + 1, sizeof(*values));
	if (!values || !map_walk_grow(walk, map_elems_count(walk, &elems)))
		return kt_error_no_memory();
	kt_vec_for_each (&elems.v, elem) {
		if (elem->gone || at == walk->out->n)
			continue;
		memcpy(map_walk_key(walk, at),
		       view_bytes(&elem_view, elem->image, CGROUP_KEY, &len), walk->out->key_len);
		values[at] = view_uint(&elem_view, elem->image, CGROUP_BUF);
		if (walk->content == MAP_VALUES)
			values[at] += data.offset;
		at++;
	}
	finish(walk, &lists);
	return walk->content == MAP_PER_CPU ? map_walk_follow(walk, 0, values)
					    : map_walk_values(walk, 0, values);
}
