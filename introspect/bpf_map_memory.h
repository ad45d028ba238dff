/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How much memory maps take, as fdinfo has it under "memlock" and bpftool as bytes_memlock. What
 * counts has changed: pages that the kernel accounted (up to 5.10); what keys and values would take
 * (5.11 to 6.3); what each type of map says of itself (map_mem_usage of its operations, since 6.4).
 */
#ifndef KT_INTROSPECT_BPF_MAP_MEMORY_H
#define KT_INTROSPECT_BPF_MAP_MEMORY_H

#include "memory/guest.h"
#include "model/map.h"

struct map_memory {
	/* The caller's: the map's address, 0 to leave it out; and what its struct bpf_map has. */
	gaddr_t addr;
	uint64_t type, flags, key_size, value_size, max_entries;
	/* Not known of a type that nothing here knows, or if it could not be read. */
	struct program_number bytes;
};

/* False: no memory. */
bool bpf_map_memory_wants(struct wants *wants);

/* Fills `bytes` of n maps: three round trips for all of them. */
struct kt_error *bpf_map_memory_read(struct guest *guest, struct map_memory *maps, size_t n);

#endif
