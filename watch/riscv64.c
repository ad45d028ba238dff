// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Breakpoints in RISC-V code: the unprivileged ISA, chapters 2 (RV32I) and "C". A function begins
 * with no-ops for ftrace of 8 bytes, or since 6.16 with the first half of a call and one no-op. A
 * call goes far by two instructions, `auipc` and `jalr`, which are one here.
 */
#include "util/cursor.h"
#include "watch/arch.h"

static const char *const general[] = {"zero", "ra", "sp",  "gp",  "tp", "t0", "t1", "t2",
				      "fp",   "s1", "a0",  "a1",  "a2", "a3", "a4", "a5",
				      "a6",   "a7", "s2",  "s3",  "s4", "s5", "s6", "s7",
				      "s8",   "s9", "s10", "s11", "t3", "t4", "t5", "t6"};
#define RA     1
#define A0     10
#define N_ARGS 8

#define INSN_NOP  0x13u
#define INSN_LPAD 0x17u /* auipc zero: where an indirect call may go to (Zicfilp) */

/* `count` bits from bit `from` on, put at bit `to`. */
static uint32_t bits(uint32_t insn, unsigned int from, unsigned int count, unsigned int to)
{
	return (insn >> from & ((1u << count) - 1)) << to;
}

/* addr plus a number of `width` bits that has a sign. */
static gaddr_t plus(gaddr_t addr, uint32_t distance, unsigned int width)
{
	return addr + (uint64_t)((int64_t)((uint64_t)distance << (64 - width)) >> (64 - width));
}

static uint32_t load_insn(const uint8_t *code, size_t len)
{
	return (uint32_t)kt_load_uint(code, len, false);
}

static unsigned int rd_of(uint32_t insn)
{
	return insn >> 7 & 31;
}

static unsigned int rs1_of(uint32_t insn)
{
	return insn >> 15 & 31;
}

/* 0: cut short, or longer than any that a kernel has. */
static size_t length_of(const uint8_t *code, size_t len)
{
	size_t n;

	if (len < 2 || (code[0] & 0x1f) == 0x1f)
		return 0;
	n = (code[0] & 3) == 3 ? 4 : 2;
	return n <= len ? n : 0;
}

static bool is_jalr(uint32_t insn)
{
	return (insn & 0x707f) == 0x67;
}

static void decode_short(uint32_t insn, gaddr_t addr, struct watch_insn *ret)
{
	unsigned int rs2 = insn >> 2 & 31;

	switch (insn & 0xe003) {
	case 0xa001: /* c.j */
		ret->kind = WATCH_INSN_JUMP;
		ret->target = plus(addr,
				   bits(insn, 12, 1, 11) | bits(insn, 11, 1, 4) |
					   bits(insn, 9, 2, 8) | bits(insn, 8, 1, 10) |
					   bits(insn, 7, 1, 6) | bits(insn, 6, 1, 7) |
					   bits(insn, 3, 3, 1) | bits(insn, 2, 1, 5),
				   12);
		return;
	case 0xc001: /* c.beqz */
	case 0xe001: /* c.bnez */
		ret->kind = WATCH_INSN_BRANCH;
		ret->target = plus(addr,
				   bits(insn, 12, 1, 8) | bits(insn, 10, 2, 3) |
					   bits(insn, 5, 2, 6) | bits(insn, 3, 2, 1) |
					   bits(insn, 2, 1, 5),
				   9);
		return;
	case 0x8002: /* c.jr, c.jalr; with a second register c.mv, c.add; c.ebreak */
		if (rs2 || !rd_of(insn))
			return;
		if (insn & 0x1000)
			ret->kind = WATCH_INSN_CALL;
		else
			ret->kind = rd_of(insn) == RA ? WATCH_INSN_END : WATCH_INSN_UNKNOWN;
		return;
	default:
		if (!insn)
			ret->kind = WATCH_INSN_UNKNOWN; /* illegal by definition */
	}
}

/* A jump by a register, whose target is known if `auipc` was before it. */
static void decode_jalr(uint32_t insn, gaddr_t target, struct watch_insn *ret)
{
	if (rd_of(insn))
		ret->kind = WATCH_INSN_CALL;
	else if (target)
		ret->kind = WATCH_INSN_JUMP;
	else
		ret->kind = rs1_of(insn) == RA ? WATCH_INSN_END : WATCH_INSN_UNKNOWN;
	ret->target = target;
}

static struct watch_insn riscv64_decode(const uint8_t *code, size_t len, gaddr_t addr)
{
	size_t n = length_of(code, len);
	struct watch_insn ret = {.kind = WATCH_INSN_PLAIN, .len = n};
	uint32_t insn, next;

	if (!n)
		return (struct watch_insn){0};
	insn = load_insn(code, n);
	if (n == 2) {
		decode_short(insn, addr, &ret);
		return ret;
	}
	switch (insn & 0x7f) {
	case 0x6f: /* jal */
		ret.kind = rd_of(insn) ? WATCH_INSN_CALL : WATCH_INSN_JUMP;
		ret.target = plus(addr,
				  bits(insn, 31, 1, 20) | bits(insn, 21, 10, 1) |
					  bits(insn, 20, 1, 11) | bits(insn, 12, 8, 12),
				  21);
		break;
	case 0x63: /* beq and the like */
		ret.kind = WATCH_INSN_BRANCH;
		ret.target = plus(addr,
				  bits(insn, 31, 1, 12) | bits(insn, 25, 6, 5) |
					  bits(insn, 8, 4, 1) | bits(insn, 7, 1, 11),
				  13);
		break;
	case 0x67: decode_jalr(insn, 0, &ret); break;
	case 0x17: /* auipc */
		next = len >= 8 ? load_insn(code + 4, 4) : 0;
		if (!is_jalr(next) || !rd_of(insn) || rs1_of(next) != rd_of(insn))
			break;
		ret.len = 8;
		decode_jalr(next, plus(plus(addr, insn & 0xfffff000, 32), next >> 20, 12), &ret);
		break;
	default: break;
	}
	return ret;
}

static size_t riscv64_landing(const uint8_t *code, size_t len)
{
	return len >= 4 && (load_insn(code, 4) & 0xfff) == INSN_LPAD ? 4 : 0;
}

/* "mv rd,a0", "sext.w rd,a0", also in two bytes. */
static bool is_move_of_result(uint32_t insn, size_t len, unsigned int *to, bool *wide)
{
	*to = rd_of(insn);
	*wide = len == 2 ? (insn & 0xf07f) == (0x8002 | A0 << 2)
			 : (insn & 0xfffff07f) == (0x13 | A0 << 15);
	if (*wide)
		return *to;
	return (len == 2 && insn == (0x2001 | A0 << 7)) ||
	       (len == 4 && *to && (insn & 0xfffff07f) == (0x1b | A0 << 15));
}

static size_t riscv64_emulate(const uint8_t *code, size_t len, const uint64_t *registers,
			      struct rsp_write ret[WATCH_WRITES])
{
	uint64_t pc = registers[WATCH_PC], result = registers[WATCH_RESULT];
	size_t n = length_of(code, len);
	struct watch_insn decoded = riscv64_decode(code, n, pc);
	uint32_t insn = n ? load_insn(code, n) : 0;
	unsigned int to;
	bool wide;

	if (!n)
		return 0;
	if (decoded.kind == WATCH_INSN_JUMP) {
		ret[0] = (struct rsp_write){"pc", decoded.target};
		return 1;
	}
	if (n == 2 ? insn == 1 : insn == INSN_NOP) {
		ret[0] = (struct rsp_write){"pc", pc + n};
		return 1;
	}
	if ((insn & 0x7f) == 0x17 && n == 4 && rd_of(insn))
		ret[0] = (struct rsp_write){general[rd_of(insn)], plus(pc, insn & 0xfffff000, 32)};
	else if (is_move_of_result(insn, n, &to, &wide))
		ret[0] = (struct rsp_write){general[to],
					    wide ? result : plus(0, (uint32_t)result, 32)};
	else
		return 0;
	ret[1] = (struct rsp_write){"pc", pc + n};
	return 2;
}

static bool riscv64_calls(gaddr_t to, gaddr_t function)
{
	return to == function;
}

static gaddr_t riscv64_call_return(const uint8_t *code, size_t len, gaddr_t addr, gaddr_t target)
{
	gaddr_t found = 0;
	struct watch_insn insn;

	for (size_t i = 0; i < len; i += insn.len) {
		insn = riscv64_decode(code + i, len - i, addr + i);
		if (!insn.len)
			break; /* the end, or what is no code */
		if (insn.kind != WATCH_INSN_CALL || !riscv64_calls(insn.target, target))
			continue;
		if (found)
			return 0;
		found = addr + i + insn.len;
	}
	return found;
}

const struct watch_arch watch_riscv64 = {
	.name = "riscv64",
	.pc = "pc",
	.result = "a0",
	.current = "tp", /* arch/riscv/include/asm/current.h */
	.current_is = WATCH_CURRENT_TASK,
	.args = general + A0,
	.n_args = N_ARGS,
	.breakpoint_len = 2,
	.landing = riscv64_landing,
	.emulate = riscv64_emulate,
	.call_return = riscv64_call_return,
	/* A `switch` on the type of the program, in stock kernels of 7.2. */
	.no_decode = "compilers have bpf_prog_load() jump by a table there",
	.calls = riscv64_calls,
};
