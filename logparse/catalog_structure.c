// SPDX-License-Identifier: LGPL-2.1-or-later
/* Program Structure: jumps, functions, instructions, and what describes them. */
#include "logparse/catalog_data.h"

#define CLASS "Program Structure"

static const struct kt_catalog_entry entries[] = {
	{
		.id = "unreachable-code",
		.class = CLASS,
		.title = "An instruction is never reached",
		.reason = "Nothing leads to instruction[ <insn>|s] of the program. The verifier "
			  "takes no dead code before it has seen the program run.",
		.remedies =
			{
				"Compile with optimization (-O2), which removes dead code.",
				"If the compiler put a call of an undefined or __noreturn "
				"function there, or __builtin_unreachable(), the code behind it "
				"is cut: look at the function's end.",
				"In inline assembly and generated code, remove what stands behind "
				"an exit or a jump.",
			},
		.patterns = KT_PATTERNS("unreachable insn <#insn>"),
	},
	{
		.id = "back-edge",
		.class = CLASS,
		.title = "The program has a loop, and may not have one",
		.reason =
			"[Instruction <from> jumps back to <to>|An instruction jumps back]. "
			"Kernels before 5.3 take no loops, and newer ones none from programs that "
			"are loaded without CAP_BPF.",
		.remedies =
			{
				"Unroll the loop: #pragma unroll in front of it, with a constant "
				"number of iterations.",
				"Load the program with CAP_BPF (or as root) on Linux 5.3 or later.",
				"Use bpf_loop() (Linux 5.17), which needs no jump back.",
			},
		.since = "Linux 5.3 takes bounded loops",
		.patterns = KT_PATTERNS("back-edge from insn <#from> to <#to>"),
	},
	{
		.id = "infinite-loop",
		.class = CLASS,
		.title = "A loop comes back to where it was with nothing changed",
		.reason = "At instruction[ <insn>|s of the loop] the verifier is in a state that "
			  "it has been in before, so that the loop would never end[<?cur>: the "
			  "registers that count are the same in \"cur state\" and \"old state\"].",
		.remedies =
			{
				"Let the loop have a counter that the verifier can follow: for "
				"(int i = 0; i < 100; i++), with the counter in the condition and "
				"a constant bound.",
				"Do not wait for memory to change (while (*flag)): the verifier "
				"knows nothing of its value.",
				"Use bpf_loop() (Linux 5.17), bpf_for() (6.4), or can_loop and "
				"cond_break (6.9), which end by themselves.",
			},
		.since = "Linux 5.3 takes bounded loops",
		.patterns = KT_PATTERNS("infinite loop detected at insn <#insn>",
					"infinite loop detected", "cur state:<cur>"),
	},
	{
		.id = "jump-range",
		.class = CLASS,
		.title = "A jump leads out of its function",
		.reason =
			"[The jump at instruction <from> leads to <to>, which is|A jump leads] "
			"outside of the function or in the middle of an instruction of two slots. "
			"Functions call each other and do not jump into each other.",
		.remedies =
			{
				"Compilers make no such jumps: look at inline assembly (asm "
				"goto), at what generated the instructions, and at what linked or "
				"cut the object.",
				"A jump reaches 32,767 instructions. In a larger function, use "
				"clang's -mcpu=v4 (Linux 6.6), or make it smaller.",
			},
		.patterns = KT_PATTERNS(
			"jump out of range from insn <#from> to <#to>",
			"indirect jump out of range from insn <#from> to <#to>",
			"no jump tables found for subprog starting at <#sub>",
			"jump table for insn <#from> points outside of the subprog <range>",
			"jump into the middle of ldimm64 insn <#to>",
			"invalid insn idx <#to> insn_cnt <#n>",
			"jump to reserved code from insn <#from> to <#to>"),
	},
	{
		.id = "fall-through",
		.class = CLASS,
		.title = "A function runs over its end",
		.reason = "The last instruction of a function is neither an exit nor a jump, so "
			  "that the next function would be executed behind it.",
		.remedies =
			{
				"Return a value on every path of the function. A function that "
				"should return something and does not has an undefined end, which "
				"the compiler leaves out.",
				"Do not end it with a call that never returns, or with "
				"__builtin_unreachable() or __builtin_trap().",
			},
		.patterns = KT_PATTERNS("last insn is not an exit or jmp",
					"no program starts at insn <#n>",
					"unexpected __bpf_trap() due to uninitialized variable?"),
	},
	{
		.id = "call-target",
		.class = CLASS,
		.title = "A call leads to no function",
		.reason = "The call leads to a place where no function begins, or back to a "
			  "function that is being called.",
		.remedies =
			{
				"Define the function that is called in one of the objects, and "
				"link them with bpftool gen object.",
				"Write a recursion as a loop with a stack of its own.",
			},
		.patterns = KT_PATTERNS("call to invalid destination",
					"recursive call from <@func>() to <@other>()",
					"callee not found at insn <#n>",
					"target of func call at insn <#n> is not a program"),
	},
	{
		.id = "callback",
		.class = CLASS,
		.title = "A function cannot be a callback",
		.reason =
			"What is passed as a callback has to be a static function of the program, "
			"with BTF, and not the program itself.",
		.remedies =
			{"Declare it static (and __noinline), with the parameters that the helper "
			 "documents.",
			 "Compile with -g, so that the program has BTF."},
		.since = "Linux 5.13 has callbacks",
		.patterns = KT_PATTERNS("callback function not static",
					"callback function cannot be the main program",
					"callbacks are not allowed in non-JITed programs",
					"missing btf func_info"),
	},
	{
		.id = "bad-instruction",
		.class = CLASS,
		.title = "An instruction is not valid",
		.reason =
			"The kernel does not know this instruction, or one of its fields[ (<op>)] "
			"has a value that it must not have: a division by a constant 0, a shift "
			"that is too far, a field that has to be 0.",
		.remedies =
			{
				"Compile for the instruction set of the kernel that it runs on: "
				"clang -mcpu=v1, v2, v3 (Linux 5.1; its atomic operations 5.12) "
				"or v4 (6.6). An old kernel does not know what a newer compiler "
				"makes.",
				"A division or shift by a constant that makes no sense is in the "
				"source, or in what a macro made of it.",
				"If the instructions were generated, leave fields that are not "
				"used 0.",
			},
		.patterns = KT_PATTERNS(
			"unknown opcode <op>", "unknown insn class <#op>",
			"invalid BPF_ALU opcode <op>", "invalid BPF_JMP/JMP32 opcode <op>",
			"invalid BPF_JMP opcode <op>", "Unknown conditional jump <op>",
			"<@op> uses reserved fields", "BPF_JMP/JMP32 uses reserved fields",
			"BPF_LDX uses reserved fields", "BPF_STX uses reserved fields",
			"BPF_ST uses reserved fields", "BPF_CALL uses reserved fields",
			"BPF_JA uses reserved fields", "BPF_EXIT uses reserved fields",
			"BPF_NEG uses reserved fields", "BPF_END uses reserved fields",
			"BPF_MOV uses reserved fields", "BPF_ALU uses reserved fields",
			"BPF_XADD uses reserved fields", "BPF_LD_IMM64 uses reserved fields",
			"invalid BPF_LD_IMM insn", "invalid bpf_ld_imm64 insn",
			"unrecognized bpf_ld_imm64 insn",
			"reserved field (insn[1].imm) is used in pseudo_btf_id ldimm64 insn.",
			"div by zero", "invalid shift <#op>",
			"invalid may_goto off <#off> imm <#imm>", "invalid may_goto imm <#imm>"),
	},
	{
		.id = "map-reference",
		.class = CLASS,
		.title = "The program refers to a map that is not there, or to a place that is not "
			 "in it",
		.reason = "An instruction loads the address of a map or of a value in it, and the "
			  "file descriptor[ <fd>] or the offset[ <off>] is not valid.",
		.remedies =
			{
				"Let libbpf create the maps and put the addresses in, or do so "
				"before the load: each map's descriptor has to be open.",
				"Values are addressed directly in array maps only, within the "
				"value.",
				"Look whether the loader printed an error of its own before, "
				"about a map that it could not create.",
			},
		.patterns = KT_PATTERNS(
			"fd <#fd> is not pointing to valid bpf_map",
			"fd <#fd> is not pointing to valid bpf_map or btf",
			"fd_idx without fd_array is invalid", "fd_idx <#fd> is not a map",
			"fd_idx <#fd> out of bounds, fd_array_cnt <#max>",
			"fd_array has too many entries (<#n>, max <#max>)",
			"fd_array_cnt <#n> without fd_array is invalid",
			"direct value offset of <#off> is not allowed",
			"no direct value access support for this map type",
			"invalid access to map value pointer, value_size=<#object> off=<#off>",
			"failed to retrieve map value address",
			"Failed to properly initialize insn array"),
	},
	{
		.id = "kernel-symbol",
		.class = CLASS,
		.title = "The program refers to a kernel variable that is not there",
		.reason = "An instruction loads the address of a variable or function of the "
			  "kernel[, <symbol>,] and the kernel's BTF does not have it as such.",
		.remedies =
			{
				"Declare it extern ... __ksym __weak, and check its address for "
				"NULL before it is used.",
				"Only per-CPU and a few other variables are in the BTF; others "
				"are found in /proc/kallsyms, and declared as extern const void x "
				"__ksym.",
				"The kernel needs CONFIG_DEBUG_INFO_BTF=y, and the module has to "
				"be loaded.",
			},
		.patterns = KT_PATTERNS(
			"invalid module BTF object FD specified",
			"kernel is missing BTF, make sure CONFIG_DEBUG_INFO_BTF=y is specified in "
			"Kconfig",
			"ldimm64 insn specifies invalid btf_id <#id>",
			"pseudo btf_id <#id> in ldimm64 isn't KIND_VAR or KIND_FUNC",
			"pseudo btf_id <#id> in ldimm64 isn't KIND_VAR",
			"ldimm64 failed to find the address for kernel symbol '<symbol>'",
			"ldimm64 unable to resolve the size of type '<symbol>': <#n>",
			"unable to resolve the size of type '<symbol>': <#n>",
			"btf_id <#id> not found"),
	},
	{
		.id = "btf-description",
		.class = CLASS,
		.title = "What describes the program does not fit it",
		.reason =
			"A program may come with tables (func_info, line_info, CO-RE relocations) "
			"that tell where functions and lines begin. They do not fit its "
			"instructions.",
		.remedies =
			{
				"Build the object anew, all of it with one version of clang and "
				"-g, and link it with bpftool gen object. A program that was cut, "
				"patched or stripped behind the compiler often has this.",
				"Use a recent libbpf (or another loader), which makes these "
				"tables out of .BTF.ext.",
				"Without them: llvm-strip -g removes BTF, if neither global "
				"functions nor CO-RE are needed.",
			},
		.patterns = KT_PATTERNS(
			"invalid btf id for main subprog in func_info",
			"invalid func info rec size <#n>", "nonzero tailing record in func info",
			"nonzero insn_off <#n> for the first func info record",
			"same or smaller insn offset (<#n>) than previous func info record "
			"(<#prev>)",
			"invalid type id <#n> in func info",
			"number of funcs in func_info doesn't match number of subprogs",
			"func_info BTF section doesn't match subprog layout in BPF program",
			"nonzero tailing record in line_info",
			"Invalid line_info[<#n>].insn_off:<#off> (prev_offset:<#prev> "
			"prog->len:<#len>)",
			"Invalid insn code at line_info[<#n>].insn_off",
			"Invalid line_info[<#n>].line_off or .file_name_off",
			"missing bpf_line_info for func#<#n>",
			"missing bpf_line_info for <#n> funcs starting from func#<#first>",
			"nonzero tailing record in core_relo",
			"Invalid core_relo[<#n>].insn_off:<#off> prog->len:<#len>",
			"BTF of func#<#n> doesn't point to KIND_FUNC",
			"<@func>() is not a global function",
			"unreliable BTF for function <@func>()"),
	},
	{
		.id = "core-relocation",
		.class = CLASS,
		.title = "A CO-RE relocation did not find its type or member",
		.reason = "The program accesses a struct, member or enum by CO-RE that the running "
			  "kernel does not have, and libbpf or the kernel put an invalid "
			  "instruction in its place.",
		.remedies =
			{
				"Ask before the access: bpf_core_field_exists(p->member), "
				"bpf_core_type_exists(), bpf_core_enum_value_exists(); the branch "
				"that is not taken is removed.",
				"For a member that was renamed or moved, declare a flavour of the "
				"struct (struct name___old) and choose by bpf_core_field_exists().",
				"Run libbpf with debug output (libbpf_set_print(), bpftool -d): "
				"it says which relocation failed.",
			},
		.patterns = KT_PATTERNS(
			"invalid func unknown#195896080", "unknown func unknown#195896080",
			"<invalid CO-RE relocation>", "failed to resolve CO-RE relocation <what>",
			"relo #<#n>: bad type id <#id>", "target candidate search failed for <#n>",
			"CO-RE relocating <what>: found target candidate [<#n>]"),
	},
	{
		.id = "missing-map-or-kfunc",
		.class = CLASS,
		.title = "libbpf left a map or a kfunc out that the program uses",
		.reason = "The instruction uses a map that is not created (autocreate is off) or a "
			  "weak kfunc that the kernel does not have. libbpf put an invalid call in "
			  "its place, which must not be reached.",
		.remedies =
			{
				"Guard the use: by a const volatile flag that is set before the "
				"load, or, for a kfunc, by bpf_ksym_exists().",
				"Create the map: bpf_map__set_autocreate(map, true).",
			},
		.patterns = KT_PATTERNS(
			"invalid func unknown#200<#n>", "unknown func unknown#200<#n>",
			"invalid func unknown#2001<#n>", "invalid func unknown#2002<#n>",
			"<BPF map '<map>' is not created>",
			"kfunc '<name>' is referenced but wasn't resolved"),
	},
};

const struct kt_catalog_table kt_catalog_structure = KT_CATALOG_TABLE(entries);
