/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A page table's insides, for pagetable.c and enumerate.c. */
#ifndef KT_MEMORY_PAGETABLE_IMPL_H
#define KT_MEMORY_PAGETABLE_IMPL_H

#include "memory/pagetable.h"

struct pagetable_line;

struct pagetable {
	const struct arch *arch;
	bool big_endian; /* of entries */
	struct arch_space space;
	struct gmem physical;
	struct pagetable_line *lines; /* open addressing; a power of two slots */
	uint64_t salt;                /* of the hash, so that a guest cannot choose what collides */
	size_t n_slots, n_lines;
};

#endif
