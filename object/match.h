/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An object file beside what a running kernel has of it: is it the object that was loaded there? A
 * loader changes the values of constants, and nothing else: names, places and sizes of the
 * variables of a section stay, and so do the bytes between them (constants without a name).
 */
#ifndef KT_OBJECT_MATCH_H
#define KT_OBJECT_MATCH_H

#include "object/globals.h"

/* Where a variable of a section lies, as the kernel's BTF of the map has it. */
struct object_loaded_var {
	const char *name;
	uint64_t offset, size; /* bytes, in the section */
};

/* A section of global variables as it was loaded. Borrows all. */
struct object_loaded {
	const char *name; /* ".rodata" */
	const uint8_t *data;
	size_t len; /* bytes */
	const struct object_loaded_var *vars;
	size_t n_vars;
};

/* The section's bytes as the object file has them; NULL: it has no such section, or no bytes of it.
 */
const uint8_t *object_section_data(const struct object_globals *globals, const char *section,
				   size_t *len);

/* Whether it has a function of that name: a program, or a function that one calls. */
bool object_has_function(const struct object_globals *globals, const char *name);

/*
 * KT_ERROR_MISMATCH: the section was not loaded from this object. The message has the first
 * differences; of loaded nothing is trusted. KT_ERROR_NO_MEMORY.
 */
struct kt_error *object_match(const struct object_globals *globals,
			      const struct object_loaded *loaded);

#endif
