/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a program's BTF tells of its instructions: the functions that they belong to, and the lines
 * of source that they are made from. As BPF_OBJ_GET_INFO_BY_FD gives both: func_info, line_info.
 */
#ifndef KT_INTROSPECT_BPF_INSNS_SOURCE_H
#define KT_INTROSPECT_BPF_INSNS_SOURCE_H

#include "memory/guest.h"
#include "model/insns.h"
#include "model/jited.h"

/* As read; what could not be read is as if the program had none. */
struct insns_source {
	uint8_t *funcs, *lines, *btf;
	uint8_t *jited; /* pointers, n_lines: where the code of each line begins; NULL: nobody asked
			 */
	size_t n_funcs, n_lines, btf_len;
	bool big_endian;
};

/* False: no memory. */
bool insns_source_wants(struct wants *wants);

/* aux: the address of the main program's bpf_prog_aux; n: how many instructions it has. */
struct kt_error *insns_source_read(struct guest *guest, gaddr_t aux, size_t n,
				   struct insns_source *ret);
void insns_source_deinit(struct insns_source *source);

/* The same with the places of the lines in the machine code. */
struct kt_error *insns_source_read_jited(struct guest *guest, gaddr_t aux, size_t n,
					 struct insns_source *ret);

/* Fills protos and lines of the functions of *ret, whose code is there. */
struct kt_error *insns_source_finish_jited(const struct insns_source *source, struct jited *ret);

/* Fills the functions and lines of *ret, whose instructions are there. */
struct kt_error *insns_source_finish(const struct insns_source *source, struct insns *ret);

#endif
