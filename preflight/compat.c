// SPDX-License-Identifier: LGPL-2.1-or-later
#include "preflight/compat.h"

#include <string.h>

#include "btf/btf_lookup.h"
#include "preflight/kernel.h"

#define DEPTH_MAX 32 /* libbpf's own bound for prototypes in prototypes */
#define CHAIN_MAX 64 /* pointers and arrays in a row */

bool pf_same_kind(const struct btf_type *a, const struct btf_type *b)
{
	return btf_kind(a) == btf_kind(b) || (btf_is_any_enum(a) && btf_is_any_enum(b));
}

/* Some versions of libbpf may take a declaration for the type. */
static bool is_declared(const struct btf_type *t)
{
	return btf_is_fwd(t);
}

static bool types_fit(const struct btf *local, uint32_t local_id, const struct btf *target,
		      uint32_t target_id, int depth);

static bool prototypes_fit(const struct btf *local, const struct btf_type *a,
			   const struct btf *target, const struct btf_type *b, int depth)
{
	if (btf_vlen(a) != btf_vlen(b))
		return false;
	for (uint32_t i = 0; i < btf_vlen(a); i++)
		if (!types_fit(local, btf_params(a)[i].type, target, btf_params(b)[i].type,
			       depth - 1))
			return false;
	return types_fit(local, a->type, target, b->type, depth - 1);
}

static bool ints_fit(const struct btf_type *a, const struct btf_type *b)
{
	return !btf_int_offset(a) && !btf_int_offset(b);
}

static bool types_fit(const struct btf *local, uint32_t local_id, const struct btf *target,
		      uint32_t target_id, int depth)
{
	if (depth <= 0)
		return true;
	for (int i = 0; i < CHAIN_MAX; i++) {
		const struct btf_type *a = btf_strip(local, &local_id);
		const struct btf_type *b = btf_strip(target, &target_id);

		if (!a || !b || is_declared(a) || is_declared(b))
			return true;
		if (!pf_same_kind(a, b))
			return false;
		switch (btf_kind(a)) {
		case BTF_KIND_INT: return ints_fit(a, b);
		case BTF_KIND_PTR:
			local_id = a->type;
			target_id = b->type;
			break;
		case BTF_KIND_ARRAY:
			local_id = btf_array(a)->type;
			target_id = btf_array(b)->type;
			break;
		case BTF_KIND_FUNC_PROTO: return prototypes_fit(local, a, target, b, depth);
		default: return true;
		}
	}
	return true;
}

bool pf_types_fit(const struct btf *local, uint32_t local_id, const struct btf *target,
		  uint32_t target_id)
{
	return types_fit(local, local_id, target, target_id, DEPTH_MAX);
}

/* One without a name fits all; else they are the same, but for their flavours. */
static bool names_fit(const char *a, const char *b)
{
	size_t a_len = pf_essential(a), b_len = pf_essential(b);

	return !a_len || !b_len || (a_len == b_len && !memcmp(a, b, a_len));
}

bool pf_fields_fit(const struct btf *local, uint32_t local_id, const struct btf *target,
		   uint32_t target_id)
{
	for (int i = 0; i < CHAIN_MAX; i++) {
		const struct btf_type *a = btf_strip(local, &local_id);
		const struct btf_type *b = btf_strip(target, &target_id);

		if (!a || !b || (btf_is_struct_or_union(a) && btf_is_struct_or_union(b)))
			return true;
		if (!pf_same_kind(a, b))
			return false;
		switch (btf_kind(a)) {
		case BTF_KIND_INT: return ints_fit(a, b);
		case BTF_KIND_ARRAY:
			local_id = btf_array(a)->type;
			target_id = btf_array(b)->type;
			break;
		case BTF_KIND_FWD:
		case BTF_KIND_ENUM:
		case BTF_KIND_ENUM64:
			return names_fit(btf_name_of(local, a->name_off),
					 btf_name_of(target, b->name_off));
		default: return true;
		}
	}
	return true;
}
