// SPDX-License-Identifier: LGPL-2.1-or-later
/* Verifier Error: the verifier met what should not be. */
#include "logparse/catalog_data.h"

#define CLASS "Verifier Error"

static const struct kt_catalog_entry entries[] = {
	{
		.id = "verifier-bug",
		.class = CLASS,
		.title = "The verifier found an error of its own",
		.reason = "This is a message about the verifier itself: a state that it should "
			  "never be in. The program may be fine, or may be wrong in a way that the "
			  "verifier does not explain.",
		.remedies =
			{
				"Try the newest kernel of the series: such errors are fixed in "
				"stable releases.",
				"Report it to bpf@vger.kernel.org, with the log at level 2, the "
				"object file and the kernel's version. The kernel's own log "
				"(dmesg) may say more.",
				"Write the part before the last instruction of the log in another "
				"way.",
			},
		.patterns = KT_PATTERNS(
			"verifier internal error", "verifier bug", "verifier BUG type <what>",
			"Verifier bug", "Verifier bug in function <@func>()",
			"bpf verifier is misconfigured",
			"bpf verifier narrow ctx access misconfigured",
			"bpf verifier narrow ctx load misconfigured",
			"kernel subsystem misconfigured verifier",
			"kernel subsystem misconfigured func <@func>#<#n>",
			"kernel subsystem misconfigured <what>",
			"BUG subprog enter from frame <#n>", "BUG subprog exit from frame <#n>",
			"BUG regs <what>", "BUG stack slots <what>", "BUG spi <#n>",
			"BUG backtracking <what>", "BUG backtracing <what>",
			"BUG: in callback at <#n>, callsite <#m> !calls_callback",
			"bug: bad parent state for iter next call",
			"failed to push state for <what>", "allocated_stack too small",
			"insn state internal bug", "visit_insn internal bug",
			"pop stack internal bug", "invalid return type <#n> of func <@func>#<#m>",
			"unknown return type <#n> of func <@func>#<#m>",
			"<reg> has non-overwritten BPF_PTR_POISON type",
			"func <@func> has non-overwritten BPF_PTR_POISON return type",
			"REG INVARIANTS VIOLATION (<what>): <more>",
			"error during ctx access conversion (<#n>)",
			"error during ctx access conversion", "unexpected reg_type <#n> in <@func>",
			"incorrect func proto <@func>#<#n>"),
		.overrides = true,
	},
};

const struct kt_catalog_table kt_catalog_kernel = KT_CATALOG_TABLE(entries);
