/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Names of code of a stopped guest that is not in the kernel's image: of BPF (programs, their
 * subprograms, trampolines, dispatchers), by the tree in which the kernel itself looks them up
 * (bpf_tree, since 5.8), and of modules. The kernel's own functions are in its facts.
 */
#ifndef KT_INTROSPECT_CODE_NAMES_H
#define KT_INTROSPECT_CODE_NAMES_H

#include <stdlib.h>

#include "introspect/module_symbols.h"

/* False: no memory. */
bool code_names_wants(struct wants *wants);

/*
 * Fills the rest of n symbols, which module_symbols_deinit() is for; what is BPF's has no module.
 * As many round trips as the tree is deep, and then those of module_symbols_read() for what is
 * left; none for n of 0.
 */
struct kt_error *code_names_read(struct guest *guest, struct module_symbol *symbols, size_t n);

/* The same as a kind of object that is inspected. */
struct code_names {
	struct module_symbol *all; /* in the order of the addresses */
	size_t n;
};

static inline void code_names_deinit(struct code_names *names)
{
	module_symbols_deinit(names->all, names->n);
	free(names->all);
	*names = (struct code_names){0};
}

/* The caller owns *ret. */
struct kt_error *code_names_of(struct guest *guest, const uint64_t *addrs, size_t n,
			       struct code_names *ret);

#endif
