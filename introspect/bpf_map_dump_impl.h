/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of bpf_map_dump.h share: one map that is being read, by its type. */
#ifndef KT_INTROSPECT_BPF_MAP_DUMP_IMPL_H
#define KT_INTROSPECT_BPF_MAP_DUMP_IMPL_H

#include "introspect/bpf_map_dump.h"
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

/* How many entries, of so many bytes beside their values, fit into one stop: at least 1. */
uint64_t map_walk_room(const struct map_walk *walk, uint64_t entry_size);

/* How many of those that are left this part has: as fit, and as were asked for. */
uint64_t map_walk_part(const struct map_walk *walk, uint64_t entry_size, uint64_t left);

/* Makes room for n more entries: all zeroes. False: no memory. */
bool map_walk_grow(struct map_walk *walk, size_t n);

/* The entry's key, its first value. */
uint8_t *map_walk_key(const struct map_walk *walk, size_t i);
uint8_t *map_walk_value(const struct map_walk *walk, size_t i);

/*
 * Fills the values of the entries [first, out->n) with what slots lead to, one pointer for each
 * (content is not MAP_VALUES). An entry without a program or map goes.
 */
struct kt_error *map_walk_follow(struct map_walk *walk, size_t first, const gaddr_t *slots);

/* Reads the values of the entries [first, out->n), which lie at the addresses. */
struct kt_error *map_walk_values(struct map_walk *walk, size_t first, const gaddr_t *values);

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

/* KT_ERROR_FORMAT, KT_ERROR_FAULT: about the map. */
struct kt_error *map_walk_senseless(const struct map_walk *walk, const char *why);
struct kt_error *map_walk_fault(const struct map_walk *walk, const char *what);

#endif
