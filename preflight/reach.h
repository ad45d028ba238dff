/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which instructions of a program the verifier surely comes to.
 *
 * It walks all paths that it cannot rule out, each to its exit, and stops at the first error. So it
 * comes to what lies on every path, whatever it rules out: to what postdominates the entry. Behind
 * a branch it may come, or not: "if (bpf_core_field_exists(...))" is such a branch, and so is one
 * on a constant of .rodata. Of a null check of what bpf_map_lookup_elem() returned, it surely comes
 * to the side where it is not NULL.
 */
#ifndef KT_PREFLIGHT_REACH_H
#define KT_PREFLIGHT_REACH_H

#include "preflight/object.h"

enum pf_reach {
	PF_REACH_NEVER, /* no path leads there, or it is not of this program */
	PF_REACH_MAYBE,
	PF_REACH_SURELY,
};

struct pf_reaches {
	const struct pf_object *object;
	/* Of each function with code: of the instructions in it, NULL: not of this program. */
	uint8_t **of_funcs;
};

/* For pf_reaches_deinit(). program has a function (pf_program_func()). KT_ERROR_NO_MEMORY. */
struct kt_error *pf_reaches_find(const struct pf_object *object, const struct pf_func *program,
				 struct pf_reaches *ret);
void pf_reaches_deinit(struct pf_reaches *reaches);

enum pf_reach pf_reach_of(const struct pf_reaches *reaches, size_t section, size_t insn);

/*
 * Within one function of n instructions. throws: a call may end the program (bpf_throw()).
 * *ret: n values of enum pf_reach, which the caller frees. KT_ERROR_NO_MEMORY.
 */
struct bpf_insn;
struct kt_error *pf_reach_in(const struct bpf_insn *insns, size_t n, bool throws, uint8_t **ret);

/* Instruction i of a section, which has code. */
const struct bpf_insn *pf_insns(const struct pf_object *object, const struct pf_func *func);

#endif
