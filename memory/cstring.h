/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Strings of a guest, of which only the address is known: many at once, in few round trips. */
#ifndef KT_MEMORY_CSTRING_H
#define KT_MEMORY_CSTRING_H

#include "memory/memory.h"
#include "util/buf.h"

#define CSTRING_MAX 4096 /* bytes, as long as a path (PATH_MAX) */

struct cstring {
	gaddr_t addr;
	struct kt_buf text; /* what was read so far; the string, without its NUL, when known */
	bool known;         /* to its end */
	bool failed;        /* it leads to what is not mapped, or does not end */
	size_t piece;       /* of the batch that is read now */
};

void cstring_deinit(struct cstring *string);

/*
 * Reads all strings, which are zero but for addr. Those that cannot be read stay unknown, and so
 * do those of more than CSTRING_MAX bytes.
 */
struct kt_error *cstrings_read(const struct gmem *memory, struct cstring *strings, size_t n);

#endif
