// SPDX-License-Identifier: LGPL-2.1-or-later
/* Register Type Safety: arithmetic on pointers. */
#include "logparse/catalog_data.h"

#define CLASS "Register Type Safety"

static const struct kt_catalog_entry entries[] = {
	{
		.id = "pointer-32-bit",
		.class = CLASS,
		.title = "A pointer is computed with in 32 bits",
		.reason = "[<reg>|The register] is a pointer[ (<value>)], and the instruction "
			  "computes with its lower 32 bits only. What comes out is no pointer.",
		.remedies =
			{
				"Keep pointers in pointer types or in 64-bit integers (long, "
				"__u64), never in int or __u32.",
				"Compute the offset first, as a number, and add it to the pointer "
				"then.",
				"If the compiler narrows it, put barrier_var(offset) in front of "
				"the addition.",
			},
		.patterns = KT_PATTERNS("<reg> 32-bit pointer arithmetic prohibited",
					"<reg> partial copy of pointer",
					"<reg> sign-extension part of pointer"),
	},
	{
		.id = "null-check-arithmetic",
		.class = CLASS,
		.title = "A pointer that may be NULL is computed with",
		.reason = "[<reg>|The pointer] may be NULL[: it is what <from> returned (<set>)]. "
			  "Behind an addition a check for NULL would not tell anything, so the "
			  "check has to come first.",
		.remedies =
			{
				"Check the pointer for NULL before anything is added to it.",
				"Where the source has the check first, the compiler moved the "
				"addition up: put barrier_var(p) behind the check.",
			},
		.patterns = KT_PATTERNS(
			"<reg> pointer arithmetic on <type> prohibited, null-check it first"),
	},
	{
		.id = "pointer-arithmetic",
		.class = CLASS,
		.title = "A pointer of this kind cannot be moved",
		.reason = "[<reg> is <what>|<reg> has the type <type>|The pointer is of a kind], "
			  "and nothing can be added to it or subtracted from it.",
		.remedies =
			{
				"Use the pointer as it is. Members are accessed by name, with a "
				"constant offset in the load or store.",
				"Of the packet's end only comparisons are allowed: compute the "
				"position from the beginning, data + offset, and compare that "
				"with data_end.",
				"For the elements of a map, call bpf_map_lookup_elem() with the "
				"key.",
			},
		.patterns = KT_PATTERNS("<reg> pointer arithmetic on <type> prohibited",
					"<reg> pointer arithmetic prohibited"),
	},
	{
		.id = "pointer-operator",
		.class = CLASS,
		.title = "A pointer is computed with in another way than + and -",
		.reason = "[<reg>|The register] is a pointer[ (<value>)], and the operator[ <op>] "
			  "would make something of it that the verifier cannot follow.",
		.remedies =
			{
				"Mask, shift or multiply the offset, and add it to the pointer "
				"afterwards.",
				"To align a position in a packet, align the offset from data.",
				"If only the number counts (a hash, a print), copy it with "
				"bpf_probe_read_kernel(), so that it is a number.",
			},
		.patterns = KT_PATTERNS("<reg> bitwise operator <op> on pointer prohibited",
					"<reg> pointer arithmetic with <op> operator prohibited"),
	},
	{
		.id = "pointer-subtraction",
		.class = CLASS,
		.title =
			"A pointer is subtracted, or subtracted from, in a way that is not allowed",
		.reason = "A pointer cannot be subtracted from a number, nor a number from the "
			  "frame pointer.",
		.remedies =
			{
				"Write the pointer first: p - n instead of n - p.",
				"For the stack add a negative number: fp + -16.",
				"For a length, subtract two pointers of one packet.",
			},
		.patterns = KT_PATTERNS("<reg> tried to subtract pointer from scalar",
					"<reg> subtraction from stack pointer prohibited"),
	},
	{
		.id = "two-pointers",
		.class = CLASS,
		.title = "Two pointers are computed with",
		.reason = "Both operands are pointers. Two pointers may be subtracted where both "
			  "are of the packet; everything else[, as <op> here,] has no meaning for "
			  "the verifier.",
		.remedies =
			{
				"Compute with offsets, which are numbers, and add one to a "
				"pointer at the end.",
				"Compare packet pointers with data_end by <, <=, > or >=.",
			},
		.patterns = KT_PATTERNS("<reg> pointer <op> pointer prohibited"),
	},
	{
		.id = "pointer-offset",
		.class = CLASS,
		.title = "The offset of a pointer has no bounds that the verifier knows",
		.reason = "What is added to the pointer[ (<type>)] [is or may be <n>|has no known "
			  "minimum, or is too large]: an offset has to stay within 512 MB of zero.",
		.remedies =
			{
				"Bound the offset before it is added: if (off >= sizeof(buf)) "
				"return 0;",
				"Mask it: off &= 0xff;",
				"Make the variable unsigned, so that it has a minimum of 0. A "
				"signed one needs two comparisons.",
			},
		.patterns = KT_PATTERNS(
			"math between <type> pointer and <#n> is not allowed",
			"math between <type> pointer and register with unbounded min value is not "
			"allowed",
			"<type> pointer offset <#n> is not allowed",
			"value <#n> makes <type> pointer be out of bounds"),
	},
};

const struct kt_catalog_table kt_catalog_arithmetic = KT_CATALOG_TABLE(entries);
