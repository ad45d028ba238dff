// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * x86-64 paging: Intel SDM volume 3, chapter 4; AMD APM volume 2, chapter 5.
 */
#include "memory/arch.h"
#include "util/cursor.h"

#define CR0_PE     (UINT64_C(1) << 0)
#define CR0_PG     (UINT64_C(1) << 31)
#define CR4_LA57   (UINT64_C(1) << 12)
#define CR4_VMXE   (UINT64_C(1) << 13)
#define EFER_LMA   (UINT64_C(1) << 10)
#define EFER_SVME  (UINT64_C(1) << 12)
#define FLAGS_IF   (UINT64_C(1) << 9)
#define CS_RPL     UINT64_C(3)
#define ENTRY_ADDR UINT64_C(0x000ffffffffff000)
#define ENTRY_P    (UINT64_C(1) << 0)
#define ENTRY_RW   (UINT64_C(1) << 1)
#define ENTRY_PS   (UINT64_C(1) << 7)
#define ENTRY_NX   (UINT64_C(1) << 63)

/*
 * Under PTI a process has two top tables, side by side in 8 KiB: the kernel's, and with
 * this bit set the user's (PTI_USER_PGTABLE_BIT in arch/x86/entry/calling.h, since 4.15).
 * Without PTI the bit is an ordinary one of the address.
 */
#define CR3_PTI_USER (UINT64_C(1) << 12)

/* __START_KERNEL_map */
#define IMAGE_MAP UINT64_C(0xffffffff80000000)

/*
 * page_offset_base is a multiple of 1 GiB with KASLR (arch/x86/mm/kaslr.c), and of more without;
 * with 4 and with 5 levels it is between these (Documentation/arch/x86/x86_64/mm.rst).
 */
#define DIRECT_FIRST UINT64_C(0xff00000000000000)
#define DIRECT_LAST  UINT64_C(0xfffffeffffffffff)
#define DIRECT_LEVEL 3

enum { CR0, CR3, CR4, EFER, CS, EFLAGS, RIP };
static const char *const register_names[] = {
	[CR0] = "cr0", [CR3] = "cr3",       [CR4] = "cr4", [EFER] = "efer",
	[CS] = "cs",   [EFLAGS] = "eflags", [RIP] = "rip",
};

static struct arch_space x86_64_space(gaddr_t root, unsigned int levels)
{
	struct arch_space space = {
		.root.addr = root,
		/* All bits above the highest that is translated are copies of it. */
		.form = ARCH_FORM_SIGNED,
		/*
		 * __START_KERNEL_map, KERNEL_IMAGE_SIZE with KASLR, CONFIG_PHYSICAL_ALIGN's
		 * minimum
		 */
		.image_first = IMAGE_MAP,
		.image_last = UINT64_C(0xffffffffbfffffff),
		.image_align = UINT64_C(0x200000),
		.image_level = 2,
	};

	arch_space_cut(&space, 12, 9, 12 + 9 * levels);
	return space;
}

static size_t x86_64_spaces(const uint64_t *values, struct arch_space *ret,
			    const char **unsupported_ret)
{
	uint64_t cr3 = values[CR3] & ENTRY_ADDR;
	bool user = (values[CS] & CS_RPL) == CS_RPL;
	unsigned int levels = values[CR4] & CR4_LA57 ? 5 : 4;
	bool maybe_pti_user = cr3 & CR3_PTI_USER;
	/*
	 * KVM and others turn these on only while they have guests, and the processor wants them
	 * set while it runs one of those, too.
	 */
	bool maybe_nested = values[EFER] & EFER_SVME || values[CR4] & CR4_VMXE;
	gaddr_t after_halt = !user && !(values[EFLAGS] & FLAGS_IF) ? values[RIP] : 0;
	size_t n = 0;

	(void)unsupported_ret;
	if (!(values[CR0] & CR0_PE) || !(values[CR0] & CR0_PG) || !(values[EFER] & EFER_LMA))
		return 0;
	ret[n] = x86_64_space(cr3, levels);
	ret[n].live = true;
	ret[n].maybe_nested = maybe_nested;
	ret[n].after_halt = after_halt;
	/* In the kernel, only a few instructions of the entry run on the user's table. */
	ret[n++].rank = !user ? 0 : !maybe_pti_user ? 1 : 3;
	if (maybe_pti_user) {
		ret[n] = x86_64_space(cr3 & ~CR3_PTI_USER, levels);
		ret[n].maybe_nested = maybe_nested;
		ret[n].after_halt = after_halt;
		ret[n++].rank = user ? 2 : 4;
	}
	return n;
}

static struct arch_entry x86_64_entry(const struct arch_space *space, unsigned int level,
				      uint64_t entry)
{
	gaddr_t offset_mask = (UINT64_C(1) << space->level[level - 1].shift) - 1;
	struct arch_entry ret = {
		.kind = ARCH_ENTRY_TABLE,
		.table.addr = entry & ENTRY_ADDR,
		.writable = entry & ENTRY_RW,
		.executable = !(entry & ENTRY_NX),
	};

	if (!(entry & ENTRY_P))
		return (struct arch_entry){.kind = ARCH_ENTRY_NONE};
	/* Huge pages of 2 MiB and 1 GiB; bit 12 of their entries is PAT, not address. */
	if (level == 1 || ((level == 2 || level == 3) && (entry & ENTRY_PS))) {
		ret.kind = ARCH_ENTRY_LEAF;
		ret.table.addr &= ~offset_mask;
	}
	return ret;
}

static bool x86_64_is_halt(uint8_t byte)
{
	return byte == 0xf4; /* HLT */
}

static gaddr_t signed32(const uint8_t *from)
{
	return (gaddr_t)(int64_t)(int32_t)kt_load_uint(from, 4, false);
}

/*
 * MOV of a 32-bit address into a 64-bit register, LEA and MOV relative to the instruction's end
 * (SDM, volume 2). Each byte is taken for the start of an instruction.
 */
static size_t x86_64_operands(const uint8_t *code, size_t len, gaddr_t addr, gaddr_t *ret,
			      size_t max)
{
	size_t n = 0;

	for (size_t i = 0; i + 7 <= len && n < max; i++) {
		const uint8_t *insn = code + i;
		bool wide = (insn[0] & 0xf8) == 0x48;

		if (wide && insn[1] == 0xc7 && (insn[2] & 0xf8) == 0xc0)
			ret[n++] = signed32(insn + 3);
		else if (wide && (insn[1] == 0x8d || insn[1] == 0x8b) && (insn[2] & 0xc7) == 0x05)
			ret[n++] = addr + i + 7 + signed32(insn + 3);
		else if (insn[0] == 0x8b && (insn[1] & 0xc7) == 0x05)
			ret[n++] = addr + i + 6 + signed32(insn + 2);
	}
	return n;
}

const struct arch arch_x86_64 = {
	.name = "x86_64",
	.registers = register_names,
	.n_registers = sizeof(register_names) / sizeof(register_names[0]),
	.spaces = x86_64_spaces,
	.entry_size = 8,
	.entry = x86_64_entry,
	.is_halt = x86_64_is_halt,
	.phys_base = "phys_base",
	.image_map = IMAGE_MAP,
	.direct_first = DIRECT_FIRST,
	.direct_last = DIRECT_LAST,
	.direct_level = DIRECT_LEVEL,
	.operands = x86_64_operands,
};
