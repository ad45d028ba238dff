/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What address translation has to know of an architecture: one short table of operations
 * each, one file each. The walks themselves are in pagetable.c and enumerate.c.
 *
 * A space is one page table with all that is needed to walk it: how its levels cut an address
 * up, and which addresses it is for. It comes from the registers of a vCPU.
 */
#ifndef KT_INTROSPECT_ARCH_H
#define KT_INTROSPECT_ARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/gaddr.h"

#define ARCH_MAX_REGISTERS 16
#define ARCH_MAX_SPACES    8
#define ARCH_MAX_RANK      7
#define ARCH_MAX_LEVELS    5

/* Which bits of an address choose the entry in a table of a level: bits of them, from shift on. */
struct arch_level {
	uint8_t shift;
	uint8_t bits;
};

/* What the bits above the translated ones have to be; else nothing is mapped there. */
enum arch_form {
	ARCH_FORM_SIGNED, /* copies of the highest translated bit */
	ARCH_FORM_LOW,    /* all 0 */
	ARCH_FORM_HIGH,   /* all 1 */
};

/* A table: where it is, and which of its entries are there. */
struct arch_table {
	gaddr_t addr;       /* physical */
	unsigned int first; /* entry; addr is that of entry 0, even if there is none */
	unsigned int count; /* 0: all that the level's bits can choose */
};

struct arch_space {
	struct arch_table root;
	unsigned int levels; /* the root is of this level, pages are in tables of level 1 */
	struct arch_level level[ARCH_MAX_LEVELS]; /* of level n: [n - 1] */
	enum arch_form form;
	unsigned int tag_bits; /* so many bits, from 63 on down, count for nothing */
	uint64_t format;       /* what else the architecture's entry() needs */

	/* Where the kernel image is mapped: from an address in here on. */
	gaddr_t image_first, image_last; /* both within */
	/*
	 * Not 0: the image begins at a multiple of this, the size of one entry of a table of
	 * image_level. 0: it begins where a mapping of text does.
	 */
	uint64_t image_align;
	unsigned int image_level;
	/* The run-time address of arch->anchor, if the kernel has set it; else 0. */
	gaddr_t anchor;

	/*
	 * The stub's virtual reads go through this very table now, and see all that it maps.
	 * False: a table that the registers only lead to (the kernel's, under PTI), or whose
	 * mappings are not for the mode that the vCPU is in.
	 */
	bool live;
	unsigned int rank; /* the lower, the likelier that it maps the whole kernel */
};

enum arch_entry_kind {
	ARCH_ENTRY_NONE,
	ARCH_ENTRY_TABLE,
	ARCH_ENTRY_LEAF,
};

/* What an entry says. What is mapped below it is writable only if all entries above say so. */
struct arch_entry {
	enum arch_entry_kind kind;
	struct arch_table table; /* of a leaf, addr is the page's */
	unsigned int leaf_shift; /* the page has 1 << leaf_shift bytes; 0: as the level's */
	bool writable;           /* by the kernel */
	bool executable;         /* by the kernel */
};

struct arch {
	const char *name; /* as struct kfacts_kernel's arch, which is `uname -m` */

	/*
	 * Registers by the stub's names, at most ARCH_MAX_REGISTERS, in the form of
	 * rsp_client_registers(): "?" before one that may be absent, "|" between two names.
	 */
	const char *const *registers;
	size_t n_registers;

	/*
	 * The page tables that a vCPU's registers (in the order of `registers`) lead to;
	 * writes at most ARCH_MAX_SPACES, returns how many. 0: its MMU is not on yet, or
	 * *unsupported_ret says why these registers lead nowhere that we can go; it is not
	 * touched otherwise.
	 */
	size_t (*spaces)(const uint64_t *values, struct arch_space *ret,
			 const char **unsupported_ret);

	unsigned int entry_size; /* bytes */
	struct arch_entry (*entry)(const struct arch_space *space, unsigned int level,
				   uint64_t entry);

	/*
	 * A symbol whose address a register holds while the kernel runs (arch_space's anchor), or
	 * the pointer at anchor_at in physical memory, if that is not 0. NULL: there is none.
	 */
	const char *anchor;
	gaddr_t anchor_at;

	/*
	 * The kernel's own top table is a symbol of the image, so that its physical address tells
	 * the image's; and the number at voffset is by how much the image's virtual addresses are
	 * more than its physical ones. NULL: not so.
	 */
	const char *root, *voffset;

	/* Why a stub of QEMU may lack the registers; NULL: there is no known reason. */
	const char *no_registers;
};

/* Every level but the highest has bits_each; the highest what is left of addr_bits. */
void arch_space_cut(struct arch_space *space, unsigned int page_shift, unsigned int bits_each,
		    unsigned int addr_bits);

/* How many low bits of an address are translated. */
static inline unsigned int arch_space_bits(const struct arch_space *space)
{
	const struct arch_level *top = &space->level[space->levels - 1];

	return top->shift + top->bits;
}

/* The address in the form that the space asks for, from its translated bits. */
gaddr_t arch_space_complete(const struct arch_space *space, gaddr_t addr);

/* No address of another form is ever mapped, whatever the table says. */
bool arch_space_has(const struct arch_space *space, gaddr_t addr);

extern const struct arch arch_x86_64, arch_aarch64, arch_riscv64, arch_s390x;

/* The architecture of that name, or NULL. */
const struct arch *arch_by_name(const char *name);

/* All of them: i from 0 on, NULL behind the last. */
const struct arch *arch_at(size_t i);

#endif
