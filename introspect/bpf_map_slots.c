// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Arrays whose slots lead to kernel objects: devices (kernel/bpf/devmap.c), CPUs (cpumap.c),
 * sockets (net/core/sock_map.c, reuseport_array.c). Each index is a key, and a lookup of an empty
 * slot finds nothing. And arrays in which the kernel answers no lookup at all.
 */
#include <stdlib.h>
#include <string.h>

#include "introspect/bpf_map_dump_impl.h"
#include "util/cleanup.h"

static const struct view_field dtab_fields[] = {{.path = "netdev_map"}};
static const struct view_type dtab_view = VIEW_TYPE("bpf_dtab", dtab_fields);
static const struct view_field cpus_fields[] = {{.path = "cpu_map"}};
static const struct view_type cpus_view = VIEW_TYPE("bpf_cpu_map", cpus_fields);
static const struct view_field socks_fields[] = {{.path = "sks"}};
static const struct view_type socks_view = VIEW_TYPE("bpf_stab", socks_fields);
static const struct view_field reuseport_fields[] = {{.path = "map.id"}};
static const struct view_type reuseport_view = VIEW_TYPE("reuseport_array", reuseport_fields);

static const struct kind {
	const char *type;             /* of the map */
	const struct view_type *view; /* of the map's own struct; its first field is the array */
	const char *flexible;         /* or the array is that member of it */
	const char *object, *member;  /* what a slot leads to, and in it the value */
} kinds[] = {
	{"devmap", &dtab_view, NULL, "bpf_dtab_netdev", "val"},
	{"cpumap", &cpus_view, NULL, "bpf_cpu_map_entry", "value"},
	{"sockmap", &socks_view, NULL, "sock", MAP_COOKIE},
	{"reuseport_sockarray", &reuseport_view, "ptrs", "sock", MAP_COOKIE},
};

bool map_slots_wants(struct wants *wants)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		const struct kind *kind = &kinds[i];

		if (!view_wants(kind->view, wants) ||
		    !wants_add(wants, KFACTS_MEMBER, kind->object, kind->member, true) ||
		    (kind->flexible &&
		     !wants_add(wants, KFACTS_MEMBER, kind->view->name, kind->flexible, true)))
			return false;
	}
	return true;
}

static const struct kind *kind_of(const struct map_walk *walk)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kinds[i].type, walk->out->map.type) == 0)
			return &kinds[i];
	return NULL;
}

/* The keys of this part: indices from *first on. */
static struct kt_error *put_keys(struct map_walk *walk, uint64_t *first, size_t *n)
{
	uint64_t left, part;

	*first = walk->order->first;
	if (walk->key_size != 4)
		return map_walk_senseless(walk, "it is no array");
	left = *first < walk->max_entries ? walk->max_entries - *first : 0;
	part = map_walk_part(walk, MAP_POINTER_SIZE, left);
	if (!map_walk_grow(walk, (size_t)part))
		return kt_error_no_memory();
	for (size_t i = 0; i < part; i++)
		map_walk_store(map_walk_key(walk, i), *first + i, 4, walk->out->big_endian);
	walk->out->next = *first + part;
	walk->out->done = walk->out->next >= walk->max_entries;
	*n = (size_t)part;
	return NULL;
}

struct kt_error *map_refused_read(struct map_walk *walk)
{
	uint64_t first;
	size_t n;
	struct kt_error *err = put_keys(walk, &first, &n);

	if (!err)
		memset(walk->out->states, MAP_REFUSED, walk->out->n);
	return err;
}

struct kt_error *map_walk_members(struct map_walk *walk, const char *object, const char *path,
				  size_t first, const gaddr_t *objects)
{
	_cleanup_free_ gaddr_t *addrs = calloc(walk->out->n - first + 1, sizeof(*addrs));
	struct kfacts_member member;
	struct kt_error *err;

	if (!kfacts_member(guest_facts(walk->guest), object, path, &member))
		return kt_error_new(KT_ERROR_NOT_FOUND, "this kernel's struct %s has no %s", object,
				    path);
	if (walk->out->value_len > member.size)
		return map_walk_senseless(walk, "its values are larger than what they are of");
	if (!addrs)
		return kt_error_no_memory();
	for (size_t i = first; i < walk->out->n; i++)
		addrs[i - first] = objects[i - first] + member.offset;
	err = map_walk_values(walk, first, addrs);
	for (size_t i = first; i < walk->out->n && !err; i++) {
		uint8_t *state = &walk->out->states[i];

		if (!objects[i - first]) {
			*state = MAP_EMPTY;
			memset(map_walk_value(walk, i), 0, walk->out->value_len);
		} else if (*state == MAP_THERE && strcmp(path, MAP_COOKIE) == 0 &&
			   !memcmp(map_walk_value(walk, i), "\0\0\0\0\0\0\0", 8)) {
			*state = MAP_NO_COOKIE;
		}
	}
	return err;
}

struct kt_error *map_slots_read(struct map_walk *walk)
{
	const struct kind *kind = kind_of(walk);
	bool sockets = strcmp(kind->object, "sock") == 0;
	_cleanup_(object_deinit) struct object object = {0};
	_cleanup_free_ gaddr_t *slots = NULL;
	struct view view;
	gaddr_t array = 0;
	uint64_t first;
	size_t n;
	struct kt_error *err = map_walk_head(walk, kind->view, kind->flexible, &view, &object,
					     &array);

	if (err)
		return err;
	if (sockets && walk->value_size != 8) {
		walk->out->refusal = MAP_NO_SPACE;
		return map_refused_read(walk);
	}
	if (sockets)
		map_walk_owned(walk, &map_owner_sock);
	if (!kind->flexible)
		array = view_uint(&view, object.image, 0);
	err = put_keys(walk, &first, &n);
	slots = calloc(n + 1, sizeof(*slots));
	if (!err && !slots)
		err = kt_error_no_memory();
	if (!err)
		err = map_walk_slots(walk, array + first * MAP_POINTER_SIZE, n, slots);
	if (!err)
		err = map_walk_members(walk, kind->object, kind->member, 0, slots);
	if (!err && sockets)
		err = map_walk_own(walk, &map_owner_sock, 0, slots);
	return err;
}
