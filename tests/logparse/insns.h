/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Instructions of BPF, for programs that tests write by hand. */
#ifndef KT_TESTS_INSNS_H
#define KT_TESTS_INSNS_H

#include <linux/bpf.h>

enum { R0, R1, R2, R3, R4, R5, R6, R7, R8, R9, R10 };

#define INSN(c, d, s, o, i)                                                                        \
	{                                                                                          \
		.code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i)                \
	}

#define MOV(d, i)              INSN(BPF_ALU64 | BPF_MOV | BPF_K, d, 0, 0, i)
#define MOV_X(d, s)            INSN(BPF_ALU64 | BPF_MOV | BPF_X, d, s, 0, 0)
#define ALU(op, d, i)          INSN(BPF_ALU64 | (op) | BPF_K, d, 0, 0, i)
#define ALU_X(op, d, s)        INSN(BPF_ALU64 | (op) | BPF_X, d, s, 0, 0)
#define ALU32(op, d, i)        INSN(BPF_ALU | (op) | BPF_K, d, 0, 0, i)
#define LDX(w, d, s, o)        INSN(BPF_LDX | (w) | BPF_MEM, d, s, o, 0)
#define STX(w, d, s, o)        INSN(BPF_STX | (w) | BPF_MEM, d, s, o, 0)
#define ST(w, d, o, i)         INSN(BPF_ST | (w) | BPF_MEM, d, 0, o, i)
#define JUMP(op, d, i, o)      INSN(BPF_JMP | (op) | BPF_K, d, 0, o, i)
#define JUMP_ALWAYS(o)         INSN(BPF_JMP | BPF_JA, 0, 0, o, 0)
#define CALL(f)                INSN(BPF_JMP | BPF_CALL, 0, 0, 0, f)
#define CALL_PC(i)             INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, i)
#define CALL_KFUNC(i)          INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_KFUNC_CALL, 0, i)
#define EXIT                   INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)
#define LD_ABS(w, i)           INSN(BPF_LD | (w) | BPF_ABS, 0, 0, 0, i)
#define ATOMIC_ADD(w, d, s, o) INSN(BPF_STX | (w) | BPF_ATOMIC, d, s, o, BPF_ADD)
/* addr_space_cast(d, 0, 1) */
#define CAST_ARENA(d, s) INSN(BPF_ALU64 | BPF_MOV | BPF_X, d, s, 1, 1)

/* Two slots. */
#define LD_PSEUDO(d, kind, i) INSN(BPF_LD | BPF_IMM | BPF_DW, d, kind, 0, i), INSN(0, 0, 0, 0, 0)
#define LD_MAP(d, map)        LD_PSEUDO(d, BPF_PSEUDO_MAP_FD, map)

/* r0 = the element 0 of a map */
#define LOOKUP(map)                                                                                \
	ST(BPF_W, R10, -4, 0), MOV_X(R2, R10), ALU(BPF_ADD, R2, -4), LD_MAP(R1, map),              \
		CALL(BPF_FUNC_map_lookup_elem)

#endif
