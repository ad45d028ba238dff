// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Breakpoints in z/Architecture code: Principles of Operation (SA22-7832), chapter 7. A function
 * begins with a branch that is never taken, of 6 bytes, for ftrace. `lgfr %rN,%r2` follows the
 * call of bpf_prog_load().
 */
#include "util/cursor.h"
#include "watch/arch.h"

static const char *const general[] = {"r0", "r1", "r2",  "r3",  "r4",  "r5",  "r6",  "r7",
				      "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"};
#define RESULT 2
#define N_ARGS 5

#define ALWAYS 15
#define NEVER  0

/* As the first two bits tell. 0: cut short. */
static size_t length_of(const uint8_t *code, size_t len)
{
	static const uint8_t lengths[] = {2, 4, 4, 6};

	return len && lengths[code[0] >> 6] <= len ? lengths[code[0] >> 6] : 0;
}

/* A distance in units of 2 bytes. */
static gaddr_t target_of(const uint8_t *distance, size_t len, gaddr_t addr)
{
	uint64_t value = kt_load_uint(distance, len, true);
	int64_t signed_value = len == 2 ? (int16_t)value : (int32_t)value;

	return addr + (uint64_t)signed_value * 2;
}

/*
 * Not all of them: what is not here leads on to the next one, or is a branch that nobody of this
 * file looks for.
 */
static struct watch_insn decode_some(const uint8_t *code, size_t len, gaddr_t addr)
{
	size_t n = length_of(code, len);
	struct watch_insn ret = {.kind = WATCH_INSN_PLAIN, .len = n};
	unsigned int mask;

	if (n < 4)
		return ret;
	mask = code[1] >> 4;
	if (code[0] == 0xc0 && (code[1] & 15) == 5) { /* brasl */
		ret.kind = WATCH_INSN_CALL;
		ret.target = target_of(code + 2, 4, addr);
	} else if (code[0] == 0xc0 && (code[1] & 15) == 4 && mask != NEVER) { /* brcl */
		ret.kind = mask == ALWAYS ? WATCH_INSN_JUMP : WATCH_INSN_BRANCH;
		ret.target = target_of(code + 2, 4, addr);
	} else if (code[0] == 0xa7 && (code[1] & 15) == 4 && mask != NEVER) { /* brc */
		ret.kind = mask == ALWAYS ? WATCH_INSN_JUMP : WATCH_INSN_BRANCH;
		ret.target = target_of(code + 2, 2, addr);
	}
	return ret;
}

static size_t s390x_landing(const uint8_t *code, size_t len)
{
	(void)code;
	(void)len;
	return 0;
}

/* A branch whose mask is 0: brcl, brc, bcr, bc. */
static bool is_nop(const uint8_t *code)
{
	return ((code[0] == 0xc0 || code[0] == 0xa7) && code[1] == 0x04) ||
	       ((code[0] == 0x07 || code[0] == 0x47) && code[1] >> 4 == NEVER);
}

/* "b9 14 00 b2  lgfr %r11,%r2", and lgr */
static bool is_move_of_result(const uint8_t *code, size_t len, size_t *to, bool *wide)
{
	if (len != 4 || code[0] != 0xb9 || (code[1] != 0x04 && code[1] != 0x14) || code[2] ||
	    (code[3] & 15) != RESULT)
		return false;
	*to = code[3] >> 4;
	*wide = code[1] == 0x04;
	return true;
}

static size_t s390x_emulate(const uint8_t *code, size_t len, const uint64_t *registers,
			    struct rsp_write ret[WATCH_WRITES])
{
	uint64_t pc = registers[WATCH_PC], result = registers[WATCH_RESULT];
	struct watch_insn insn = decode_some(code, len, pc);
	bool wide;
	size_t to;

	if (!insn.len)
		return 0;
	if (insn.kind == WATCH_INSN_JUMP) {
		ret[0] = (struct rsp_write){"pswa", insn.target};
		return 1;
	}
	if (is_nop(code)) {
		ret[0] = (struct rsp_write){"pswa", pc + insn.len};
		return 1;
	}
	if (!is_move_of_result(code, insn.len, &to, &wide))
		return 0;
	ret[0] = (struct rsp_write){general[to],
				    wide ? result : (uint64_t)(int64_t)(int32_t)result};
	ret[1] = (struct rsp_write){"pswa", pc + insn.len};
	return 2;
}

static bool s390x_calls(gaddr_t to, gaddr_t function)
{
	return to == function;
}

static gaddr_t s390x_call_return(const uint8_t *code, size_t len, gaddr_t addr, gaddr_t target)
{
	gaddr_t found = 0;
	struct watch_insn insn;

	for (size_t i = 0; i < len; i += insn.len) {
		insn = decode_some(code + i, len - i, addr + i);
		if (!insn.len)
			break;
		if (insn.kind != WATCH_INSN_CALL || !s390x_calls(insn.target, target))
			continue;
		if (found)
			return 0;
		found = addr + i + insn.len;
	}
	return found;
}

const struct watch_arch watch_s390x = {
	.name = "s390x",
	.pc = "pswa",
	.result = "r2",
	/* No such register: it is 0, where each CPU sees its own lowcore. */
	.current = "?lowcore",
	.current_is = WATCH_CURRENT_LOWCORE,
	.args = general + RESULT,
	.n_args = N_ARGS,
	.breakpoint_len = 2,
	.landing = s390x_landing,
	.emulate = s390x_emulate,
	.call_return = s390x_call_return,
	/* A `switch` on the type of the program, in stock kernels of 7.2. */
	.no_decode = "compilers have bpf_prog_load() jump by a table there",
	.calls = s390x_calls,
};
