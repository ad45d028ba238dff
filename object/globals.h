/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The global variables of a BPF object file, those in .rodata, .data and .bss and their like: what
 * is there, and which bytes a value is. The object may be for a machine of either byte order.
 */
#ifndef KT_OBJECT_GLOBALS_H
#define KT_OBJECT_GLOBALS_H

#include "object/write.h"
#include "util/buf.h"
#include "util/error.h"

struct object_globals;

/*
 * Reads symbols and types of the object at path. Errors: OS; FORMAT: it is no ELF file, or has no
 * BTF, and the hint says how to get that.
 */
struct kt_error *object_globals_open(const char *path, struct object_globals **ret);
void object_globals_close(struct object_globals *globals); /* accepts NULL */

/* clang-format off */
/*
 * "VAR = VALUE", as veristat's -G has it; blanks may be missing. VAR is a variable's name, and what
 * of it: "a[3]", "a[*]" (each), "s.member", and so on; an index may be an enumerator's name. VALUE
 * is by the type:
 *
 *	integers     of up to 128 bits, bit-fields, too: 5, -5, 0x1f, 'c', or an enumerator
 *	enums        an enumerator, or a number
 *	bool         true, false, 1, 0
 *	char arrays  text, or "text" with C's escapes; the rest becomes 0
 *	arrays       {1, 2, 3}: the first elements; the rest stays
 *
 * and "@FILE" for an array: its elements, one a line, or a char array's text.
 *
 * Errors: NOT_FOUND: there is no such variable, member or enumerator; the hint has names near it.
 * USAGE: it cannot be read, or does not fit the type. UNSUPPORTED: a pointer. After an error nothing
 * of it is set.
 */
/* clang-format on */
struct kt_error *object_globals_set(struct object_globals *globals, const char *assignment);

/* Whether object_globals_set() would find the variable that the assignment begins with. */
bool object_globals_has(const struct object_globals *globals, const char *assignment);

/*
 * Sets all variables of what `bpftool map dump -j` prints of a map like .rodata whose types are
 * known
 * ("formatted", or without that), or of {"VAR": VALUE, ...}; or bytes of places, as
 * object/globals_bytes.c has them. Variables that the object lacks, and
 * what cannot be set (pointers), are appended to missing, a name a line; text is JSON
 * of len bytes. Errors: FORMAT: it is neither; USAGE: a value does not fit, and nothing is set.
 */
struct kt_error *object_globals_set_json(struct object_globals *globals, const char *text,
					 size_t len, struct kt_buf *missing);

/* What was set, in that order: a later one counts. Good until the next call with these globals. */
const struct object_write *object_globals_writes(const struct object_globals *globals, size_t *n);

#endif
