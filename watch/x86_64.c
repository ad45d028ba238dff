// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Breakpoints in x86-64 code. A function begins with `endbr64`, which a direct call may skip, and
 * five bytes for ftrace, which are a no-op unless somebody traces that function. A write of rip
 * gets a vCPU past a no-op; the breakpoint stays, so that no other vCPU can pass it meanwhile.
 * `mov %eax,%REG` follows the call of bpf_prog_load() (6.1 to 7.3).
 */
#include <string.h>

#include "util/cursor.h"
#include "watch/arch.h"

static const char *const general[] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
				      "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};
static const char *const args[] = {"rdi", "rsi", "rdx", "rcx", "r8", "r9"};
#define RSP       4
#define ENDBR_LEN 4

/* The no-ops that the kernel uses (arch/x86/include/asm/nops.h); 0: it is none. */
static size_t nop_length(const uint8_t *code, size_t len)
{
	static const struct {
		uint8_t start[5];
		size_t same, len; /* bytes that tell, and all */
	} nops[] = {
		{{0x0f, 0x1f, 0x44, 0x00, 0x00}, 5, 5},
		{{0x90}, 1, 1},
		{{0x66, 0x90}, 2, 2},
		{{0x0f, 0x1f, 0x00}, 3, 3},
		{{0x0f, 0x1f, 0x40}, 3, 4},
		/* endbr64 that the kernel has sealed: functions that nobody calls by a pointer */
		{{0x66, 0x0f, 0x1f, 0x00}, 4, 4},
		{{0xf3, 0x0f, 0x1e, 0xfa}, 4, 4}, /* endbr64 */
	};

	for (size_t i = 0; i < sizeof(nops) / sizeof(nops[0]); i++)
		if (len >= nops[i].len && !memcmp(code, nops[i].start, nops[i].same))
			return nops[i].len;
	return 0;
}

static size_t x86_64_landing(const uint8_t *code, size_t len)
{
	size_t n = nop_length(code, len);

	return n == ENDBR_LEN ? n : 0;
}

/* "41 89 c1  mov %eax,%r9d": REX.B, opcode 89, both registers in ModRM. */
static size_t move_of_result(const uint8_t *code, size_t len, size_t *to, bool *wide)
{
	uint8_t rex = (code[0] & 0xf0) == 0x40 ? code[0] : 0;
	size_t at = rex != 0;

	if (len < at + 2 || (rex & 0x06) || code[at] != 0x89 || (code[at + 1] & 0xf8) != 0xc0)
		return 0;
	*to = (code[at + 1] & 7u) | (rex & 1u) << 3;
	*wide = rex & 0x08;
	return *to == RSP ? 0 : at + 2;
}

static size_t x86_64_emulate(const uint8_t *code, size_t len, const uint64_t *registers,
			     struct rsp_write *ret)
{
	size_t n = nop_length(code, len), to;
	struct watch_insn jump;
	bool wide;

	if (n) {
		ret[0] = (struct rsp_write){"rip", registers[WATCH_PC] + n};
		return 1;
	}
	jump = x86_64_decode(code, len, registers[WATCH_PC]);
	if (jump.kind == WATCH_INSN_JUMP) {
		ret[0] = (struct rsp_write){"rip", jump.target};
		return 1;
	}
	n = move_of_result(code, len, &to, &wide);
	if (!n)
		return 0;
	ret[0] = (struct rsp_write){general[to], wide ? registers[WATCH_RESULT]
						      : (uint32_t)registers[WATCH_RESULT]};
	ret[1] = (struct rsp_write){"rip", registers[WATCH_PC] + n};
	return 2;
}

/* To the function, behind its endbr64, or to the padding before it. */
static bool x86_64_calls(gaddr_t to, gaddr_t function)
{
	return to + 16 >= function && to <= function + ENDBR_LEN;
}

/* "e8 REL32  call" */
static gaddr_t x86_64_call_return(const uint8_t *code, size_t len, gaddr_t addr, gaddr_t target)
{
	gaddr_t found = 0;

	for (size_t i = 0; i + 5 <= len; i++) {
		gaddr_t end = addr + i + 5, to;

		if (code[i] != 0xe8)
			continue;
		to = end + (uint64_t)(int32_t)kt_load_uint(code + i + 1, 4, false);
		if (!x86_64_calls(to, target))
			continue;
		if (found)
			return 0;
		found = end;
	}
	return found;
}

const struct watch_arch watch_x86_64 = {
	.name = "x86_64",
	.pc = "rip",
	.sp = "rsp",
	.bp = "rbp",
	.result = "rax",
	.current = "gs_base",
	.current_is = WATCH_CURRENT_PERCPU,
	.args = args,
	.n_args = sizeof(args) / sizeof(args[0]),
	.general = general,
	.n_general = sizeof(general) / sizeof(general[0]),
	.breakpoint_len = 1,
	.syscall_number = {.path = "orig_ax"},
	.syscall_args = {{.path = "di"}, {.path = "si"}, {.path = "dx"}},
	.bpf_number = 321,
	.landing = x86_64_landing,
	.emulate = x86_64_emulate,
	.call_return = x86_64_call_return,
	.decode = x86_64_decode,
	.calls = x86_64_calls,
};
