/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether a CO-RE relocation finds what it asks for in a kernel's types. */
#ifndef KT_PREFLIGHT_CORE_H
#define KT_PREFLIGHT_CORE_H

#include "preflight/kernel.h"
#include "preflight/object.h"

/*
 * True: surely none of the kernel's types has it, so libbpf puts an invalid call in place of the
 * instruction. False: one has, or the relocation only asks whether there is one, or it makes no
 * sense.
 */
bool pf_core_fails(const struct pf_object *object, const struct pf_core *core,
		   const struct pf_kernel *kernel);

/*
 * Of a relocation that fails because the kernel has no type of that name and kind: the name,
 * without its flavour, which the caller frees, and the kind. NULL: it has one, or there is no
 * memory.
 */
char *pf_core_lacks_type(const struct pf_object *object, const struct pf_core *core,
			 const struct pf_kernel *kernel, uint32_t *kind_ret);

/*
 * What is not there, "struct task_struct has no member gone", and what is near it (or NULL). Of a
 * type that is not there, only what it is: "struct gone". The caller frees both. *what_ret is NULL
 * without memory.
 */
void pf_core_words(const struct pf_object *object, const struct pf_core *core,
		   const struct pf_kernel *kernel, char **what_ret, char **try_ret);

#endif
