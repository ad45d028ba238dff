/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Walks a guest's page tables, for many addresses at a time, in one batch a level. */
#ifndef KT_MEMORY_PAGETABLE_H
#define KT_MEMORY_PAGETABLE_H

#include "memory/arch.h"
#include "memory/memory.h"

struct pagetable;

/* One address to translate. */
struct pagetable_query {
	gaddr_t virtual;
	bool mapped;      /* after the walk; if not, the rest is undefined */
	gaddr_t physical; /* the translation */
	uint64_t left;    /* bytes from there to the end of the page, big or small */
};

/*
 * A table of a stopped guest. Entries that were read once are kept until destroy, so it must
 * not outlive the stop. The source of `physical` is the caller's and stays in use.
 */
struct kt_error *pagetable_create(const struct arch *arch, bool big_endian,
				  const struct arch_space *space, const struct gmem *physical,
				  struct pagetable **ret);
void pagetable_destroy(struct pagetable *pt);

const struct arch *pagetable_arch(const struct pagetable *pt);
const struct arch_space *pagetable_space(const struct pagetable *pt);

/* Translates all queries. An address that is not mapped is an answer, not an error. */
struct kt_error *pagetable_translate(struct pagetable *pt, struct pagetable_query *queries,
				     size_t count);

/* A stretch of mappings of one kind, as long as possible. */
struct pagetable_range {
	gaddr_t virtual;
	gaddr_t physical; /* of its start; the range is contiguous there, too */
	uint64_t len;     /* bytes */
	bool writable;    /* by the kernel */
	bool executable;  /* by the kernel */
	bool below;       /* the tables there were not read: it is unknown what is mapped */
};

struct pagetable_ranges {
	KT_VEC(struct pagetable_range) all; /* by virtual address */
	bool cut;                           /* incomplete: more than a real kernel would map */
};

void pagetable_ranges_deinit(struct pagetable_ranges *ranges);

/*
 * All that is mapped from first to last, inclusive, in a few batches a level. Tables are read down
 * to level `lowest`: for a table below that, there is a range with `below` set and physical unset.
 * *ret is the caller's, for pagetable_ranges_deinit().
 *
 * A linear range of the space is one range, as if it were read-only and no code: nothing tells.
 *
 * Bounded whatever a guest has there. A table that a level leads to more than a few times is
 * skipped after that: KASAN's zero shadow has many equal mappings, and a hostile table may lead to
 * itself. There is a bound on the bytes of tables and on the number of ranges, too; what exceeds it
 * sets cut.
 */
struct kt_error *pagetable_enumerate(struct pagetable *pt, gaddr_t first, gaddr_t last,
				     unsigned int lowest, struct pagetable_ranges *ret);

/*
 * Whether there is what a kernel image has at its start (image_head of struct arch), at each of n
 * virtual addresses; always true for an architecture that does not tell.
 */
struct kt_error *pagetable_has_image(struct pagetable *pt, const gaddr_t *addrs, size_t n,
				     bool *ret);

/* Adds the kernel's own table to a space that has none yet; variables are those of the arch, in its
 * order. */
bool pagetable_complete(struct pagetable *pt, const struct arch_variable *variables,
			uint64_t page_size);

/* Reads physical memory, as the walk does. */
struct kt_error *pagetable_read_physical(struct pagetable *pt, struct gmem_read *reads,
					 size_t count);

/* A gmem_read_fn over virtual addresses; source is the struct pagetable. */
struct kt_error *pagetable_read(void *source, struct gmem_read *reads, size_t count);

#endif
