/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Text that is surely the kernel's, wherever in a line it stands. A loader, a logger or a mail puts
 * something before it; from where it begins one knows what that is. Not a public header.
 */
#ifndef KT_LOGPARSE_ANCHOR_H
#define KT_LOGPARSE_ANCHOR_H

#include "logparse/text.h"

/*
 * Does a line of a verifier log begin where the text begins? Only such lines count as no other
 * program prints:
 *	7: (61) r0 = *(u32 *)(r0 +0)
 *	0: R1=ctx() R10=fp0
 *	1: <invalid kfunc call>
 *	from 44 to 34: R0_w=1
 *	mark_precise: frame0: regs=r1 stack= before 8: (bf) r2 = r3
 *	regs=2 stack=0 before 8: (bf) r2 = r3
 *	last_idx 9 first_idx 2
 *	parent didn't have regs=4 stack=0 marks
 *	processed 7 insns (limit 1000000) max_states_per_insn 0
 *	func#1 @13
 *	Validating glob_bad() func#1...
 *	magic: 0xeb9f
 *	[5] ARRAY (anon) type_id=3 index_type_id=6 nr_elems=5
 */
bool log_is_anchor(struct kt_text text);

/*
 * The first such place in a line. Not after a word that makes it a part of a sentence: "at insn 8:
 * (61) …" is of an explanation. Linear.
 */
bool log_find_anchor(struct kt_text line, size_t *ret);

/*
 * Of a place that log_find_anchor() found behind blanks alone: whether those may be the kernel's
 * own, which lists instructions in columns of three digits:
 *	  5: (85) call bpf_iter_num_new#70246	r1: fp0-8 -> _
 */
bool log_may_be_listing(struct kt_text line, size_t anchor);

#endif
