/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * DWARF's types as BTF, as pahole does it for a whole kernel: here only those that are asked for,
 * with what lies inside them. What a pointer leads to gets its name and no more. So whatever BTF
 * can be asked, DWARF can, with the same answer.
 */
#ifndef KT_BTF_DWARF_BTF_H
#define KT_BTF_DWARF_BTF_H

#include <bpf/btf.h>

#include "btf/dwarf_file.h"

struct dwarf_btf;

/* file must outlive it. NULL: no memory. */
struct dwarf_btf *dwarf_btf_create(struct dwarf_file *file);

/* Adds a struct, union or enum, and what it is made of. False: dwarf_btf_finish() says why. */
bool dwarf_btf_add(struct dwarf_btf *to, Dwarf_Die die);

/*
 * Gives all types that were added, each once, however many compile units have it. The caller frees
 * *ret with btf__free(). Frees to, also after an error.
 */
struct kt_error *dwarf_btf_finish(struct dwarf_btf *to, struct btf **ret);
void dwarf_btf_destroy(struct dwarf_btf *to);

#endif
