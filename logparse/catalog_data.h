/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The data of the catalogue, a table for each class. Internal to logparse/catalog*.c.
 *
 * A pattern is a line as the kernel prints it, with holes:
 *	<reg>    a register or argument: R3, r3, arg#0, args#0, arg 0, arg #0, *(R11-8)
 *	<#name>  a number: 12, -8, 0x1f
 *	<@name>  a name: bpf_map_lookup_elem, task_struct
 *	<name>   any text, as little as possible; at the end all that is left
 * It may match anywhere in a line, from one boundary of a word to another; of several patterns
 * the one with the longest literal text counts. Each needs a word of its own between its holes.
 *
 * A template is text in which <name> is a fact, and [one|other|...] is the first of
 * them in which all facts are known (nothing, if there is none). <?name> is for the
 * choice only, and prints nothing. Known are the holes of all
 *patterns that match a line of the message, and what kt_catalog_explain() finds in the log besides:
 *	<reg>    R3 of "R3" and "arg#2"           <value>  what it holds: "map_value_or_null(id=1)"
 *	<from>   the function that it is of       <set>    "insn 4", which set it
 *	<at>     the instruction's number         <call>   the function that is called there
 *	<does>   "reads" or "writes", with        <size>   as many bytes
 *	<min>, <max>  its signed minimum and unsigned maximum, if the log has them
 *	<lost>   the function that took its type, <was>, at <lost_at>
 *	<clobber> the call that R1 to R5 did not outlive
 *	<index>  the register that <index_at> added to the address
 *	<size_reg>  the register that the called function takes the size from
 *	<unbound> the instruction that took the bound of <reg> or <index>
 *	<global> the global function that it is an argument of
 *	<what>   the hole <type>, in plain words
 */
#ifndef KT_LOGPARSE_CATALOG_DATA_H
#define KT_LOGPARSE_CATALOG_DATA_H

#include <stddef.h>

#include "logparse/catalog_entry.h"

#define KT_PATTERNS(...) ((const char *const[]){__VA_ARGS__, NULL})

struct kt_catalog_table {
	const struct kt_catalog_entry *entries;
	size_t n;
};

#define KT_CATALOG_TABLE(entries)                                                                  \
	{                                                                                          \
		(entries), sizeof(entries) / sizeof((entries)[0])                                  \
	}

extern const struct kt_catalog_table kt_catalog_registers;  /* Register Type Safety */
extern const struct kt_catalog_table kt_catalog_arithmetic; /* likewise */
extern const struct kt_catalog_table kt_catalog_memory;     /* Memory Safety */
extern const struct kt_catalog_table kt_catalog_lifetime;   /* Resource Lifetime Safety */
extern const struct kt_catalog_table kt_catalog_calls;      /* Call Type Safety */
extern const struct kt_catalog_table kt_catalog_kfuncs;     /* likewise, of kernel functions */
extern const struct kt_catalog_table kt_catalog_context;    /* Execution Context Safety */
extern const struct kt_catalog_table kt_catalog_structure;  /* Program Structure */
extern const struct kt_catalog_table kt_catalog_policy;     /* Policy */
extern const struct kt_catalog_table kt_catalog_limits;     /* ours: Complexity */
extern const struct kt_catalog_table kt_catalog_load;       /* ours: Load Request */
extern const struct kt_catalog_table kt_catalog_kernel;     /* Verifier Error */

#endif
