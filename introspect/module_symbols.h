/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which function of a module an address of a stopped guest is in, by the symbols that the kernel
 * keeps of each module (struct mod_kallsyms). The kernel's own functions are in its facts.
 */
#ifndef KT_INTROSPECT_MODULE_SYMBOLS_H
#define KT_INTROSPECT_MODULE_SYMBOLS_H

#include "memory/guest.h"

struct module_symbol {
	gaddr_t addr;  /* the caller's */
	gaddr_t start; /* of the symbol at or before it */
	char *name;    /* NULL: no module is there, or it could not be read */
	char *module;  /* likewise */
};

/* False: no memory. */
bool module_symbols_wants(struct wants *wants);

/*
 * Fills the rest of n symbols. A few round trips, and as many as there are modules; none for n of
 * 0. Only the symbols of modules are read that have one of the addresses.
 */
struct kt_error *module_symbols_read(struct guest *guest, struct module_symbol *symbols, size_t n);
void module_symbols_deinit(struct module_symbol *symbols, size_t n);

#endif
