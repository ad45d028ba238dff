/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A program's translated instructions: plain data, as in model/program.h. */
#ifndef KT_MODEL_INSNS_H
#define KT_MODEL_INSNS_H

#include "model/program.h"

/* As BPF_OBJ_GET_INFO_BY_FD gives it to root: with IDs of maps and offsets, not addresses. */
struct insn {
	uint8_t code, dst, src;
	int16_t off;
	int32_t imm;
	/* For a call: its target, and the symbol there or NULL. struct insns owns it. */
	uint64_t callee_addr;
	char *callee;
};

struct insns {
	uint32_t id; /* of the program */
	struct insn *all;
	size_t n;
};

static inline void insns_deinit(struct insns *insns)
{
	for (size_t i = 0; i < insns->n; i++)
		free(insns->all[i].callee);
	free(insns->all);
	*insns = (struct insns){0};
}

#endif
