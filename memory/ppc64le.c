// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Little-endian Linux on Book3S-64 (POWER8 and later), with either of its MMUs: radix trees (Power
 * ISA 3.0B, book III, 5.7.10) and the hash table.
 *
 * No register of a guest leads to a table: pseries tells the hypervisor where it is, and the stub's
 * own reads see what the CPU may at that moment. But the kernel and all memory lie in its linear
 * map, and for the rest (vmalloc) its own table is asked, swapper_pg_dir. With the hash table, too,
 * that table is there: the hash table is filled from it
 * (arch/powerpc/include/asm/book3s/64/hash.h). Which of the two it is, and how its levels cut up an
 * address, the kernel decides as it boots (mm/book3s64/radix_pgtable.c: radix__early_init_mmu(),
 * hash_utils.c: hash__early_init_mmu()), and keeps in variables, since 4.7.
 *
 * Entries are big-endian. Pages look the same in both.
 */
#include "memory/arch.h"
#include "util/cursor.h"

/* PAGE_OFFSET. KERN_VIRT_START is above the linear map, whatever the MMU. */
#define LINEAR UINT64_C(0xc000000000000000)
/* H_MAX_PHYSMEM_BITS and R_MAX_PHYSMEM_BITS are 51 and less; 46 in a kernel with pages of 4 KiB. */
#define LINEAR_LEN (UINT64_C(1) << 45)
/* The kernel of a stock ppc64le distribution takes 48 MB. It runs at 0, but for one that dumps. */
#define IMAGE_LEN   (UINT64_C(64) << 20)
#define IMAGE_ALIGN UINT64_C(0x10000)

#define ENTRY_VALID (UINT64_C(1) << 63)
#define ENTRY_LEAF  (UINT64_C(1) << 62)
#define ENTRY_WRITE UINT64_C(2)
#define ENTRY_EXEC  UINT64_C(1)
/* PTE_RPN_MASK: memory has no more addresses, and the bits above tell where the hash table has it.
 */
#define PAGE_RPN UINT64_C(0x001ffffffffff000)
/* Of a radix tree's directory: the next table and the bits that it has. */
#define TABLE_NLB    UINT64_C(0x0fffffffffffff00)
#define TABLE_NLS(e) ((e)&31)
/* H_PMD_MASKED_BITS and its like: what is no address. */
#define HASH_TABLE (~UINT64_C(0xc0000000000000ff))

#define FORMAT_RADIX 1

#define MSR_LE UINT64_C(1)

enum { MSR };
static const char *const register_names[] = {
	[MSR] = "msr",
};

static size_t ppc64le_spaces(const uint64_t *values, struct arch_space *ret,
			     const char **unsupported_ret)
{
	(void)unsupported_ret;
	/*
	 * Firmware is big-endian, and calls of it are short. Registers come in the byte order of
	 * the vCPU: of a big-endian one, read as if it were not, that bit is 0 (reserved) as well.
	 */
	if (!(values[MSR] & MSR_LE))
		return 0;
	*ret = (struct arch_space){
		.linear = LINEAR,
		.linear_len = LINEAR_LEN,
		.image_first = LINEAR,
		.image_last = LINEAR + IMAGE_LEN - 1,
		.image_align = IMAGE_ALIGN,
		.image_level = 1,
	};
	return 1;
}

enum { TABLE, PTE_BITS, PMD_BITS, PUD_BITS, PGD_BITS, PMD_VALUE };
static const char *const variable_names[] = {
	[TABLE] = "swapper_pg_dir",      [PTE_BITS] = "__pte_index_size",
	[PMD_BITS] = "__pmd_index_size", [PUD_BITS] = "__pud_index_size",
	[PGD_BITS] = "__pgd_index_size", [PMD_VALUE] = "__pmd_val_bits",
};

/*
 * The bits of a page, by those of a table of pages: R_PTE_INDEX_SIZE is 9 with 4 KiB, and 5 with 64
 * KiB, H_PTE_INDEX_SIZE 9 and 8. 0: neither.
 */
static unsigned int page_bits(uint64_t pte_bits)
{
	switch (pte_bits) {
	case 9: return 12;
	case 5:
	case 8: return 16;
	default: return 0;
	}
}

static bool ppc64le_complete(const struct arch_variable *variables, uint64_t page_size,
			     struct arch_space *space)
{
	unsigned int shift;

	(void)page_size;

	for (unsigned int i = TABLE; i <= PMD_VALUE; i++)
		if (!variables[i].known)
			return false;
	shift = page_bits(variables[PTE_BITS].value);
	if (!shift || !arch_space_linear(space, variables[TABLE].addr, &space->root.addr))
		return false;
	space->levels = 0;
	for (unsigned int i = PTE_BITS; i <= PGD_BITS; i++) {
		uint64_t bits = variables[i].value;

		/* Without a level of its own, a table of the next one has its place. */
		if (!bits)
			continue;
		if (bits > 16 || shift + bits > 60)
			return false;
		space->level[space->levels++] = (struct arch_level){
			.shift = (uint8_t)shift,
			.bits = (uint8_t)bits,
		};
		shift += (unsigned int)bits;
	}
	space->form = ARCH_FORM_FIXED;
	space->fixed = LINEAR;
	/* RADIX_PMD_VAL_BITS has the size of the next table, H_PMD_VAL_BITS has none. */
	space->format = TABLE_NLS(variables[PMD_VALUE].value) ? FORMAT_RADIX : 0;
	return true;
}

static struct arch_entry ppc64le_entry(const struct arch_space *space, unsigned int level,
				       uint64_t entry)
{
	uint64_t page = UINT64_C(1) << space->level[level - 1].shift;
	bool radix = space->format & FORMAT_RADIX;
	struct arch_entry ret = {0};

	if (entry & ENTRY_LEAF) {
		if (!(entry & ENTRY_VALID))
			return ret;
		ret.kind = ARCH_ENTRY_LEAF;
		/* What is below the page's own bits is the kernel's (H_PAGE_COMBO). */
		ret.table.addr = entry & PAGE_RPN & ~(page - 1);
		ret.writable = entry & ENTRY_WRITE;
		ret.executable = entry & ENTRY_EXEC;
		return ret;
	}
	if (level == 1 || !entry ||
	    (radix && (!(entry & ENTRY_VALID) || TABLE_NLS(entry) != space->level[level - 2].bits)))
		return ret;
	ret.kind = ARCH_ENTRY_TABLE;
	ret.table.addr = entry & (radix ? TABLE_NLB : HASH_TABLE);
	ret.writable = ret.executable = true;
	return ret;
}

const struct arch arch_ppc64le = {
	.name = "ppc64le",
	.registers = register_names,
	.n_registers = sizeof(register_names) / sizeof(register_names[0]),
	.spaces = ppc64le_spaces,
	.entry_size = 8,
	.entry_big_endian = true,
	.entry = ppc64le_entry,
	/* __run_at_load, "run0" as a number; 1 in a kernel that stays where it was loaded to. */
	.image_head = "0nur",
	.image_head_at = 0x5c, /* arch/powerpc/kernel/head_64.S */
	.variables = variable_names,
	.n_variables = sizeof(variable_names) / sizeof(variable_names[0]),
	.complete = ppc64le_complete,
};
