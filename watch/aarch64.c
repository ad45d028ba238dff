// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Breakpoints in AArch64 code: Arm ARM (DDI 0487), chapter C4. A function begins with
 * `mov x9, x30; nop` for ftrace, which turns the no-op into a call when somebody traces that
 * function; before them may be `bti c`. The breakpoint is at the no-op: what a CPU thinks of the
 * jump to `bti c` cannot be written by a debugger, and the value of x30 is not needed. It comes
 * before `paciasp`, so return addresses are not signed yet; they are not looked at anyway.
 */
#include "util/cursor.h"
#include "watch/arch.h"

static const char *const general[] = {"x0",  "x1",  "x2",  "x3",  "x4",  "x5",  "x6",  "x7",
				      "x8",  "x9",  "x10", "x11", "x12", "x13", "x14", "x15",
				      "x16", "x17", "x18", "x19", "x20", "x21", "x22", "x23",
				      "x24", "x25", "x26", "x27", "x28", "x29", "x30"};
#define N_GENERAL (sizeof(general) / sizeof(general[0]))
#define N_ARGS    8

#define INSN_LEN    4
#define INSN_NOP    0xd503201fu
#define INSN_BTI_C  0xd503245fu
#define INSN_MOV_X9 0xaa1e03e9u /* mov x9, x30 */

/* The kernel's code is little-endian, and so are all instructions. */
static uint32_t load_insn(const uint8_t *code)
{
	return (uint32_t)kt_load_uint(code, INSN_LEN, false);
}

/* The target of an instruction with a distance of `bits` bits, in instructions, from bit `at` on.
 */
static gaddr_t target_of(uint32_t insn, gaddr_t addr, unsigned int at, unsigned int bits)
{
	uint64_t distance = (uint64_t)(insn >> at) << (64 - bits);

	return addr + (uint64_t)((int64_t)distance >> (64 - bits)) * INSN_LEN;
}

/* As behind a comparison with 0, or a test of the highest bit. */
static enum watch_condition condition_of(uint32_t insn)
{
	switch (insn & 15) {
	case 4: /* mi */
	case 11: /* lt */ return WATCH_IF_NEGATIVE;
	case 5: /* pl */
	case 10: /* ge */ return WATCH_IF_NOT_NEGATIVE;
	default: return WATCH_IF_OTHER;
	}
}

/* "tbz w0, #31, ADDR", "tbnz w0, #31, ADDR" */
static void look_at_bit(uint32_t insn, struct watch_insn *ret)
{
	if ((insn & 0xfef8001f) != 0x36f80000)
		return;
	ret->tests_result = true;
	ret->condition = insn & 0x01000000 ? WATCH_IF_NEGATIVE : WATCH_IF_NOT_NEGATIVE;
}

/* "cmp w0, #0", "tst w0, w0"; "mov w19, w0", "str w0, [sp, #28]", "stur w0, [x29, #-4]" */
static void look_at_result(uint32_t insn, struct watch_insn *ret)
{
	ret->tests_result = insn == 0x7100001f || insn == 0x6a00001f;
	ret->stores_result = ((insn & 0xffffffe0) == 0x2a0003e0 && insn & 31) ||
			     (insn & 0xffc0001f) == 0xb9000000 || (insn & 0xffe00c1f) == 0xb8000000;
}

static struct watch_insn aarch64_decode(const uint8_t *code, size_t len, gaddr_t addr)
{
	struct watch_insn ret = {.kind = WATCH_INSN_PLAIN, .len = INSN_LEN};
	uint32_t insn;

	if (len < INSN_LEN)
		return (struct watch_insn){0};
	insn = load_insn(code);
	if ((insn & 0x7c000000) == 0x14000000) { /* b, bl */
		ret.kind = insn >> 31 ? WATCH_INSN_CALL : WATCH_INSN_JUMP;
		ret.target = target_of(insn, addr, 0, 26);
	} else if ((insn & 0xff000000) == 0x54000000) { /* b.cond */
		ret.kind = WATCH_INSN_BRANCH;
		ret.target = target_of(insn, addr, 5, 19);
		ret.condition = condition_of(insn);
	} else if ((insn & 0x7e000000) == 0x34000000) { /* cbz, cbnz */
		ret.kind = WATCH_INSN_BRANCH;
		ret.target = target_of(insn, addr, 5, 19);
	} else if ((insn & 0x7e000000) == 0x36000000) { /* tbz, tbnz */
		ret.kind = WATCH_INSN_BRANCH;
		ret.target = target_of(insn, addr, 5, 14);
		look_at_bit(insn, &ret);
	} else if ((insn & 0xfe000000) == 0xd6000000) { /* br, blr, ret, eret and the like */
		unsigned int op = insn >> 21 & 7;

		ret.kind = op == 1                         ? WATCH_INSN_CALL
			   : op == 2 || op == 4 || op == 5 ? WATCH_INSN_END
							   : WATCH_INSN_UNKNOWN;
	} else {
		look_at_result(insn, &ret);
	}
	return ret;
}

static size_t aarch64_landing(const uint8_t *code, size_t len)
{
	size_t at = 0;

	if (at + INSN_LEN <= len && load_insn(code + at) == INSN_BTI_C)
		at += INSN_LEN;
	if (at + 2 * INSN_LEN <= len && load_insn(code + at) == INSN_MOV_X9)
		at += INSN_LEN;
	return at;
}

/* "2a0003f3  mov w19, w0", and with x registers: ORR of the zero register and register 0 */
static bool is_move_of_result(uint32_t insn, size_t *to, bool *wide)
{
	*to = insn & 31;
	*wide = insn >> 31;
	return (insn & 0x7fffffe0) == 0x2a0003e0 && *to < N_GENERAL;
}

static size_t aarch64_emulate(const uint8_t *code, size_t len, const uint64_t *registers,
			      struct rsp_write ret[WATCH_WRITES])
{
	gaddr_t pc = registers[WATCH_PC];
	uint64_t result = registers[WATCH_RESULT];
	struct watch_insn insn = aarch64_decode(code, len, pc);
	bool wide;
	size_t to;

	if (!insn.len)
		return 0;
	if (insn.kind == WATCH_INSN_JUMP) {
		ret[0] = (struct rsp_write){"pc", insn.target};
		return 1;
	}
	if (insn.kind == WATCH_INSN_CALL && insn.target) {
		ret[0] = (struct rsp_write){"x30", pc + INSN_LEN};
		ret[1] = (struct rsp_write){"pc", insn.target};
		return 2;
	}
	if (load_insn(code) == INSN_NOP) {
		ret[0] = (struct rsp_write){"pc", pc + INSN_LEN};
		return 1;
	}
	if (!is_move_of_result(load_insn(code), &to, &wide))
		return 0;
	ret[0] = (struct rsp_write){general[to], wide ? result : (uint32_t)result};
	ret[1] = (struct rsp_write){"pc", pc + INSN_LEN};
	return 2;
}

/* To the function, or behind its landing. */
static bool aarch64_calls(gaddr_t to, gaddr_t function)
{
	return to == function || to == function + INSN_LEN;
}

static gaddr_t aarch64_call_return(const uint8_t *code, size_t len, gaddr_t addr, gaddr_t target)
{
	gaddr_t found = 0;

	for (size_t i = 0; i + INSN_LEN <= len; i += INSN_LEN) {
		struct watch_insn insn = aarch64_decode(code + i, len - i, addr + i);

		if (insn.kind != WATCH_INSN_CALL || !insn.target ||
		    !aarch64_calls(insn.target, target))
			continue;
		if (found)
			return 0;
		found = addr + i + INSN_LEN;
	}
	return found;
}

const struct watch_arch watch_aarch64 = {
	.name = "aarch64",
	.pc = "pc",
	.result = "x0",
	.current = "SP_EL0", /* arch/arm64/include/asm/current.h */
	.current_is = WATCH_CURRENT_TASK,
	.args = general,
	.n_args = N_ARGS,
	.breakpoint_len = INSN_LEN,
	.syscall_number = {.path = "syscallno"},
	.syscall_args = {{"regs", true, 0}, {"regs", true, 1}, {"regs", true, 2}},
	.bpf_number = 280,
	.landing = aarch64_landing,
	.emulate = aarch64_emulate,
	.call_return = aarch64_call_return,
	.decode = aarch64_decode,
	.calls = aarch64_calls,
};
