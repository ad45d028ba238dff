/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An instruction as the verifier prints it: what it does to which register or memory. Texts of
 * Linux 4.9 to 7.3.
 */
#ifndef KT_LOGPARSE_OP_H
#define KT_LOGPARSE_OP_H

#include <stdint.h>

#include "logparse/text.h"

enum kt_op_kind {
	KT_OP_OTHER,  /* none of these, or not understood */
	KT_OP_CONST,  /* "(b7) r1 = 7", "(18) r1 = 0xffff8881": dst becomes value */
	KT_OP_COPY,   /* "(bf) r6 = r0", "(bc) w2 = w0": dst becomes what is in src */
	KT_OP_ALTER,  /* "(07) r1 += 3", "(0f) r3 += r4", "(bf) r1 = (s8)r2", "(87) r1 = -r1": dst
			 becomes what is made of src (and of itself where op is not 0) */
	KT_OP_LOAD,   /* "(61) r1 = *(u32 *)(r0 +4)": size bytes at base + offset */
	KT_OP_STORE,  /* "(63) *(u32 *)(r0 +4) = r1", "(7a) *(u64 *)(r10 -8) = 0" */
	KT_OP_ATOMIC, /* "(db) r2 = atomic64_fetch_add((u64 *)(r10 -8), r2)": reads and writes */
	KT_OP_CALL,   /* "(85) call bpf_x#7": of name; "(85) call pc+5": name is empty */
	KT_OP_JUMP,   /* "(15) if r0 == 0x0 goto pc+3": compares dst with src or value; "goto" */
};

#define KT_OP_NO_REG 255

struct kt_op {
	enum kt_op_kind kind;
	uint8_t dst, src, base; /* KT_OP_NO_REG where there is none */
	char op;                /* ALTER: '+', '-', '&', '<', ... of "+=" and the like; else 0 */
	bool narrow;            /* COPY, ALTER: of 32 bits or fewer, so no pointer survives it */
	int32_t offset;
	uint32_t size;        /* bytes; 0 where there is no memory */
	struct kt_text value; /* the number: "7", "0xffff8881", "-1"; or empty */
	struct kt_text name;
};

/* Reads "(07) r1 += 3". Never fails: what is not understood is OTHER. */
void kt_op_read(struct kt_text insn, struct kt_op *ret);

#endif
