/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The functions of a kernel by their addresses, as its list of symbols has them: the name of
 * whatever a program calls. Modules are not in it.
 */
#ifndef KT_BTF_FUNCTIONS_H
#define KT_BTF_FUNCTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/buf.h"
#include "util/cursor.h"
#include "util/gaddr.h"
#include "util/vec.h"

struct function {
	gaddr_t addr;
	uint32_t name; /* where it begins in the names */
	bool global;
};

/* Zeros are an empty list. */
struct functions {
	KT_VEC(struct function) v;
	struct kt_buf names; /* each with its NUL */
};

void functions_deinit(struct functions *functions);

/*
 * A source of symbols tells one that it has; those that no function is called by are left out.
 * Without memory, functions_finish() fails.
 */
void functions_offer(struct functions *functions, const char *name, size_t len, gaddr_t addr,
		     bool global);

/* Moves those from start on by shift, as symbols_merge() does. */
void functions_move(struct functions *functions, gaddr_t start, gaddr_t shift);

/*
 * Sorts them, and leaves out what is not between _stext and _etext, and all names of an address but
 * one. That is the one that the kernel itself would give: a global one, then the one with the
 * fewest underscores in front. False: no memory.
 */
bool functions_finish(struct functions *functions);

/* The name of the function that begins at addr, or NULL; lives as long as the list. */
const char *functions_at(const struct functions *functions, gaddr_t addr);

/*
 * The name of the function that addr is in, and how far; NULL: none begins less than 64 KB before
 * it. The list has no sizes, so that behind the last function is that one for so long.
 */
const char *functions_around(const struct functions *functions, gaddr_t addr, uint64_t *offset_ret);

/* As bytes, and back. False: these are no such bytes, or no memory. */
void functions_encode(const struct functions *functions, struct kt_buf *out);
bool functions_decode(struct kt_cursor *c, struct functions *ret);

#endif
