/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A part of a global variable, and what may be put there. Internal to object/. */
#ifndef KT_OBJECT_PLACE_H
#define KT_OBJECT_PLACE_H

#include <bpf/btf.h>

#include "object/write.h"
#include "util/buf.h"
#include "util/error.h"
#include "util/vec.h"

struct place {
	const struct btf *btf;
	uint32_t type;       /* any type: place_type() looks through const and typedef */
	const char *section; /* of the variable */
	uint64_t offset;     /* bytes, in the section */
	uint64_t end;        /* of the variable, in the section: nothing is written from there on */
	uint32_t bit_size;   /* of a bit-field; 0: it is none */
	uint32_t bit_shift;  /* of a bit-field: bits of the first byte that are before it, as BTF
				counts */
};

struct place_writes {
	KT_VEC(struct object_write) v;
};

/* Its type without const, volatile, typedef and tags; NULL: the BTF is broken. */
const struct btf_type *place_type(const struct place *place);

/* Whether it is an array of char: a text can be put there. */
bool place_is_text(const struct place *place);

/* Element i of an array. USAGE: there is none, or it is no array. */
struct kt_error *place_element(const struct place *place, uint64_t i, struct place *ret);

/* How many elements an array has; 0: it is none. */
uint32_t place_length(const struct place *place);

/* A member of a struct or union, also of one without a name in it. NOT_FOUND, with a hint. */
struct kt_error *place_member(const struct place *place, const char *name, struct place *ret);

/*
 * The value of an enumerator of this name: of the place's own enum, else of all enums of the BTF.
 * False: there is none, or there are several values.
 */
bool place_enumerator(const struct place *place, const char *name, int64_t *ret);

/* Adds a hint with the enumerators of the place's own enum, if it is one. Takes and returns err. */
struct kt_error *place_list_enumerators(const struct place *place, struct kt_error *err);

/* One value, as object_globals_set() has it; no array but of characters. */
struct kt_error *place_put(const struct place *place, const char *text,
			   struct place_writes *writes);

/* A text of len bytes into an array of characters; the rest becomes 0. */
struct kt_error *place_put_text(const struct place *place, const char *text, size_t len,
				struct place_writes *writes);

#endif
