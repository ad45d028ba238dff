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

/* What is mapped: a stretch of one kind, as long as it can be. */
struct pagetable_range {
	gaddr_t virtual;
	gaddr_t physical; /* of its start; all of the range is in one piece there, too */
	uint64_t len;     /* bytes */
	bool writable;    /* by the kernel */
	bool executable;  /* by the kernel */
	bool below;       /* not looked into: what is mapped there, if anything, is not known */
};

struct pagetable_ranges {
	KT_VEC(struct pagetable_range) all; /* by virtual address */
	bool cut;                           /* there is more than a real kernel would map */
};

void pagetable_ranges_deinit(struct pagetable_ranges *ranges);

/*
 * All that is mapped from first to last (both within), with one batch of reads a level or few.
 * With lowest above 1, only tables down to that level are read; what a table further down is for
 * is a range with below set, and physical unset.
 * *ret is the caller's, for pagetable_ranges_deinit().
 *
 * Bounded whatever a guest has there: a table that a level leads to more than a few times is
 * passed over after that (alike mappings, such as KASAN's zero shadow, or a table that is its
 * own), and so is all beyond a number of bytes of tables, or of ranges. The latter sets cut.
 */
struct kt_error *pagetable_enumerate(struct pagetable *pt, gaddr_t first, gaddr_t last,
				     unsigned int lowest, struct pagetable_ranges *ret);

/* The gmem_read_fn that the tables are read with, of physical addresses, for other purposes. */
struct kt_error *pagetable_read_physical(struct pagetable *pt, struct gmem_read *reads,
					 size_t count);

/* A gmem_read_fn over virtual addresses; source is the struct pagetable. */
struct kt_error *pagetable_read(void *source, struct gmem_read *reads, size_t count);

#endif
