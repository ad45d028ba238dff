// SPDX-License-Identifier: LGPL-2.1-or-later
/* Memory Safety: bounds of maps, packets, the stack and other memory. */
#include "logparse/catalog_data.h"

#define CLASS "Memory Safety"

static const struct kt_catalog_entry entries[] = {
	{
		.id = "object-bounds",
		.class = CLASS,
		.title = "An access is outside of its object",
		.reason = "[The <bytes>-byte access|The access][ at offset <off>] is not inside "
			  "of the object[, which has <object> bytes].",
		.remedies =
			{
				"Compare the index with the number of elements on every path that "
				"leads here: if (i >= ARRAY_SIZE(a)) return 0;",
				"Mask it, where the size is a power of two: i &= ARRAY_SIZE(a) - "
				"1;",
				"Make the object as large as what is accessed: the value size of "
				"the map, or the struct that it is declared with.",
			},
		.patterns = KT_PATTERNS(
			"invalid access to map value, value_size=<#object> off=<#off> "
			"size=<#bytes>",
			"invalid access to map key, key_size=<#object> off=<#off> size=<#bytes>",
			"invalid access to memory, mem_size=<#object> off=<#off> size=<#bytes>",
			"invalid access to context, ctx_size=<#object> off=<#off> size=<#bytes>",
			/* Not only of negative offsets: the least one that is possible is outside.
			 */
			"<reg> min value is outside of the allowed memory range",
			"<reg> min value is outside of the array range"),
		.general = true,
	},
	{
		.id = "upper-bound",
		.class = CLASS,
		.title = "An index has no upper bound, or one that is too high",
		.reason = "[<reg>|The address] may be behind the end of the object[, which has "
			  "<object> bytes][: the part of its offset that varies goes up to "
			  "<max>]. On this path nothing keeps [<size_reg>, the size that <call> "
			  "takes,|the index, <index> at <index_at>,|the index] small enough for "
			  "[a <bytes>-byte access|the access] to fit[; <unbound> takes its bound].",
		.remedies =
			{
				"Compare the index with the number of elements before it is used, "
				"on every path: if (i >= ARRAY_SIZE(a)) return 0;",
				"Mask it, where the size is a power of two: i &= ARRAY_SIZE(a) - "
				"1; the verifier follows that best.",
				"If the source has the check, it was of another copy of the index "
				"(a global variable or a map's value is read anew at each use), or "
				"in 32 bits: copy the index to a local unsigned variable, put "
				"barrier_var(i) behind that, check it and use it.",
				"For a field of a struct, leave room: the last byte counts, not "
				"the first.",
			},
		.patterns = KT_PATTERNS(
			"<reg> max value is outside of the allowed memory range",
			"<reg> max value is outside of the array range",
			"<reg> unbounded memory access, make sure to bounds check any such access",
			"<reg> unbounded memory access, make sure to bounds check any array "
			"access into a map"),
	},
	{
		.id = "lower-bound",
		.class = CLASS,
		.title = "An index may be negative",
		.reason = "[<reg>|The address] may be in front of the object[: the part of its "
			  "offset that varies goes down to <min>]. The index[, <index> at "
			  "<index_at>,] is signed, and on this path nothing tells that it is not "
			  "negative[; <unbound> takes its bound].",
		.remedies =
			{
				"Make the index unsigned (__u32, or __u64 where it is added to a "
				"pointer).",
				"Check both ends of a signed index: if (i < 0 || i >= n) return 0;",
				"Mask it, where the size is a power of two: i &= ARRAY_SIZE(a) - "
				"1;",
			},
		.patterns = KT_PATTERNS(
			"<reg> min value is negative, either use unsigned index or do a if (index "
			">=0) check",
			"<reg> min value is negative, either use unsigned index or do a if (index "
			">=0) check."),
	},
	{
		.id = "packet-bounds",
		.class = CLASS,
		.title = "A packet is accessed without a check of its length",
		.reason = "The program accesses the packet[ at offset <off>], and the verifier "
			  "knows of [only <range>|not enough] bytes that are there for sure. A "
			  "check holds for the pointer that was compared and its copies, until "
			  "something variable is added to it, or a helper changes the packet.",
		.remedies =
			{
				"Compare with data_end directly before the access, by the same "
				"pointer: if ((void *)(eth + 1) > data_end) return XDP_PASS;",
				"Bound a variable offset first (off &= 0xff, or a comparison), "
				"add it to the pointer, and compare the sum with data_end then.",
				"Behind bpf_skb_pull_data(), bpf_xdp_adjust_head() and other "
				"helpers that change the packet, load data and data_end anew and "
				"check again.",
				"Copy with bpf_skb_load_bytes() or bpf_xdp_load_bytes(), or use a "
				"dynptr (bpf_dynptr_from_skb(), Linux 6.4), which check while the "
				"program runs.",
			},
		.patterns = KT_PATTERNS("invalid access to packet, off=<#off> size=<#bytes>, "
					"<reg>(id=<#id>,off=<#fixed>,r=<#range>)",
					"invalid access to packet, off=<#off> size=<#bytes>, "
					"<reg>(id=<#id>,off=<#fixed>,r=<#range>",
					"invalid access to packet",
					"<reg> offset is outside of the packet"),
	},
	{
		.id = "helper-size",
		.class = CLASS,
		.title = "The size that a call is given has no bounds",
		.reason =
			"[<reg>|The register] is the size of the memory that [<call>|the called "
			"function] works on[, and here it is <value>|, and here it is from <min> "
			"to <max>|, and here it is up to <max>|, and here it may be <min>]. It may "
			"be negative or larger than what is there[: <unbound> takes its bound].",
		.remedies =
			{
				"Mask it directly before the call: len &= sizeof(buf) - 1; (a size "
				"that is a power of two).",
				"Compare it, unsigned and in 64 bits, on every path: __u64 len = "
				"...; if (len > sizeof(buf)) len = sizeof(buf);",
				"If the check is there, the compiler passes another copy, moved "
				"the check, or checks the lower 32 bits only, which leaves the "
				"others unknown: put barrier_var(len) in front of the check.",
				"What another helper returned may be negative (an error): check "
				"that first.",
			},
		.patterns = KT_PATTERNS(
			"<reg> min value is negative, either use unsigned or 'var &= const'",
			"<reg> unbounded memory access, use 'var &= const' or 'if (var < const)'",
			"<reg> unbounded size, use 'var &= const' or 'if (var < const)'",
			"<reg> memory size <#n> is too large"),
	},
	{
		.id = "zero-size",
		.class = CLASS,
		.title = "The size that a call is given may be zero",
		.reason =
			"[<reg>|The register] is the size of the memory that [<call>|the called "
			"function] works on[: <value>], and this function does not take a size of "
			"0.",
		.remedies =
			{
				"Check before the call: if (!len) return 0;",
				"Give the size another lower bound, as len = (len & 0xff) + 1 "
				"does.",
				"If it is the key of a map: ring buffers, queues, stacks and bloom "
				"filters have none (ks=0 in the log), and functions of their own.",
			},
		.patterns = KT_PATTERNS("<reg> invalid zero-sized read: <range>",
					"invalid zero-sized read", "<reg> invalid zero-sized read"),
	},
	{
		.id = "stack-uninitialized",
		.class = CLASS,
		.title = "Bytes of the stack are read that were not written",
		.reason = "[<call>|The program] reads [<bytes> bytes of ]the stack[ at offset "
			  "<off> from the frame pointer], and not all of them were written on "
			  "this path. A struct may have padding between and behind its members, "
			  "which an initializer of the members leaves.",
		.remedies =
			{
				"Clear it before it is filled in: struct key k; "
				"__builtin_memset(&k, 0, sizeof(k));",
				"Name the padding, or pack the struct, so that each byte is a "
				"member.",
				"Give the size that was really written, and write the variable on "
				"every path.",
			},
		.since = "Linux 6.3 lets privileged programs read such bytes in most places",
		.patterns = KT_PATTERNS(
			"invalid<kind> read from stack off <#off>+<#byte> size <#bytes>",
			"invalid<kind> read from stack <reg> off <#off>+<#byte> size <#bytes>",
			"invalid<kind> read from stack var_off <var>+<#byte> size <#bytes>",
			"invalid<kind> read from stack <reg> var_off <var>+<#byte> size <#bytes>",
			"reading from stack off <#off>+<#byte> size <#bytes>, slot poisoned by "
			"dead code elimination",
			"reading from stack <reg> off <#off>+<#byte> size <#bytes>, slot poisoned "
			"by dead code elimination"),
	},
	{
		.id = "stack-bounds",
		.class = CLASS,
		.title = "An access is outside of the stack",
		.reason = "[The <bytes>-byte access|The access][ at offset <off> from the frame "
			  "pointer] is not inside of the stack, which is the 512 bytes below the "
			  "frame pointer.",
		.remedies =
			{
				"Keep indexes into local arrays within the array, and sizes "
				"within what is there.",
				"Move large buffers into a map: an array map of one element, per "
				"CPU, is the usual place.",
				"Do not read above the frame pointer: arguments are in R1 to R5.",
			},
		.patterns = KT_PATTERNS("invalid<kind> stack <reg> off=<#off> size=<#bytes>",
					"invalid stack off=<#off> size=<#bytes>",
					"invalid stack type <reg> off=<#off> access_size=<#bytes>"),
	},
	{
		.id = "stack-variable",
		.class = CLASS,
		.title = "The stack is accessed at an offset that is not known",
		.reason = "The offset into the stack varies[: var_off is <var>], so the verifier "
			  "cannot tell which bytes are accessed: they may be outside of the "
			  "stack, or not be written.",
		.remedies =
			{
				"Bound the index with constants: if (i >= ARRAY_SIZE(buf)) return "
				"0; or a mask.",
				"Write all of the buffer first, so that any part of it may be "
				"read.",
				"Move the buffer into the value of an array map, where variable "
				"offsets with bounds are fine.",
				"Unroll the loop, so that each offset is a constant.",
			},
		.since = "Linux 5.12 takes loads and stores at bounded offsets, from privileged "
			 "programs",
		.patterns = KT_PATTERNS(
			"variable offset stack pointer cannot be passed into helper function; "
			"var_off=<var> off=<#off> size=<#bytes>",
			"invalid variable-offset<kind> stack <reg> var_off=<var> size=<#bytes>",
			"invalid variable-offset<kind> stack <reg> var_off=<var> off=<#off> "
			"size=<#bytes>",
			"invalid unbounded variable-offset<kind> stack <reg>",
			"variable stack access var_off=<var> off=<#off> size=<#bytes>",
			"variable stack read <reg> var_off=<var>",
			"<reg><kind> variable offset stack access prohibited for !root, "
			"var_off=<var>"),
	},
	{
		.id = "stack-spill",
		.class = CLASS,
		.title = "A pointer that was saved on the stack is read or written in part",
		.reason = "This slot of the stack[, at offset <off>,] holds a pointer, which goes "
			  "in and out in 8 bytes. A part of it is no pointer, and would tell a "
			  "kernel address.",
		.remedies =
			{
				"Do not use the same stack memory as a pointer and as bytes: no "
				"unions of both, no memcpy() over it.",
				"Clear it with 8-byte stores at offsets that are multiples of 8.",
				"Load the program as a privileged user (CAP_BPF and CAP_PERFMON), "
				"where more of this is allowed.",
			},
		.patterns = KT_PATTERNS(
			"attempt to corrupt spilled pointer on stack",
			"invalid size of register spill", "invalid size of register fill",
			"corrupted spill memory", "leaking pointer from stack off <#off>",
			"spilled ptr in range of var-offset stack write; insn <#n>, ptr off: "
			"<#off>",
			"uninit stack in range of var-offset write prohibited for !root; insn "
			"<#n>, off: <#off>"),
	},
	{
		.id = "stack-escape",
		.class = CLASS,
		.title = "A pointer to the stack outlives its function",
		.reason = "The stack of a function is gone when the function returns, so a pointer "
			  "to it cannot be returned, or stored where the caller reads it.",
		.remedies =
			{
				"Let the caller own the buffer, and pass its address as an "
				"argument.",
				"Return the value and not its address.",
			},
		.patterns = KT_PATTERNS(
			"cannot return stack pointer to the caller",
			"cannot spill pointers to stack into stack frame of the caller"),
	},
	{
		.id = "read-only-memory",
		.class = CLASS,
		.title = "Memory is written that may only be read",
		.reason = "[<reg> is <value>, which|The memory] may be read and not written here. "
			  "Constants (.rodata), frozen maps, the packet in some types of programs, "
			  "and records that the kernel hands out for reading are so.",
		.remedies =
			{
				"Write to a copy: a local variable, or a map's value.",
				"Declare a global variable without const, so that it goes to "
				".data or .bss.",
				"For a packet, use a program type that may write it (XDP, tc), or "
				"a helper like bpf_skb_store_bytes().",
				"Do not set BPF_F_RDONLY_PROG (or BPF_F_WRONLY_PROG) on a map "
				"that the program writes (or reads).",
			},
		.patterns = KT_PATTERNS(
			"write into map forbidden, value_size=<#object> off=<#off> size=<#bytes>",
			"read from map forbidden, value_size=<#object> off=<#off> size=<#bytes>",
			"write into map forbidden", "cannot write into packet",
			"<reg> cannot write into <type>",
			"the prog does not allow writes to packet data",
			"write to change key <reg> not allowed",
			"<@func>() may write into memory pointed by <reg> type=<type>"),
	},
	{
		.id = "context-access",
		.class = CLASS,
		.title = "The context has no such field, or not for this program",
		.reason = "[The program <does> <bytes> bytes|The access][ at offset <off>] "
			  "[<?does>of|does not fit] [the object (<type>)|the context][<?does>, and "
			  "there is no field there that a program of this type may access so]. It "
			  "depends on the type, on where the program attaches, and for some fields "
			  "on the size of the access and on whether it is a read or a write.",
		.remedies =
			{
				"Check the section's name, SEC(\"...\"): it chooses the type, and "
				"so which context the program gets.",
				"Access a field by its name in the context's struct (struct "
				"__sk_buff, xdp_md, bpf_sock_addr ...), with its own size: some "
				"cannot be read in part or written.",
				"In tracing programs the context is the array of the function's "
				"arguments: use BPF_PROG(), BPF_KPROBE(), and no more arguments "
				"than the function has.",
				"What is not in the context can often be read with a helper, or "
				"through a pointer to a kernel struct with BPF_CORE_READ().",
			},
		.patterns = KT_PATTERNS(
			"invalid bpf_context access off=<#off> size=<#bytes>",
			"invalid bpf_context access off=<#off>. Reference may already be released",
			"invalid access to flow keys off=<#off> size=<#bytes>",
			"<reg> invalid variable offset to flow keys: off=<#off>, var_off=<var>",
			"<reg> invalid <type> access off=<#off> size=<#bytes>"),
	},
	{
		.id = "tracing-argument",
		.class = CLASS,
		.title = "The traced function has no such argument",
		.reason =
			"The program reads [argument <n> of <func>|an argument] from its context, "
			"and the function that it attaches to does not have it, or it is not one "
			"that can be read so.",
		.remedies =
			{
				"Compare the arguments of the program (BPF_PROG()) with those of "
				"the function, in the BTF of the kernel that it runs on: bpftool "
				"btf dump file /sys/kernel/btf/vmlinux.",
				"The return value is there for fexit, fmod_ret and fsession only, "
				"behind the arguments.",
				"A struct that is passed by value takes as many of the 8-byte "
				"slots as it has.",
			},
		.patterns = KT_PATTERNS(
			"func '<func>' offset <#off> is not multiple of 8",
			"func '<func>' doesn't have <#n>-th argument",
			"func '<func>' arg<#n> '<name>' has type <type>. Only pointer access is "
			"allowed",
			"func '<func>' size <#size> must be 8",
			"func '<func>' arg<#n> type <type> is not a struct",
			"func '<func>' arg<#n> type <type> has multiple type tags",
			"invalid btf_id for context argument offset <#off>",
			"ret type <type> not allowed for fmod_ret",
			"type '<type>' has multiple type tags",
			"function signature member has multiple type tags",
			"arg <#n> is not a pointer"),
	},
	{
		.id = "misaligned-access",
		.class = CLASS,
		.title = "An access is not aligned",
		.reason =
			"[The <bytes>-byte access|The access] is at an offset that is no multiple "
			"of its size, and this memory, machine or program "
			"(BPF_F_STRICT_ALIGNMENT) wants it aligned.",
		.remedies =
			{
				"Order the members of the struct so that each is aligned, and do "
				"not cast a pointer to a larger type.",
				"Copy with __builtin_memcpy() from a packed struct, which the "
				"compiler does in pieces that are aligned.",
				"In the stack, use variables of the type, which the compiler "
				"aligns.",
			},
		.patterns = KT_PATTERNS("misaligned packet access off <off> size <#bytes>",
					"misaligned <kind>access off <off> size <#bytes>",
					"misaligned access off <off> size <#bytes>",
					"misaligned <kind> access off <off> size <#bytes>"),
	},
	{
		.id = "buffer-bounds",
		.class = CLASS,
		.title = "A buffer of the context is accessed outside of its bounds",
		.reason =
			"[<reg>|The pointer] points to a buffer whose size is known to the kernel "
			"only at attach time or is limited, and the offset[ <off>] is negative or "
			"varies.",
		.remedies = {"Access it at constant offsets, within the size that the buffer has "
			     "there.",
			     "Copy it with bpf_probe_read_kernel(), and work on the copy."},
		.patterns = KT_PATTERNS(
			"<reg> invalid <kind> buffer access: off=<#off>, size=<#bytes>",
			"<reg> invalid variable buffer offset: off=<#off>, var_off=<var>",
			"<reg> invalid negative <kind> buffer offset: off=<#off>, var_off=<var>"),
	},
	{
		.id = "atomic-operation",
		.class = CLASS,
		.title = "An atomic operation is not possible here",
		.reason = "Atomic operations take 4 or 8 bytes (loads and stores also less) of "
			  "ordinary memory, as a map's value or the stack, and not of the context, "
			  "of packets or of kernel objects.",
		.remedies =
			{
				"Keep the counter in a map's value or a global variable, of type "
				"__u32 or __u64.",
				"Use bpf_spin_lock where more than one value changes.",
				"An operation that returns a value (cmpxchg, fetch_add) needs "
				"clang's -mcpu=v3.",
			},
		.since = "Linux 5.12 takes atomic operations besides addition, 6.15 acquiring "
			 "loads and releasing stores",
		.patterns = KT_PATTERNS(
			"BPF_ATOMIC stores into <reg> <type> is not allowed",
			"BPF_ATOMIC loads from <reg> <type> is not allowed",
			"BPF_XADD stores into <reg> <type> is not allowed",
			"BPF_ST stores into <reg> <type> is not allowed",
			"invalid atomic operand size", "BPF_ATOMIC uses invalid atomic opcode <op>",
			"64-bit load-acquires are only supported on 64-bit arches",
			"64-bit store-releases are only supported on 64-bit arches"),
	},
	{
		.id = "kptr-access",
		.class = CLASS,
		.title = "A kernel pointer in a map is not accessed as one",
		.reason =
			"This field of the map's value[, at offset <off>,] holds a kernel pointer "
			"(__kptr). It is loaded and stored in 8 bytes, at its own constant "
			"offset, and what is stored has to be a pointer of its type, or NULL.",
		.remedies =
			{
				"Move a pointer that owns its object in and out with "
				"bpf_kptr_xchg(), which also returns the old one: release that.",
				"Store NULL only by a plain store; a field of __kptr_untrusted "
				"takes pointers by plain stores, too.",
				"Do not copy the whole value: memcpy() and helpers may not touch "
				"the field.",
			},
		.since = "Linux 5.19 has kernel pointers in maps",
		.patterns = KT_PATTERNS(
			"invalid kptr access, <reg> type=<type> expected=<expected>",
			"invalid kptr access, <reg> type=<type>",
			"kptr in map can only be accessed using BPF_MEM instruction mode",
			"kptr in map can only be accessed using BPF_LDX/BPF_STX/BPF_ST",
			"store to referenced kptr disallowed", "store to uptr disallowed",
			"BPF_ST imm must be 0 when storing to kptr at off=<#off>",
			"<@field> cannot be accessed indirectly by helper",
			"<@field> access cannot have variable offset",
			"<@field> access misaligned expected=<#want> off=<#off>",
			"<@field> access size must be BPF_DW"),
	},
	{
		.id = "special-field",
		.class = CLASS,
		.title = "A field of the kernel's own is read or written",
		.reason = "A [<field>|field of this kind] in a map's value or an object belongs to "
			  "the kernel: a lock, a timer, a list head. Programs may pass its address "
			  "to the functions for it, and not load or store it.",
		.remedies =
			{
				"Use the functions for it (bpf_spin_lock(), bpf_timer_init(), "
				"bpf_list_push_back() ...), with its address.",
				"Copy the other members one by one: an assignment of the whole "
				"struct, or memset() over it, goes over the field.",
				"In user space, BPF_F_LOCK and the map's own updates leave the "
				"field alone.",
			},
		.patterns = KT_PATTERNS("<@field> cannot be accessed directly by load/store"),
	},
};

const struct kt_catalog_table kt_catalog_memory = KT_CATALOG_TABLE(entries);
