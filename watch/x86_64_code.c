// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * x86-64 instructions, as far as a walk through a function has to know them: how long one is, and
 * where it leads. What a kernel's C code does not have (VEX, EVEX, three-byte opcodes) is unknown.
 *
 * A letter for each opcode says what follows it: "." nothing, "m" ModRM, "b" one byte, "w" two,
 * "e" three, "i" four (two behind a 66 prefix), "M" and "W" ModRM and such a b or i, "v" as i, and
 * eight with REX.W, "q" an address, "r" and "R" a distance of one or four bytes, "g" and "G" ModRM
 * and, for `test`, b or i. "p" is a prefix, "E" REX, "O" leads to the second map, "x" is unknown.
 */
#include <string.h>

#include "util/cursor.h"
#include "watch/arch.h"

static const char one_byte[] = "mmmmbixxmmmmbixO"
			       "mmmmbixxmmmmbixx"
			       "mmmmbipxmmmmbipx"
			       "mmmmbipxmmmmbipx"
			       "EEEEEEEEEEEEEEEE"
			       "................"
			       "xxxmppppiWbM...."
			       "rrrrrrrrrrrrrrrr"
			       "MWxMmmmmmmmmmmmm"
			       "..........x....."
			       "qqqq....bi......"
			       "bbbbbbbbvvvvvvvv"
			       "MMw.xxMWe.w..bx."
			       "mmmmxxx.mmmmmmmm"
			       "rrrrbbbbRRxr...."
			       "p.pp..gG......mm";

/* Behind 0f. */
static const char two_bytes[] = "mmmmx.....x.xm.x"
				"mmmmmmmmmmmmmmmm"
				"mmmmxxxxmmmmmmmm"
				"........xxxxxxxx"
				"mmmmmmmmmmmmmmmm"
				"mmmmmmmmmmmmmmmm"
				"mmmmmmmmmmmmmmmm"
				"MMMMmmm.mmxxmmmm"
				"RRRRRRRRRRRRRRRR"
				"mmmmmmmmmmmmmmmm"
				"...mMmxx...mMmmm"
				"mmmmmmmmmmMmmmmm"
				"mmMmMMMm........"
				"mmmmmmmmmmmmmmmm"
				"mmmmmmmmmmmmmmmm"
				"mmmmmmmmmmmmmmmm";

#define REX_W 8u
#define REX_R 4u
#define REX_B 1u

struct parts {
	bool wide_map; /* the opcode is behind 0f */
	bool short_operand, short_address;
	uint8_t rex, opcode, modrm;
	char form;
	size_t at; /* of what follows the opcode */
};

/* Prefixes and opcode. False: cut short, or unknown. */
static bool take_opcode(const uint8_t *code, size_t len, struct parts *p)
{
	size_t i = 0;

	for (; i < len; i++) {
		p->form = one_byte[code[i]];
		if (p->form == 'E') {
			p->rex = code[i];
			continue;
		}
		if (p->form != 'p')
			break;
		p->rex = 0; /* it counts only right before the opcode */
		p->short_operand |= code[i] == 0x66;
		p->short_address |= code[i] == 0x67;
	}
	if (i < len && p->form == 'O') {
		p->wide_map = true;
		if (++i < len)
			p->form = two_bytes[code[i]];
	}
	if (i >= len)
		return false;
	p->opcode = code[i];
	p->at = i + 1;
	return p->form != 'x';
}

/* ModRM, SIB and displacement. 0: cut short. */
static size_t modrm_length(const uint8_t *code, size_t len)
{
	uint8_t mod, rm;
	size_t n = 1;

	if (!len)
		return 0;
	mod = code[0] >> 6;
	rm = code[0] & 7;
	if (mod == 3)
		return n;
	if (rm == 4) {
		if (len < 2)
			return 0;
		n++;
		if (mod == 0 && (code[1] & 7) == 5)
			n += 4;
	} else if (mod == 0 && rm == 5) {
		n += 4;
	}
	return n + (mod == 1 ? 1 : mod == 2 ? 4 : 0);
}

static size_t immediate_length(const struct parts *p)
{
	size_t word = p->short_operand ? 2 : 4;
	bool is_test = (p->modrm >> 3 & 7) < 2;

	switch (p->form) {
	case 'b':
	case 'M':
	case 'r': return 1;
	case 'w': return 2;
	case 'e': return 3;
	case 'i':
	case 'W': return word;
	case 'R': return 4;
	case 'v': return p->rex & REX_W ? 8 : word;
	case 'q': return p->short_address ? 4 : 8;
	case 'g': return is_test ? 1 : 0;
	case 'G': return is_test ? word : 0;
	default: return 0;
	}
}

static enum watch_insn_kind kind_of(const struct parts *p)
{
	uint8_t op = p->opcode, reg = p->modrm >> 3 & 7;

	if (p->wide_map)
		return p->form == 'R' ? WATCH_INSN_BRANCH : WATCH_INSN_PLAIN;
	if (p->form == 'r' || p->form == 'R')
		return op == 0xe8                 ? WATCH_INSN_CALL
		       : op == 0xe9 || op == 0xeb ? WATCH_INSN_JUMP
						  : WATCH_INSN_BRANCH;
	if (op == 0xff && (reg == 2 || reg == 3))
		return WATCH_INSN_CALL; /* of whatever a register or memory says */
	if (op == 0xff && (reg == 4 || reg == 5))
		return WATCH_INSN_UNKNOWN; /* a jump, likewise */
	switch (op) {
	case 0xc2:
	case 0xc3:
	case 0xca:
	case 0xcb:
	case 0xcc:
	case 0xcf:
	case 0xf4: return WATCH_INSN_END;
	default: return WATCH_INSN_PLAIN;
	}
}

/* "js" and "jl", "jns" and "jge": behind a `test`, these are the same. */
static enum watch_condition condition_of(const struct parts *p)
{
	switch (p->opcode & 0x0f) {
	case 0x8:
	case 0xc: return WATCH_IF_NEGATIVE;
	case 0x9:
	case 0xd: return WATCH_IF_NOT_NEGATIVE;
	default: return WATCH_IF_OTHER;
	}
}

/* "85 c0  test %eax,%eax" and "89 44 24 24  mov %eax,0x24(%rsp)", which leaves it as it is */
static void look_at_result(const struct parts *p, struct watch_insn *ret)
{
	bool from_result = !p->wide_map && !(p->rex & REX_R) && (p->modrm >> 3 & 7) == 0 &&
			   !p->short_operand;
	bool to_result = p->modrm >> 6 == 3 && (p->modrm & 7) == 0 && !(p->rex & REX_B);

	ret->tests_result = from_result && to_result && p->opcode == 0x85;
	ret->stores_result = from_result && !to_result && p->opcode == 0x89;
}

struct watch_insn x86_64_decode(const uint8_t *code, size_t len, gaddr_t addr)
{
	struct watch_insn ret = {0};
	struct parts p = {0};
	size_t modrm = 0, imm;

	if (len > 15)
		len = 15;
	if (!take_opcode(code, len, &p))
		return ret;
	if (strchr("mMWgG", p.form)) {
		modrm = modrm_length(code + p.at, len - p.at);
		if (!modrm)
			return ret;
		p.modrm = code[p.at];
	}
	imm = immediate_length(&p);
	if (p.at + modrm + imm > len)
		return ret;
	ret.kind = kind_of(&p);
	ret.len = p.at + modrm + imm;
	if (p.form == 'r')
		ret.target = addr + ret.len + (uint64_t)(int64_t)(int8_t)code[ret.len - 1];
	if (p.form == 'R')
		ret.target = addr + ret.len +
			     (uint64_t)(int32_t)kt_load_uint(code + ret.len - 4, 4, false);
	if (ret.kind == WATCH_INSN_BRANCH && (p.wide_map || p.opcode >> 4 == 7))
		ret.condition = condition_of(&p);
	if (modrm)
		look_at_result(&p, &ret);
	return ret;
}
