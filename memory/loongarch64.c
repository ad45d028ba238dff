// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * LoongArch (LoongArch Reference Manual, volume 1, chapter 5), as Linux uses it. Physical memory,
 * with the kernel image in it, is in a direct mapped window; what is mapped by page tables is above
 * that.
 *
 * QEMU's stub has none of the registers that lead to a table (PGDH). The kernel's is
 * swapper_pg_dir. A kernel without CONFIG_KALLSYMS_ALL has no symbol of it, but the handler of TLB
 * misses has its address.
 */
#include "memory/arch.h"
#include "util/cursor.h"

/* CACHE_BASE (arch/loongarch/include/asm/addrspace.h), and the bits that a processor has of it. */
#define LINEAR     UINT64_C(0x9000000000000000)
#define LINEAR_LEN (UINT64_C(1) << 48)
/* VMLINUX_LOAD_ADDRESS; KASLR moves that by multiples of 64 KiB, at most 16 MiB by default. */
#define IMAGE_FIRST (LINEAR + 0x200000)
#define IMAGE_LEN   (UINT64_C(80) << 20)
#define IMAGE_ALIGN UINT64_C(0x10000)

/* Pages, figures 5-3 and 5-4; arch/loongarch/include/asm/pgtable-bits.h */
#define ENTRY_V        (UINT64_C(1) << 0)
#define ENTRY_D        (UINT64_C(1) << 1)
#define ENTRY_HUGE     (UINT64_C(1) << 6) /* of a directory; in a page it is "global" */
#define ENTRY_WRITE    (UINT64_C(1) << 8)
#define ENTRY_NX       (UINT64_C(1) << 62)
#define ENTRY_PHYSICAL UINT64_C(0x0000fffffffff000)

enum { BADV };
static const char *const register_names[] = {
	[BADV] = "badv", /* no other architecture has a register of that name */
};

static size_t loongarch64_spaces(const uint64_t *values, struct arch_space *ret,
				 const char **unsupported_ret)
{
	(void)values;
	(void)unsupported_ret;
	*ret = (struct arch_space){
		.linear = LINEAR,
		.linear_len = LINEAR_LEN,
		.image_first = IMAGE_FIRST,
		.image_last = IMAGE_FIRST + IMAGE_LEN - 1,
		.image_align = IMAGE_ALIGN,
		.image_level = 1,
	};
	return 1;
}

static const char *const variable_names[] = {"swapper_pg_dir"};

static bool loongarch64_complete(const struct arch_variable *variables, uint64_t page_size,
				 struct arch_space *space)
{
	unsigned int page_shift, levels;

	/* CONFIG_4KB_4LEVEL, 16KB_3LEVEL and 64KB_2LEVEL are what their architecture's defaults
	 * are. */
	switch (page_size) {
	case 0x1000: page_shift = 12, levels = 4; break;
	case 0x4000: page_shift = 14, levels = 3; break;
	case 0x10000: page_shift = 16, levels = 2; break;
	default: return false;
	}
	if (!variables[0].known ||
	    !arch_space_linear(space, variables[0].addr, &space->root.addr) ||
	    space->root.addr % page_size)
		return false;
	/* Both halves have a table of their own; this is the upper one's. */
	space->form = ARCH_FORM_HIGH;
	arch_space_cut(space, page_shift, page_shift - 3, page_shift + levels * (page_shift - 3));
	return true;
}

static struct arch_entry loongarch64_entry(const struct arch_space *space, unsigned int level,
					   uint64_t entry)
{
	uint64_t page = UINT64_C(1) << space->level[level - 1].shift;
	struct arch_entry ret = {0};

	/* Directories have the kernel's own addresses, those of its tables in the linear range. */
	if (level > 1 && entry - LINEAR < LINEAR_LEN) {
		ret.kind = ARCH_ENTRY_TABLE;
		ret.table.addr = entry & ENTRY_PHYSICAL;
		ret.writable = ret.executable = true;
		return ret;
	}
	if (!(entry & ENTRY_V) || (level > 1 && !(entry & ENTRY_HUGE)))
		return ret;
	ret.kind = ARCH_ENTRY_LEAF;
	ret.table.addr = entry & ENTRY_PHYSICAL & ~(page - 1);
	ret.writable = entry & (ENTRY_WRITE | ENTRY_D);
	ret.executable = !(entry & ENTRY_NX);
	return ret;
}

#define BITS(insn, high, low) ((insn) >> (low) & ((UINT32_C(1) << ((high) - (low) + 1)) - 1))

/* The n bits of an instruction from bit `low` on, as a number with a sign. */
static gaddr_t immediate(uint32_t insn, unsigned int low, unsigned int n)
{
	return (gaddr_t)((int64_t)((uint64_t)insn << (64 - low - n)) >> (64 - n));
}

/*
 * PCALAU12I forms the address of a page, PCADDU12I adds to its own, ADDI or the offset of a load or
 * a store what is on it; PCADDI does all at once. LU12I, ORI, LU32I and LU52I form all 64 bits.
 */
static size_t loongarch64_operands(const uint8_t *code, size_t len, gaddr_t addr, gaddr_t *ret,
				   size_t max)
{
	gaddr_t known[32] = {0}; /* what registers have, 0: unknown */
	size_t n = 0;

	for (size_t i = 0; i + 4 <= len && n < max; i += 4) {
		uint32_t insn = (uint32_t)kt_load_uint(code + i, 4, false);
		unsigned int to = BITS(insn, 4, 0), from = BITS(insn, 9, 5);

		switch (BITS(insn, 31, 25)) {
		case 0x0a: known[to] = immediate(insn, 5, 20) << 12; continue; /* LU12I.W */
		case 0x0b:                                                     /* LU32I.D */
			known[to] = (known[to] & UINT32_MAX) | immediate(insn, 5, 20) << 32;
			continue;
		case 0x0c: /* PCADDI */
			ret[n++] = known[to] = addr + i + (immediate(insn, 5, 20) << 2);
			continue;
		case 0x0d: /* PCALAU12I */
			known[to] = ((addr + i) & ~(gaddr_t)0xfff) + (immediate(insn, 5, 20) << 12);
			continue;
		case 0x0e: /* PCADDU12I */
			known[to] = addr + i + (immediate(insn, 5, 20) << 12);
			continue;
		default: break;
		}
		if (!known[from])
			continue;
		if (BITS(insn, 31, 22) == 0x00b) /* ADDI.D */
			ret[n++] = known[to] = known[from] + immediate(insn, 10, 12);
		else if (BITS(insn, 31, 22) == 0x00e) /* ORI */
			known[to] = known[from] | BITS(insn, 21, 10);
		else if (BITS(insn, 31, 22) == 0x00c) /* LU52I.D */
			ret[n++] = known[to] = (known[from] & ((UINT64_C(1) << 52) - 1)) |
					       (gaddr_t)BITS(insn, 21, 10) << 52;
		else if (BITS(insn, 31, 26) == 0x0a) /* a load, or a store */
			ret[n++] = known[from] + immediate(insn, 10, 12);
		else if (BITS(insn, 31, 26) == 0x09) /* LDPTR, STPTR */
			ret[n++] = known[from] + (immediate(insn, 10, 14) << 2);
	}
	return n;
}

const struct arch arch_loongarch64 = {
	.name = "loongarch64",
	.registers = register_names,
	.n_registers = sizeof(register_names) / sizeof(register_names[0]),
	.spaces = loongarch64_spaces,
	.entry_size = 8,
	.entry = loongarch64_entry,
	/* The header of an EFI application, of which the kernel is one: LINUX_PE_MAGIC. */
	.image_head = "\xcd\x23\x82\x81",
	.image_head_at = 0x38, /* arch/loongarch/kernel/head.S */
	.variables = variable_names,
	.n_variables = sizeof(variable_names) / sizeof(variable_names[0]),
	.variables_user = "vmalloc_load", /* in handle_tlb_load(), arch/loongarch/mm/tlbex.S */
	.complete = loongarch64_complete,
	.operands = loongarch64_operands,
};
