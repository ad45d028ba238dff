// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * RISC-V translation: Sv39, Sv48 and Sv57 of the Privileged Architecture, with Svnapot. The
 * kernel is mapped in every process's table.
 */
#include "memory/arch.h"
#include "util/cursor.h"

#define SATP_MODE(satp) ((satp) >> 60)
#define SATP_PPN        UINT64_C(0x00000fffffffffff)
#define MODE_SV39       8
#define MODE_SV57       10

#define PRIV_U 0
#define PRIV_S 1

#define STVEC_MODE UINT64_C(3)

#define ENTRY_V        (UINT64_C(1) << 0)
#define ENTRY_R        (UINT64_C(1) << 1)
#define ENTRY_W        (UINT64_C(1) << 2)
#define ENTRY_X        (UINT64_C(1) << 3)
#define ENTRY_U        (UINT64_C(1) << 4)
#define ENTRY_PPN(e)   ((e) >> 10 & SATP_PPN)
#define ENTRY_N        (UINT64_C(1) << 63)
#define NAPOT_64K      UINT64_C(8) /* the low four bits of such a page number */
#define NAPOT_64K_BITS 16

enum { SATP, PRIV, STVEC };
static const char *const register_names[] = {
	[SATP] = "satp",
	[PRIV] = "priv",
	[STVEC] = "?stvec",
};

static size_t riscv64_spaces(const uint64_t *values, struct arch_space *ret,
			     const char **unsupported_ret)
{
	uint64_t mode = SATP_MODE(values[SATP]);

	if (mode && (mode < MODE_SV39 || mode > MODE_SV57))
		*unsupported_ret = "a vCPU has a translation mode other than Sv39, Sv48 and Sv57";
	if (mode < MODE_SV39 || mode > MODE_SV57)
		return 0;
	*ret = (struct arch_space){
		.root.addr = (values[SATP] & SATP_PPN) << 12,
		.form = ARCH_FORM_SIGNED,
		/*
		 * KERNEL_LINK_ADDR since 5.13. KASLR, since 6.6, moves it by multiples of 2 MiB
		 * (arch/riscv/mm/init.c).
		 */
		.image_first = UINT64_C(0xffffffff80000000),
		.image_last = UINT64_MAX,
		.image_align = UINT64_C(0x200000),
		.image_level = 2,
		.anchor = values[STVEC] & ~STVEC_MODE,
		/*
		 * In user mode QEMU translates as for the process, which may not see the kernel;
		 * firmware, in machine mode, has no translation.
		 */
		.live = values[PRIV] == PRIV_S,
		.rank = values[PRIV] == PRIV_S   ? 0
			: values[PRIV] == PRIV_U ? 1
						 : 2,
	};
	arch_space_cut(ret, 12, 9, 12 + 9 * (unsigned int)(mode - MODE_SV39 + 3));
	return 1;
}

/* The same table has both; but what is the process's, the kernel may read only while SUM is set. */
static bool riscv64_user_space(const uint64_t *values, struct arch_space *ret)
{
	const char *unsupported;

	return riscv64_spaces(values, ret, &unsupported) > 0;
}

static struct arch_entry riscv64_entry(const struct arch_space *space, unsigned int level,
				       uint64_t entry)
{
	struct arch_entry ret = {.table.addr = ENTRY_PPN(entry) << 12};
	gaddr_t offset_mask = (UINT64_C(1) << space->level[level - 1].shift) - 1;

	if (!(entry & ENTRY_V) || (entry & ENTRY_W && !(entry & ENTRY_R)))
		return ret;
	if (!(entry & (ENTRY_R | ENTRY_W | ENTRY_X))) {
		if (level == 1 || entry & (ENTRY_N | ENTRY_U))
			return ret;
		ret.kind = ARCH_ENTRY_TABLE;
		ret.writable = ret.executable = true;
		return ret;
	}
	/* A large page that is not at a multiple of its size is a fault. */
	if (ret.table.addr & offset_mask)
		return ret;
	if (entry & ENTRY_N) {
		if (level > 1 || (ENTRY_PPN(entry) & 15) != NAPOT_64K)
			return ret;
		ret.leaf_shift = NAPOT_64K_BITS;
		ret.table.addr &= ~((UINT64_C(1) << NAPOT_64K_BITS) - 1);
	}
	ret.kind = ARCH_ENTRY_LEAF;
	ret.writable = entry & ENTRY_W;
	/* The kernel may not execute a process's pages. */
	ret.executable = entry & ENTRY_X && !(entry & ENTRY_U);
	return ret;
}

/*
 * AUIPC adds 20 bits to its own address, ADDI or the offset of a load the other 12 (unprivileged
 * ISA, chapter 2). Instructions of 2 bytes may come in between, so each multiple of 2 is tried.
 */
static size_t riscv64_operands(const uint8_t *code, size_t len, gaddr_t addr, gaddr_t *ret,
			       size_t max)
{
	gaddr_t high[32] = {0};
	size_t n = 0;

	for (size_t i = 0; i + 4 <= len && n < max; i += 2) {
		uint32_t insn = (uint32_t)kt_load_uint(code + i, 4, false);
		unsigned int opcode = insn & 0x7f, to = insn >> 7 & 31, from = insn >> 15 & 31;
		bool adds = (opcode == 0x13 || opcode == 0x1b) && !(insn >> 12 & 7);

		if (opcode == 0x17)
			high[to] = addr + i + (gaddr_t)(int64_t)(int32_t)(insn & 0xfffff000);
		if ((!adds && opcode != 0x03) || !high[from])
			continue;
		ret[n++] = high[from] + (gaddr_t)(int64_t)((int32_t)insn >> 20);
		if (adds)
			high[to] = ret[n - 1];
	}
	return n;
}

const struct arch arch_riscv64 = {
	.name = "riscv64",
	.registers = register_names,
	.n_registers = sizeof(register_names) / sizeof(register_names[0]),
	.spaces = riscv64_spaces,
	.user_registers = register_names,
	.n_user_registers = sizeof(register_names) / sizeof(register_names[0]),
	.user_space = riscv64_user_space,
	.entry_size = 8,
	.entry = riscv64_entry,
	.anchor = "handle_exception", /* arch/riscv/kernel/entry.S */
	.operands = riscv64_operands,
	/* riscv-csr.xml has no CSR of supervisor mode then (QEMU 11.1, seen). */
	.no_registers =
		"under KVM, QEMU's stub does not show satp, which leads to the page tables; "
		"riscv64 guests can be read under TCG",
};
