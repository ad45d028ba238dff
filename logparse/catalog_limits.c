// SPDX-License-Identifier: LGPL-2.1-or-later
/* Complexity, a class of our own: no instruction is wrong, there is too much of something. */
#include "logparse/catalog_data.h"

#define CLASS "Complexity"

static const struct kt_catalog_entry entries[] = {
	{
		.id = "too-many-instructions",
		.class = CLASS,
		.title = "The verifier gives up after a million instructions",
		.reason =
			"The verifier follows each path through the program, and has executed "
			"[<n>|too many] instructions in that without an end. Loops count for each "
			"iteration, and branches inside of them multiply.",
		.remedies =
			{
				"Find the lines that it was spent on: ktstr-gdb log --source.",
				"Put the body of a loop into a callback of bpf_loop() (Linux "
				"5.17), or use bpf_for() (6.4): the body is then verified a few "
				"times instead of in each iteration.",
				"Move a part into a global function (not static, Linux 5.6), "
				"which is verified once by itself.",
				"Keep what varies out of the branches of a loop: fewer values "
				"that are known exactly mean more states that are alike. Read the "
				"counter from memory, or bound it with a mask.",
			},
		.since = "Linux 5.2 takes a million instructions from privileged programs, 4096 "
			 "before; unprivileged ones have 4096 instructions of code",
		.patterns = KT_PATTERNS("BPF program is too large. Processed <#n> insn",
					"BPF program is too large. Proccessed <#n> insn",
					"<@func>: too many iterations",
					"liveness analysis exceeded complexity limit (<#n> calls)"),
	},
	{
		.id = "too-many-branches",
		.class = CLASS,
		.title = "More branches are put off than the verifier keeps",
		.reason = "At each branch that may go both ways the verifier puts one of them off, "
			  "and [<n>|8192] of them are waiting. A loop with a branch in it does so, "
			  "if it is unrolled, goes round some thousand times, or is never known to "
			  "end.",
		.remedies =
			{
				"Bound the loop by a small constant: each time it goes round one "
				"more branch is put off. Leave it by one condition.",
				"Use bpf_loop() (Linux 5.17), bpf_for() (6.4) or cond_break (6.9).",
				"Compute without branches where that is possible: masks, min(), "
				"tables in a map.",
				"Move the loop into a global function (Linux 5.6).",
			},
		.patterns = KT_PATTERNS("The sequence of <#n> jumps is too complex.",
					"The sequence of <#n> jumps is too complex for async cb."),
	},
	{
		.id = "stack-size",
		.class = CLASS,
		.title = "The program uses more than 512 bytes of stack",
		.reason = "[The functions that call each other take <bytes> bytes of stack "
			  "together|A function, or several that call each other, take more stack "
			  "than there is]: the limit is 512 bytes (256 in each, if there are tail "
			  "calls).",
		.remedies =
			{
				"Move large local variables into a map: a per-CPU array map of "
				"one element is the usual place.",
				"Split the work so that two functions with large frames do not "
				"call each other.",
				"Inlining adds the frames of callees to their caller: __noinline "
				"on those that are not always needed.",
			},
		.patterns = KT_PATTERNS(
			"combined stack size of <#n> calls is <#bytes>. Too large",
			"stack size of subprog <#sub> is <#bytes>. Too large",
			"tail_calls are not allowed when call stack of previous frames is "
			"<#bytes> bytes. Too large",
			"stack size <#bytes>(extra <#extra>) is too large",
			"stack depth <#bytes> exceeds interpreter stack depth limit",
			"Private stack not supported by jit"),
	},
	{
		.id = "call-depth",
		.class = CLASS,
		.title = "Functions call each other too deep",
		.reason = "Functions call each other deeper here than the kernel has room for: 8 "
			  "frames, and 16 on Linux 7.2.",
		.remedies =
			{"Inline some of them: static __always_inline.",
			 "Turn a recursion into a loop, and a chain of calls into calls one after "
			 "the other.",
			 "Go on in another program, by a tail call."},
		.patterns = KT_PATTERNS("the call stack of <#n> frames is too deep"),
	},
	{
		.id = "too-many-parts",
		.class = CLASS,
		.title = "The program has too many functions, maps or jumps that are too far",
		.reason = "The program has more[ than <n>] of something than the kernel takes: "
			  "functions (256), maps (64), or instructions between a jump and its "
			  "target once the kernel has rewritten them.",
		.remedies =
			{
				"Split it into several programs that go on in each other by tail "
				"calls.",
				"Put several maps into one, with a struct as the value.",
				"Make functions smaller, so that jumps in them are shorter.",
			},
		.patterns = KT_PATTERNS(
			"too many subprograms",
			"The total number of maps per program has reached the limit of <#n>",
			"The total number of btfs per program has reached the limit of <#n>",
			"insn <#insn> cannot be patched due to 16-bit range",
			"<@func> insns generated for <what>", "<#n> insns generated for <what>"),
	},
	{
		.id = "jit-limit",
		.class = CLASS,
		.title = "The JIT of this machine does not take the program",
		.reason = "The verifier accepts the program, and the JIT compiler of this "
			  "architecture or kernel cannot compile it[: <func>].",
		.remedies =
			{
				"Switch the JIT on: sysctl net.core.bpf_jit_enable=1; a kernel "
				"without CONFIG_BPF_JIT interprets, and takes less.",
				"Use a newer kernel: what JITs take differs by architecture.",
				"Do without calls of functions, with more than five arguments or "
				"with arenas.",
			},
		.patterns = KT_PATTERNS("JIT doesn't support bpf-to-bpf calls",
					"JIT does not support function <@func>() with <#n> args",
					"stack args are not supported in non-JITed programs",
					"program requires BPF JIT compiler but it is not available",
					"JIT does not support fsession"),
	},
};

const struct kt_catalog_table kt_catalog_limits = KT_CATALOG_TABLE(entries);
