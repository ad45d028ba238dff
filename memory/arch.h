/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What address translation needs from an architecture. Each has one short table of operations in
 * a file of its own. The walks themselves are in pagetable.c and enumerate.c.
 *
 * A space is one page table with all that is needed to walk it: how its levels cut up an address,
 * and which addresses it maps. It comes from the registers of a vCPU.
 */
#ifndef KT_MEMORY_ARCH_H
#define KT_MEMORY_ARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/gaddr.h"

#define ARCH_MAX_REGISTERS 16
#define ARCH_MAX_SPACES    8
#define ARCH_MAX_RANK      7
#define ARCH_MAX_LEVELS    5
#define ARCH_MAX_VARIABLES 8

/* `bits` bits of an address, from bit `shift` on, choose the entry in a table of this level. */
struct arch_level {
	uint8_t shift;
	uint8_t bits;
};

/* What the bits above the translated ones have to be; other addresses are never mapped. */
enum arch_form {
	ARCH_FORM_SIGNED, /* copies of the highest translated bit */
	ARCH_FORM_LOW,    /* all 0 */
	ARCH_FORM_HIGH,   /* all 1 */
	ARCH_FORM_FIXED,  /* those of the space's `fixed` */
};

/* A table, of which some architectures allow only a part to exist. */
struct arch_table {
	gaddr_t addr;       /* physical */
	unsigned int first; /* the first entry that exists; addr is that of entry 0 all the same */
	unsigned int count; /* entries that exist; 0: all that the level's bits can choose */
};

struct arch_space {
	/*
	 * The kernel sees physical memory at these addresses, whatever its tables say: address
	 * `linear` is physical address 0. linear_len is how many there are; 0: there are none.
	 */
	gaddr_t linear;
	uint64_t linear_len;

	struct arch_table root;
	/* The root is of this level, pages are in tables of level 1. 0: there is no table (yet). */
	unsigned int levels;
	struct arch_level level[ARCH_MAX_LEVELS]; /* of level n: [n - 1] */
	enum arch_form form;
	uint64_t fixed;
	unsigned int tag_bits; /* so many of the highest bits are ignored */
	uint64_t format;       /* what else the architecture's entry() needs */

	/* The kernel image begins at an address in this range. */
	gaddr_t image_first, image_last; /* both within */
	/*
	 * The image begins at a multiple of this, which is the size of one entry of a table of
	 * image_level. 0: it begins where a mapping of text begins.
	 */
	uint64_t image_align;
	unsigned int image_level;
	/* The run-time address of arch->anchor, if the kernel has set it; else 0. */
	gaddr_t anchor;

	/*
	 * The stub's virtual reads go through this table now, and see all that it maps. False: the
	 * registers only lead to the table (the kernel's, under PTI), or its mappings are not for
	 * the mode that the vCPU is in.
	 */
	bool live;
	unsigned int rank; /* tables of lower rank are likelier to map the whole kernel */
	/*
	 * The vCPU belongs to a guest that runs guests, and may be in one of these now: then the
	 * table is that guest's, or the one that stands for it (shadow paging).
	 */
	bool maybe_nested;
	/*
	 * The vCPU takes no interrupts. If it has just executed a halt, it was stopped for good:
	 * the code before this address tells (arch->is_halt). 0: it takes interrupts, or none can
	 * tell.
	 */
	gaddr_t after_halt;
};

enum arch_entry_kind {
	ARCH_ENTRY_NONE,
	ARCH_ENTRY_TABLE,
	ARCH_ENTRY_LEAF,
};

/* A decoded entry. A page is writable or executable only if all entries above it allow that, too.
 */
struct arch_entry {
	enum arch_entry_kind kind;
	struct arch_table table; /* of a leaf, addr is the page's */
	unsigned int leaf_shift; /* the page has 1 << leaf_shift bytes; 0: as the level's */
	bool writable;           /* by the kernel */
	bool executable;         /* by the kernel */
};

/* A symbol of the kernel, and what is there. */
struct arch_variable {
	bool known;
	gaddr_t addr;
	uint64_t value; /* of 8 bytes */
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
	 * The page tables that a vCPU's registers (in the order of `registers`) lead to. Returns
	 * how many, at most ARCH_MAX_SPACES. 0: the MMU is not on yet; or the registers are of no
	 * use, then *unsupported_ret says why. It is untouched otherwise.
	 */
	size_t (*spaces)(const uint64_t *values, struct arch_space *ret,
			 const char **unsupported_ret);

	/*
	 * The page table of the process whose system call a vCPU is in, from registers of its own
	 * list, at most ARCH_MAX_REGISTERS. False: there is none. NULL: the stub's reads go through
	 * it, too.
	 */
	const char *const *user_registers;
	size_t n_user_registers;
	bool (*user_space)(const uint64_t *values, struct arch_space *ret);

	/*
	 * What is image_head_at bytes behind the start of a kernel image. Where an image lies in a
	 * linear range, nothing else tells that there is one. NULL: images are mapped by tables.
	 */
	const char *image_head;
	unsigned int image_head_at;

	/*
	 * Where no register leads to the kernel's own table, these symbols do, at most
	 * ARCH_MAX_VARIABLES. The first may be in no list of symbols; then variables_user is a
	 * function whose operands have its address, as the only multiple of 4096. complete() adds
	 * the table to a space, once the kernel is found; page_size is that of the kernel's
	 * pages, 0 if it is not known. False: what is needed is not known, or is none of a kernel
	 * that runs. NULL: spaces() gives all.
	 */
	const char *const *variables;
	size_t n_variables;
	const char *variables_user;
	bool (*complete)(const struct arch_variable *variables, uint64_t page_size,
			 struct arch_space *space);

	unsigned int entry_size; /* bytes */
	bool entry_big_endian;   /* entries are, whatever the kernel's byte order */
	struct arch_entry (*entry)(const struct arch_space *space, unsigned int level,
				   uint64_t entry);

	/*
	 * A symbol whose run-time address is known without a search: from a register (arch_space's
	 * anchor), or from the pointer at anchor_at in physical memory if that is not 0. NULL:
	 * there is none.
	 */
	const char *anchor;
	gaddr_t anchor_at;

	/*
	 * root: the symbol of the kernel's own top table, which is a part of the image; its
	 * physical address tells that of the image. voffset: the symbol of a variable that holds
	 * the image's virtual minus its physical addresses. NULL: the kernel has no such symbols.
	 */
	const char *root, *voffset;

	/*
	 * The symbol of a variable that the kernel keeps: what has to be added to an address of its
	 * image, less image_map, for the physical one. NULL: there is none that is needed.
	 */
	const char *phys_base;
	gaddr_t image_map;

	/*
	 * Somewhere from direct_first to direct_last, the kernel maps all of physical memory, its
	 * image too: physical addresses plus an offset, which is a multiple of what an entry of a
	 * table of direct_level maps. Level 0: none of its spaces is ever maybe_nested.
	 */
	gaddr_t direct_first, direct_last;
	unsigned int direct_level;

	/*
	 * The addresses of data that `len` bytes of code at addr form in registers, or read from;
	 * at most max. Some that the code never forms may be among them: it is not known where
	 * branches lead to, nor on x86 where instructions begin.
	 */
	size_t (*operands)(const uint8_t *code, size_t len, gaddr_t addr, gaddr_t *ret, size_t max);

	/* Whether the byte before after_halt ends a halt; NULL: no space has after_halt. */
	bool (*is_halt)(uint8_t byte);

	/* Why a stub of QEMU may lack the registers; NULL: there is no known reason. */
	const char *no_registers;
};

/* Sets the levels: each has bits_each, the highest one what is left of addr_bits. */
void arch_space_cut(struct arch_space *space, unsigned int page_shift, unsigned int bits_each,
		    unsigned int addr_bits);

/* How many low bits of an address are translated; there has to be a table. */
static inline unsigned int arch_space_bits(const struct arch_space *space)
{
	const struct arch_level *top = &space->level[space->levels - 1];

	return top->shift + top->bits;
}

/* The whole address, in the space's form, from its translated bits. */
gaddr_t arch_space_complete(const struct arch_space *space, gaddr_t addr);

/* False: the address is not of the space's form, and so is not mapped whatever the table says. */
bool arch_space_has(const struct arch_space *space, gaddr_t addr);

/* The address is of the space's linear range; *physical_ret is what it is there. */
bool arch_space_linear(const struct arch_space *space, gaddr_t addr, gaddr_t *physical_ret);

extern const struct arch arch_x86_64, arch_aarch64, arch_riscv64, arch_s390x, arch_ppc64le,
	arch_loongarch64;

/* The architecture of that name, or NULL. */
const struct arch *arch_by_name(const char *name);

/* For loops over all of them: NULL behind the last. */
const struct arch *arch_at(size_t i);

#endif
