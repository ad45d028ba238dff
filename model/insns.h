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

/* A function of the program begins at that instruction. */
struct insn_function {
	uint32_t insn;
	char *proto; /* "int main_prog(struct xdp_md * ctx)", as bpftool has it; NULL: unknown */
};

/* A subprogram as the kernel keeps it; the main program is the first. */
struct insn_subprog {
	struct program_number at;          /* its first instruction */
	struct program_number stack_depth; /* bytes */
};

/* A line of source, and where it begins. */
struct insn_line {
	uint32_t at; /* the number of an instruction; of machine code, bytes in the function */
	char *source, *file;   /* without the spaces in front; NULL: unknown */
	uint32_t line, column; /* 0: unknown */
};

struct insns {
	uint32_t id; /* of the program */
	struct insn *all;
	size_t n;
	struct insn_function *functions; /* as the program's BTF has them; none without */
	size_t n_functions;
	struct insn_subprog *subprogs; /* of an interpreted program the main one alone */
	size_t n_subprogs;
	struct insn_line *lines; /* by instruction; none without BTF */
	size_t n_lines;
};

static inline void insns_deinit(struct insns *insns)
{
	for (size_t i = 0; i < insns->n; i++)
		free(insns->all[i].callee);
	free(insns->all);
	for (size_t i = 0; i < insns->n_functions; i++)
		free(insns->functions[i].proto);
	free(insns->functions);
	free(insns->subprogs);
	for (size_t i = 0; i < insns->n_lines; i++) {
		free(insns->lines[i].source);
		free(insns->lines[i].file);
	}
	free(insns->lines);
	*insns = (struct insns){0};
}

#endif
