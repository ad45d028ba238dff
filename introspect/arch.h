/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What address translation has to know of an architecture: one short table of operations
 * each, one file each. The walk itself is in pagetable.c.
 */
#ifndef KT_INTROSPECT_ARCH_H
#define KT_INTROSPECT_ARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/gaddr.h"

#define ARCH_MAX_REGISTERS 8
#define ARCH_MAX_SPACES    2
#define ARCH_MAX_RANK      4

/* A page table: its root and how many levels it has. */
struct arch_space {
	gaddr_t root; /* physical address of the top table */
	unsigned int levels;
	/*
	 * The vCPU uses this very table now, so the stub's virtual reads go through it too.
	 * False: a table that the registers only lead to (the kernel's, under PTI).
	 */
	bool live;
	unsigned int rank; /* the lower, the likelier that it maps the whole kernel */
};

enum arch_entry_kind {
	ARCH_ENTRY_NONE,
	ARCH_ENTRY_TABLE,
	ARCH_ENTRY_LEAF,
};

struct arch {
	const char *name; /* as struct kfacts_kernel's arch */

	/* Registers by the stub's names, at most ARCH_MAX_REGISTERS. */
	const char *const *registers;
	size_t n_registers;

	/*
	 * The page tables that a vCPU's registers (in the order of `registers`) lead to;
	 * writes at most ARCH_MAX_SPACES, returns how many. 0: its MMU is not on yet.
	 */
	size_t (*spaces)(const uint64_t *values, struct arch_space *ret);

	/* No address of this form is ever mapped, whatever the table says. */
	bool (*canonical)(const struct arch_space *space, gaddr_t addr);

	/* The bits of the address that choose the entry at a level; level 1 holds pages. */
	unsigned int (*shift)(unsigned int level);
	unsigned int index_bits;
	unsigned int entry_size; /* bytes */

	/* Where the entry leads: the next table's or the page's physical address. */
	enum arch_entry_kind (*entry)(unsigned int level, uint64_t entry, gaddr_t *ret);

	/* Where the kernel image is mapped: at a multiple of image_align in here. */
	gaddr_t image_start, image_end;
	uint64_t image_align;
	unsigned int image_level; /* of the table whose entries are that large */
};

extern const struct arch arch_x86_64;

/* The architecture of that name, or NULL. */
const struct arch *arch_by_name(const char *name);

#endif
