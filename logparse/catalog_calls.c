// SPDX-License-Identifier: LGPL-2.1-or-later
/* Call Type Safety: arguments of helpers and of the program's functions, and what is returned. */
#include "logparse/catalog_data.h"

#define CLASS "Call Type Safety"

static const struct kt_catalog_entry entries[] = {
	{
		.id = "argument-type",
		.class = CLASS,
		.title = "An argument is of the wrong kind",
		.reason = "[<reg> is <what>|<reg> has the type <type>|An argument has a type], "
			  "and [<call>|the called function] takes [<expected>|another kind] there.",
		.remedies =
			{
				"Pass memory that the verifier knows and the function takes. fp is "
				"a local variable, map_value is a map's value or a global variable "
				"(a constant string: static const char s[] = \"...\";), pkt is "
				"bounded packet data. Copy kernel or user memory into one of them "
				"first.",
				"Where it is a number, look at where the pointer was lost: by a "
				"cast, by 32-bit arithmetic, or by a call between that took it "
				"away.",
				"Compare the order of arguments with the helper's declaration (man "
				"7 bpf-helpers).",
			},
		.patterns = KT_PATTERNS("<reg> type=<type> expected=<expected>",
					"<reg> is not a pointer", "expected=<expected>"),
	},
	{
		.id = "argument-struct",
		.class = CLASS,
		.title = "An argument points to another kernel type",
		.reason = "[<reg>|The argument] points to[ <type>|another type], and [<call>|the "
			  "called function] takes a pointer to [<expected>|a type of its own].",
		.remedies =
			{
				"Pass the object that the function is made for: follow the "
				"members to it (sk->..., task->mm), or take it from the helper "
				"that returns it.",
				"Pointers that were read from memory are not trusted: use those "
				"of the program's arguments, of a kfunc that acquires, or of an "
				"iterator.",
			},
		.patterns = KT_PATTERNS("<reg> is of type <type> but <expected> is expected",
					"Helper has invalid btf_id in <reg>",
					"Helper has invalid btf/btf_id in <reg>",
					"<reg> must point to kernel BTF",
					"<reg> is <type> expected <expected> or socket",
					"<reg> is <type> expected <expected>"),
	},
	{
		.id = "null-argument",
		.class = CLASS,
		.title = "An argument may be NULL",
		.reason = "[<reg>|The argument] may be NULL here[: it is what <from> returned "
			  "(<set>)], and [<call>|the called function] does not take NULL.",
		.remedies =
			{
				"Check the pointer before the call: if (!p) return 0;",
				"For an argument of a function of your own, declare that it may "
				"be NULL (__arg_nullable, Linux 6.9) and check it there, or "
				"declare __arg_nonnull and check it in the caller.",
			},
		.patterns = KT_PATTERNS("Possibly NULL pointer passed to helper <reg>",
					"Possibly NULL pointer passed to trusted <reg>",
					"<reg> is expected to be non-NULL",
					"<reg> type=<type>_or_null expected=<expected>",
					"<reg> type=<type>ptr_or_null_ expected=<expected>",
					"<reg> type=ptr_or_null_ expected=<expected>"),
	},
	{
		.id = "number-argument",
		.class = CLASS,
		.title = "An argument has to be a number, and is not",
		.reason = "[<call>|The called function] takes a number as [<reg>|this argument], "
			  "and gets a pointer[: <value>], or nothing that the verifier knows.",
		.remedies =
			{
				"Pass the value and not its address, in the order of the "
				"function's declaration.",
				"If a pointer is what it should get, change the type of the "
				"parameter to a pointer.",
			},
		.patterns = KT_PATTERNS("<reg> is not a scalar"),
	},
	{
		.id = "constant-argument",
		.class = CLASS,
		.title = "An argument is not a constant",
		.reason = "[<reg>|The argument] has to be a number that is known when the program "
			  "is loaded[, and it is <value>].",
		.remedies =
			{
				"Pass a literal, an enum or a sizeof, or a const volatile "
				"variable, which libbpf freezes before it loads the program.",
				"Where the value varies among a few, call in each branch of a "
				"switch with its own constant.",
				"For a record of varying size use bpf_ringbuf_output(), or "
				"bpf_ringbuf_reserve_dynptr() (Linux 5.19), instead of "
				"bpf_ringbuf_reserve().",
				"Inline the function around the call (static __always_inline), so "
				"that its parameter is the constant.",
			},
		.patterns = KT_PATTERNS(
			"<reg> is not a known constant'", "<reg> must be a known constant",
			"<reg> is not a const", "<reg> rdonly/rdwr_buf_size exceeds u32 max",
			"2 or more rdonly/rdwr_buf_size parameters for kfunc",
			"Unknown type ID <#n> passed to kfunc bpf_rdonly_cast",
			"kfunc bpf_rdonly_cast type ID argument must be of a struct",
			"kfunc bpf_rdonly_cast type ID argument must be of a struct or void"),
	},
	{
		.id = "constant-string",
		.class = CLASS,
		.title = "A string is not a constant",
		.reason = "[<reg>|The argument] has to be a string that is known when the program "
			  "is loaded: in a read-only map (.rodata), at a known place, and with a "
			  "NUL at its end.",
		.remedies =
			{
				"Declare it as static const char fmt[] = \"...\"; or use the "
				"macros of libbpf (bpf_printk(), BPF_SNPRINTF()), which do so.",
				"Put what varies into the arguments of a format, not into the "
				"format.",
				"If it is a format, compare its conversions with the arguments: "
				"helpers know fewer of them than the C library.",
			},
		.patterns = KT_PATTERNS(
			"<reg> does not point to a readonly map'",
			"<reg> is not a constant address'", "direct value access on string failed",
			"string is not zero-terminated", "Invalid format string",
			"<reg> doesn't point to a const string",
			"<reg> points to insn_array map which cannot be used as const string",
			"<reg> points to percpu_array map which cannot be used as const string"),
	},
	{
		.id = "map-argument",
		.class = CLASS,
		.title = "A map is passed to a function that does not take it",
		.reason = "[A map of the type <type> cannot be passed to <call>|The map that is "
			  "passed does not fit the call]. Each helper works on some types of maps, "
			  "and where two arguments belong to one map, both have to be of that one.",
		.remedies =
			{
				"Use the helper of the map's type: bpf_ringbuf_output() for a "
				"ring buffer, bpf_perf_event_output() for a perf event array, "
				"bpf_tail_call() for a program array.",
				"Pass the map itself, by its name (&map), and not a pointer that "
				"was read from memory.",
				"Initialize a timer or work queue with the map that its element "
				"is in.",
			},
		.patterns = KT_PATTERNS(
			"cannot pass map_type <#type> into func <@call>#<#n>",
			"invalid map_ptr to access map->key",
			"invalid map_ptr to access map->value",
			"invalid map_ptr to access map->type", "pointer in <reg> isn't map pointer",
			"callback function not allowed for map",
			"invalid arg_type for sockmap/sockhash",
			"cannot update sockmap in this context",
			"timer pointer in R1 map_uid=<#one> doesn't match map pointer in R2 "
			"map_uid=<#other>",
			"workqueue pointer in R1 map_uid=<#one> doesn't match map pointer in R2 "
			"map_uid=<#other>",
			"<kind> pointer in <reg> map_uid=<#one>",
			"doesn't match map pointer in <reg> map_uid=<#other>",
			"expected prog array map for tail call", "expected map for helper call",
			"map type <#type> is misconfigured", "tail_call abusing map_ptr",
			"<reg> doesn't point to a map value",
			"<reg> expected pointer to map value"),
	},
	{
		.id = "map-field",
		.class = CLASS,
		.title = "A map's value has no such lock, timer or kernel pointer there",
		.reason =
			"[<call>|The call] takes the address of a field of a map's value (a lock, "
			"a timer, a kernel pointer), and there is none at this place, or the "
			"place is not known[: off <off>].",
		.remedies =
			{
				"Declare the field in the struct of the map's value, and the map "
				"with __type(value, struct ...), so that the kernel sees it in "
				"the BTF.",
				"Pass the field's own address, &value->lock, with a constant "
				"offset. No index that varies.",
				"Have one lock and one timer a value; not in a nested array or a "
				"union.",
				"Look whether the kernel knows this kind of field in this type of "
				"map.",
			},
		.patterns = KT_PATTERNS(
			"<reg> doesn't have constant offset. <@field> has to be at the constant "
			"offset",
			"map '<map>' has to have BTF in order to use <@field>",
			"map '<map>' has no valid <@field>", "<kind> '<map>' has no valid <@field>",
			"off <#off> doesn't point to 'struct <@field>' that is at <#want>",
			"off <#off> doesn't point to 'struct <@field>'",
			"map '<map>' doesn't have 'struct <@field>'",
			"map '<map>' has more than one 'struct <@field>'",
			"map '<map>' has more than <#n> kptr",
			"map '<map>' has repeating kptr BTF tags",
			"map '<map>' is not a struct type or <@field> is mangled",
			"map '<map>' has no valid kptr", "<reg> has no valid kptr",
			"off=<#off> doesn't point to kptr", "off=<#off> kptr isn't referenced kptr",
			"arg#0 expected pointer to map value", "arg#0 must have constant offset",
			"arg#0 no referenced kptr at map value offset=<#off>",
			"arg#0 BTF type must be a double pointer"),
	},
	{
		.id = "packet-argument",
		.class = CLASS,
		.title = "A packet pointer is passed to a helper that does not take it",
		.reason = "[<call>|The helper] cannot work on the packet itself[: <reg> points "
			  "into it], in this program or at all.",
		.remedies =
			{
				"Copy what is needed into a local variable, and pass its address: "
				"a key of a map has to be a copy in many program types.",
				"Use bpf_skb_load_bytes() or bpf_xdp_load_bytes() for the copy.",
			},
		.patterns = KT_PATTERNS("helper access to the packet is not allowed"),
	},
	{
		.id = "global-call",
		.class = CLASS,
		.title = "A call of a global function is rejected",
		.reason = "[<func>|The called function] is global: the call has to fit what its "
			  "types say, and they have to be ones that a global function may have. "
			  "The line before this one says what does not fit.",
		.remedies =
			{
				"Make the function static: then it is verified with the arguments "
				"that it is really called with.",
				"Change the argument, or the declaration of the parameter, that "
				"the line before names.",
			},
		.since = "Linux 5.6 has global functions, 5.12 with pointers to memory",
		.patterns = KT_PATTERNS("Caller passes invalid args into func#<#n> ('<func>')",
					"Caller passes invalid args into func#<#n>"),
		.general = true,
	},
	{
		.id = "function-argument",
		.class = CLASS,
		.title = "A global function is called with an argument that it does not take",
		.reason = "[<func> is|The called function is] global: it is verified by itself, by "
			  "its types alone. [<reg>|An argument] is not what its declaration "
			  "promises: a number, the context, or a pointer to as much memory as its "
			  "type has.",
		.remedies =
			{
				"Make the function static: then it is verified with the arguments "
				"that it is really called with. static __always_inline inlines "
				"it, too.",
				"Pass a pointer to memory that is large enough, and that was "
				"checked for NULL.",
				"Tag the parameter: __arg_ctx, __arg_nonnull (Linux 6.8), "
				"__arg_trusted, __arg_nullable, __arg_arena (6.9).",
			},
		.since = "Linux 5.6 has global functions, 5.12 with pointers to memory",
		.patterns = KT_PATTERNS(
			"<reg> expects pointer to ctx", "<reg> is not a pointer to arena or scalar",
			"<reg> is a packet pointer, but func#<#n> may change packet data"),
	},
	{
		.id = "function-signature",
		.class = CLASS,
		.title = "The parameters of a global function are of a kind that it cannot have",
		.reason = "[<func>|The function] is global, so the verifier knows of it only its "
			  "declaration. It takes numbers, pointers to the context, and pointers to "
			  "structs or numbers of a known size, at most five of them, and returns a "
			  "number or nothing.",
		.remedies =
			{
				"Make it static, which has no such limits: it is verified where "
				"it is called.",
				"Take a pointer to a struct of known size instead of void * or "
				"char *, and put more than five arguments into one.",
				"Return int, and hand out pointers through a struct of the caller.",
				"Tag parameters for the context, arenas, or kernel objects: "
				"__arg_ctx, __arg_arena, __arg_trusted.",
			},
		.patterns = KT_PATTERNS(
			"Global function <@func>() with <#n> > <#max> args. Buggy compiler.",
			"Global function <@func>() doesn't return scalar. Only those are "
			"supported.",
			"Global function <@func>() return value not void or scalar. Only those "
			"are supported.",
			"global function <@func> has <#n> > <#max> args, stack args not supported",
			"Function <@func> has <#n> > <#max> args",
			"The function <@func> has <#n> arguments. Too many.",
			"The function <@func> return type <type> is unsupported.",
			"The function <@func> with variable args is unsupported.",
			"The function <@func> <reg> type <type> is unsupported.",
			"The function <@func> arg<#n> type <type> is unsupported.",
			"The function <@func> has malformed void argument.",
			"<reg> type <type> in <@func>() is not supported yet.",
			"<reg> reference type('<type>') size cannot be determined: <#n>",
			"<reg> reference type('<type>') candidate matching error: <#n>",
			"<reg> reference type('<type>') points to kernel module type (unsupported)",
			"<reg> reference type('<type>') <problem>",
			"<reg> type tag is not supported in static functions",
			"<reg> has unsupported set of tags",
			"<reg> type tag fetching failure: <#n>",
			"<reg> has invalid combination of tags",
			"<reg> arena cannot be combined with any other tags",
			"<reg> untrusted cannot be combined with any other tags",
			"<reg> has pointer tag, but is not a pointer type",
			"<reg> has type <type> '<name>', but only struct or primitive types are "
			"allowed",
			"<reg> type is not a struct", "<reg> struct doesn't have a name",
			"<reg> type isn't a pointer", "<reg> type doesn't have a name",
			"<reg> should be void pointer", "<reg> should be `struct <type> *`",
			"kern ctx type id <#n> is not a struct",
			"Invalid type of function <@func>()", "Invalid BTF of func <@func>",
			"exception cb only supports single integer argument",
			"exception cb cannot return void",
			"kernel supports at most <#max> parameters, function <@func> has <#n>",
			"Global functions need valid BTF",
			"reg type unsupported for <reg> function <@func>#<#n>",
			"reg type unsupported for <reg> <kind>function <@func>#<#n>"),
	},
	{
		.id = "return-value",
		.class = CLASS,
		.title = "The program returns a value that its hook does not take",
		.reason =
			"[R0 has <have>|R0 is not a known number here], and [<?callback>what calls "
			"this callback takes|a program of this type, where it attaches, returns] "
			"[a value in <range>|a number of a small range].",
		.remedies =
			{
				"[<?callback>Return constants from the callback: of bpf_loop() and "
				"bpf_for_each_map_elem() 0 to go on and 1 to end, of timers and "
				"workqueues 0. Results go into its context.|Return one of the "
				"constants of the hook (0 and 1 of cgroup programs, TC_ACT_..., "
				"SK_PASS, a negative error of LSM) on every path.]",
				"Do not hand on what a helper returned: map it, as in return err ? "
				"0 : 1;",
				"Bound it before it is returned: if (ret < -4095 || ret > 0) ret = "
				"-1;",
				"[<?callback>|Check the section's name, SEC(\"...\"): it chooses "
				"the type, and so the range.]",
			},
		.patterns = KT_PATTERNS(
			"<where> the register R0 has <have> should have been in <range>",
			"At program exit the register R0 has value <have> should have been in "
			"<range>",
			"At program exit the register R0 has <have> should have been in <range>",
			"In <callback> the register R0 has value <have> should have been in "
			"<range>",
			"At program exit the register R0 is not a known value (<type>)",
			"At program exit the register R1 has <have> should have been in <range>",
			"At program exit the register R1 is not a known value (<type>)",
			"In <callback> the register R0 is not a known value (<type>)",
			"At <callback> return the register R0 has <have> should have been in "
			"<range>",
			"At <callback> return the register R0 is not a known value (<type>)",
			"At <where> the register <reg> has <have> should have been in <range>",
			"At <where> the register <reg> is not a known value (<type>)",
			"At <where> the register R0",
			"the register R0 has unknown scalar value should have been in <range>",
			"the register <reg> is not a known value (<type>)",
			"should have been in <range>", "the register <reg> has"),
	},
	{
		.id = "function-result",
		.class = CLASS,
		.title = "A function returns something that is not a number",
		.reason = "At the end of a function R0 has to hold a number[, and "
			  "it holds <type>].",
		.remedies =
			{
				"Return a number on every path; hand out pointers through an "
				"argument.",
				"Make the function static, so that it is verified together with "
				"its caller, which may take a pointer.",
			},
		.patterns = KT_PATTERNS(
			"At subprogram exit the register R0 is not a scalar value (<type>)",
			"At subprogram exit the register <reg> is not a scalar value (<type>)",
			"R0 not a scalar value"),
	},
	{
		.id = "return-void-hook",
		.class = CLASS,
		.title = "The return value of a hook that returns nothing is changed",
		.reason = "The program attaches to an LSM hook that returns void, so there is no "
			  "return value to set or get.",
		.remedies = {"Remove bpf_set_retval(), or attach to a hook that returns an int.",
			     "Return 1, which lets the hook go on."},
		.patterns = KT_PATTERNS(
			"BPF_LSM_CGROUP that attach to void LSM hooks can't modify return value!"),
	},
	{
		.id = "storage-flags",
		.class = CLASS,
		.title = "bpf_get_local_storage() is given flags",
		.reason = "The flags of bpf_get_local_storage() have to be 0.",
		.remedies = {"Pass 0 as the second argument."},
		.patterns = KT_PATTERNS("get_local_storage() doesn't support non-zero flags",
					"only one cgroup storage of each type is allowed"),
	},
};

const struct kt_catalog_table kt_catalog_calls = KT_CATALOG_TABLE(entries);
