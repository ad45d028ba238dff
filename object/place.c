// SPDX-License-Identifier: LGPL-2.1-or-later
/* Walks through types of an object's BTF, which may be broken: each step is checked. */
#include <string.h>

#include "object/place.h"

#define NESTED_MAX 32 /* const of typedef of ..., and structs without a name in each other */

static const struct btf_type *plain_type(const struct btf *btf, uint32_t id)
{
	const struct btf_type *t = btf__type_by_id(btf, id);

	for (unsigned i = 0; t && (btf_is_mod(t) || btf_is_typedef(t)); i++)
		t = i < NESTED_MAX ? btf__type_by_id(btf, t->type) : NULL;
	return t;
}

const struct btf_type *place_type(const struct place *place)
{
	return plain_type(place->btf, place->type);
}

static const char *name_at(const struct btf *btf, uint32_t offset)
{
	const char *name = btf__name_by_offset(btf, offset);

	return name ? name : "";
}

uint32_t place_length(const struct place *place)
{
	const struct btf_type *t = place_type(place);

	return t && btf_is_array(t) ? btf_array(t)->nelems : 0;
}

bool place_is_text(const struct place *place)
{
	const struct btf_type *t = place_type(place), *element;

	if (!t || !btf_is_array(t))
		return false;
	element = plain_type(place->btf, btf_array(t)->type);
	if (!element || !btf_is_int(element) || element->size != 1)
		return false;
	return !strcmp(name_at(place->btf, element->name_off), "char");
}

struct kt_error *place_element(const struct place *place, uint64_t i, struct place *ret)
{
	const struct btf_type *t = place_type(place);
	int64_t size;

	if (!t || !btf_is_array(t))
		return kt_error_new(KT_ERROR_USAGE, "it is no array");
	if (i >= btf_array(t)->nelems)
		return kt_error_new(KT_ERROR_USAGE, "there is no element %llu: it has %u",
				    (unsigned long long)i, btf_array(t)->nelems);
	size = btf__resolve_size(place->btf, btf_array(t)->type);
	if (size < 0)
		return kt_error_new(KT_ERROR_FORMAT, "the size of its elements is not known");
	*ret = *place;
	ret->type = btf_array(t)->type;
	ret->offset += i * (uint64_t)size; /* fewer than 2^64: 32 bits each */
	return NULL;
}

/* False: there is no such member. left bounds how many structs are looked into. */
static bool find_member(const struct place *place, const char *name, unsigned *left,
			struct place *ret)
{
	const struct btf_type *t = place_type(place);

	if (!t || !btf_is_composite(t) || !*left)
		return false;
	--*left;
	for (uint32_t i = 0; i < btf_vlen(t); i++) {
		const struct btf_member *m = &btf_members(t)[i];
		const char *its_name = name_at(place->btf, m->name_off);
		struct place member = *place;

		member.type = m->type;
		member.offset += btf_member_bit_offset(t, i) / 8;
		member.bit_size = btf_member_bitfield_size(t, i);
		member.bit_shift = btf_member_bit_offset(t, i) % 8;
		if (!its_name[0] && find_member(&member, name, left, ret))
			return true;
		if (!its_name[0] || strcmp(its_name, name) != 0)
			continue;
		*ret = member;
		return true;
	}
	return false;
}

static void list_members(const struct place *place, const struct btf_type *t, struct kt_buf *out)
{
	for (uint32_t i = 0; i < btf_vlen(t) && out->len < 200; i++) {
		const char *name = name_at(place->btf, btf_members(t)[i].name_off);

		if (name[0])
			kt_buf_printf(out, "%s%.64s", out->len ? ", " : "it has ", name);
	}
}

struct kt_error *place_member(const struct place *place, const char *name, struct place *ret)
{
	const struct btf_type *t = place_type(place);
	struct kt_buf members = KT_BUF_INIT;
	unsigned left = 4 * NESTED_MAX;
	struct kt_error *err;

	if (!t || !btf_is_composite(t))
		return kt_error_new(KT_ERROR_USAGE, "it is no struct, and has no member '%s'",
				    name);
	if (find_member(place, name, &left, ret))
		return NULL;
	err = kt_error_new(KT_ERROR_NOT_FOUND, "it has no member '%s'", name);
	list_members(place, t, &members);
	if (members.len && !members.failed)
		err = kt_error_hint(err, "%s", members.data);
	kt_buf_deinit(&members);
	return err;
}

/* The value of enumerator i of an enum of either kind. */
static int64_t enumerator(const struct btf_type *t, uint32_t i, uint32_t *name_ret)
{
	const struct btf_enum64 *e;

	if (btf_is_enum64(t)) {
		e = &btf_enum64(t)[i];
		*name_ret = e->name_off;
		return (int64_t)btf_enum64_value(e);
	}
	*name_ret = btf_enum(t)[i].name_off;
	return btf_kflag(t) ? btf_enum(t)[i].val : (int64_t)(uint32_t)btf_enum(t)[i].val;
}

static bool find_enumerator(const struct btf *btf, const struct btf_type *t, const char *name,
			    int64_t *ret)
{
	for (uint32_t i = 0; i < btf_vlen(t); i++) {
		uint32_t name_off;
		int64_t value = enumerator(t, i, &name_off);

		if (strcmp(name_at(btf, name_off), name) != 0)
			continue;
		*ret = value;
		return true;
	}
	return false;
}

bool place_enumerator(const struct place *place, const char *name, int64_t *ret)
{
	const struct btf *btf = place->btf;
	const struct btf_type *own = place_type(place);
	int64_t value, first = 0;
	bool found = false;

	if (own && btf_is_any_enum(own) && find_enumerator(btf, own, name, ret))
		return true;

	for (uint32_t id = 1; id < btf__type_cnt(btf); id++) {
		const struct btf_type *t = btf__type_by_id(btf, id);

		if (!t || !btf_is_any_enum(t) || !find_enumerator(btf, t, name, &value))
			continue;
		if (found && value != first)
			return false;
		found = true;
		first = value;
	}
	if (found)
		*ret = first;
	return found;
}

struct kt_error *place_list_enumerators(const struct place *place, struct kt_error *err)
{
	const struct btf_type *t = place_type(place);
	struct kt_buf list = KT_BUF_INIT;
	uint32_t name;

	for (uint32_t i = 0; t && btf_is_any_enum(t) && i < btf_vlen(t) && list.len < 200; i++) {
		enumerator(t, i, &name);
		kt_buf_printf(&list, "%s%.64s", i ? ", " : "there are ", name_at(place->btf, name));
	}
	if (list.len && !list.failed)
		err = kt_error_hint(err, "%s", list.data);
	kt_buf_deinit(&list);
	return err;
}
