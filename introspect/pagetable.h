/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The walk of a guest's page tables, many addresses at a time, one batch a level. */
#ifndef KT_INTROSPECT_PAGETABLE_H
#define KT_INTROSPECT_PAGETABLE_H

#include "introspect/arch.h"
#include "introspect/memory.h"

struct pagetable;

/*
 * One address to translate. After a walk, mapped tells whether physical is its translation,
 * and then left says how many bytes from there on lie in the same page, big or small.
 */
struct pagetable_query {
	gaddr_t virtual;
	gaddr_t physical;
	uint64_t left;
	bool mapped;
};

/*
 * A table of a stopped guest. Entries that were read once are kept until destroy, so it must
 * not outlive the stop. read_physical and source belong to the caller and stay in use.
 */
struct kt_error *pagetable_create(const struct arch *arch, bool big_endian,
				  const struct arch_space *space, gmem_read_fn *read_physical,
				  void *source, struct pagetable **ret);
void pagetable_destroy(struct pagetable *pt);

/* Translates all queries. An address that is not mapped is an answer, not an error. */
struct kt_error *pagetable_translate(struct pagetable *pt, struct pagetable_query *queries,
				     size_t count);

/*
 * Only whether each address lies in a block of 1 << arch->shift(level) bytes of which
 * anything may be mapped; physical and left stay unset. Saves the walk of the levels below.
 */
struct kt_error *pagetable_probe(struct pagetable *pt, struct pagetable_query *queries,
				 size_t count, unsigned int level);

/* A gmem_read_fn over virtual addresses; source is the struct pagetable. */
struct kt_error *pagetable_read(void *source, struct gmem_read *reads, size_t count);

#endif
