/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of bpf_map_dump.h share: one map that is being read, by its type. */
#ifndef KT_INTROSPECT_BPF_MAP_DUMP_IMPL_H
#define KT_INTROSPECT_BPF_MAP_DUMP_IMPL_H

#include "introspect/bpf_map_dump.h"
#include "memory/object.h"
#include "memory/percpu.h"

/* What lies where a map of this type has a value. */
enum map_content {
	MAP_VALUES,   /* the value */
	MAP_PER_CPU,  /* a per-CPU pointer to it */
	MAP_PROGRAMS, /* a pointer to a program, whose ID is the value; NULL: no entry */
	MAP_MAPS,     /* a pointer to a map, likewise */
};

struct map_walk {
	struct guest *guest;
	const struct map_dump_order *order;
	enum map_content content;
	gaddr_t addr; /* of the map */
	uint64_t key_size, value_size, max_entries;
	struct percpu percpu;
	struct map_dump *out;
};

#define MAP_POINTER_SIZE 8 /* 64-bit kernels */

/*
 * Reads the members of the struct that the map begins, and finds where its flexible array is; array
 * NULL: it has none. The caller deinits *object.
 */
struct kt_error *map_walk_head(struct map_walk *walk, const struct view_type *type,
			       const char *array, struct view *view, struct object *object,
			       gaddr_t *array_ret);

/* The pointers that an array of n has from addr on. */
struct kt_error *map_walk_slots(struct map_walk *walk, gaddr_t addr, size_t n, gaddr_t *slots);

/* How many entries, of so many bytes beside their values, fit into one stop: at least 1. */
uint64_t map_walk_room(const struct map_walk *walk, uint64_t entry_size);

/* How many of those that are left this part has: as fit, and as were asked for. */
uint64_t map_walk_part(const struct map_walk *walk, uint64_t entry_size, uint64_t left);

/* Makes room for n more entries: all zeroes. False: no memory. */
bool map_walk_grow(struct map_walk *walk, size_t n);

/* The entry's key, its first value, the first of its facts. */
uint8_t *map_walk_key(const struct map_walk *walk, size_t i);
uint8_t *map_walk_value(const struct map_walk *walk, size_t i);
struct map_fact *map_walk_facts(const struct map_walk *walk, size_t i);

/* A number in the guest's byte order. */
void map_walk_store(uint8_t *to, uint64_t value, size_t size, bool big_endian);

/*
 * Reads the member, of 8 bytes at most, of the struct at each address; `to` may be `from`. Of a
 * null pointer, and where there is no memory, *to is 0 and *there false.
 */
struct kt_error *map_walk_numbers(struct map_walk *walk, const char *type, const char *path,
				  const gaddr_t *from, uint64_t *to, bool *there, size_t n);

/*
 * Fills the values of the entries [first, out->n) with what slots lead to, one pointer for each
 * (content is not MAP_VALUES). An entry without a program or map goes.
 */
struct kt_error *map_walk_follow(struct map_walk *walk, size_t first, const gaddr_t *slots);

/* Reads the values of the entries [first, out->n), which lie at the addresses. */
struct kt_error *map_walk_values(struct map_walk *walk, size_t first, const gaddr_t *values);

/* What a lookup gives of a socket, and what it says of another size of values (ENOSPC). */
#define MAP_COOKIE   "__sk_common.skc_cookie.counter"
#define MAP_NO_SPACE "No space left on device"

/*
 * Reads the values of the entries [first, out->n): the member of the kernel's object at each
 * address. An entry without an object is MAP_EMPTY.
 */
struct kt_error *map_walk_members(struct map_walk *walk, const char *object, const char *path,
				  size_t first, const gaddr_t *objects);

/*
 * Facts about the kernel's object that an entry belongs to. map_walk_owned() before the first entry
 * is made; map_walk_own() fills those of [first, out->n), by their addresses. What a kernel does
 * not have, and what is not mapped, stays unknown.
 */
struct map_owner;
extern const struct map_owner map_owner_task, map_owner_inode, map_owner_cgroup, map_owner_sock;
bool map_owners_wants(struct wants *wants);
void map_walk_owned(struct map_walk *walk, const struct map_owner *owner);
struct kt_error *map_walk_own(struct map_walk *walk, const struct map_owner *owner, size_t first,
			      const gaddr_t *objects);

/* Readers by type; wants: false is no memory. */
bool map_array_wants(struct wants *wants);
struct kt_error *map_array_read(struct map_walk *walk);
bool map_hash_wants(struct wants *wants);
struct kt_error *map_hash_read(struct map_walk *walk);
bool map_queue_wants(struct wants *wants);
struct kt_error *map_queue_read(struct map_walk *walk);
struct kt_error *map_stack_read(struct map_walk *walk);
bool map_trie_wants(struct wants *wants);
struct kt_error *map_trie_read(struct map_walk *walk);
bool map_slots_wants(struct wants *wants);
struct kt_error *map_slots_read(struct map_walk *walk);
struct kt_error *map_refused_read(struct map_walk *walk); /* an array that answers no lookup */
bool map_lists_wants(struct wants *wants);
struct kt_error *map_sockhash_read(struct map_walk *walk);
struct kt_error *map_devmap_hash_read(struct map_walk *walk);
bool map_storage_wants(struct wants *wants);
struct kt_error *map_task_storage_read(struct map_walk *walk);
struct kt_error *map_inode_storage_read(struct map_walk *walk);
struct kt_error *map_sk_storage_read(struct map_walk *walk);
struct kt_error *map_cgrp_storage_read(struct map_walk *walk);
bool map_cgroups_wants(struct wants *wants);
struct kt_error *map_cgroups_read(struct map_walk *walk);
bool map_stacks_wants(struct wants *wants);
struct kt_error *map_stacks_read(struct map_walk *walk);
bool map_ops_wants(struct wants *wants);
struct kt_error *map_ops_read(struct map_walk *walk);
bool map_rings_wants(struct wants *wants);
struct kt_error *map_ringbuf_read(struct map_walk *walk);
struct kt_error *map_bloom_read(struct map_walk *walk);
bool map_arena_wants(struct wants *wants);
struct kt_error *map_arena_read(struct map_walk *walk);

/* KT_ERROR_FORMAT, KT_ERROR_FAULT: about the map. */
struct kt_error *map_walk_senseless(const struct map_walk *walk, const char *why);
struct kt_error *map_walk_fault(const struct map_walk *walk, const char *what);

#endif
