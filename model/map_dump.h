/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Not a public header. The contents of a map, as the guest's kernel has them: plain data. */
#ifndef KT_MODEL_MAP_DUMP_H
#define KT_MODEL_MAP_DUMP_H

#include "model/map.h"

/* What became of an entry's value. */
enum map_state {
	MAP_THERE,
	MAP_UNREADABLE, /* the entry is there, its value is not mapped, or makes no sense */
	MAP_EMPTY,      /* the kernel has such a key, and a lookup of it finds nothing */
	MAP_NO_COOKIE, /* the value is a socket's cookie, which the kernel makes when it is asked */
	MAP_REFUSED,   /* the kernel answers no lookup in this map: map_dump.refusal */
};

/* What is told of each entry beside key and value: a column of the dump's facts. */
struct map_fact_type {
	const char *name; /* the key in JSON */
	bool text, hex;   /* text: not a number; hex: people want it in hexadecimal */
};

struct map_fact {
	bool known;
	uint64_t number;
	char text[32]; /* of a fact that is text */
};

/* An address on a stack. */
struct map_frame {
	uint64_t addr;
	const char *func; /* the kernel's function there; NULL: none is known */
	uint64_t offset;  /* from its beginning */
};

/*
 * Entries of a map, all of them or a part. keys has n times key_len bytes; values has n times
 * n_values times value_len bytes; facts has n times n_facts. Bytes are in the guest's byte order.
 */
struct map_dump {
	struct map map; /* what map it is */
	bool big_endian;
	bool per_cpu;     /* an entry has a value for each possible CPU */
	bool of_maps;     /* values are IDs of maps, 4 bytes */
	size_t n_values;  /* of an entry; 1 if not per_cpu */
	size_t key_len;   /* 0: the type has no keys (queue, stack), or they are not in memory */
	size_t value_len; /* 0: the type has no values (ringbuf) */
	size_t n;
	uint8_t *keys, *values;
	uint8_t *states;     /* n: enum map_state */
	const char *refusal; /* the guest's error for each lookup; NULL: it answers */
	/* What the facts are of, "owner": the key in JSON; NULL: there are none. */
	const char *facts_of;
	const struct map_fact_type *fact_types;
	size_t n_facts; /* of an entry */
	struct map_fact *facts;
	size_t n_unreadable; /* entries, or parts of the index of them, that are not in here */
	uint64_t size;       /* bytes of keys and values at most, when the map is full */
	uint64_t next;       /* where the next part begins */
	bool done;           /* there is no next part */
	/* The BTF with its types, the map's own as a rule; NULL: it has none. 0: no such type. */
	uint8_t *btf, *base_btf; /* base_btf: that it continues; NULL: none */
	size_t btf_len, base_btf_len;
	uint32_t key_type, value_type;
	/* value_type is of this BTF object, the kernel's or a module's, which is not read here. */
	uint32_t types_btf_id;
};

static inline void map_dump_deinit(struct map_dump *dump)
{
	free(dump->map.type);
	free(dump->keys);
	free(dump->values);
	free(dump->states);
	free(dump->facts);
	free(dump->btf);
	free(dump->base_btf);
	*dump = (struct map_dump){0};
}

/*
 * Puts the entries of the next part behind those of *to. The part is released. False: no memory, or
 * it is of another map; *to is as it was.
 */
bool map_dump_append(struct map_dump *to, struct map_dump *part);

#endif
