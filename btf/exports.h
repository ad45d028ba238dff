/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The symbols that a kernel exports to modules, found by the shape of their table in the kernel's
 * read-only data. A kernel without CONFIG_KALLSYMS_ALL has no data in its kallsyms, but it exports
 * some: __per_cpu_offset, init_net, cgrp_dfl_root.
 *
 * An entry is three signed 32-bit numbers, each relative to its own place: where the symbol is,
 * its name, its namespace (struct kernel_symbol in include/linux/module_symbol.h, with
 * CONFIG_HAVE_ARCH_PREL32_RELOCATIONS; since 5.4, 8651ec01daed). The entries are sorted by name
 * (vmlinux.lds.h), first those for all modules, then those for GPL ones; the latter follow without
 * a gap.
 */
#ifndef KT_BTF_EXPORTS_H
#define KT_BTF_EXPORTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "btf/kallsyms.h"
#include "util/gaddr.h"

/* A table in kallsyms' own range. Owns nothing. */
struct exports {
	const struct kallsyms *kallsyms;
	size_t first; /* the offset of its first entry in the range */
	uint32_t n;
};

/*
 * Searches the range that the kallsyms lies in. Each global function of kallsyms that the table
 * has, too, has to have the same address in both, and there have to be some. False: no such table.
 */
bool exports_find(const struct kallsyms *kallsyms, struct exports *ret);

/* The name of entry i, which ends with a NUL within the range, and the symbol's address. */
const char *exports_at(const struct exports *exports, uint32_t i, gaddr_t *addr_ret);

#endif
