// SPDX-License-Identifier: LGPL-2.1-or-later
/* Register Type Safety: what a register holds, and what is read through it. */
#include "logparse/catalog_data.h"

#define CLASS "Register Type Safety"

static const struct kt_catalog_entry entries[] = {
	{
		.id = "null-check",
		.class = CLASS,
		.title = "A pointer that may be NULL is used",
		.reason = "[<reg>|The pointer] may be NULL here[: it is what <from> returned "
			  "(<set>)|: it is an argument of <global>(), which is global, so that it "
			  "is verified by itself, for any arguments]. The program accesses memory "
			  "through it, and no check on this path tells it from NULL.",
		.remedies =
			{
				"Check the pointer before it is used, and use it only where it is "
				"not NULL: if (!p) return 0;",
				"Check the variable that is used. A check of a copy counts only "
				"where the verifier knows that both are the same, which a reload "
				"from a map or the context is not.",
				"[<?global>Declare that it is not NULL (__arg_nonnull, Linux "
				"6.8), or make the function static.]",
				"If the check is there, look at how the program got here: the "
				"path that the log shows may go around it.",
			},
		.patterns = KT_PATTERNS("<reg> invalid mem access '<type>_or_null'",
					"<reg> invalid mem access 'ptr_or_null_<struct>'",
					"<reg> invalid mem access '<type>ptr_or_null_<struct>'"),
	},
	{
		.id = "number-dereference",
		.class = CLASS,
		.title = "A number is used as a pointer",
		.reason = "[<reg>|The register] holds a number for the verifier, not a pointer "
			  "that it knows[: it was <was> until <lost_at> called <lost>, which "
			  "takes such pointers away|: <value>]. An address that was computed, "
			  "read from memory or changed in a way that the verifier does not follow "
			  "is a number, and cannot be dereferenced.",
		.remedies =
			{
				"[<?lost>Use the pointer before that call; or behind it load it "
				"and check it anew (skb->data and skb->data_end of a packet, a new "
				"lookup of an object).|Read kernel memory with "
				"bpf_probe_read_kernel() or BPF_CORE_READ(), and memory of user "
				"space with bpf_probe_read_user().]",
				"Keep the pointer a pointer: add to it and subtract from it in 64 "
				"bits only, and do not cast it to a smaller type, mask it or shift "
				"it.",
				"[<?lost>|Where a call took the pointer away (a packet pointer "
				"behind a helper that changes the packet, an object that was "
				"released), load and check it anew.]",
				"[<?lost>|Get a pointer with a type: bpf_get_current_task_btf() "
				"(Linux 5.11) for the current task, bpf_rdonly_cast() (6.2; "
				"bpf_core_cast() of libbpf) for what is only read.]",
			},
		.patterns = KT_PATTERNS("<reg> invalid mem access 'scalar'",
					"<reg> invalid mem access 'inv'"),
	},
	{
		.id = "bad-dereference",
		.class = CLASS,
		.title = "A pointer of this kind cannot be dereferenced",
		.reason =
			"[<reg> is <what>|<reg> has the type <type>|The register has a type] that "
			"a load or store cannot go through.",
		.remedies =
			{
				"Use it only as an argument of the helpers and kfuncs that take "
				"it: a map pointer goes to bpf_map_lookup_elem(), the packet's "
				"end is only compared with.",
				"Read what is behind it with bpf_probe_read_kernel() or "
				"BPF_CORE_READ().",
				"If the register should hold another pointer, look at where it "
				"was set: on this path it got another value.",
			},
		.patterns = KT_PATTERNS("<reg> invalid mem access '<type>'"),
	},
	{
		.id = "modified-pointer",
		.class = CLASS,
		.title = "A pointer with an offset is used where only the original may be",
		.reason = "[<reg>|The pointer] has been moved[ by <off>], and a pointer of this "
			  "kind[ (<type>)] may be used only as it came, with a constant offset in "
			  "the instruction.",
		.remedies =
			{
				"Keep the original pointer in a variable of its own, and access "
				"its members by name: ctx->field.",
				"Do not index it by a variable. Where it has to be, switch over "
				"constants, or read the bytes with a helper.",
				"If the compiler made one access of several (in the branches of an "
				"if or a switch), keep them apart: barrier_var(x) on each value "
				"that is read, directly behind its access. barrier_var(ctx) is not "
				"enough.",
			},
		.patterns = KT_PATTERNS(
			"dereference of modified <type> ptr <reg> off=<#off> disallowed",
			"negative offset <type> ptr <reg> off=<#off> disallowed",
			"variable <type> access var_off=<var> disallowed",
			"variable <type> access off=<#off> var_off=<var> disallowed",
			"<reg> is a pointer to in-kernel struct with non-zero offset"),
	},
	{
		.id = "unreadable-register",
		.class = CLASS,
		.title = "A register is read that holds nothing",
		.reason = "[<reg>|The register] holds no value here[: it was <was> until "
			  "<lost_at> called <lost>, which took it away|: the call at <clobber> "
			  "took it away]. [<?clobber>A call leaves R0 with its result, and "
			  "nothing in R1 to R5.|It was never set on this path, or a call behind "
			  "that took it away: a call leaves R0 with its result, and nothing in R1 "
			  "to R5.]",
		.remedies =
			{
				"[<?clobber>Keep what is needed behind the call in R6 to R9 or on "
				"the stack: in inline assembly, name what it reads and destroys, "
				"so that the compiler does so.|Give the variable a value on every "
				"path that leads here; a warning of the compiler (-Wuninitialized) "
				"often names it.]",
				"A function that returns something has to return it on every path: "
				"R0 is its result.",
				"[<?clobber>If the function returns it, take it from R0.|In inline "
				"assembly, name what it reads and destroys, so that the compiler "
				"does not keep values in R1 to R5 over a call.]",
			},
		.patterns = KT_PATTERNS("<reg> !read_ok", "<reg> is invalid"),
	},
	{
		.id = "missing-stack-argument",
		.class = CLASS,
		.title = "A call lacks one of its arguments on the stack",
		.reason = "The called function takes [<n>|more than five] arguments, and one that "
			  "is passed on the stack was not stored before the call.",
		.remedies =
			{
				"Declare the function with all its arguments where it is called, "
				"so that the compiler stores each of them.",
				"Pass a pointer to a struct instead of more than five arguments.",
			},
		.since = "Linux 7.2 takes more than five arguments, 6.18 does not",
		.patterns = KT_PATTERNS(
			"callee expects <#n> args, stack arg<#arg> is not initialized",
			"invalid read from stack arg off <#off> depth <#depth>",
			"func#<#func> writes <#have> stack arg slots, but calls only require <#n>",
			"stack arg write offset <#off> exceeds max <#n> stack args",
			"r11 load must be before any r11 store or call insn"),
	},
	{
		.id = "frame-pointer",
		.class = CLASS,
		.title = "The frame pointer is written",
		.reason = "R10 is the frame pointer, and a program cannot change it.",
		.remedies = {"Copy R10 into another register and change that one. Compilers do so; "
			     "look at inline assembly, and at what generated the instructions."},
		.patterns = KT_PATTERNS("frame pointer is read only"),
	},
	{
		.id = "pointer-pair",
		.class = CLASS,
		.title = "One instruction is used with two kinds of pointers",
		.reason = "This load or store is reached with one kind of pointer on one path, and "
			  "with another on this one. The verifier rewrites such an instruction by "
			  "the kind, so it can have one only.",
		.remedies =
			{
				"Write the access twice, once in each branch, and keep the "
				"compiler from merging them: barrier_var(p) behind the branch.",
				"Copy the value into a local variable in each branch, and use "
				"that behind it.",
			},
		.patterns = KT_PATTERNS("same insn cannot be used with different pointers",
					"same insn cannot be used with and without arena pointer"),
	},
	{
		.id = "kernel-object-offset",
		.class = CLASS,
		.title = "A kernel object is accessed at an offset that no member has",
		.reason = "[<reg>|The pointer] points to a kernel object[ (<struct>)], and the "
			  "offset[ <off>] is negative or not known. Members are read at constant "
			  "offsets only.",
		.remedies =
			{
				"Access a member by its name through the typed pointer: p->member.",
				"For an array in it, or a computed offset, use "
				"bpf_probe_read_kernel() or bpf_core_read().",
				"Do not step back with container_of() on a pointer of the kernel: "
				"cast with bpf_rdonly_cast() (Linux 6.2), or read with "
				"bpf_probe_read_kernel().",
			},
		.patterns = KT_PATTERNS(
			"<reg> is ptr_<struct> invalid negative access: off=<#off>",
			"<reg> is ptr_<struct> invalid variable offset: off=<#off>, var_off=<var>",
			"<reg> is <struct> invalid negative access: off=<#off>"),
	},
	{
		.id = "user-pointer",
		.class = CLASS,
		.title = "A pointer to memory of user space is dereferenced",
		.reason = "[<reg>|The pointer] is marked as one to memory of user space[, a member "
			  "of <struct>]. It may be paged out, or not be what it was.",
		.remedies =
			{
				"Read it with bpf_probe_read_user() or bpf_probe_read_user_str().",
				"In a sleepable program, bpf_copy_from_user() brings the page in, "
				"too.",
			},
		.patterns = KT_PATTERNS("<reg> is ptr_<struct> access user memory: off=<#off>"),
	},
	{
		.id = "percpu-pointer",
		.class = CLASS,
		.title = "A per-CPU pointer is dereferenced",
		.reason = "[<reg>|The pointer] is a per-CPU address: an offset that leads to "
			  "another place on each CPU.",
		.remedies = {"Make a pointer of it with bpf_this_cpu_ptr(), or with "
			     "bpf_per_cpu_ptr(p, cpu) and a check for NULL."},
		.patterns = KT_PATTERNS("<reg> is ptr_<struct> access percpu memory: off=<#off>"),
	},
	{
		.id = "kernel-object-write",
		.class = CLASS,
		.title = "A kernel object is written",
		.reason =
			"Programs may read this object of the kernel, and not write it[: <reg> is "
			"<value>].",
		.remedies =
			{
				"Change it with a helper or a kfunc that does so.",
				"A few members are writable for some types of programs "
				"(tcp_congestion_ops, sched_ext, nf_conn, HID); look whether this "
				"is one, and which of its members.",
				"Copy the object into a local variable or a map, and change the "
				"copy.",
			},
		.patterns = KT_PATTERNS(
			"only read is supported", "only read from <struct> is supported",
			"Writes through BTF pointers are not allowed",
			"no write support to <@struct> at off <#off>",
			"write access at off <#off> with size <#bytes>",
			"write access at off <#off> with size <#bytes> beyond the member of "
			"<@struct> ended at <#end>",
			"write access at off <#off> with size <#bytes> on read-only part of "
			"<@struct>",
			"write access for struct <@struct> at off <#off> with size <#bytes>",
			"write access to this struct is not supported",
			"only access to <@struct> is supported",
			"<reg> cannot write into ptr_<struct> at off=<#off> size=<#bytes>"),
	},
	{
		.id = "kernel-object-bounds",
		.class = CLASS,
		.title = "An access does not fit a member of a kernel object",
		.reason = "The type[ struct <struct>] has no member that [the <bytes>-byte "
			  "access|the access][ at offset <off>] fits: it goes over a member's "
			  "end, reads a part of a pointer, or is behind the struct.",
		.remedies =
			{
				"Access one member by its name and type. A cast that widens the "
				"access, or a compiler that merges two, is a usual cause: make "
				"the variable volatile.",
				"Build against the vmlinux.h of the kernel that it runs on, or "
				"use CO-RE (__attribute__((preserve_access_index)), "
				"BPF_CORE_READ()), so that offsets are those of the kernel.",
				"Read bytes with bpf_probe_read_kernel().",
			},
		.patterns = KT_PATTERNS(
			"access beyond struct <@struct> at off <#off> size <#bytes>",
			"access beyond the end of member <@member> (mend:<#end>) in struct "
			"<@struct> with off <#off> size <#bytes>",
			"cannot access ptr member <@member> with moff <#moff> in struct <@struct> "
			"with off <#off> size <#bytes>",
			"struct <@struct> doesn't have field at offset <#off>",
			"field <@member> doesn't have size", "Type '<struct>' is not a struct",
			"direct access to <@struct> is disallowed"),
	},
	{
		.id = "map-pointer-access",
		.class = CLASS,
		.title = "The members of a map are not readable here",
		.reason = "The program reads members of struct bpf_map through the pointer to a "
			  "map, and this kernel cannot tell what is there.",
		.remedies =
			{
				"Read the map's values with bpf_map_lookup_elem(); its size is "
				"known when the program is compiled, or can be a const volatile "
				"variable.",
				"Use a kernel that is built with CONFIG_DEBUG_INFO_BTF=y.",
			},
		.patterns = KT_PATTERNS(
			"map_ptr access not supported without CONFIG_DEBUG_INFO_BTF",
			"map_ptr access not supported for map type <#type>"),
	},
	{
		.id = "jump-table",
		.class = CLASS,
		.title = "An indirect jump does not follow its jump table",
		.reason = "A jump through a register may lead only to what is in a jump table, and "
			  "the register[ <reg>] is not surely a value of it.",
		.remedies =
			{
				"Compare the index with the size of the table before it is used, "
				"as a switch does.",
				"Compile the function with -fno-jump-tables, which makes "
				"comparisons of a switch.",
			},
		.since = "Linux 7.2 takes indirect jumps, 6.18 does not",
		.patterns = KT_PATTERNS(
			"<reg> has type <type>, expected PTR_TO_INSN",
			"<reg> points to outside of jump table: <range>",
			"<reg> has an empty map pointer", "<reg> has incorrect map type <#type>",
			"register <reg> doesn't point to any offset in map id=<#id>",
			"the sum of <reg> umin_value <#n> is too big",
			"the sum of <reg> umax_value <#n> is too big",
			"Invalid read of <#bytes> bytes from insn_array",
			"BPF_JA|BPF_X uses reserved fields"),
	},
};

const struct kt_catalog_table kt_catalog_registers = KT_CATALOG_TABLE(entries);
