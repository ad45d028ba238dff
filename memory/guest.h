/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A stopped guest whose kernel was found, and proved to be the one of the facts.
 *
 * The control registers of a vCPU lead to page tables, those to the address where the kernel image
 * is mapped, and that gives the KASLR offset. The proof is the build ID in memory (or, for an image
 * that has none, the banner): without it nothing is read.
 */
#ifndef KT_MEMORY_GUEST_H
#define KT_MEMORY_GUEST_H

#include "btf/facts.h"
#include "memory/source.h"
#include "memory/together.h"
#include "memory/view.h"

struct guest;

/*
 * Finds the kernel. hint is the KASLR offset that it had when it was last seen, or NULL: if the
 * proof holds there, there is no search. The source and the facts stay the caller's and must
 * outlive the guest, which is good only for this one stop.
 *
 * KT_ERROR_NOT_READY: no vCPU runs on a kernel's page table yet (firmware, early boot).
 * KT_ERROR_MISMATCH: the image is of another build; the message names both.
 * KT_ERROR_UNSUPPORTED: an architecture whose address translation is not known.
 */
struct kt_error *guest_create(const struct source *source, const struct kfacts *facts,
			      const int64_t *hint, struct guest **ret);
void guest_destroy(struct guest *guest);

const struct kfacts *guest_facts(const struct guest *guest);

/* Run-time minus link-time address of the kernel image; 0 without KASLR. */
int64_t guest_kaslr_offset(const struct guest *guest);

/* The kernel's page table is walked here, because no vCPU was running on it. */
bool guest_walks_tables(const struct guest *guest);

/* How the kernel's page table cuts up addresses. All 0: the hint was right, so nobody looked. */
struct guest_paging {
	unsigned int levels;
	unsigned int address_bits; /* that are translated */
	uint64_t page_size;        /* the smallest, in bytes */
};
struct guest_paging guest_paging(const struct guest *guest);

/*
 * Its vCPUs may be in guests of its own. Then a hint is of no use: without a look at a vCPU's
 * registers, nothing tells this kernel from the same one, at the same place, in a guest of the
 * guest. False when the hint was right.
 */
bool guest_runs_guests(const struct guest *guest);

/* The number of vCPUs. 0: the hint was right, so nobody counted. */
size_t guest_cpus(const struct guest *guest);

/* The run-time address of a symbol. False: this kernel does not have it. */
bool guest_symbol(const struct guest *guest, const char *name, gaddr_t *ret);

/*
 * Where a symbol is that the facts do not have, and that was found in this stop: guest_symbol()
 * knows it from now on. The name is the caller's, and outlives the guest. False: no memory.
 */
bool guest_place(struct guest *guest, const char *name, gaddr_t addr);

/* Reads a batch of virtual addresses, merged. */
struct kt_error *guest_read(struct guest *guest, struct gmem_batch *batch);

/* The same for who reads from any memory. Good as long as the guest. */
struct gmem guest_memory(struct guest *guest);

/* Runs walks that read from the guest at once, as together_run(). */
struct kt_error *guest_together(struct guest *guest, const struct guest_walk *walks, size_t n);

#endif
