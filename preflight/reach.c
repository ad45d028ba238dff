// SPDX-License-Identifier: LGPL-2.1-or-later
#include "preflight/reach.h"

#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>

#define INSN_SIZE sizeof(struct bpf_insn)

/* A function that is called, and how surely. */
struct todo {
	KT_VEC(struct visit {
		size_t func;
		enum pf_reach reach;
	})
	v;
};

const struct bpf_insn *pf_insns(const struct pf_object *o, const struct pf_func *f)
{
	return (const struct bpf_insn *)(const void *)o->sections.data[f->section].data + f->first;
}

static bool throws(const struct pf_object *o)
{
	kt_vec_for_each (&o->externs, e)
		if (!strncmp(e->name, "bpf_throw", 9))
			return true;
	return false;
}

/*
 * The function that an instruction refers to, as libbpf finds it: a call by its relocation, or
 * within its section by its offset; the address of a callback by its relocation.
 */
static const struct pf_func *callee(const struct pf_object *o, const struct pf_func *f, size_t i,
				    bool *is_call)
{
	const struct bpf_insn *insn = &pf_insns(o, f)[i];
	size_t at = f->first + i;
	const struct pf_reloc *reloc = pf_reloc_at(o, f->section, at * INSN_SIZE);
	int64_t target = (int64_t)at + insn->imm + 1;
	size_t section = f->section;

	*is_call = insn->code == (BPF_JMP | BPF_CALL) && insn->src_reg == BPF_PSEUDO_CALL;
	if (!*is_call && insn->code != (BPF_LD | BPF_IMM | BPF_DW))
		return NULL;
	if (reloc) {
		if (reloc->kind == PF_SYM_EXTERN)
			return NULL;
		section = reloc->target;
		target = (int64_t)(reloc->value / INSN_SIZE);
		target += *is_call ? (int64_t)insn->imm + 1 : insn->imm / (int)INSN_SIZE;
	} else if (!*is_call) {
		return NULL;
	}
	if (section >= o->sections.len || !o->sections.data[section].code || target < 0)
		return NULL;
	return pf_func_at(o, section, (size_t)target);
}

static struct kt_error *enter(struct pf_reaches *r, struct todo *todo, size_t func,
			      enum pf_reach reach)
{
	const struct pf_object *o = r->object;
	const struct pf_func *f = &o->funcs.data[func];
	uint8_t *own = r->of_funcs[func];

	if (!own) {
		struct kt_error *err = pf_reach_in(pf_insns(o, f), f->n, throws(o), &own);

		if (err)
			return err;
		r->of_funcs[func] = own;
		/* The entry tells how surely it was entered: byte n. */
		own[f->n] = PF_REACH_NEVER;
	}
	if (own[f->n] >= reach)
		return NULL;
	own[f->n] = (uint8_t)reach;
	for (size_t i = 0; i < f->n; i++) {
		enum pf_reach here = own[i] < reach ? own[i] : reach;
		const struct pf_func *to;
		bool is_call;

		if (here == PF_REACH_NEVER || !(to = callee(o, f, i, &is_call)))
			continue;
		if (!kt_vec_push(&todo->v, (struct visit){(size_t)(to - o->funcs.data),
							  is_call ? here : PF_REACH_MAYBE}))
			return kt_error_no_memory();
	}
	return NULL;
}

struct kt_error *pf_reaches_find(const struct pf_object *o, const struct pf_func *program,
				 struct pf_reaches *ret)
{
	struct todo todo = {0};
	struct kt_error *err = NULL;

	*ret = (struct pf_reaches){.object = o};
	ret->of_funcs = calloc(o->funcs.len + 1, sizeof(*ret->of_funcs));
	if (!ret->of_funcs ||
	    !kt_vec_push(&todo.v,
			 (struct visit){(size_t)(program - o->funcs.data), PF_REACH_SURELY}))
		err = kt_error_no_memory();
	while (!err && todo.v.len) {
		struct visit visit = todo.v.data[--todo.v.len];

		err = enter(ret, &todo, visit.func, visit.reach);
	}
	kt_vec_free(&todo.v);
	return err;
}

void pf_reaches_deinit(struct pf_reaches *r)
{
	for (size_t i = 0; r->of_funcs && i < r->object->funcs.len; i++)
		free(r->of_funcs[i]);
	free(r->of_funcs);
	*r = (struct pf_reaches){0};
}

enum pf_reach pf_reach_of(const struct pf_reaches *r, size_t section, size_t insn)
{
	enum pf_reach best = PF_REACH_NEVER;

	for (size_t i = 0; i < r->object->funcs.len; i++) {
		const struct pf_func *f = &r->object->funcs.data[i];
		const uint8_t *own = r->of_funcs[i];
		enum pf_reach here;

		if (!own || f->section != section || insn < f->first || insn - f->first >= f->n)
			continue;
		here = own[insn - f->first] < own[f->n] ? own[insn - f->first] : own[f->n];
		best = here > best ? here : best;
	}
	return best;
}
