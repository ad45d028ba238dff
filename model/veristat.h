/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The columns of veristat's CSV, by its own names (`veristat -o csv`; tools/testing/selftests/bpf/
 * veristat.c of the kernel). Not a public header.
 *
 * What veristat wants of a file that `veristat -C` is to read:
 *
 * - The first line has the names. One that it does not know is an error, and so are columns that
 *   are newer than it. Those of KT_VERISTAT_CSV are known to all versions.
 * - No cell is empty: it takes two commas as one. A number that it does not know itself is 0.
 * - No cell has a comma in it, and there are no quotes. A line has at most 4095 bytes.
 * - Each line has a file's name and a program's.
 */
#ifndef KT_MODEL_VERISTAT_H
#define KT_MODEL_VERISTAT_H

#include "logparse/text.h"

enum kt_veristat_column {
	KT_VERISTAT_FILE_NAME,           /* the object's */
	KT_VERISTAT_PROG_NAME,           /* in full, as the object has it */
	KT_VERISTAT_VERDICT,             /* "success" or "failure" */
	KT_VERISTAT_DURATION,            /* microseconds in the verifier */
	KT_VERISTAT_TOTAL_INSNS,         /* instructions processed */
	KT_VERISTAT_TOTAL_STATES,        /* as the kernel's log has them, and the next three */
	KT_VERISTAT_PEAK_STATES,         /* */
	KT_VERISTAT_MAX_STATES_PER_INSN, /* */
	KT_VERISTAT_MAX_MARK_READ_LEN,   /* */
	KT_VERISTAT_PROG_SIZE,           /* 6.14: instructions, as the kernel has translated them */
	KT_VERISTAT_PROG_SIZE_JITED,     /* 6.14: bytes */
	KT_VERISTAT_STACK_DEPTH,         /* 6.14: bytes, of all subprograms together */
	KT_VERISTAT_PROG_TYPE,           /* 6.14: as libbpf names it, "sched_cls" */
	KT_VERISTAT_ATTACH_TYPE,         /* 6.14 */
	KT_VERISTAT_MEM_PEAK,            /* 6.17: MiB */
	KT_VERISTAT_MAX_STACK_DEPTH,     /* 7.2: bytes, on the deepest path of calls */

	/* No columns of veristat: those that only ktstr-gdb has. */
	KT_VERISTAT_KERNEL, /* the release */
	KT_N_VERISTAT_COLUMNS,
};

/* The columns that every veristat knows, in its order. */
#define KT_VERISTAT_CSV                                                                            \
	"file_name,prog_name,verdict,duration,total_insns,total_states,peak_states,"               \
	"max_states_per_insn,max_mark_read_len"
#define KT_N_VERISTAT_CSV 9

/* Its name; and the column of a name, or of another name of veristat's or ours for it; KT_N_...:
 * none. */
const char *kt_veristat_name(enum kt_veristat_column column);
enum kt_veristat_column kt_veristat_find(struct kt_text name);

#endif
