// SPDX-License-Identifier: LGPL-2.1-or-later
/* Call Type Safety: arguments of kfuncs, the kernel's own functions. */
#include "logparse/catalog_data.h"

#define CLASS "Call Type Safety"

static const struct kt_catalog_entry entries[] = {
	{
		.id = "untrusted-argument",
		.class = CLASS,
		.title = "A kernel pointer is passed that is not trusted",
		.reason = "[<call>|The kfunc] takes pointers that surely point to a live object, "
			  "and [<reg>|the argument] is not one[: <value>]. A pointer that was read "
			  "from another object, found by walking, or kept over the end of an RCU "
			  "section may be stale.",
		.remedies =
			{
				"Pass a pointer that the kernel vouches for: the program's own "
				"argument (tp_btf, fentry, LSM, struct_ops), what an iterator's "
				"_next() returned, or what a kfunc found (bpf_task_from_pid(), "
				"bpf_cgroup_from_id()), checked for NULL.",
				"Where the kfunc takes RCU pointers, read it from a member that is "
				"one (task->real_parent, task->cgroups), between "
				"bpf_rcu_read_lock() and bpf_rcu_read_unlock(). Other members "
				"(task->last_wakee) do not get trusted by that.",
				"Where it takes nothing but references, get one first, check it "
				"for NULL, and release it behind the call: bpf_task_acquire(), "
				"bpf_cgroup_acquire(), bpf_get_task_exe_file() ...",
			},
		.since = "Linux 6.2 tells trusted pointers from others",
		.patterns = KT_PATTERNS("<reg> must be referenced or trusted",
					"<reg> must be a rcu pointer",
					"<reg> must be a rcu pointer or trusted"),
	},
	{
		.id = "kfunc-argument",
		.class = CLASS,
		.title = "A kfunc is called with an argument of the wrong kind",
		.reason = "[<call>|The kfunc] takes another kind of argument than [<reg>|the one "
			  "that it gets][, which is <value>][: <expected> is expected].",
		.remedies =
			{
				"Compare the call with the kfunc's declaration in vmlinux.h of "
				"the kernel that it runs on: kfuncs change between kernels.",
				"Memory arguments want a pointer that the verifier knows (the "
				"stack, a map's value), and the length behind it within what is "
				"there.",
				"Pass the pointer as it was got. A cast, an offset, or a copy "
				"through memory changes its kind.",
			},
		.patterns = KT_PATTERNS(
			"kernel function <@call> <reg> expected pointer to <expected> but <reg> "
			"has a pointer to <type>",
			"kernel function <@call> <reg> expected pointer to <expected>",
			"kernel function <@call> <reg> pointer type <type> is not supported",
			"<reg> pointer type <type> must point to scalar, or struct with scalar",
			"<reg> pointer type <type> must point to <kind>scalar, or struct with "
			"scalar",
			"<reg> pointer type <type> must point to void, scalar, or struct with "
			"scalar",
			"<reg> expected pointer to ctx, but got <type>",
			"<reg> expected pointer to func", "<reg> expected pointer to ctx",
			"Unrecognized <reg> type <type>",
			"arg#<#n> <reg> memory, len pair leads to invalid memory access",
			"<reg> memory, len pair leads to invalid memory access",
			"kernel function <@call> returns pointer type <type> is not supported",
			"kernel function <@call> unhandled dynamic return type",
			"acquire kernel function does not return PTR_TO_BTF_ID",
			"max struct nesting depth exceeded",
			"kfunc <@call> has inconsistent KF_IMPLICIT_ARGS",
			"Only 1 prog->aux argument supported per-kfunc",
			"<reg> prog->aux cannot be a stack argument",
			"reg type unsupported for <reg> kernel function <@call>#<#n>"),
	},
	{
		.id = "kfunc-callback",
		.class = CLASS,
		.title = "The callback of a kfunc is rejected",
		.reason = "[<call>|The kfunc] calls a function of the program, and that function "
			  "does not pass by itself.",
		.remedies =
			{"Look at the lines before this one: they say what is wrong in the "
			 "callback.",
			 "A callback is static, has the parameters that the kfunc documents, and "
			 "returns a number of the range that it wants."},
		.patterns = KT_PATTERNS("kfunc <@call>#<#n> failed callback verification"),
	},
	{
		.id = "kfunc-unavailable",
		.class = CLASS,
		.title = "The kernel has no such kfunc that a program may call",
		.reason = "The program calls a function of the kernel[, <call>,] that this kernel "
			  "does not have, has in a module that is not loaded, or cannot call from "
			  "BPF.",
		.remedies =
			{
				"Look whether the kernel has it: bpftool btf dump file "
				"/sys/kernel/btf/vmlinux | grep NAME; load the module that it is "
				"in.",
				"Declare it __ksym __weak, and ask with bpf_ksym_exists() before "
				"it is called, so that the program loads without it, too.",
				"Kfuncs need a kernel with CONFIG_DEBUG_INFO_BTF=y, and the JIT.",
			},
		.since = "Linux 5.13 has kfuncs",
		.patterns = KT_PATTERNS(
			"calling kernel function is not supported without CONFIG_DEBUG_INFO_BTF",
			"JIT is required for calling kernel function",
			"JIT does not support calling kernel function",
			"JIT does not support calling kfunc <@call>#<#n>",
			"JIT does not support kfunc <@call>() with <#n> args",
			"JIT does not support kfunc <@call>() with arena pointer arguments",
			"failed to find BTF for kernel function",
			"too many different kernel function calls",
			"too many different module BTFs", "kernel btf_id <#id> is not a function",
			"invalid kernel function btf_id <#id>",
			"kernel function btf_id <#id> does not have a valid func_proto",
			"cannot find address for kernel function <@call>",
			"address of kernel function <@call> is out of range",
			"address of kernel func_id <#id> is out of range",
			"kfunc offset > 0 without fd_array is invalid",
			"kfunc fd_idx <#n> out of bounds, fd_array_cnt <#max>",
			"kfunc fd_idx <#n> is not a module BTF", "invalid module BTF fd specified",
			"BTF fd for kfunc is not a module BTF",
			"negative offset disallowed for kernel module function call",
			"BTF of func_id <#id> doesn't point to KIND_FUNC",
			"invalid kernel function call not eliminated in verifier pass",
			"function name <name> is too long", "cannot find function <name> in BTF",
			"calling kernel functions are not allowed in non-JITed programs",
			"calling invalid kfunc", "<invalid kfunc call>"),
	},
	{
		.id = "arena",
		.class = CLASS,
		.title = "Memory of an arena is not used as one",
		.reason = "A pointer into an arena[ (<reg>)] is an address of 32 bits in a memory "
			  "area of its own. The program does not have an arena, has two, or uses "
			  "the pointer as one of the kernel.",
		.remedies =
			{
				"Declare one map of type BPF_MAP_TYPE_ARENA, and use it in the "
				"program (even if only by its address), so that the program is "
				"tied to it.",
				"Give pointers the address space: __arena, with cast_kern() and "
				"cast_user() where the compiler does not know it.",
				"Arenas need CAP_BPF and CAP_PERFMON, and a JIT that knows them.",
			},
		.since = "Linux 6.9 has arenas",
		.patterns = KT_PATTERNS(
			"addr_space_cast insn can only convert between address space 1 and 0",
			"addr_space_cast insn can only be used in a program that has an "
			"associated arena",
			"Only one arena per program", "JIT is required to use arena",
			"JIT doesn't support arena", "JIT does not support arena arguments",
			"arena's user address must be set via map_extra or mmap()",
			"sign extending loads from arena are not supported yet",
			"<reg> arena pointer cannot be a stack argument",
			"<reg> arena pointer requires a program with an associated arena",
			"arena argument of <func> requires a program with an associated arena"),
	},
};

const struct kt_catalog_table kt_catalog_kfuncs = KT_CATALOG_TABLE(entries);
