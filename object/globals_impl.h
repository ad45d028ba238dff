/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of object/ share of an object's variables. Internal to object/. */
#ifndef KT_OBJECT_GLOBALS_IMPL_H
#define KT_OBJECT_GLOBALS_IMPL_H

#include <jansson.h>

#include "object/globals.h"
#include "object/place.h"

struct global {
	char *name, *section;
	uint64_t offset, size; /* bytes, in the section */
};

/* The bytes of a section of global variables. */
struct global_section {
	char *name;
	uint8_t *data;
	size_t len;
};

struct object_globals {
	struct btf *btf;
	KT_VEC(struct global) all;
	KT_VEC(struct global_section) sections;
	KT_VEC(char *) functions; /* names of all functions */
	struct place_writes writes;
};

/* Where a variable is. FORMAT: the BTF lacks its type. */
struct kt_error *global_place(const struct object_globals *globals, const struct global *global,
			      struct place *ret);

/* Forgets the writes from number `from` on. */
void globals_drop_writes(struct object_globals *globals, size_t from);

/* KT_ERROR_NOT_FOUND, with names near it. */
struct kt_error *global_missing(const struct object_globals *globals, const char *name);

/* The form of object/globals_bytes.c. After an error some may be set. */
struct kt_error *globals_set_bytes(struct object_globals *globals, const json_t *list);

#endif
