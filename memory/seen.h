/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The addresses of a guest that a walk came by: lists that bite their tail end there. */
#ifndef KT_MEMORY_SEEN_H
#define KT_MEMORY_SEEN_H

#include <stdbool.h>
#include <stddef.h>

#include "util/error.h"
#include "util/gaddr.h"

struct seen {
	gaddr_t *slots; /* a hash table, half full at most; 0: free */
	size_t size, n;
};

/* Notes an address, which is not 0. *new_ret: it was not there. */
struct kt_error *seen_add(struct seen *seen, gaddr_t addr, bool *new_ret);
void seen_deinit(struct seen *seen);

#endif
