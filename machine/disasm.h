/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Machine code as text, by capstone. Not a public header. */
#ifndef KT_MACHINE_DISASM_H
#define KT_MACHINE_DISASM_H

#include <stdbool.h>

#include "model/jited.h"
#include "util/error.h"

/*
 * Loads capstone, which only those who need it load; once. Before the fence is up, which lets
 * nobody open a library. False: there is none on this machine, or the tool was built without.
 */
bool machine_load(void);

/* The name of the function at an address, the caller's; NULL: none is known there. */
typedef struct kt_error *machine_name_fn(void *arg, uint64_t addr, char **ret);

/*
 * Fills insns of each function. x86-64 is in AT&T's syntax, as binutils and bpftool have it. A jump
 * within a function has its offset there, as "at" counts. Bytes that are no instruction, and all
 * bytes of an architecture that the library does not know, are ".byte". *known_ret: it knows it.
 */
struct kt_error *machine_disassemble(struct jited *jited, machine_name_fn *name_of, void *arg,
				     bool *known_ret);

#endif
