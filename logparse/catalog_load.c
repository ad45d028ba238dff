// SPDX-License-Identifier: LGPL-2.1-or-later
/* Load Request, a class of our own: what the program is asked to attach to, and how it is loaded.
 */
#include "logparse/catalog_data.h"

#define CLASS "Load Request"

static const struct kt_catalog_entry entries[] = {
	{
		.id = "attach-target",
		.class = CLASS,
		.title = "The function, hook or member to attach to is not there, or cannot be "
			 "attached to",
		.reason = "The program names what it attaches to when it is loaded[: <func>], and "
			  "this kernel does not have that, does not let programs attach there, or "
			  "it is of another kind than the program's type wants.",
		.remedies =
			{
				"Look for it in the kernel's BTF: bpftool btf dump file "
				"/sys/kernel/btf/vmlinux | grep NAME. It may be renamed, inlined, "
				"or in a module that is not loaded.",
				"Check the section's name: SEC(\"fentry/NAME\"), "
				"SEC(\"tp_btf/NAME\"), SEC(\"lsm/NAME\"), "
				"SEC(\"struct_ops/NAME\").",
				"Where fentry is not possible, a kprobe often is: "
				"SEC(\"kprobe/NAME\").",
				"The kernel needs CONFIG_DEBUG_INFO_BTF=y.",
			},
		.patterns = KT_PATTERNS(
			"Tracing programs must provide btf_id", "attach_btf_id <#id> is invalid",
			"attach_btf_id <#id> doesn't have a name",
			"attach_btf_id <#id> is not a typedef",
			"attach_btf_id <#id> points to wrong type name <func>",
			"attach_btf_id <#id> is not a function",
			"attach_btf_id <#id> points to disabled hook <func>",
			"attach_btf_id <#id> is not a supported struct",
			"Cannot find btf of tracepoint template, fall back to <func>",
			"Attach to function <@func> with a >8 byte return value is not supported "
			"for this attach type",
			"The address of function <@func> cannot be found",
			"can't modify return codes of BPF programs", "<@func>() is not modifiable",
			"Attaching fexit/fmod_ret to __noreturn functions is rejected",
			"Attaching fexit/fsession/fmod_ret to __noreturn function '<func>' is "
			"rejected",
			"Attaching tracing programs to function '<func>' is rejected",
			"struct_ops module <@func> is not found",
			"attach to invalid member idx <#n> of struct <@struct>",
			"attach to invalid member <@member>(@idx <#n>) of struct <@struct>",
			"attach to unsupported member <@member> of struct <@struct>",
			"attach to unsupported member <@member>", "in-kernel BTF is malformed",
			"btf_vmlinux is malformed", "Please fix kernel include/linux/bpf_types.h",
			"func '<func>' not found in kernel BTF"),
	},
	{
		.id = "attach-program",
		.class = CLASS,
		.title = "The program to attach to or to replace does not fit",
		.reason = "The program extends or traces another BPF program[, <func>]. That one "
			  "has to be loaded with BTF and compiled by the JIT, and a replacement "
			  "needs the same parameters and may do no more than the original.",
		.remedies =
			{
				"Attach to a global function (not static) of a program that is "
				"loaded already, by its name.",
				"Give the replacement the same parameters, types and result as "
				"the function it replaces.",
				"Load both with BTF (-g), and with the JIT on.",
				"Do not attach to a program that is itself attached to another "
				"one so.",
			},
		.since = "Linux 5.5 has tracing of BPF programs, 5.6 extensions",
		.patterns = KT_PATTERNS(
			"FENTRY/FEXIT program can only be attached to another program annotated "
			"with BTF",
			"Tracing program can only be attached to another program annotated with "
			"BTF",
			"Target program bound device mismatch", "Subprog <@func> doesn't exist",
			"<kind> programs cannot attach to exception callback",
			"Cannot replace static functions", "Extension programs should be JITed",
			"Extension program changes packet data, while original does not",
			"Extension program may sleep, while original does not",
			"Can attach to only JITed progs",
			"Cannot nest tracing program attach more than once",
			"Cannot recursively attach", "Cannot extend fentry/fexit",
			"Cannot extend fentry/fexit/fsession", "Cannot replace kernel functions",
			"Cannot attach to a target with arena context arguments",
			"Only FENTRY/FEXIT progs are attachable to another BPF prog",
			"Only FENTRY/FEXIT/FSESSION progs are attachable to another BPF prog",
			"Program extension requires BTF",
			"<@func>() has <#n> args while <@other>() has <#m> args",
			"Return type <type> of <@func>() doesn't match type <want> of <@other>()",
			"<reg> in <@func>() is <type> while <@other>() has <want>",
			"<reg> in <@func>() has size <#n> while <@other>() has <#m>",
			"<reg> in <@func>() has unrecognized type",
			"<reg> in <@func>() is not a pointer to context",
			"<reg> <@func>(struct <one> *) doesn't match <@other>(struct <two> *)",
			"freplace programs with ><#n> args not supported yet"),
	},
	{
		.id = "btf-invalid",
		.class = CLASS,
		.title = "The kernel does not take the program's BTF",
		.reason = "The BTF that comes with the program has a type[, the one with the id "
			  "<id>,] that this kernel refuses: it is damaged, or of a kind that is "
			  "newer than the kernel. The program may load without BTF, if it needs "
			  "none.",
		.remedies =
			{
				"Use a recent libbpf, which takes out what an older kernel does "
				"not know.",
				"Build the object anew with one version of clang, and link with "
				"bpftool gen object. A tool that writes BTF by itself (pahole, a "
				"Go or Rust toolchain) may be too old or too new.",
				"Look at the type: bpftool btf dump file OBJECT. Names have to be "
				"C identifiers (functions, structs), and sizes have to fit.",
			},
		.patterns = KT_PATTERNS(
			"[<#id>] INT <rest>", "[<#id>] PTR <rest>", "[<#id>] ARRAY <rest>",
			"[<#id>] STRUCT <rest>", "[<#id>] UNION <rest>", "[<#id>] ENUM <rest>",
			"[<#id>] FWD <rest>", "[<#id>] TYPEDEF <rest>", "[<#id>] VOLATILE <rest>",
			"[<#id>] CONST <rest>", "[<#id>] RESTRICT <rest>", "[<#id>] FUNC <rest>",
			"[<#id>] FUNC_PROTO <rest>", "[<#id>] VAR <rest>", "[<#id>] DATASEC <rest>",
			"[<#id>] FLOAT <rest>", "[<#id>] DECL_TAG <rest>",
			"[<#id>] TYPE_TAG <rest>", "[<#id>] ENUM64 <rest>", "No type found",
			"Invalid string section", "Unsupported btf_header",
			"Unsupported section found", "Section overlap found",
			"Total section length too long", "No data", "btf_header not found",
			"hdr_len not found", "Invalid magic", "Unsupported version",
			"Unsupported flags", "Unaligned type_off", "Unaligned layout_off",
			"String section is not at the end", "Invalid section offset",
			"Layout section is too big", "Layout section is too small",
			"Exceeded max num of types", "[<#id>] Invalid kind:<#kind>",
			"[<#id>] Invalid name_offset:<#off>",
			"[<#id>] meta_left:<#n> meta_needed:<#m>",
			"layout_len is not multiple of <#n>", "Max chain length or cycle detected",
			"Invalid member", "Not a VAR kind member", "Invalid btf_info kind_flag",
			"Member exceeds struct_size"),
	},
	{
		.id = "signed-program",
		.class = CLASS,
		.title = "The signature of the program does not hold, or does not cover all of it",
		.reason = "The program was loaded with a signature, and that does not fit it, its "
			  "maps or the keys of the kernel[: <why>].",
		.remedies =
			{
				"Sign the program and its maps anew, with a key that is in the "
				"keyring that is named.",
				"Bind its maps through fd_array, frozen and exclusive, as the "
				"loader of a signed program does.",
			},
		.since = "Linux 6.18 has signed programs",
		.patterns = KT_PATTERNS("signature verification failed: <why>",
					"cannot resolve signing keyring with keyring_id <#id>",
					"signed payload too large: <#n> bytes",
					"signed program <why>",
					"failed to read signed metadata map '<map>': <#n>",
					"program's hash doesn't match map's excl_prog_hash"),
	},
	{
		.id = "map-creation",
		.class = CLASS,
		.title = "A map cannot be created so",
		.reason = "The kernel does not take an attribute of the map[: <what>].",
		.remedies =
			{
				"Look at the map's declaration: key and value sizes, max_entries "
				"and flags have to fit its type.",
				"A type that the kernel does not know needs a newer one; libbpf "
				"can leave the map out: bpf_map__set_autocreate(map, false).",
			},
		.patterns = KT_PATTERNS(
			"Invalid map_name.", "Invalid map_type.", "Invalid map_extra.",
			"Invalid numa_node.", "Invalid btf_fd.", "Invalid btf_value_type_id.",
			"Invalid map_token_fd.", "Invalid attr.", "Invalid excl_prog_hash_size.",
			"btf_vmlinux_value_type_id can only be used with struct_ops maps.",
			"btf_vmlinux_value_type_id is mutually exclusive with btf_key_type_id and "
			"btf_value_type_id.",
			"unsupported BTF field type: <what>"),
	},
};

const struct kt_catalog_table kt_catalog_load = KT_CATALOG_TABLE(entries);
