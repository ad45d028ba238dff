// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * z/Architecture translation: Principles of Operation (SA22-7832), chapter 3. A space is named
 * by an address-space-control element (ASCE); the kernel's is the home space, in CR13, since
 * processes have the primary one (arch/s390/kernel/entry.S).
 *
 * Tables hold real addresses, and the stub reads absolute ones. They differ only for the lowcore
 * (prefixing), where no table lies.
 */
#include "memory/arch.h"
#include "util/cursor.h"

#define PSW_DAT UINT64_C(0x0400000000000000)
#define PSW_ASC UINT64_C(0x0000c00000000000)

/* ASCEs and entries of region tables */
#define TABLE_ORIGIN    (~UINT64_C(0xfff))
#define TABLE_TYPE(e)   ((e) >> 2 & 3)
#define TABLE_LENGTH(e) ((e)&3)
#define TABLE_OFFSET(e) ((e) >> 6 & 3)
#define TABLE_QUARTER   512 /* entries: the unit of offset and length */
#define ASCE_REAL       UINT64_C(0x20)

#define ENTRY_INVALID  UINT64_C(0x20)
#define ENTRY_FORMAT   UINT64_C(0x400) /* of regions of 2 GiB and segments: a page of that size */
#define ENTRY_PROTECT  UINT64_C(0x200)
#define ENTRY_NOEXEC   UINT64_C(0x100)
#define SEGMENT_ORIGIN (~UINT64_C(0x7ff))
#define PAGE_INVALID   UINT64_C(0x400)
#define PAGE_ZERO      UINT64_C(0x800) /* a one is reserved */

enum { PSWM, CR1, CR7, CR13 };
static const char *const register_names[] = {
	[PSWM] = "pswm",
	[CR1] = "cr1",
	[CR7] = "cr7",
	[CR13] = "cr13",
};

/* False: not a table that could be a kernel's. */
static bool asce_space(uint64_t asce, struct arch_space *ret)
{
	/* By its type: a segment table, with pages below, is the lowest one. */
	static const struct arch_level levels[ARCH_MAX_LEVELS] = {
		{12, 8}, {20, 11}, {31, 11}, {42, 11}, {53, 11},
	};

	/* Linux has no real spaces; 0 is what a CPU that was not set up has. */
	if (asce & ASCE_REAL || !(asce & TABLE_ORIGIN))
		return false;
	*ret = (struct arch_space){
		.root.addr = asce & TABLE_ORIGIN,
		.root.count = ((unsigned int)TABLE_LENGTH(asce) + 1) * TABLE_QUARTER,
		.levels = (unsigned int)TABLE_TYPE(asce) + 2,
		.form = ARCH_FORM_LOW,
		/*
		 * Anywhere: where it was loaded to, until 6.9; in an area of its own, at the upper
		 * end, later.
		 */
		.image_first = 0,
		.image_last = UINT64_MAX,
		.image_level = 1,
	};
	for (unsigned int i = 0; i < ARCH_MAX_LEVELS; i++)
		ret->level[i] = levels[i];
	return true;
}

static size_t s390x_spaces(const uint64_t *values, struct arch_space *ret,
			   const char **unsupported_ret)
{
	static const unsigned int order[] = {CR13, CR1, CR7};
	uint64_t psw = values[PSWM];
	/* QEMU's stub reads through the home space if the CPU is in it, else the primary one. */
	uint64_t stub = values[(psw & PSW_ASC) == PSW_ASC ? CR13 : CR1];
	size_t n = 0;

	(void)unsupported_ret;
	for (unsigned int i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		uint64_t asce = values[order[i]];

		if (!asce_space(asce, &ret[n]))
			continue;
		ret[n].live = psw & PSW_DAT && asce == stub;
		ret[n].rank = i;
		n++;
	}
	return n;
}

/*
 * While the kernel runs, the secondary space is the process's
 * (arch/s390/include/asm/mmu_context.h).
 */
static const char *const user_register_names[] = {"cr7"};

static bool s390x_user_space(const uint64_t *values, struct arch_space *ret)
{
	return asce_space(values[0], ret);
}

static struct arch_entry region_entry(unsigned int level, uint64_t entry)
{
	unsigned int first = (unsigned int)TABLE_OFFSET(entry) * TABLE_QUARTER;
	unsigned int end = ((unsigned int)TABLE_LENGTH(entry) + 1) * TABLE_QUARTER;
	struct arch_entry ret = {
		.table = {.addr = entry & TABLE_ORIGIN, .first = first, .count = end - first},
		.writable = !(entry & ENTRY_PROTECT),
		.executable = true,
	};

	/* Each says of which level it is, so that a table cannot be taken for another. */
	if (entry & ENTRY_INVALID || TABLE_TYPE(entry) != level - 2)
		return ret;
	if (level == 3 && entry & ENTRY_FORMAT) {
		ret.kind = ARCH_ENTRY_LEAF;
		ret.table.addr = entry & ~UINT64_C(0x7fffffff);
		ret.executable = !(entry & ENTRY_NOEXEC);
	} else if (first < end) {
		ret.kind = ARCH_ENTRY_TABLE;
	}
	return ret;
}

static struct arch_entry s390x_entry(const struct arch_space *space, unsigned int level,
				     uint64_t entry)
{
	struct arch_entry ret = {
		.writable = !(entry & ENTRY_PROTECT),
		.executable = !(entry & ENTRY_NOEXEC),
	};

	(void)space;
	if (level > 2)
		return region_entry(level, entry);
	if (level == 1) {
		if (!(entry & (PAGE_INVALID | PAGE_ZERO)))
			ret.kind = ARCH_ENTRY_LEAF;
		ret.table.addr = entry & TABLE_ORIGIN;
		return ret;
	}
	if (entry & ENTRY_INVALID || TABLE_TYPE(entry) != 0)
		return ret;
	if (entry & ENTRY_FORMAT) {
		ret.kind = ARCH_ENTRY_LEAF;
		ret.table.addr = entry & ~UINT64_C(0xfffff);
	} else {
		ret.kind = ARCH_ENTRY_TABLE;
		ret.table.addr = entry & SEGMENT_ORIGIN;
		ret.executable = true;
	}
	return ret;
}

/*
 * LARL and LGRL, relative to the instruction, in units of 2 bytes (Principles of Operation, chapter
 * 7). Instructions have 2, 4 or 6 bytes, as the first two bits tell.
 */
static size_t s390x_operands(const uint8_t *code, size_t len, gaddr_t addr, gaddr_t *ret,
			     size_t max)
{
	static const unsigned int sizes[] = {2, 4, 4, 6};
	size_t n = 0;

	for (size_t i = 0; i + 6 <= len && n < max; i += sizes[code[i] >> 6]) {
		bool larl = code[i] == 0xc0 && !(code[i + 1] & 15);
		bool lgrl = code[i] == 0xc4 && (code[i + 1] & 15) == 8;

		if (larl || lgrl)
			ret[n++] = addr + i +
				   2 * (gaddr_t)(int64_t)(int32_t)kt_load_uint(code + i + 2, 4,
									       true);
	}
	return n;
}

const struct arch arch_s390x = {
	.name = "s390x",
	.registers = register_names,
	.n_registers = sizeof(register_names) / sizeof(register_names[0]),
	.spaces = s390x_spaces,
	.user_registers = user_register_names,
	.n_user_registers = sizeof(user_register_names) / sizeof(user_register_names[0]),
	.user_space = s390x_user_space,
	.entry_size = 8,
	.entry = s390x_entry,
	.operands = s390x_operands,
	/* The new PSW of program interruptions in the lowcore (figure 3-11). */
	.anchor = "pgm_check_handler",
	.anchor_at = 0x1d8,
};
