// SPDX-License-Identifier: LGPL-2.1-or-later
/* Execution Context Safety: locks, RCU, preemption, sleeping. */
#include "logparse/catalog_data.h"

#define CLASS "Execution Context Safety"

static const struct kt_catalog_entry entries[] = {
	{
		.id = "sleep",
		.class = CLASS,
		.title = "A function that may sleep is called where nothing may sleep",
		.reason = "[<call>|The called function] may sleep, and here nothing may: the "
			  "program is not sleepable, or it is inside of an RCU section, a lock, or "
			  "a section without preemption or interrupts[ (<where>)].",
		.remedies =
			{
				"Make the program sleepable, if its type and hook allow it: "
				"SEC(\"lsm.s/...\"), SEC(\"fentry.s/...\"), "
				"SEC(\"uprobe.s/...\"), SEC(\"syscall\").",
				"Call it before the section is entered, or behind it.",
				"Use the variant that does not sleep: bpf_probe_read_user() for "
				"bpf_copy_from_user().",
				"Do the work later, in a work queue (bpf_wq, Linux 6.10), whose "
				"callback may sleep.",
			},
		.since = "Linux 5.10 has sleepable programs",
		.patterns = KT_PATTERNS(
			"helper call might sleep in a non-sleepable prog",
			"program must be sleepable to call sleepable kfunc <@call>",
			"kernel function <@call> is sleepable but the program is not",
			"sleepable helper <@call>#<#n> in <where>",
			"kernel func <@call> is sleepable within <where>",
			"sleepable global function <@call>() called in <where>"),
	},
	{
		.id = "locked-region",
		.class = CLASS,
		.title = "Something is done inside of a section that has to be left first",
		.reason = "[<op>|The exit of the program or function] is not possible inside of "
			  "[a <region>-ed region|a section that the program has entered]: a lock, "
			  "an RCU section, or one without preemption or interrupts. On this path "
			  "it was not left before.",
		.remedies =
			{
				"Leave the section before, on every path: bpf_spin_unlock(), "
				"bpf_rcu_read_unlock(), bpf_preempt_enable(), "
				"bpf_local_irq_restore().",
				"Look at early returns, and at the end of loops: a section has to "
				"be left there, too.",
				"Copy what is needed inside of the section, and work on the copy "
				"behind it.",
			},
		.patterns = KT_PATTERNS(
			"<op> cannot be used inside <@region>-ed region",

			"BPF_EXIT instruction in main prog cannot be used inside <@region>-ed "
			"region",

			"<#n> bpf_preempt_enable missing", "<#n> bpf_preempt_enables missing",
			"<#n> bpf_preempt_enable<s> missing", "bpf_rcu_read_unlock is missing"),
	},
	{
		.id = "call-in-lock",
		.class = CLASS,
		.title = "A function is called while a lock is held, or without preemption",
		.reason = "While the program holds a lock, or has switched preemption or "
			  "interrupts off, it may not call a function of this kind: the verifier "
			  "does not know how long it runs, or whether it takes a lock.",
		.remedies =
			{
				"Call it before the lock is taken, and use the result under the "
				"lock; or unlock first.",
				"If it is a function of your own, make it static (Linux 6.9 takes "
				"calls of static functions under a lock), or static "
				"__always_inline.",
				"Under a lock, call only the helpers and kfuncs that are made for "
				"it.",
			},
		.since = "Linux 6.9 takes calls of static functions while a lock is held",
		.patterns = KT_PATTERNS(
			"function calls are not allowed while holding a lock",
			"global function calls are not allowed while holding a lock",
			"global function calls are not allowed with preemption disabled",
			"global function calls are not allowed with IRQs disabled",
			"use static function instead"),
	},
	{
		.id = "rcu-section",
		.class = CLASS,
		.title = "An RCU section is missing, or not entered and left in pairs",
		.reason = "[<call>|The call] needs an RCU section around it, or enters or leaves "
			  "one that does not fit those that are open on this path.",
		.remedies =
			{
				"Put bpf_rcu_read_lock() in front and bpf_rcu_read_unlock() "
				"behind, each once on every path.",
				"Do not nest them (older kernels), and do not use them in "
				"callbacks of a tree, which run under a lock.",
				"Programs that are not sleepable are in an RCU section already.",
			},
		.since = "Linux 6.2 has bpf_rcu_read_lock()",
		.patterns = KT_PATTERNS(
			"nested rcu read lock (kernel function <@call>)",
			"unmatched rcu read unlock (kernel function <@call>)",
			"expected an RCU CS when using <@call>",
			"kernel func <@call> requires RCU critical section protection",
			"Calling bpf_rcu_read_{lock,unlock} in unnecessary rbtree callback"),
	},
	{
		.id = "preemption",
		.class = CLASS,
		.title = "Preemption is switched on that was not off",
		.reason =
			"bpf_preempt_enable() is called without a bpf_preempt_disable() before it "
			"on this path.",
		.remedies = {"Call both once on every path, in the same function."},
		.since = "Linux 6.10 has bpf_preempt_disable()",
		.patterns = KT_PATTERNS(
			"unmatched attempt to enable preemption (kernel function <@call>)"),
	},
	{
		.id = "exception",
		.class = CLASS,
		.title = "An exception is thrown, or its callback is declared, in a way that does "
			 "not work",
		.reason = "bpf_throw() ends the program through its exception callback. It cannot "
			  "be used in callbacks, nor while anything is held, and the callback is a "
			  "function of its own that nothing else calls.",
		.remedies =
			{
				"Return an error from callbacks, and throw behind them.",
				"Declare one exception callback, global, with one number as its "
				"parameter: __exception_cb(name).",
				"Release references and locks before bpf_throw().",
			},
		.since = "Linux 6.7 has bpf_throw()",
		.patterns = KT_PATTERNS(
			"bpf_throw kfunc (insn <#n>) cannot be called from callback subprog <#sub>",
			"insn <#n> cannot call exception cb directly",
			"cannot tail call within exception cb",
			"multiple exception callback tags for main subprog",
			"exception callback '<name>' could not be found in BTF",
			"exception callback '<name>' must have global linkage",
			"invalid exception callback insn_off in func_info: <#n>",
			"exception callback type id not found in func_info"),
	},
	{
		.id = "sleepable-program",
		.class = CLASS,
		.title = "A program of this kind cannot be sleepable, or has to be",
		.reason = "Whether a program may sleep (BPF_F_SLEEPABLE, the \".s\" in its "
			  "section's name) depends on its type and on what it attaches to[: <func> "
			  "is not for it].",
		.remedies =
			{
				"Take the \".s\" out of the section's name: SEC(\"fentry/...\") "
				"for SEC(\"fentry.s/...\").",
				"Attach to a function that may sleep: LSM hooks that do, system "
				"calls (\"__x64_sys_...\"), functions that allow errors to be "
				"injected.",
				"Programs of SEC(\"syscall\") are always sleepable.",
			},
		.since = "Linux 5.10 has sleepable fentry, fexit, fmod_ret and LSM programs, 6.0 "
			 "uprobes, 6.3 struct_ops",
		.patterns = KT_PATTERNS(
			"Only fentry/fexit/fmod_ret and lsm programs can be sleepable",
			"Only fentry/fexit/fmod_ret, lsm, and kprobe/uprobe programs can be "
			"sleepable",
			"Only fentry/fexit/fmod_ret, lsm, iter, uprobe, and struct_ops programs "
			"can be sleepable",
			"Only fentry/fexit/fsession/fmod_ret, lsm, iter, uprobe, and struct_ops "
			"programs can be sleepable",
			"Only <kinds> programs can be sleepable",
			"Syscall programs can only be sleepable",
			"Program of this type cannot be sleepable", "<@func> is not sleepable",
			"Sleepable program cannot attach to non-faultable tracepoint <func>"),
	},
	{
		.id = "map-in-context",
		.class = CLASS,
		.title = "A map of this kind cannot be used by a program of this kind",
		.reason = "[Values of the map hold a <field>, which a program of this type may not "
			  "use where it runs; so the map as a whole is refused.|Some maps allocate "
			  "memory or take locks when they are used, or are for other types of "
			  "programs, so this program cannot have it.]",
		.remedies =
			{
				"[<?field>Move it into a map of its own, which programs of this "
				"type do not use.|Do not set BPF_F_NO_PREALLOC on a hash map that "
				"a tracing program uses.]",
				"[<?field>Instead of a lock, count with atomic operations "
				"(__sync_fetch_and_add()) or in a per-CPU map.|In a sleepable "
				"program use arrays, hashes, ring buffers and local storage.]",
				"[<?field>Do that part in a program of another type (tc, XDP, "
				"cgroup ...).|Keep a value with a lock, timer or list in a map "
				"that only programs of the type which may use them have.]",
			},
		.since = "Linux 6.1 takes hash maps that are not preallocated in tracing programs",
		.patterns = KT_PATTERNS(
			"Sleepable programs can only use array and hash maps",
			"Sleepable programs can only use array, hash, and ringbuf maps",
			"Sleepable programs can only use array, hash, ringbuf and local storage "
			"maps",
			"Sleepable programs can only use preallocated hash maps",
			"Sleepable programs can only use <maps>",
			"perf_event programs can only use preallocated hash map",
			"trace type programs can only use preallocated hash map",
			"trace type programs with run-time allocated hash maps are unsafe. Switch "
			"to preallocated hash maps.",
			"sleepable progs cannot use <@field> yet",
			"tracing progs cannot use bpf_{list_head,rb_root} yet",
			"socket filter progs cannot use <@field> yet",
			"tracing progs cannot use <@field> yet",
			"bpf_timer cannot be used for PREEMPT_RT",
			"bpf_struct_ops map cannot be used in prog",
			"offload device mismatch between prog and map"),
	},
	{
		.id = "packet-load",
		.class = CLASS,
		.title = "An old packet load (LD_ABS, LD_IND) is used where it is not possible",
		.reason = "LD_ABS and LD_IND are the packet loads of classic BPF. They end the "
			  "program where the packet is too short, so they are for socket filters "
			  "and tc only, with the context in R6, and not where something is held.",
		.remedies =
			{
				"Use bpf_skb_load_bytes(), or direct packet access with a check "
				"of data_end, instead of load_byte(), load_half() and load_word().",
				"In a function of its own, return int and compile with -g, so "
				"that it has BTF.",
			},
		.patterns = KT_PATTERNS(
			"BPF_LD_[ABS|IND] instructions not allowed for this program type",
			"cannot use BPF_LD_[ABS|IND] within callback",
			"at the time of BPF_LD_ABS|IND R6 != pointer to skb",
			"LD_ABS is not allowed in subprogs without BTF",
			"LD_ABS is only allowed in functions that return 'int'.",
			"BPF_LD_[ABS|IND] uses reserved fields", "invalid BPF_LD mode"),
	},
	{
		.id = "tail-call",
		.class = CLASS,
		.title = "A tail call is not possible here",
		.reason = "A tail call leaves the program for another one and does not come back, "
			  "which does not go together with [<where>|where it stands]: functions of "
			  "their own that are not compiled by the JIT, lack BTF or return no int, "
			  "and callbacks.",
		.remedies =
			{
				"Make the tail call in the main function, or inline the function "
				"that has it.",
				"Give the function the return type int, and compile with -g.",
				"Switch the JIT on: sysctl net.core.bpf_jit_enable=1.",
			},
		.since = "Linux 5.10 takes tail calls in functions (x86_64)",
		.patterns = KT_PATTERNS(
			"tail_call is not allowed in subprogs without BTF",
			"tail_call is only allowed in functions that return 'int'.",
			"tail_calls are not allowed in non-JITed programs with bpf-to-bpf calls",
			"tail_calls are not allowed in programs with bpf-to-bpf calls",
			"tail_calls are not allowed in programs with stack args",
			"mixing of tail_calls and bpf-to-bpf calls is not supported",
			"cannot tail call within callback",
			"adding tail call poke descriptor failed",
			"tracking tail call prog failed"),
	},
};

const struct kt_catalog_table kt_catalog_context = KT_CATALOG_TABLE(entries);
