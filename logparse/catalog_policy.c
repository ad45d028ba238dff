// SPDX-License-Identifier: LGPL-2.1-or-later
/* Policy: what the program's type, its license and its loader's privileges allow. */
#include "logparse/catalog_data.h"

#define CLASS "Policy"

static const struct kt_catalog_entry entries[] = {
	{
		.id = "helper-not-allowed",
		.class = CLASS,
		.title = "A helper or kfunc is not for programs of this type",
		.reason =
			"A program of this type, at this attach point, may not call [<call>|this "
			"function]; or this kernel does not have it, or its loader may not use it.",
		.remedies =
			{
				"Look which types may call it: bpftool feature probe lists the "
				"helpers of each type on the kernel at hand, man 7 bpf-helpers "
				"says what each does.",
				"Check the section's name, SEC(\"...\"): a wrong one chooses a "
				"wrong type. Helpers that sleep (bpf_copy_from_user()) are for "
				"sleepable programs only: SEC(\"fentry.s/...\").",
				"Use what the type has instead: bpf_xdp_load_bytes() (5.18) for "
				"bpf_skb_load_bytes() in XDP, bpf_probe_read_kernel() for "
				"bpf_probe_read() (5.5), direct packet access ...",
				"On an older kernel, ask before the call: "
				"bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_...) for a "
				"helper, bpf_ksym_exists() for a kfunc.",
			},
		.patterns = KT_PATTERNS(
			"program of this type cannot use helper <@call>#<#n>",
			"unknown func <@call>#<#n>", "invalid func <@call>#<#n>",
			"func <@call>#<#n> not supported for program type <#type>",
			"func <@call>#<#n> supported only for fentry/fexit/fmod_ret programs",
			"func <@call>#<#n> supported only for fentry/fexit/fsession/fmod_ret "
			"programs",
			"calling kernel function <@call> is not allowed",
			"helper call is not allowed in probe",
			"css_task_iter is only allowed in bpf_lsm, bpf_iter and sleepable progs",
			"metadata kfuncs require device-bound program",
			"metadata kfuncs can't be offloaded"),
	},
	{
		.id = "license",
		.class = CLASS,
		.title = "The program's license is not compatible with the GPL",
		.reason = "[<call>|What the program uses] is for programs under a license that is "
			  "compatible with the GPL, and this one says nothing or something else.",
		.remedies =
			{"State one, if it is so: char LICENSE[] SEC(\"license\") = \"GPL\"; or "
			 "\"Dual BSD/GPL\", \"Dual MIT/GPL\".",
			 "Use functions that are not restricted."},
		.patterns = KT_PATTERNS(
			"cannot call GPL-restricted function from non-GPL compatible program",
			"cannot call GPL only function from proprietary program",
			"cannot call kernel function from non-GPL compatible program",
			"Cannot access kernel 'struct <struct>' from non-GPL compatible program",
			"struct ops programs must have a GPL compatible license",
			"LSM programs must have a GPL compatible license"),
	},
	{
		.id = "capability",
		.class = CLASS,
		.title = "The loader lacks a capability",
		.reason = "What the program does[ (<what>)] is allowed only if its loader has "
			  "[<cap>|more privileges], and it does not.",
		.remedies =
			{
				"Load the program as root, or with CAP_BPF and CAP_PERFMON "
				"(tracing) or CAP_NET_ADMIN (networking); in a container, add "
				"them there.",
				"In a user namespace, a BPF token delegates them (Linux 6.9).",
				"Programs of unprivileged users have no calls of functions, no "
				"loops, no pointers that leak, and few helpers.",
			},
		.since = "Linux 5.8 has CAP_BPF and CAP_PERFMON; before that it is CAP_SYS_ADMIN",
		.patterns = KT_PATTERNS(
			"<what> is allowed only to <cap>", "<what> access is allowed only to <cap>",
			"'struct <struct>' access is allowed only to <cap>",
			"loading/calling other bpf or kernel functions are allowed for <cap>",
			"function calls to other bpf functions are allowed for <cap>",
			"destructive kfunc calls require CAP_SYS_BOOT capabilities",
			"destructive kfunc calls require CAP_SYS_BOOT capability",
			"CAP_BPF and CAP_PERFMON are required to use arena"),
	},
	{
		.id = "address-leak",
		.class = CLASS,
		.title = "A kernel address would leak",
		.reason = "[<reg>|The register] holds an address of the kernel[: <value>], and the "
			  "program would [<how>|return or store it] where others may read it. That "
			  "is for privileged programs only, and for some places never.",
		.remedies =
			{
				"Return and store numbers. A usual cause is a variable that holds "
				"a pointer on one path: set it to a number on all of them.",
				"Store what the pointer points to, not the pointer.",
				"Load with CAP_BPF and CAP_PERFMON, if an address is what is "
				"wanted.",
			},
		.patterns = KT_PATTERNS("<reg> leaks addr as return value",
					"<reg> leaks addr into <where>",
					"<reg> pointer comparison prohibited"),
	},
	{
		.id = "unprivileged-pointer",
		.class = CLASS,
		.title = "An unprivileged program computes with a pointer in a way that "
			 "speculation may abuse",
		.reason = "Programs of unprivileged users may add to a pointer[ (<reg>)] only what "
			  "stays within bounds even if the CPU speculates wrongly, the same way on "
			  "each path.",
		.remedies =
			{
				"Load the program with CAP_PERFMON, which lifts this.",
				"Mask the offset, unsigned, with a constant: i &= 0xf.",
				"Do each addition once, on one kind of pointer: not one "
				"instruction for different maps, directions or paths.",
			},
		.patterns = KT_PATTERNS(
			"<reg> has unknown scalar with mixed signed bounds, <how>",
			"<reg> has pointer with unsupported alu operation, <how>",
			"<reg> tried to <op> from different maps, paths or scalars, <how>",
			"<reg> tried to <op> beyond pointer bounds, <how>",
			"<reg> could not be pushed for speculative verification, <how>",
			"<reg> variable stack access prohibited for !root, var_off=<var> "
			"off=<#off>",
			"<reg> stack pointer arithmetic goes out of range, prohibited for !root; "
			"off=<#off>",
			"<reg> pointer arithmetic of map value goes out of range, prohibited for "
			"!root"),
	},
};

const struct kt_catalog_table kt_catalog_policy = KT_CATALOG_TABLE(entries);
