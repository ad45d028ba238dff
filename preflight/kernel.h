/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A kernel as a preflight asks it: its types by name, whether it has a symbol, and its modules. */
#ifndef KT_PREFLIGHT_KERNEL_H
#define KT_PREFLIGHT_KERNEL_H

#include <bpf/btf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "btf/symbols.h"
#include "preflight/modules.h"
#include "util/error.h"

struct pf_kernel {
	const struct btf *btf;      /* NULL: it has none */
	const struct symbols *syms; /* with the names that are asked for; NULL: not known */
	struct pf_modules *modules; /* that are asked for what is not in vmlinux */
	uint32_t *heads, *next;     /* types by the hash of their name; 0 ends a list */
	uint32_t n_types, mask;
};

/*
 * Borrows all; btf and syms may be NULL. Sets modules->none if the types say that the kernel can
 * load none. KT_ERROR_NO_MEMORY.
 */
struct kt_error *pf_kernel_init(const struct btf *btf, const struct symbols *syms,
				struct pf_modules *modules, struct pf_kernel *ret);
void pf_kernel_deinit(struct pf_kernel *kernel);

/*
 * The types whose names are the first len bytes of name, flavours of it included: start with
 * *id = 0; false at the end.
 */
bool pf_kernel_next(const struct pf_kernel *kernel, const char *name, size_t len, uint32_t *id);

/* The first type of exactly this name and kind (BTF_KIND_*); 0: none. */
uint32_t pf_kernel_find(const struct pf_kernel *kernel, const char *name, uint32_t kind);

/* Whether the enum of this name has the value. Without such an enum, it has all. */
bool pf_kernel_has_value(const struct pf_kernel *kernel, const char *name, int64_t value);

/*
 * "near it: a, b": the names of a kind that are most like this one, each behind the prefix that all
 * of them have; NULL: none is, or no memory. The caller frees it.
 */
char *pf_kernel_near(const struct pf_kernel *kernel, const char *prefix, const char *name,
		     uint32_t kind);

/* The same of the members of a struct or union, of those in members without a name, too. */
char *pf_near_members(const struct btf *btf, uint32_t id, const char *name);

/* The same of the enumerators of an enum. */
char *pf_near_enumerators(const struct btf *btf, uint32_t id, const char *name);

#endif
