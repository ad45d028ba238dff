// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * AArch64 translation, stage 1: Arm ARM (DDI 0487), chapter D8. A kernel's own addresses go
 * through TTBR1, those of its processes through TTBR0.
 */
#include "memory/arch.h"
#include "util/cursor.h"

#define SCTLR_M UINT64_C(1)

/* TCR_EL1; TCR_EL2 is alike where HCR_EL2.E2H is set. */
#define TCR_T0SZ(tcr) ((tcr)&63)
#define TCR_EPD0      (UINT64_C(1) << 7)
#define TCR_TG0(tcr)  ((tcr) >> 14 & 3)
#define TCR_TBI0      (UINT64_C(1) << 37)
#define TCR_HPD0      (UINT64_C(1) << 41)
#define TCR_T1SZ(tcr) ((tcr) >> 16 & 63)
#define TCR_EPD1      (UINT64_C(1) << 23)
#define TCR_TG1(tcr)  ((tcr) >> 30 & 3)
#define TCR_IPS(tcr)  ((tcr) >> 32 & 7)
#define TCR_TBI1      (UINT64_C(1) << 38)
#define TCR_HPD1      (UINT64_C(1) << 42)
#define TCR_DS        (UINT64_C(1) << 59)
#define IPS_52_BITS   6

#define HCR_E2H (UINT64_C(1) << 34)
#define HCR_TGE (UINT64_C(1) << 27)

#define PSTATE_EL(cpsr) ((cpsr) >> 2 & 3)

#define ENTRY_VALID     UINT64_C(1)
#define ENTRY_TABLE     UINT64_C(2) /* or a page, in a table of level 1 */
#define ENTRY_AP_RO     (UINT64_C(1) << 7)
#define ENTRY_DBM       (UINT64_C(1) << 51)
#define ENTRY_PXN       (UINT64_C(1) << 53)
#define ENTRY_PXN_TABLE (UINT64_C(1) << 59)
#define ENTRY_RO_TABLE  (UINT64_C(1) << 62)

/* struct arch_space's format */
#define FORMAT_DS    UINT64_C(1) /* 4K and 16K: addresses of 52 bits, FEAT_LPA2 */
#define FORMAT_LPA   UINT64_C(2) /* 64K: physical addresses of 52 bits */
#define FORMAT_NO_HP UINT64_C(4) /* entries of tables say nothing on permissions */

enum {
	CPSR,
	SCTLR,
	TCR,
	TTBR1,
	VBAR,
	HCR_EL2,
	SCTLR_EL2,
	TCR_EL2,
	TTBR1_EL2,
	VBAR_EL2,
};
/* QEMU 7.2 leaves _EL1 out where AArch32 has a register of that name. */
static const char *const register_names[] = {
	[CPSR] = "cpsr",
	[SCTLR] = "SCTLR_EL1|SCTLR",
	[TCR] = "TCR_EL1",
	[TTBR1] = "TTBR1_EL1",
	[VBAR] = "?VBAR_EL1|VBAR",
	[HCR_EL2] = "?HCR_EL2",
	[SCTLR_EL2] = "?SCTLR_EL2",
	[TCR_EL2] = "?TCR_EL2",
	[TTBR1_EL2] = "?TTBR1_EL2",
	[VBAR_EL2] = "?VBAR_EL2",
};

/* Of TTBR1's pages. 0: the value of TG1 is reserved. */
static unsigned int tg1_page_shift(uint64_t tcr)
{
	static const uint8_t shifts[] = {0, 14, 12, 16};

	return shifts[TCR_TG1(tcr)];
}

/* A TTBR holds the table's address, aligned to the table's size, but to 16 bytes at least. */
static gaddr_t ttbr_table(const struct arch_space *space, uint64_t ttbr)
{
	unsigned int align = space->level[space->levels - 1].bits + 3;
	bool wide = space->format & (FORMAT_DS | FORMAT_LPA);
	gaddr_t addr;

	if (align < (wide ? 6 : 4))
		align = wide ? 6 : 4;
	addr = ttbr & UINT64_C(0x0000ffffffffffff) & ~((UINT64_C(1) << align) - 1);
	if (wide)
		addr |= (ttbr >> 2 & 15) << 48;
	return addr;
}

/* False: no kernel sets TCR like this, or translation of the upper half is off. */
static bool tcr_space(uint64_t tcr, struct arch_space *ret)
{
	unsigned int va_bits = 64 - (unsigned int)TCR_T1SZ(tcr);
	unsigned int page_shift = tg1_page_shift(tcr);
	unsigned int image_bits = va_bits < 48 ? va_bits : 48;

	if (tcr & TCR_EPD1 || !page_shift || va_bits > 52 || va_bits <= page_shift)
		return false;
	*ret = (struct arch_space){
		.form = ARCH_FORM_HIGH,
		.tag_bits = tcr & TCR_TBI1 ? 8 : 0,
		.format = tcr & TCR_HPD1 ? FORMAT_NO_HP : 0,
		/*
		 * Above the linear map, which has the lower half since 5.4. With addresses of 52
		 * bits the image is where it would be with 48 (PAGE_END, VA_BITS_MIN). KASLR puts
		 * it at any multiple of 64 KiB in there.
		 */
		.image_first = ~UINT64_C(0) << (image_bits - 1),
		.image_last = UINT64_MAX,
		.image_level = 1,
	};
	if (page_shift == 16)
		ret->format |= TCR_IPS(tcr) == IPS_52_BITS ? FORMAT_LPA : 0;
	else
		ret->format |= tcr & TCR_DS ? FORMAT_DS : 0;
	arch_space_cut(ret, page_shift, page_shift - 3, va_bits);
	return true;
}

/*
 * With CONFIG_UNMAP_KERNEL_AT_EL0 a vCPU in user mode has a table of a few pages of
 * trampoline; the kernel's lies behind it, with reserved_pg_dir between them (5.11 and later,
 * or with CONFIG_ARM64_SW_TTBR0_PAN) or without (TRAMP_SWAPPER_OFFSET).
 */
static size_t aarch64_spaces(const uint64_t *values, struct arch_space *ret,
			     const char **unsupported_ret)
{
	unsigned int el = (unsigned int)PSTATE_EL(values[CPSR]);
	/* A kernel at EL2, with VHE; its processes run with TGE set. */
	bool vhe = el == 2 || (el == 0 && values[HCR_EL2] & HCR_TGE);
	unsigned int page_shift = tg1_page_shift(values[vhe ? TCR_EL2 : TCR]);
	struct arch_space space;
	size_t n = 0;

	if (vhe && !(values[HCR_EL2] & HCR_E2H && values[TCR_EL2] && values[TTBR1_EL2])) {
		*unsupported_ret = "a vCPU is at EL2, and the stub does not show the registers of "
				   "its translation (TCR_EL2, TTBR1_EL2)";
		return 0;
	}
	if (el == 3 || !(values[vhe ? SCTLR_EL2 : SCTLR] & SCTLR_M) ||
	    !tcr_space(values[vhe ? TCR_EL2 : TCR], &space))
		return 0;
	space.root.addr = ttbr_table(&space, values[vhe ? TTBR1_EL2 : TTBR1]);
	space.anchor = values[vhe ? VBAR_EL2 : VBAR];
	/* In user mode, QEMU translates as for the process, which may not see the kernel. */
	space.live = el != 0;
	space.rank = el ? 0 : 1;
	ret[n++] = space;
	space.live = false;
	for (unsigned int pages = 2; pages > 0; pages--) {
		ret[n] = space;
		ret[n].root.addr += (gaddr_t)pages << page_shift;
		ret[n++].rank = (el ? 6 : 4) - pages;
	}
	return n;
}

/* Of user_space(). At EL2, with VHE, the process has the lower half of EL2's own addresses. */
enum { USER_CPSR, USER_TCR, USER_TTBR0, USER_TCR_EL2, USER_TTBR0_EL2 };
static const char *const user_register_names[] = {
	[USER_CPSR] = "cpsr",        [USER_TCR] = "TCR_EL1",          [USER_TTBR0] = "TTBR0_EL1",
	[USER_TCR_EL2] = "?TCR_EL2", [USER_TTBR0_EL2] = "?TTBR0_EL2",
};

/* With PAN, which is on in the kernel, QEMU does not read what is the process's. */
static bool aarch64_user_space(const uint64_t *values, struct arch_space *ret)
{
	static const uint8_t page_shifts[] = {12, 16, 14, 0}; /* by TG0 */
	bool vhe = PSTATE_EL(values[USER_CPSR]) == 2;
	uint64_t tcr = values[vhe ? USER_TCR_EL2 : USER_TCR];
	unsigned int va_bits = 64 - (unsigned int)TCR_T0SZ(tcr);
	unsigned int page_shift = page_shifts[TCR_TG0(tcr)];

	if (tcr & TCR_EPD0 || !page_shift || va_bits > 52 || va_bits <= page_shift)
		return false;
	*ret = (struct arch_space){
		.form = ARCH_FORM_LOW,
		.tag_bits = tcr & TCR_TBI0 ? 8 : 0,
		.format = tcr & TCR_HPD0 ? FORMAT_NO_HP : 0,
	};
	if (page_shift == 16)
		ret->format |= TCR_IPS(tcr) == IPS_52_BITS ? FORMAT_LPA : 0;
	else
		ret->format |= tcr & TCR_DS ? FORMAT_DS : 0;
	arch_space_cut(ret, page_shift, page_shift - 3, va_bits);
	ret->root.addr = ttbr_table(ret, values[vhe ? USER_TTBR0_EL2 : USER_TTBR0]);
	return true;
}

/* The output address of an entry, without the bits below the page size. */
static gaddr_t entry_output(const struct arch_space *space, uint64_t entry)
{
	unsigned int page_shift = space->level[0].shift;
	uint64_t low = (UINT64_C(1) << page_shift) - 1;

	if (space->format & FORMAT_DS)
		return (entry & UINT64_C(0x0003ffffffffffff) & ~low) | (entry >> 8 & 3) << 50;
	if (space->format & FORMAT_LPA)
		return (entry & UINT64_C(0x0000ffffffffffff) & ~low) | (entry >> 12 & 15) << 48;
	return entry & UINT64_C(0x0000ffffffffffff) & ~low;
}

/* The highest level at which an entry may be a block. */
static unsigned int block_level(const struct arch_space *space)
{
	if (space->level[0].shift == 12)
		return space->format & FORMAT_DS ? 4 : 3;
	return space->format & (FORMAT_DS | FORMAT_LPA) ? 3 : 2;
}

static struct arch_entry aarch64_entry(const struct arch_space *space, unsigned int level,
				       uint64_t entry)
{
	struct arch_entry ret = {.table.addr = entry_output(space, entry)};
	bool plain = space->format & FORMAT_NO_HP;

	if (!(entry & ENTRY_VALID))
		return ret;
	if (level > 1 && entry & ENTRY_TABLE) {
		ret.kind = ARCH_ENTRY_TABLE;
		ret.writable = plain || !(entry & ENTRY_RO_TABLE);
		ret.executable = plain || !(entry & ENTRY_PXN_TABLE);
		return ret;
	}
	if (level > 1 ? level > block_level(space) : !(entry & ENTRY_TABLE))
		return ret; /* reserved */
	ret.kind = ARCH_ENTRY_LEAF;
	ret.table.addr &= ~((UINT64_C(1) << space->level[level - 1].shift) - 1);
	/* With DBM, the hardware makes a page writable at the first write. */
	ret.writable = !(entry & ENTRY_AP_RO) || entry & ENTRY_DBM;
	ret.executable = !(entry & ENTRY_PXN);
	return ret;
}

/* Bits high to low of an instruction. */
#define BITS(insn, high, low) ((insn) >> (low) & ((UINT32_C(1) << ((high) - (low) + 1)) - 1))

/*
 * ADRP forms the address of a page, one ADD or more, or the offset of a load, what is on it
 * (C6.2.4, C6.2.13, C6.2.166). Instructions are little-endian, whatever the data is.
 */
static size_t aarch64_operands(const uint8_t *code, size_t len, gaddr_t addr, gaddr_t *ret,
			       size_t max)
{
	gaddr_t known[32] = {0}; /* what registers have, 0: unknown */
	size_t n = 0;

	for (size_t i = 0; i + 4 <= len && n < max; i += 4) {
		uint32_t insn = (uint32_t)kt_load_uint(code + i, 4, false);
		unsigned int to = BITS(insn, 4, 0), from = BITS(insn, 9, 5);

		if (BITS(insn, 31, 31) && BITS(insn, 28, 24) == 0x10) { /* ADRP */
			uint64_t pages = (uint64_t)BITS(insn, 23, 5) << 2 | BITS(insn, 30, 29);

			known[to] = ((addr + i) & ~(gaddr_t)0xfff) +
				    ((gaddr_t)((int64_t)(pages << 43) >> 43) << 12);
		} else if (BITS(insn, 31, 22) == 0x244 && known[from]) { /* ADD, not shifted */
			known[to] = known[from] + BITS(insn, 21, 10);
			ret[n++] = known[to];
		} else if (BITS(insn, 29, 24) == 0x39 && known[from]) { /* a load, or a store */
			ret[n++] = known[from] +
				   ((gaddr_t)BITS(insn, 21, 10) << BITS(insn, 31, 30));
		}
	}
	return n;
}

const struct arch arch_aarch64 = {
	.name = "aarch64",
	.registers = register_names,
	.n_registers = sizeof(register_names) / sizeof(register_names[0]),
	.spaces = aarch64_spaces,
	.user_registers = user_register_names,
	.n_user_registers = sizeof(user_register_names) / sizeof(user_register_names[0]),
	.user_space = aarch64_user_space,
	.entry_size = 8,
	.entry = aarch64_entry,
	.anchor = "vectors", /* arch/arm64/kernel/entry.S; not with KPTI in user mode */
	/* arch/arm64/mm/mmu.c; since 4.6 (a7f8de168ace) */
	.root = "swapper_pg_dir",
	.voffset = "kimage_voffset",
	.operands = aarch64_operands,
};
