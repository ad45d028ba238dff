/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A few wanted names against which hundreds of thousands are looked up: a hash table that
 * makes one pass over a kernel's types or symbols cheap.
 */
#ifndef KT_BTF_NAMESET_H
#define KT_BTF_NAMESET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct nameset {
	const char **names; /* the caller's strings, in the order they were added */
	size_t n;
	uint32_t *slots; /* index into names plus 1; 0 is empty */
	size_t mask;
};

/* Room for at most capacity names. False without memory. */
bool nameset_init(struct nameset *set, size_t capacity);
void nameset_deinit(struct nameset *set);

/* Keeps the pointer; gives the index, also when the name was there already. */
size_t nameset_add(struct nameset *set, const char *name);

/* The index of a name, or -1. */
ptrdiff_t nameset_find(const struct nameset *set, const char *name, size_t len);

#endif
