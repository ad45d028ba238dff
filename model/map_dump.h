/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Not a public header. The contents of a map, as the guest's kernel has them: plain data. */
#ifndef KT_MODEL_MAP_DUMP_H
#define KT_MODEL_MAP_DUMP_H

#include "model/map.h"

/*
 * Entries of a map, all of them or a part. keys has n times key_len bytes; values has n times
 * n_values times value_len bytes. Bytes are in the guest's byte order.
 */
struct map_dump {
	struct map map; /* what map it is */
	bool big_endian;
	bool per_cpu;    /* an entry has a value for each possible CPU */
	bool of_maps;    /* values are IDs of maps, 4 bytes */
	size_t n_values; /* of an entry; 1 if not per_cpu */
	size_t key_len;  /* 0: the type has no keys (queue, stack) */
	size_t value_len;
	size_t n;
	uint8_t *keys, *values;
	bool *missing;       /* n: the entry is there, its value could not be read */
	size_t n_unreadable; /* entries, or parts of the index of them, that are not in here */
	uint64_t size;       /* bytes of keys and values at most, when the map is full */
	uint64_t next;       /* where the next part begins */
	bool done;           /* there is no next part */
	/* The map's own BTF; NULL: it has none. 0: no such type. */
	uint8_t *btf;
	size_t btf_len;
	uint32_t key_type, value_type;
};

static inline void map_dump_deinit(struct map_dump *dump)
{
	free(dump->map.type);
	free(dump->keys);
	free(dump->values);
	free(dump->missing);
	free(dump->btf);
	*dump = (struct map_dump){0};
}

/*
 * Puts the entries of the next part behind those of *to. The part is released. False: no memory, or
 * it is of another map; *to is as it was.
 */
bool map_dump_append(struct map_dump *to, struct map_dump *part);

#endif
