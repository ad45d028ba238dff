/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where the verifier spent its instructions: a trace counted by source line.
 *
 *	; for (u32 i = 0; i < 100; i++) { @ good.bpf.c:37
 *	7: (07) r1 += 3                       ; R1_w=3
 *	8: (bf) r2 = r3                       ; R2_w=0 R3_w=0
 *
 * Linux 6.12 tells the file and the line, 6.1 only the text, and so lines of equal text are
 * one there. A source line is printed when it is another than the one printed last, and at
 * level 1 those of a branch that was given up are taken back from the log; so each instruction
 * is counted where it was last seen directly behind a source line.
 *
 * A trace at level 2 has one line for each instruction that the verifier processed, but for
 * those where it pruned ("15: safe", "from 3 to 15: safe") and for one that it gave up before
 * printing it (an infinite loop, too many instructions): processed = insns + safe, or one more.
 * Level 1 has the path to the error of programs that fail, and nothing of those that pass.
 */
#ifndef KT_LOGPARSE_SOURCE_H
#define KT_LOGPARSE_SOURCE_H

#include <stdint.h>

#include "logparse/text.h"
#include "logparse/trace.h"
#include "util/error.h"
#include "util/vec.h"

struct kt_source_line {
	struct kt_source_ref source;

	uint64_t insns;    /* instructions that were executed */
	uint64_t distinct; /* different instructions of it that were executed */
	uint64_t safe;     /* states that were pruned before an instruction of it */
	uint64_t pops;     /* branches that an instruction of it put off, and that were taken up */
};

struct kt_source_counts {
	/* Both without a source. */
	struct kt_source_line total;   /* the sum of all lines and of: */
	struct kt_source_line unknown; /* instructions of which no source line is known */

	KT_VEC(struct kt_source_line) lines; /* the most insns first, then in order of appearance */
};

/*
 * Counts a trace; texts are slices of it, of at most 1024 bytes. It may be several logs in a row:
 * the counts are then of all of them. Time is linear in the trace, but for a sort of the lines;
 * memory is that of the different instructions and lines (bounded: some 200 MB at worst, for a
 * damaged trace; of real ones it is far below 1 MB). kt_source_counts_deinit() releases *ret.
 * Errors: KT_ERROR_NO_MEMORY.
 */
struct kt_error *kt_count_source_lines(struct kt_text trace, struct kt_source_counts *ret);

void kt_source_counts_deinit(struct kt_source_counts *counts);

#endif
