/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Members of structures that only a module has. The kernel's own facts do not tell of them, and its
 * files are not at hand. But the guest has the module's BTF in its memory (since 5.11, with
 * CONFIG_DEBUG_INFO_BTF_MODULES), and in that all that is needed is: a few records, read here
 * without the megabytes that they continue. All of it is the guest's word, and bounded.
 *
 * Where a type is built into the kernel, its facts have the answer, and nothing is read.
 */
#ifndef KT_INTROSPECT_MODULE_TYPES_H
#define KT_INTROSPECT_MODULE_TYPES_H

#include "memory/guest.h"

/* A member of a struct that a module may have. */
struct module_member {
	const char *module;      /* "cls_bpf" */
	const char *type, *path; /* of a struct; a member of its own, by its name alone */
	uint32_t size;           /* bytes of it that are of use; it may have more */
};

struct module_types {
	const struct module_member *members;
	size_t n;
	struct kfacts_member *places; /* of each */
	bool *known;
};

/* False: no memory. */
bool module_types_wants(const struct module_member *members, size_t n, struct wants *wants);

/* What the facts tell. *ret is for module_types_deinit() after an error, too. */
struct kt_error *module_types_init(struct module_types *ret, const struct module_member *members,
				   size_t n, const struct kfacts *facts);
void module_types_deinit(struct module_types *types);

/* The rest of the members of some modules, out of the guest. What is not found there stays unknown.
 */
struct kt_error *module_types_read(struct module_types *types, struct guest *guest,
				   const char *const *modules, size_t n);

/* False: it is not known. For view_try_by(): arg is the struct module_types. */
bool module_types_member(const void *arg, const char *type, const char *path,
			 struct kfacts_member *ret);

#endif
