/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A stopped guest whose kernel has been found and proved to be the one of the facts.
 *
 * The control registers of any vCPU lead to page tables, those to where the kernel image is
 * mapped, that to the KASLR offset. The proof is the build ID in memory (or, for an image
 * that has none, the banner): without it nothing is read.
 */
#ifndef KT_INTROSPECT_GUEST_H
#define KT_INTROSPECT_GUEST_H

#include "btf/facts.h"
#include "introspect/source.h"
#include "introspect/view.h"

struct guest;

/*
 * Finds the kernel. hint is where it was when it was last seen (a KASLR offset), or NULL: if
 * the proof holds there, nothing has to be searched. The source and the facts stay the caller's
 * and must outlive the guest, which is good only for this one stop.
 *
 * Errors: KT_ERROR_NOT_READY, no vCPU runs on a kernel's page table yet (firmware, early
 * boot); KT_ERROR_MISMATCH, the image is of another build, and names both; UNSUPPORTED, an
 * architecture whose translation is not known.
 */
struct kt_error *guest_create(const struct source *source, const struct kfacts *facts,
			      const int64_t *hint, struct guest **ret);
void guest_destroy(struct guest *guest);

const struct kfacts *guest_facts(const struct guest *guest);

/* Run-time minus link-time address of the kernel image; 0 without KASLR. */
int64_t guest_kaslr_offset(const struct guest *guest);

/* True: the kernel's page table had to be walked, because no vCPU was running on it. */
bool guest_walks_tables(const struct guest *guest);

/* How the kernel's own page table cuts addresses up. All 0: it was found by the hint alone. */
struct guest_paging {
	unsigned int levels;
	unsigned int address_bits; /* that are translated */
	uint64_t page_size;        /* the smallest, in bytes */
};
struct guest_paging guest_paging(const struct guest *guest);

/* All vCPUs; 0: it was found by the hint alone, and nobody asked. */
size_t guest_cpus(const struct guest *guest);

/* The run-time address of a symbol. False: this kernel does not have it. */
bool guest_symbol(const struct guest *guest, const char *name, gaddr_t *ret);

/* Reads a batch of virtual addresses, merged. */
struct kt_error *guest_read(struct guest *guest, struct gmem_batch *batch);

/* The gmem_read_fn behind it, for walkers that take one; its source is the guest. */
struct kt_error *guest_read_fn(void *guest, struct gmem_read *reads, size_t count);

#endif
