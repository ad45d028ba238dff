/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The formats of page tables, for tablebuild.h. */
#ifndef KT_TESTS_INTROSPECT_FORMATS_H
#define KT_TESTS_INTROSPECT_FORMATS_H

#include "tests/memory/tablebuild.h"

/* --- x86-64: Intel SDM volume 3, figure 4-11 --- */

static inline uint64_t x86_table(const struct build_format *f, unsigned int level, gaddr_t addr)
{
	(void)f;
	(void)level;
	return addr | 0x67;
}

static inline uint64_t x86_page(const struct build_format *f, unsigned int level, gaddr_t addr,
				bool writable, bool executable)
{
	return addr | 0x161 | (writable ? 2 : 0) | (executable ? 0 : UINT64_C(1) << 63) |
	       (level + 1 < f->levels ? 0x80 : 0);
}

static inline void x86_registers(const struct build_format *f, gaddr_t root, uint64_t *values)
{
	build_register(f->arch, values, "cr0", 0x80050033);
	build_register(f->arch, values, "cr3", root);
	build_register(f->arch, values, "cr4", f->levels == 5 ? 0x1020 : 0x20);
	build_register(f->arch, values, "efer", 0xd01);
	build_register(f->arch, values, "cs", 0x10);
}

static inline struct build_format format_x86(unsigned int levels)
{
	struct build_format f = {
		.name = levels == 5 ? "x86-64, 5 levels" : "x86-64, 4 levels",
		.arch = &arch_x86_64,
		.levels = levels,
		.va_low = levels == 5 ? UINT64_C(0xff00000000000000) : UINT64_C(0xffff800000000000),
		.va_high = UINT64_MAX,
		.pa_high = UINT64_C(0x000fffffffffffff),
		.table = x86_table,
		.page = x86_page,
		.registers = x86_registers,
	};

	for (unsigned int i = 0; i < levels; i++) {
		f.shift[i] = 12 + 9 * (levels - 1 - i);
		f.bits[i] = 9;
		f.leaf[i] = i + 3 >= levels;
	}
	return f;
}

/* --- AArch64: Arm ARM D8.3, "Translation table descriptor formats" --- */

/* Bits 51:48 of an address are in 15:12 with 64K; with DS, 51:50 are in 9:8. */
static inline uint64_t arm_address(const struct build_format *f, gaddr_t addr)
{
	uint64_t low = addr & UINT64_C(0x0000ffffffffffff);

	if (!f->wide)
		return addr;
	if (f->granule == 16)
		return low | (addr >> 48) << 12;
	return (addr & UINT64_C(0x0003ffffffffffff)) | (addr >> 50) << 8;
}

static inline uint64_t arm_table(const struct build_format *f, unsigned int level, gaddr_t addr)
{
	(void)level;
	return arm_address(f, addr) | 3;
}

static inline uint64_t arm_page(const struct build_format *f, unsigned int level, gaddr_t addr,
				bool writable, bool executable)
{
	/* UXN and AF; AP[2] is "read-only", PXN is for the kernel. */
	return arm_address(f, addr) | UINT64_C(1) << 54 | 1 << 10 | 1 << 2 |
	       (writable ? 0 : 1 << 7) | (executable ? 0 : UINT64_C(1) << 53) |
	       (level + 1 == f->levels ? 3 : 1);
}

static inline void arm_registers(const struct build_format *f, gaddr_t root, uint64_t *values)
{
	uint64_t tg1 = f->granule == 12 ? 2 : f->granule == 14 ? 1 : 3;
	uint64_t tcr = 16 | (64 - (uint64_t)f->va_bits) << 16 | tg1 << 30 |
		       (f->wide ? UINT64_C(6) : UINT64_C(5)) << 32;

	if (f->wide && f->granule != 16)
		tcr |= UINT64_C(1) << 59;
	/* EL1h; an ASID, and CnP. */
	build_register(f->arch, values, "cpsr", 0x600003c5);
	build_register(f->arch, values, "SCTLR_EL1", 0x3475d99d);
	build_register(f->arch, values, "TCR_EL1", tcr);
	build_register(f->arch, values, "TTBR1_EL1",
		       (root & UINT64_C(0x0000ffffffffffff)) | (root >> 48) << 2 |
			       UINT64_C(0x1234) << 48 | 1);
}

static inline struct build_format format_arm(unsigned int granule, unsigned int va_bits, bool wide)
{
	struct build_format f = {
		.name = "aarch64",
		.arch = &arch_aarch64,
		.va_low = UINT64_MAX << (va_bits - 1),
		.va_high = UINT64_MAX,
		.pa_high = wide ? UINT64_C(0x000fffffffffffff) : UINT64_C(0x0000ffffffffffff),
		.table = arm_table,
		.page = arm_page,
		.registers = arm_registers,
		.va_bits = va_bits,
		.granule = granule,
		.wide = wide,
	};
	unsigned int stride = granule - 3, levels = (va_bits - granule + stride - 1) / stride;

	f.levels = levels;
	for (unsigned int i = 0; i < levels; i++) {
		int arm_level = 3 - (int)(levels - 1 - i); /* -1 to 3 */

		f.shift[i] = granule + stride * (unsigned int)(3 - arm_level);
		f.bits[i] = i ? stride : va_bits - f.shift[0];
		/* Table D8-10: where a block may be. */
		f.leaf[i] = arm_level >= 2 || (arm_level == 1 && (granule == 12 || wide)) ||
			    (arm_level == 0 && granule == 12 && wide);
	}
	return f;
}

/* --- RISC-V: Privileged Architecture 12.4 to 12.6 --- */

static inline uint64_t riscv_table(const struct build_format *f, unsigned int level, gaddr_t addr)
{
	(void)f;
	(void)level;
	return addr >> 12 << 10 | 1;
}

static inline uint64_t riscv_page(const struct build_format *f, unsigned int level, gaddr_t addr,
				  bool writable, bool executable)
{
	(void)f;
	(void)level;
	/* D A G, R and V; Svpbmt's "non-cacheable". */
	return addr >> 12 << 10 | 0xe3 | (writable ? 4 : 0) | (executable ? 8 : 0) |
	       UINT64_C(1) << 61;
}

static inline void riscv_registers(const struct build_format *f, gaddr_t root, uint64_t *values)
{
	build_register(f->arch, values, "satp",
		       (uint64_t)(f->levels + 5) << 60 | UINT64_C(0xabc) << 44 | root >> 12);
	build_register(f->arch, values, "priv", 1);
}

static inline struct build_format format_riscv(unsigned int levels)
{
	struct build_format f = {
		.name = levels == 3   ? "Sv39"
			: levels == 4 ? "Sv48"
				      : "Sv57",
		.arch = &arch_riscv64,
		.levels = levels,
		.va_low = UINT64_MAX << (12 + 9 * levels - 1),
		.va_high = UINT64_MAX,
		.pa_high = UINT64_C(0x00ffffffffffffff),
		.table = riscv_table,
		.page = riscv_page,
		.registers = riscv_registers,
	};

	for (unsigned int i = 0; i < levels; i++) {
		f.shift[i] = 12 + 9 * (levels - 1 - i);
		f.bits[i] = 9;
		f.leaf[i] = true;
	}
	return f;
}

/* --- z/Architecture: Principles of Operation, figures 3-14 to 3-18 --- */

/* From the root on: of which type (3 region first, 2, 1, 0 segment) a table is; -1: of pages. */
static inline int s390_type(const struct build_format *f, unsigned int level)
{
	return (int)f->levels - 2 - (int)level;
}

static inline uint64_t s390_table(const struct build_format *f, unsigned int level, gaddr_t addr)
{
	int type = s390_type(f, level);

	/* Region entries: type, offset 0, length 3. A segment's leads to pages. */
	return type ? addr | (uint64_t)type << 2 | 3 : addr;
}

static inline uint64_t s390_page(const struct build_format *f, unsigned int level, gaddr_t addr,
				 bool writable, bool executable)
{
	int type = s390_type(f, level);

	return addr | (writable ? 0 : 0x200) | (executable ? 0 : 0x100) |
	       (type >= 0 ? 0x400 | (uint64_t)type << 2 : 0);
}

static inline void s390_registers(const struct build_format *f, gaddr_t root, uint64_t *values)
{
	uint64_t asce = root | (uint64_t)(f->levels - 2) << 2 | 3;

	build_register(f->arch, values, "pswm", UINT64_C(0x0704c00180000000));
	build_register(f->arch, values, "cr1", UINT64_C(0x1234007));
	build_register(f->arch, values, "cr7", UINT64_C(0x1234007));
	build_register(f->arch, values, "cr13", asce);
}

static inline struct build_format format_s390(unsigned int levels)
{
	static const unsigned int shifts[] = {12, 20, 31, 42, 53};
	struct build_format f = {
		.name = "s390x",
		.arch = &arch_s390x,
		.levels = levels,
		.va_high = levels == 5 ? UINT64_MAX : (UINT64_C(1) << (20 + 11 * (levels - 1))) - 1,
		.pa_high = UINT64_MAX >> 1,
		.big_endian = true,
		.empty = 0x420, /* I of segments and regions, and of pages */
		.table = s390_table,
		.page = s390_page,
		.registers = s390_registers,
	};

	for (unsigned int i = 0; i < levels; i++) {
		f.shift[i] = shifts[levels - 1 - i];
		f.bits[i] = i + 1 == levels ? 8 : 11;
		f.leaf[i] = i + 3 >= levels;
	}
	return f;
}

/*
 * --- ppc64le: Power ISA 3.0B, book III, 5.7.10; and Linux' own tables beside the hash table, as
 * Documentation/arch/powerpc and asm/book3s/64/{radix,hash}-{4k,64k}.h cut them up ---
 */

#define PPC_LINEAR UINT64_C(0xc000000000000000)

static inline bool ppc_radix(const struct build_format *f)
{
	return f->bits[0] == 13;
}

/* Radix: the next table's number of bits comes along. Hash, before 4.20: no bit but the address. */
static inline uint64_t ppc_table(const struct build_format *f, unsigned int level, gaddr_t addr)
{
	if (ppc_radix(f))
		return UINT64_C(1) << 63 | addr | f->bits[level + 1];
	return addr | (f->granule == 12 ? UINT64_C(1) << 63 : 0);
}

static inline uint64_t ppc_page(const struct build_format *f, unsigned int level, gaddr_t addr,
				bool writable, bool executable)
{
	/* Valid, leaf; R, C, privileged, readable. With hash, where its own table has the page. */
	return UINT64_C(3) << 62 | addr | 0x18c | (writable ? 2 : 0) | (executable ? 1 : 0) |
	       (ppc_radix(f) ? 0 : UINT64_C(0x00a0000000000000)) |
	       (f->granule == 16 && !ppc_radix(f) && level + 1 == f->levels ? 0x1000 : 0);
}

static inline void ppc_registers(const struct build_format *f, gaddr_t root, uint64_t *values)
{
	(void)root;
	build_register(f->arch, values, "msr", UINT64_C(0x8000000000009033));
}

static inline void ppc_variables(const struct build_format *f, gaddr_t root,
				 struct arch_variable *ret)
{
	ret[0] = (struct arch_variable){.known = true, .addr = PPC_LINEAR + root};
	for (unsigned int i = 0; i < 4; i++)
		ret[1 + i] = (struct arch_variable){.known = true, .value = f->bits[3 - i]};
	ret[5] = (struct arch_variable){
		.known = true,
		.value = UINT64_C(1) << 63 | (ppc_radix(f) ? f->bits[3] : 0),
	};
}

static inline struct build_format format_ppc(unsigned int granule, bool radix)
{
	static const unsigned int bits[2][2][4] = {
		{{9, 9, 7, 9}, {8, 10, 10, 8}},
		{{13, 9, 9, 9}, {13, 9, 9, 5}},
	};
	struct build_format f = {
		.name = radix ? "ppc64le, radix" : "ppc64le, hash",
		.arch = &arch_ppc64le,
		.levels = 4,
		.va_low = radix || granule == 16 ? UINT64_C(0xc008000000000000)
						 : UINT64_C(0xc0003d0000000000),
		.va_high = radix || granule == 16 ? UINT64_C(0xc00fffffffffffff)
						  : UINT64_C(0xc0003fffffffffff),
		.pa_high = (UINT64_C(1) << 53) - 1,
		.big_endian = true,
		.table = ppc_table,
		.page = ppc_page,
		.registers = ppc_registers,
		.variables = ppc_variables,
		.granule = granule,
		.va_bits = granule == 12 && !radix ? 46 : 52,
	};
	unsigned int shift = granule;

	for (unsigned int i = 4; i-- > 0;) {
		f.bits[i] = bits[radix][granule == 16][i];
		f.shift[i] = shift;
		f.leaf[i] = i >= (radix ? 1 : 2);
		shift += f.bits[i];
	}
	return f;
}

/*
 * --- LoongArch: Reference Manual, volume 1, figures 5-3 and 5-4; directories have the kernel's own
 * addresses (arch/loongarch/include/asm/pgalloc.h) ---
 */

static inline uint64_t loong_table(const struct build_format *f, unsigned int level, gaddr_t addr)
{
	(void)f;
	(void)level;
	return UINT64_C(0x9000000000000000) + addr;
}

static inline uint64_t loong_page(const struct build_format *f, unsigned int level, gaddr_t addr,
				  bool writable, bool executable)
{
	/* V, cached, present; H or G; D and W; NX */
	return addr | 0xd1 | (writable ? 0x102 : 0) | (executable ? 0 : UINT64_C(1) << 62) |
	       (level + 1 < f->levels ? 0x40 : 0);
}

static inline void loong_registers(const struct build_format *f, gaddr_t root, uint64_t *values)
{
	(void)root;
	build_register(f->arch, values, "badv", 0x1234);
}

static inline void loong_variables(const struct build_format *f, gaddr_t root,
				   struct arch_variable *ret)
{
	(void)f;
	ret[0] = (struct arch_variable){.known = true, .addr = UINT64_C(0x9000000000000000) + root};
}

static inline struct build_format format_loong(unsigned int granule, unsigned int levels)
{
	unsigned int bits = granule + levels * (granule - 3);
	struct build_format f = {
		.name = "loongarch64",
		.arch = &arch_loongarch64,
		.levels = levels,
		.va_low = UINT64_MAX << bits,
		.va_high = UINT64_MAX,
		.pa_high = (UINT64_C(1) << 47) - 1,
		.table = loong_table,
		.page = loong_page,
		.registers = loong_registers,
		.variables = loong_variables,
		.page_size = UINT64_C(1) << granule,
		.granule = granule,
	};

	for (unsigned int i = 0; i < levels; i++) {
		f.bits[i] = granule - 3;
		f.shift[i] = granule + (granule - 3) * (levels - 1 - i);
		f.leaf[i] = i + 2 >= levels;
	}
	return f;
}

#endif
