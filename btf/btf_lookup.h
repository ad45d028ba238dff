/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Finding members in BTF. Internal to btf/.
 *
 * libbpf checks that records lie inside the section, but before 1.3 not that ids and string
 * offsets in them lead anywhere, and never that types do not contain themselves. So every
 * id may give NULL, and every walk has a bound.
 */
#ifndef KT_BTF_BTF_LOOKUP_H
#define KT_BTF_BTF_LOOKUP_H

#include <bpf/btf.h>

#include "btf/kfacts.h"
#include "util/error.h"

/* The search for a member: its position so far, and how many members may still be looked at. */
struct btf_lookup {
	const struct btf *btf;
	uint64_t bits;     /* from the start of the outermost struct */
	uint32_t type;     /* of the member */
	uint32_t bitfield; /* bits, 0 if it is none */
	size_t visits;
};

/* Members looked at for one path; task_struct has some 250. */
#define BTF_VISITS_MAX 100000

static inline bool btf_is_struct_or_union(const struct btf_type *t)
{
	return btf_is_struct(t) || btf_is_union(t);
}

/* A name; "" for a bad offset. */
const char *btf_name_of(const struct btf *btf, uint32_t offset);

/* The type behind typedefs and qualifiers; NULL: there is none. */
const struct btf_type *btf_strip(const struct btf *btf, uint32_t *id);

/* Follows "a.b.c" from t, through members without a name. */
bool btf_find_path(struct btf_lookup *lookup, const struct btf_type *t, const char *path);

/* Where the member lies that was found. False: BTF does not tell its size. */
bool btf_place(const struct btf_lookup *lookup, struct kfacts_member *ret);

/* n_ret strings are the caller's, after a failure, too. */
struct kt_error *btf_enumerators(const struct btf *btf, const struct btf_type *t,
				 struct kfacts_enumerator **ret, uint32_t *n_ret);

/* The same of a struct's own members that have names: values are their offsets in bytes. */
struct kt_error *btf_named_members(const struct btf *btf, const struct btf_type *t,
				   struct kfacts_enumerator **ret, uint32_t *n_ret);

#endif
