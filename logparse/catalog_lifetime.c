// SPDX-License-Identifier: LGPL-2.1-or-later
/* Resource Lifetime Safety: what is taken has to be given back, once. */
#include "logparse/catalog_data.h"

#define CLASS "Resource Lifetime Safety"

static const struct kt_catalog_entry entries[] = {
	{
		.id = "unreleased-reference",
		.class = CLASS,
		.title = "A reference is not given back",
		.reason =
			"[<from> (insn <alloc>)|The call at insn <alloc>|A call] took a reference "
			"to an object[ (id <id>)], and this path leads to an exit, a tail call or "
			"an overwritten variable without giving it back.",
		.remedies =
			{
				"Release it on every path from there, also on those of errors: "
				"bpf_ringbuf_submit() or bpf_ringbuf_discard() behind "
				"bpf_ringbuf_reserve(), bpf_sk_release() behind "
				"bpf_sk_lookup_tcp(), the kfunc's ..._release() or ..._put(), an "
				"iterator's ..._destroy().",
				"Release it before a return in the middle of a loop, and before a "
				"tail call. bpf_for() and bpf_for_each() of libbpf do so for their "
				"iterators.",
				"Where it is NULL there is nothing to release: check for NULL, and "
				"release in the other branch. But a dynptr of a ring buffer has to "
				"be discarded also where reserving it failed.",
				"Or keep it: move it into a map with bpf_kptr_xchg() (Linux 5.19).",
			},
		.patterns = KT_PATTERNS(
			"Unreleased reference id=<#id> alloc_insn=<#alloc>",
			"Leaking reference id=<#id> alloc_insn=<#alloc>. Release it first.",
			"<op> would lead to reference leak",
			"BPF_LD_[ABS|IND] cannot be mixed with socket references",
			"program with __ref argument cannot tail call"),
	},
	{
		.id = "release-unowned",
		.class = CLASS,
		.title = "Something is released that the program does not own",
		.reason = "[<call>|The call] gives back a reference, and [<reg>|its argument] is "
			  "none that the program took and still holds[: <value>]. It may have been "
			  "released before, or be a pointer that was read from another object.",
		.remedies =
			{
				"Release what the acquiring call returned, unchanged: no offset "
				"added, and not a member of it.",
				"Release once: behind a release, and behind bpf_kptr_xchg() or an "
				"insertion that takes it over, the pointer is gone.",
				"To own an object that was only found, take a reference first "
				"(bpf_task_acquire(), bpf_cgroup_acquire() ...), and check for "
				"NULL.",
			},
		.patterns = KT_PATTERNS(
			"func <@call>#<#n> reference has not been acquired before",
			"kfunc <@call>#<#n> reference has not been acquired before",
			"<reg> must be referenced when passed to release function",
			"<reg> must be referenced", "<reg> is an unacquired reference",
			"release kernel function <@call> expects refcounted PTR_TO_BTF_ID",
			"release helper <@call> expects referenced PTR_TO_BTF_ID passed to <reg>",
			"release kfunc <@call> expects referenced PTR_TO_BTF_ID passed to <reg>",
			"allocated object must be referenced",
			"allocated object must have a referenced id",
			"<reg> must have zero offset when passed to release func",
			"<reg> must have zero offset when passed to release func or trusted arg "
			"to kfunc",
			"function expects only one referenced object but got <#n>",
			"kfunc <@call>#<#n> conversion of owning ref to non-owning failed",
			"<reg> is neither owning or non-owning ref",
			"cannot release unowned const bpf_dynptr",
			"CONST_PTR_TO_DYNPTR cannot be released",
			"<@f> can only take non-owning or refcounted bpf_rb_node pointer"),
	},
	{
		.id = "spin-lock",
		.class = CLASS,
		.title = "A spin lock is not taken and given back in pairs",
		.reason = "On this path [<call>|a lock or unlock] does not fit the locks that are "
			  "held: one is taken twice, another one is held, there is nothing to "
			  "unlock, or one is still held where the program ends.",
		.remedies =
			{
				"Unlock in the same function, on every path, what was locked: the "
				"same element, found by the same lookup.",
				"Hold one bpf_spin_lock at a time. Since Linux 6.15 "
				"bpf_res_spin_lock() may nest, in the reverse order of unlocking.",
				"Copy what is needed under the lock, unlock, and work on the copy.",
			},
		.patterns = KT_PATTERNS(
			"bpf_spin_unlock is missing", "<@lock>_unlock without taking a lock",
			"<@lock>_unlock of different lock", "<@lock>_unlock cannot be out of order",
			"Locking two bpf_spin_locks are not allowed",
			"Acquiring the same lock again, AA deadlock detected",
			"Failed to acquire lock state",
			"failed to mark s32 range for retval in forked state for "
			"lock"),
	},
	{
		.id = "dynptr-state",
		.class = CLASS,
		.title = "A dynptr is not in the state that the call wants",
		.reason =
			"[<call>|The call] wants a dynptr that is (or is not yet) initialized, of "
			"the right kind, at a fixed place of the stack, and [<reg>|the argument] "
			"is not so on this path.",
		.remedies =
			{
				"Initialize it once on every path (bpf_dynptr_from_mem(), "
				"bpf_ringbuf_reserve_dynptr(), bpf_dynptr_from_skb() ...), and "
				"use the same variable afterwards.",
				"A dynptr of a ring buffer has to be submitted or discarded on "
				"every path, also if reserving it failed; afterwards it is "
				"uninitialized again.",
				"Declare it as a local struct bpf_dynptr, and pass its address, "
				"without an offset and not inside of an array with a variable "
				"index.",
			},
		.since = "Linux 5.19 has dynptrs, 6.4 those of packets",
		.patterns = KT_PATTERNS(
			"cannot overwrite referenced dynptr",
			"Dynptr has to be an uninitialized dynptr",
			"Expected an initialized dynptr as <reg>",
			"Expected a dynptr of type <type> as <reg>",
			"cannot pass pointer to const bpf_dynptr, the helper mutates it",
			"<reg> expected pointer to stack or const struct bpf_dynptr",
			"<reg> pointer type <kind> <type> must be valid and initialized",
			"<reg> pointer type <kind> <type> not to stack",
			"<reg> pointer type <kind> <type> points to unsupported dynamic pointer "
			"type",
			"cannot pass in dynptr at an offset",
			"cannot pass in dynptr at an offset=<#off>",
			"cannot pass in <what> at an offset=<#off>",
			"dynptr has to be at a constant offset",
			"<kind> has to be at a constant offset",
			"Unsupported reg type <type> for bpf_dynptr_from_mem data",
			"referenced dynptr overwrite"),
	},
	{
		.id = "dynptr-write",
		.class = CLASS,
		.title = "A dynptr on the stack would be written over",
		.reason = "[<call>|The call] writes to memory on the stack[, at offset <off> from "
			  "the frame pointer,] of which a dynptr is a part. A dynptr is changed "
			  "by its own functions only.",
		.remedies =
			{
				"Give the call a buffer of its own, as large as the size that it "
				"is given.",
				"Do not place the dynptr in a struct or array that is filled in "
				"as a whole.",
			},
		.patterns = KT_PATTERNS("potential write to dynptr at off=<#off> disallowed"),
	},
	{
		.id = "iterator-state",
		.class = CLASS,
		.title = "An iterator is not in the state that the call wants",
		.reason =
			"[<call>|The call] wants an iterator that is (or is not yet) initialized, "
			"in a variable on the stack, and [<reg>|the argument] is not so on this "
			"path.",
		.remedies =
			{
				"Call ..._new() once, ..._next() in the loop, and ..._destroy() "
				"once behind it, on every path: also where ..._new() failed, and "
				"before a return out of the loop.",
				"Use bpf_for(), bpf_repeat() or bpf_for_each() of libbpf, which "
				"do so.",
				"Declare it as a local variable of its own struct (struct "
				"bpf_iter_num it), and do not copy it or write to it.",
			},
		.since = "Linux 6.4 has open-coded iterators",
		.patterns = KT_PATTERNS("expected an initialized iter_<type> as <reg>",
					"expected uninitialized iter_<type> as <reg>",
					"expected valid iter pointer as <reg>",
					"iter has to be at a constant offset",
					"cannot pass in iter at an offset=<#off>",
					"<reg> expected pointer to an iterator on stack"),
	},
	{
		.id = "irq-flag",
		.class = CLASS,
		.title = "Interrupts are not saved and restored in pairs",
		.reason =
			"The flag that [<call>|the call] is given is not one that a matching save "
			"filled in, or it is not the last one that was saved.",
		.remedies =
			{
				"Keep one local unsigned long for each save, and pass the same to "
				"the restore.",
				"Restore in the reverse order of saving, by the function that "
				"belongs to the one that saved: bpf_local_irq_restore() behind "
				"bpf_local_irq_save().",
			},
		.since = "Linux 6.14 has bpf_local_irq_save()",
		.patterns = KT_PATTERNS(
			"expected uninitialized irq flag as <reg>",
			"expected an initialized irq flag as <reg>",
			"<reg> doesn't point to an irq flag on stack",
			"irq_flag has to be at a constant offset",
			"cannot pass in irq_flag at an offset=<#off>",
			"cannot restore irq state out of order, expected id=<#id> acquired at "
			"insn_idx=<#insn>",
			"irq flag acquired by <one> kfuncs cannot be restored with <other> kfuncs"),
	},
	{
		.id = "graph-object",
		.class = CLASS,
		.title = "An object of a list or tree is not used as its owner may",
		.reason = "Lists and trees of BPF own their nodes. [<call>|The call] wants a node "
			  "or a head of the right type, at the place that the declaration names, "
			  "while the lock beside the head is held.",
		.remedies =
			{
				"Take the bpf_spin_lock that is in the same map value (or object) "
				"as the head around all of its operations, and use what they "
				"return before unlocking only.",
				"Insert objects of bpf_obj_new(), by the address of the member "
				"that __contains(type, member) names.",
				"Behind an insertion the list owns the object. What "
				"bpf_list_pop_front() and bpf_rbtree_remove() return may be NULL, "
				"and is owned: release it with bpf_obj_drop().",
			},
		.since = "Linux 6.2 has lists, 6.3 trees",
		.patterns = KT_PATTERNS(
			"bpf_spin_lock at off=<#off> must be held for <@head>",
			"held lock and object are not in the same allocation",
			"<@field> not found at offset=<#off>",
			"operation on <@head> expects arg#1 <@node> at offset=<#want> in struct "
			"<@struct>, but arg is at offset=<#off> in struct <@other>",
			"arg#1 offset=<#off>, but expected <@node> at offset=<#want> in struct "
			"<@struct>",
			"rbtree_remove node input must be non-owning ref",
			"rbtree_remove not allowed in rbtree cb",
			"bpf_rbtree_remove not allowed in rbtree cb",
			"<reg> not allowed in rbtree cb", "<@func> not allowed in rbtree cb",
			"can't spin_{lock,unlock} in rbtree cb",
			"can't res_spin_{lock,unlock} in rbtree cb",
			"<reg> expected pointer to map value or allocated object",
			"<reg> doesn't point to map value or allocated object",
			"<reg> expected pointer to allocated object",
			"<reg> doesn't point to a type with bpf_refcount field",
			"<@func> w/o active lock",
			"<@func> cannot be used in tracing programs on types with NMI unsafe "
			"fields"),
	},
	{
		.id = "object-drop",
		.class = CLASS,
		.title = "An object is released by the function for another kind",
		.reason = "bpf_obj_drop() releases what bpf_obj_new() made, and "
			  "bpf_percpu_obj_drop() what bpf_percpu_obj_new() made. [<reg>|The "
			  "argument] is not of the kind that [<call>|the call] takes[: <value>].",
		.remedies = {"Call the one that fits the object, with the pointer that the new "
			     "function, a list, a tree or bpf_kptr_xchg() returned.",
			     "Release other objects by the kfunc that belongs to them "
			     "(bpf_task_release() ...)."},
		.patterns = KT_PATTERNS("<reg> expected for bpf_obj_drop_impl()",
					"<reg> expected for bpf_percpu_obj_drop_impl()",
					"<reg> expected for bpf_obj_drop()",
					"<reg> expected for bpf_percpu_obj_drop()"),
	},
	{
		.id = "object-allocation",
		.class = CLASS,
		.title = "An object of this type cannot be allocated",
		.reason = "bpf_obj_new() and bpf_percpu_obj_new() make objects of a struct that is "
			  "declared in the program, and not every struct can be one.",
		.remedies =
			{
				"Pass a struct of the program itself: bpf_obj_new(typeof(*p)), "
				"not one of the kernel.",
				"A per-CPU object holds numbers only, no pointers and no locks, "
				"in at most 512 bytes.",
				"Compile with -g, so that the program has BTF.",
			},
		.since = "Linux 6.2 has bpf_obj_new(), 6.7 the per-CPU one",
		.patterns = KT_PATTERNS(
			"local type ID argument must be in range [0, U32_MAX]",
			"bpf_obj_new/bpf_percpu_obj_new requires prog BTF",
			"bpf_obj_new/bpf_percpu_obj_new type ID argument must be of a struct",
			"bpf_percpu_obj_new type size (<#n>) is greater than <#max>",
			"bpf_percpu_obj_new type ID argument must be of a struct of scalars",
			"bpf_percpu_obj_new type ID argument must not contain special fields",
			"bpf_obj_new type ID argument must be of a struct",
			"bpf_obj_new requires prog BTF", "<@func> allocation size exceeds u32 max",
			"<reg> allocation size exceeds u32 max"),
	},
};

const struct kt_catalog_table kt_catalog_lifetime = KT_CATALOG_TABLE(entries);
