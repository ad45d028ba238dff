/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an instruction writes, read from how the verifier prints it: "(7b) *(u64 *)(r10 -8) = r1".
 */
#ifndef KT_LOGPARSE_INSN_H
#define KT_LOGPARSE_INSN_H

#include <stdint.h>

#include "logparse/text.h"

#define KT_INSN_CALL_SETS 0x3f /* r0 to r5 */

/* Which registers it sets, or makes useless: bit N is rN. opcode as in struct kt_event. */
uint32_t kt_insn_sets(struct kt_text insn, uint8_t opcode);

struct kt_insn_store {
	uint32_t base;        /* register */
	int32_t offset, size; /* bytes */
};

/* False, and *ret untouched: it is no store, or an atomic one that also sets a register. */
bool kt_insn_stores(struct kt_text insn, struct kt_insn_store *ret);

/*
 * Is the value a pointer into a stack, at a known place: "fp-16", "fp0", "fp[0]-8" (of another
 * frame, which *frame then is; else it stays)?
 */
bool kt_stack_pointer(struct kt_text value, uint32_t *frame, int32_t *offset);

#endif
