/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Memory that is read in whole pages, each once. Elements of a list are as a rule neighbours in a
 * page of the kernel's allocator; so a list costs a round trip for each page, and not for each
 * element. Good for one stop: what is kept does not change while the guest stands still.
 */
#ifndef KT_MEMORY_PAGES_H
#define KT_MEMORY_PAGES_H

#include "memory/memory.h"

/* Of more pages (8 MB) the pieces alone are read. */
#define PAGES_MAX 2048

struct pages;

/* The caller destroys it; the memory below has to outlive it. NULL: no memory. */
struct pages *pages_create(struct gmem below);
void pages_destroy(struct pages *pages);

/* The same memory through it. */
struct gmem pages_memory(struct pages *pages);

#endif
