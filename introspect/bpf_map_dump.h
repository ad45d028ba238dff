/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The contents of one BPF map of a stopped guest, as lookups of its keys would give them. A value
 * is what lies in memory: of locks, timers and pointers to kernel objects too, for which the
 * kernel's own lookups give zeroes.
 *
 * A part at a time: the caller lets the guest run in between. Entries keep their place (an index, a
 * bucket) for as long as they are there, so an entry that stays is in exactly one part.
 */
#ifndef KT_INTROSPECT_BPF_MAP_DUMP_H
#define KT_INTROSPECT_BPF_MAP_DUMP_H

#include "memory/guest.h"
#include "model/map_dump.h"

/* Bytes that are read of a map in one stop, about: some 20 ms. */
#define BPF_MAP_PIECE (1u << 20)

struct map_dump_order {
	uint32_t id;
	uint64_t first;       /* 0, or `next` of the part before */
	uint64_t max_entries; /* of this part; 0: any number */
	/*
	 * Read it also if it is larger than BPF_MAP_PIECE. Else the result tells what map it is and
	 * its size, has no entries, and is not done.
	 */
	bool large;
	/*
	 * A lookup: only the entry with that key, in the guest's byte order; NULL: all entries.
	 * max_entries is 0. Of a trie it is the longest prefix that the key has, as in the kernel's
	 * lookup, and the entry gets the key that was asked for.
	 */
	const uint8_t *key;
	size_t key_len;
};

bool bpf_map_dump_wants(struct wants *wants);
struct kt_error *bpf_map_dump_check(const struct kfacts *facts);

/*
 * KT_ERROR_NOT_FOUND: no map has the ID. KT_ERROR_UNSUPPORTED: the contents of this type are not
 * read, or it has no keys to look up. KT_ERROR_USAGE: the key has another size. KT_ERROR_FORMAT:
 * what the map says of itself makes no sense. The caller owns *ret.
 */
struct kt_error *bpf_map_dump_read(struct guest *guest, const struct map_dump_order *order,
				   struct map_dump *ret);

#endif
