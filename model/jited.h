/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The machine code that the kernel's JIT made of a program: plain data, as in model/program.h. */
#ifndef KT_MODEL_JITED_H
#define KT_MODEL_JITED_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "model/insns.h"
#include "util/vec.h"

/* An instruction, as machine/ reads it. Strings are its own. */
struct jited_insn {
	uint32_t at;     /* bytes from the beginning of the function */
	uint8_t n;       /* bytes; those that are no instruction are ".byte" */
	char *operation; /* "movq" */
	char *operands;  /* "%rsp, %rbp", "" */
	char *callee;    /* the function that it calls or jumps to, NULL: none, or not known */
};

struct jited_func {
	char *proto;   /* "int main_prog(struct xdp_md * ctx)"; NULL: unknown */
	char *name;    /* as kallsyms has it, bpf_prog_TAG_NAME; NULL: the kernel keeps none */
	uint64_t addr; /* in the guest */
	uint8_t *code;
	size_t len;
	KT_VEC(struct jited_insn) insns; /* empty until machine_disassemble() */
	KT_VEC(struct insn_line) lines;  /* in the order of the source's BTF; none without */
};

struct jited {
	uint32_t id;                     /* of the program */
	char arch[16];                   /* as `uname -m` has it */
	KT_VEC(struct jited_func) funcs; /* the main program, and its subprograms */
};

/* As before it was disassembled. */
static inline void jited_forget_insns(struct jited *jited)
{
	kt_vec_for_each (&jited->funcs, func) {
		kt_vec_for_each (&func->insns, insn) {
			free(insn->operation);
			free(insn->operands);
			free(insn->callee);
		}
		func->insns.len = 0;
	}
}

static inline void jited_deinit(struct jited *jited)
{
	jited_forget_insns(jited);
	kt_vec_for_each (&jited->funcs, func) {
		kt_vec_for_each (&func->lines, line) {
			free(line->source);
			free(line->file);
		}
		kt_vec_free(&func->insns);
		kt_vec_free(&func->lines);
		free(func->proto);
		free(func->name);
		free(func->code);
	}
	kt_vec_free(&jited->funcs);
	*jited = (struct jited){0};
}

#endif
