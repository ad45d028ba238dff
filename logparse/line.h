/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One line of a verifier log: its kind, and the part of it that is the same in each iteration of a
 * loop. Formats of Linux 5.10 to 7.3. A line that is not understood is KT_LINE_TEXT, which is never
 * an error.
 */
#ifndef KT_LOGPARSE_LINE_H
#define KT_LOGPARSE_LINE_H

#include <stdint.h>

#include "logparse/text.h"
#include "util/buf.h"

enum kt_line_kind {
	KT_LINE_TEXT,      /* anything else: errors, statistics, notes */
	KT_LINE_BLANK,     /* nothing, or white space */
	KT_LINE_INSN,      /* "7: (07) r1 += 3       ; R1_w=3", or "1: <invalid kfunc call>" */
	KT_LINE_STATE,     /* "10: frame1: R9=2", " R6_w=ptr_file() R10=fp0": registers, no more */
	KT_LINE_SOURCE,    /* "; for (u32 i = 0; i < 100; i++) { @ good.bpf.c:37" */
	KT_LINE_POP,       /* "from 44 to 34: R0_w=1": a branch that was put off is taken up */
	KT_LINE_SAFE,      /* "15: safe": this state was seen before, and pruned */
	KT_LINE_PRECISION, /* "mark_precise: frame0: regs=r1 stack= before 8: (bf) r2 = r3" */
	KT_LINE_TABLE,     /* a row of a listing: "  1   2: .12....... (bf) r3 = r2" */
	KT_LINE_MARK,      /* "--- 8x of the following 10 lines ---": collapsed before */
	KT_LINE_NOTE,      /* of the verifier's own workings: "SCC backedge (3)" */
};

#define KT_LINE_NO_INDEX UINT32_MAX

struct kt_line {
	enum kt_line_kind kind;

	/* INSN, STATE, SAFE: the instruction's index, POP: the one branched to; or NO_INDEX. */
	uint32_t index;
	uint32_t from; /* POP: the instruction branched from; or NO_INDEX */

	/* Lengths from the line's start, in bytes. */
	size_t index_len; /* of "12: ", which unrolled copies do not share; 0 where there is none */
	size_t fixed_len; /* up to here it is the same in each iteration; for most kinds the rest
			     is registers. PRECISION: see kt_normalize_verifier_line(). */
};

/* Reads one line without its newline. Never fails. */
void kt_line_read(struct kt_text line, struct kt_line *ret);

/*
 * The constant parts of a PRECISION line: its title ("mark_precise: frame0: regs", "last_idx",
 * "parent"), and the instruction behind "before 8:", or an empty text.
 */
void kt_precision_parts(struct kt_text line, struct kt_text *what, struct kt_text *insn);

/*
 * Appends the line without the parts that change from one iteration of a loop to the next: register
 * state behind an instruction, behind "goto pc+2" or behind "from 18 to 3:"; the state of a line
 * that has nothing else, but not its index ("3041:"); the registers, stack slots and indices of
 * precision tracking; a carriage return at the end. Source lines and comments that are no state (";
 * Return value") stay.
 */
void kt_normalize_verifier_line(struct kt_text line, struct kt_buf *out);

#endif
