// SPDX-License-Identifier: LGPL-2.1-or-later
/* Maps of an object of which a single program is loaded. */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "vm/guest/guest.h"
#include "vm/guest/objects.h"

/* A member of a struct_ops that refers to a program: its place in the map's initial value. */
typedef void ops_fn(char *slot, const struct bpf_program *prog, bool *seen);

/*
 * The initial value of a struct_ops map holds programs as struct bpf_program *. Before libbpf 1.4
 * there is no such value.
 */
static void each_slot(const struct bpf_object *obj, const struct bpf_map *map, ops_fn *fn,
		      const struct bpf_program *prog, bool *seen)
{
	const struct btf *btf = bpf_object__btf(obj);
	const struct btf_type *t = btf__type_by_id(btf, bpf_map__btf_value_type_id(map));
	size_t size = 0;
	/* const until libbpf 1.4 */
	char *value = (char *)bpf_map__initial_value((struct bpf_map *)map, &size);

	if (!value || !t || !btf_is_struct(t))
		return;
	for (unsigned i = 0; i < btf_vlen(t); i++) {
		const struct btf_member *member = &btf_members(t)[i];
		size_t offset = member->offset / 8;

		if (btf_is_ptr(btf__type_by_id(btf, member->type)) && offset + sizeof(prog) <= size)
			fn(value + offset, prog, seen);
	}
}

static void mask_other(char *slot, const struct bpf_program *prog, bool *seen)
{
	(void)seen;
	if (memcmp(slot, &prog, sizeof(prog)) != 0)
		memset(slot, 0, sizeof(prog));
}

static void look_for(char *slot, const struct bpf_program *prog, bool *seen)
{
	*seen |= !memcmp(slot, &prog, sizeof(prog));
}

/*
 * libbpf 1.4 and later loads every program that a struct_ops map refers to, whatever
 * autoload says. Clears the map's other function pointers. Older libraries have no such habit.
 */
static void mask_other_ops(struct bpf_object *obj, struct bpf_map *map,
			   const struct bpf_program *prog)
{
	each_slot(obj, map, mask_other, prog, NULL);
}

bool load_maps_refers(const struct bpf_object *obj, const struct bpf_map *map,
		      const struct bpf_program *prog)
{
	bool seen = false;

	if (prog)
		each_slot(obj, map, look_for, prog, &seen);
	return seen;
}

/* libbpf 1.1 crashes on a struct_ops map that is not created; 1.4 does not. */
#define CAN_OMIT_STRUCT_OPS (LIBBPF_MAJOR_VERSION > 1 || LIBBPF_MINOR_VERSION >= 4)

static void fix_map(struct bpf_object *obj, struct bpf_map *map, const struct bpf_program *prog)
{
	/* Each program is loaded from its own copy of the object: pins would collide. */
	bpf_map__set_pin_path(map, NULL);
	switch ((int)bpf_map__type(map)) {
	case BPF_MAP_TYPE_SK_STORAGE:
	case BPF_MAP_TYPE_TASK_STORAGE:
	case BPF_MAP_TYPE_INODE_STORAGE:
	case BPF_MAP_TYPE_CGROUP_STORAGE:
	case BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE:
	case 32: /* BPF_MAP_TYPE_CGRP_STORAGE, Linux 6.2: some headers lack it */ break;
	case BPF_MAP_TYPE_STRUCT_OPS:
		if (!prog)
			break;
		/* One that this kernel lacks would fail programs that do not need it. */
		if (CAN_OMIT_STRUCT_OPS && bpf_program__type(prog) != BPF_PROG_TYPE_STRUCT_OPS)
			bpf_map__set_autocreate(map, false);
		else
			mask_other_ops(obj, map, prog);
		break;
	default:
		/* Its loader would set it, to the number of CPUs for example. */
		if (!bpf_map__max_entries(map))
			bpf_map__set_max_entries(map, 1);
	}
}

/* Plain ones are named "OBJECT.rodata", those of a section of their own as the section. */
static struct bpf_map *find_section(struct bpf_object *obj, const char *section)
{
	struct bpf_map *map;

	bpf_object__for_each_map (map, obj) {
		const char *name = bpf_map__name(map);
		size_t len = strlen(name), n = strlen(section);

		if (!bpf_map__is_internal(map))
			continue;
		if (!strcmp(name, section) ||
		    (name[0] != '.' && len > n && !strcmp(name + len - n, section)))
			return map;
	}
	return NULL;
}

/* Two hex digits a byte; mask: as many, for the bits that are set, or NULL. False: it is no hex. */
static bool put_hex(char *to, const char *hex, const char *mask, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned byte, bits = 0xff;

		if (sscanf(hex + 2 * i, "%2x", &byte) != 1 ||
		    (mask && sscanf(mask + 2 * i, "%2x", &bits) != 1))
			return false;
		to[i] = (char)(((unsigned char)to[i] & ~bits) | (byte & bits));
	}
	return true;
}

/* "OBJECT SECTION OFFSET HEX", or "OBJECT SECTION OFFSET HEX/MASK" */
static int set(struct bpf_object *obj, const char *order, size_t object)
{
	size_t of, offset, size = 0, n;
	struct bpf_map *map;
	char section[256];
	const char *mask;
	int at = 0;
	char *value;

	if (sscanf(order, "%zu %255s %zu %n", &of, section, &offset, &at) != 3 || !at)
		die("an order to set a variable makes no sense: %.80s", order);
	if (of != object)
		return 0;
	mask = strchr(order + at, '/');
	n = (mask ? (size_t)(mask - order) - (size_t)at : strlen(order + at)) / 2;
	if (mask && strlen(++mask) / 2 != n)
		die("an order to set bits makes no sense: %.80s", order);
	map = find_section(obj, section);
	value = map ? (char *)bpf_map__initial_value(map, &size) : NULL; /* const until 1.4 */
	if (!value || offset > size || n > size - offset ||
	    !put_hex(value + offset, order + at, mask, n)) {
		kt_buf_printf(&load_log,
			      "cannot set %zu bytes at %zu of %s: libbpf %s has no such place\n", n,
			      offset, section, libbpf_version_string());
		return -ENOENT;
	}
	return 0;
}

int load_maps_set(struct bpf_object *obj, const char *const *sets, size_t n, size_t object)
{
	int err = 0;

	for (size_t i = 0; i < n && !err; i++)
		err = set(obj, sets[i], object);
	return err;
}

void load_maps_fix(struct bpf_object *obj, const struct bpf_program *prog)
{
	struct bpf_map *map;

	bpf_object__for_each_map (map, obj)
		fix_map(obj, map, prog);
}
