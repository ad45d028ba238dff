// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdlib.h>
#include <string.h>

#include "btf/btf_lookup.h"

/* Typedefs and qualifiers in a row; the kernel has five at most. */
#define CHAIN_MAX 32
/* Anonymous structs and unions in each other. */
#define NESTING_MAX 16

const char *btf_name_of(const struct btf *btf, uint32_t offset)
{
	const char *name = btf__name_by_offset(btf, offset);

	return name ? name : "";
}

const struct btf_type *btf_strip(const struct btf *btf, uint32_t *id)
{
	for (int i = 0; i < CHAIN_MAX; i++) {
		const struct btf_type *t = btf__type_by_id(btf, *id);

		if (!t || !(btf_is_mod(t) || btf_is_typedef(t)))
			return t;
		*id = t->type;
	}
	return NULL;
}

static bool name_is(const char *name, const char *want, size_t want_len)
{
	return !strncmp(name, want, want_len) && !name[want_len];
}

/* Finds a member by name in t, also inside members that have no name themselves. */
static bool find_member(struct btf_lookup *l, const struct btf_type *t, const char *name,
			size_t len, int nesting)
{
	const struct btf_member *m = btf_members(t);

	for (uint32_t i = 0; i < btf_vlen(t); i++, m++) {
		uint32_t bits = btf_member_bit_offset(t, i);
		const char *have = btf_name_of(l->btf, m->name_off);
		const struct btf_type *inner;
		uint32_t id = m->type;

		if (!l->visits)
			return false;
		l->visits--;
		if (name_is(have, name, len)) {
			l->bits += bits;
			l->type = m->type;
			l->bitfield = btf_member_bitfield_size(t, i);
			return true;
		}
		if (*have || nesting == NESTING_MAX)
			continue;
		inner = btf_strip(l->btf, &id);
		if (!inner || !btf_is_struct_or_union(inner))
			continue;
		l->bits += bits;
		if (find_member(l, inner, name, len, nesting + 1))
			return true;
		l->bits -= bits;
	}
	return false;
}

bool btf_find_path(struct btf_lookup *l, const struct btf_type *t, const char *path)
{
	for (;;) {
		size_t len = strcspn(path, ".");

		if (!t || !btf_is_struct_or_union(t) || !len || l->bitfield ||
		    !find_member(l, t, path, len, 0))
			return false;
		if (!path[len])
			return true;
		path += len + 1;
		t = btf_strip(l->btf, &l->type);
	}
}

/*
 * Where a bit field is loaded from: its declared type's unit, as the compiler does, or, when
 * a packed struct lets it straddle two of those, the bytes that it touches.
 */
static bool place_bitfield(const struct btf_lookup *l, uint64_t size, struct kfacts_member *ret)
{
	bool be = btf__endianness(l->btf) == BTF_BIG_ENDIAN;
	uint64_t unit = size * 8, start = l->bits / unit * unit, shift;

	if (l->bits + l->bitfield > start + unit) {
		start = l->bits / 8 * 8;
		size = (l->bits - start + l->bitfield + 7) / 8;
	}
	if (size > 8)
		return false;
	shift = l->bits - start;
	if (be)
		shift = size * 8 - shift - l->bitfield;
	ret->offset = (uint32_t)(start / 8);
	ret->size = (uint32_t)size;
	ret->bit_shift = (uint8_t)shift;
	ret->bit_size = (uint8_t)l->bitfield;
	return true;
}

bool btf_place(const struct btf_lookup *l, struct kfacts_member *ret)
{
	struct kfacts_member m = {0};
	int64_t size = btf__resolve_size(l->btf, l->type);

	if (size < 0 || size > UINT32_MAX || l->bits / 8 > UINT32_MAX)
		return false;
	if (l->bitfield) {
		if (!size || size > 8 || l->bitfield > 64 || !place_bitfield(l, (uint64_t)size, &m))
			return false;
	} else {
		if (l->bits % 8)
			return false;
		m.offset = (uint32_t)(l->bits / 8);
		m.size = (uint32_t)size;
	}
	*ret = m;
	return true;
}

static int64_t enum_value(const struct btf_type *t, uint32_t i)
{
	bool is_signed = btf_kflag(t);

	if (btf_is_enum64(t)) {
		const struct btf_enum64 *e = btf_enum64(t) + i;

		return (int64_t)((uint64_t)e->val_hi32 << 32 | e->val_lo32);
	}
	return is_signed ? (int64_t)btf_enum(t)[i].val : (int64_t)(uint32_t)btf_enum(t)[i].val;
}

struct kt_error *btf_enumerators(const struct btf *btf, const struct btf_type *t,
				 struct kfacts_enumerator **ret, uint32_t *n_ret)
{
	uint32_t n = btf_vlen(t);

	*n_ret = 0;
	*ret = calloc(n ? n : 1, sizeof(**ret));
	if (!*ret)
		return kt_error_no_memory();
	for (; *n_ret < n; ++*n_ret) {
		struct kfacts_enumerator *e = &(*ret)[*n_ret];

		e->value = enum_value(t, *n_ret);
		e->name = strdup(btf_name_of(btf, btf_is_enum64(t) ? btf_enum64(t)[*n_ret].name_off
								   : btf_enum(t)[*n_ret].name_off));
		if (!e->name)
			return kt_error_no_memory();
	}
	return NULL;
}

struct kt_error *btf_named_members(const struct btf *btf, const struct btf_type *t,
				   struct kfacts_enumerator **ret, uint32_t *n_ret)
{
	uint32_t n = btf_vlen(t);

	*n_ret = 0;
	*ret = calloc(n ? n : 1, sizeof(**ret));
	if (!*ret)
		return kt_error_no_memory();
	for (uint32_t i = 0; i < n; i++) {
		const char *name = btf_name_of(btf, btf_members(t)[i].name_off);
		struct kfacts_enumerator *e = &(*ret)[*n_ret];

		if (!name[0])
			continue;
		e->value = btf_member_bit_offset(t, i) / 8;
		e->name = strdup(name);
		if (!e->name)
			return kt_error_no_memory();
		++*n_ret;
	}
	return NULL;
}
