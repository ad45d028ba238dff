// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "btf/dwarf_btf.h"
#include "util/cleanup.h"
#include "util/vec.h"

/* Types in each other: qualifiers, arrays, structs. Real ones have a dozen. */
#define DEPTH_MAX 64
/* The types of all that is asked for, and those of their members, are some thousands. */
#define TYPES_MAX   400000
#define MEMBERS_MAX 65535

/* The BTF type that a DIE was converted to. key 0: a free slot. */
struct slot {
	uint64_t key;
	int id;
};

struct dwarf_btf {
	struct dwarf_file *file;
	struct btf *btf;
	struct slot *slots;
	size_t n, size;
	int errnum; /* of libbpf */
	bool too_much;
};

struct member {
	const char *name;
	int type;
	uint32_t bits, bit_size;
};

struct members {
	KT_VEC(struct member) v;
};

static int convert(struct dwarf_btf *to, uint64_t offset, bool named_only, int depth);

struct dwarf_btf *dwarf_btf_create(struct dwarf_file *file)
{
	struct dwarf_btf *to = calloc(1, sizeof(*to));

	if (!to)
		return NULL;
	to->file = file;
	to->size = 1024;
	to->slots = calloc(to->size, sizeof(*to->slots));
	to->btf = btf__new_empty();
	if (to->slots && to->btf) {
		btf__set_endianness(to->btf, file->big_endian ? BTF_BIG_ENDIAN : BTF_LITTLE_ENDIAN);
		btf__set_pointer_size(to->btf, file->pointer_size);
		return to;
	}
	dwarf_btf_destroy(to);
	return NULL;
}

void dwarf_btf_destroy(struct dwarf_btf *to)
{
	if (!to)
		return;
	btf__free(to->btf);
	free(to->slots);
	free(to);
}

static struct slot *slot_of(const struct slot *slots, size_t size, uint64_t key)
{
	size_t i = (size_t)(key * 0x9e3779b97f4a7c15ull >> 20) & (size - 1);

	while (slots[i].key && slots[i].key != key)
		i = (i + 1) & (size - 1);
	return (struct slot *)(uintptr_t)&slots[i];
}

static bool remember(struct dwarf_btf *to, uint64_t key, int id)
{
	struct slot *s = slot_of(to->slots, to->size, key);

	if (!s->key && ++to->n > to->size / 2) {
		struct slot *more = calloc(to->size * 2, sizeof(*more));

		if (!more) {
			to->errnum = ENOMEM;
			return false;
		}
		for (size_t i = 0; i < to->size; i++)
			if (to->slots[i].key)
				*slot_of(more, to->size * 2, to->slots[i].key) = to->slots[i];
		free(to->slots);
		to->slots = more;
		to->size *= 2;
		s = slot_of(to->slots, to->size, key);
	}
	*s = (struct slot){key, id};
	return true;
}

static bool stopped(const struct dwarf_btf *to)
{
	return to->errnum || to->too_much || to->file->damage[0];
}

/* Takes the result of a btf__add_…(). */
static int added(struct dwarf_btf *to, int id)
{
	if (id < 0 && !to->errnum)
		to->errnum = -id;
	return id < 0 ? 0 : id;
}

/* The type that a DIE's DW_AT_type names; 0, void, without one. */
static int convert_inner(struct dwarf_btf *to, Dwarf_Die die, bool named_only, int depth)
{
	uint64_t offset;

	if (!dwarf_file_ref(to->file, die, DW_AT_type, &offset))
		return 0;
	return convert(to, offset, named_only, depth + 1);
}

static bool is_power_of_two(uint64_t n)
{
	return n && !(n & (n - 1));
}

static int convert_base(struct dwarf_btf *to, Dwarf_Die die)
{
	const char *name = dwarf_file_name(to->file, die);
	uint64_t size = 0, encoding = 0;
	int flags = 0;

	dwarf_file_uint(to->file, die, DW_AT_byte_size, &size);
	dwarf_file_uint(to->file, die, DW_AT_encoding, &encoding);
	if (!name || !*name || size > 16 || !is_power_of_two(size))
		return added(to, btf__add_struct(to->btf, name, size > 16 ? 16 : (uint32_t)size));
	switch (encoding) {
	case DW_ATE_float:
		if (size > 1)
			return added(to, btf__add_float(to->btf, name, (size_t)size));
		break;
	case DW_ATE_boolean: flags = BTF_INT_BOOL; break;
	case DW_ATE_signed:
	case DW_ATE_signed_char: flags = BTF_INT_SIGNED; break;
	default: break;
	}
	return added(to, btf__add_int(to->btf, name, (size_t)size, flags));
}

/* The number of elements of a dimension; 0 for a flexible array. */
static uint32_t dimension(struct dwarf_btf *to, Dwarf_Die die)
{
	uint64_t n;
	int64_t last;

	if (dwarf_file_uint(to->file, die, DW_AT_count, &n))
		return n <= UINT32_MAX ? (uint32_t)n : 0;
	if (!dwarf_file_int(to->file, die, DW_AT_upper_bound, &last) || last < 0 ||
	    last >= UINT32_MAX)
		return 0;
	return (uint32_t)last + 1;
}

static int convert_array(struct dwarf_btf *to, Dwarf_Die die, bool named_only, int depth)
{
	int type = convert_inner(to, die, named_only, depth);
	uint32_t sizes[16];
	size_t n = 0;
	Dwarf_Die child;

	dwarf_file_child(to->file, die, &child);
	for (; child; dwarf_file_next(to->file, &child)) {
		if (dwarf_file_tag(to->file, child) == DW_TAG_subrange_type && n < 16)
			sizes[n++] = dimension(to, child);
	}
	if (!n)
		sizes[n++] = 0;
	while (n && !stopped(to))
		type = added(to, btf__add_array(to->btf, type, type, sizes[--n]));
	return type;
}

/*
 * Bit fields: DW_AT_data_bit_offset counts from the struct's start (DWARF 4 and later); before,
 * DW_AT_bit_offset counts from the most significant bit of a storage unit, DW_AT_byte_size large,
 * at DW_AT_data_member_location.
 */
static bool place_member(struct dwarf_btf *to, Dwarf_Die die, struct member *ret)
{
	uint64_t at = 0, bit_size = 0, bits = 0, unit = 0;
	bool has_at;

	to->file->odd = false;
	has_at = dwarf_file_uint(to->file, die, DW_AT_data_member_location, &at);
	dwarf_file_uint(to->file, die, DW_AT_bit_size, &bit_size);
	if (bit_size > 255 || at > UINT32_MAX / 8)
		return false;
	if (dwarf_file_uint(to->file, die, DW_AT_data_bit_offset, &bits)) {
		if (has_at)
			bits += at * 8;
	} else if (bit_size && dwarf_file_uint(to->file, die, DW_AT_bit_offset, &bits)) {
		if (!dwarf_file_uint(to->file, die, DW_AT_byte_size, &unit)) {
			int64_t size = btf__resolve_size(to->btf, (uint32_t)ret->type);

			unit = size > 0 ? (uint64_t)size : 0;
		}
		if (unit > 16 || bits + bit_size > unit * 8)
			return false;
		bits = at * 8 + (to->file->big_endian ? bits : unit * 8 - bits - bit_size);
	} else {
		bits = at * 8;
	}
	/* It has an attribute that cannot be read: no answer is better than a wrong one. */
	if (to->file->odd)
		return false;
	if (bits > UINT32_MAX || (bit_size && bits >= 1u << 24))
		return false;
	ret->bits = (uint32_t)bits;
	ret->bit_size = (uint32_t)bit_size;
	return true;
}

static void convert_members(struct dwarf_btf *to, Dwarf_Die die, struct members *ret, int depth)
{
	Dwarf_Die child;

	dwarf_file_child(to->file, die, &child);
	for (; child; dwarf_file_next(to->file, &child)) {
		struct member m = {0};

		if (dwarf_file_tag(to->file, child) != DW_TAG_member || stopped(to))
			continue;
		m.name = dwarf_file_name(to->file, child);
		m.type = convert_inner(to, child, false, depth);
		if (!place_member(to, child, &m))
			continue;
		if (ret->v.len >= MEMBERS_MAX)
			to->too_much = true;
		else if (!kt_vec_push(&ret->v, m))
			to->errnum = ENOMEM;
	}
}

/* With bit fields in the struct (kind_flag), BTF has only 24 bits for an offset. */
static bool has_bitfield(const struct members *members)
{
	kt_vec_for_each (&members->v, m)
		if (m->bit_size)
			return true;
	return false;
}

static int convert_composite(struct dwarf_btf *to, Dwarf_Die die, bool is_union, int depth)
{
	const char *name = dwarf_file_name(to->file, die);
	struct members members = {0};
	uint64_t size = 0;
	int id, err;

	to->file->odd = false;
	dwarf_file_uint(to->file, die, DW_AT_byte_size, &size);
	if (size > UINT32_MAX || to->file->odd)
		to->too_much = true;
	convert_members(to, die, &members, depth);
	if (stopped(to)) {
		kt_vec_free(&members.v);
		return 0;
	}
	id = added(to, is_union ? btf__add_union(to->btf, name, (uint32_t)size)
				: btf__add_struct(to->btf, name, (uint32_t)size));
	kt_vec_for_each (&members.v, m) {
		if (m->bits >= 1u << 24 && has_bitfield(&members))
			continue;
		err = btf__add_field(to->btf, m->name, m->type, m->bits, (uint8_t)m->bit_size);
		/* BTF cannot have it (a union's member that is not at its start): left out. */
		if (err && err != -EINVAL)
			added(to, err);
	}
	kt_vec_free(&members.v);
	return id;
}

static void add_enumerators(struct dwarf_btf *to, Dwarf_Die die, bool wide)
{
	size_t n = 0;
	Dwarf_Die child;

	dwarf_file_child(to->file, die, &child);
	for (; child; dwarf_file_next(to->file, &child)) {
		const char *name = dwarf_file_name(to->file, child);
		int64_t value;
		int err;

		if (dwarf_file_tag(to->file, child) != DW_TAG_enumerator || !name ||
		    !dwarf_file_int(to->file, child, DW_AT_const_value, &value) || stopped(to))
			continue;
		if (n++ >= MEMBERS_MAX) {
			to->too_much = true;
			continue;
		}
		err = wide ? btf__add_enum64_value(to->btf, name, (uint64_t)value)
			   : btf__add_enum_value(to->btf, name, value);
		if (err && err != -E2BIG && err != -EINVAL)
			added(to, err);
	}
}

/* The encoding of the integer that an enum is kept in, DWARF 3 and later. */
static bool enum_is_signed(struct dwarf_btf *to, Dwarf_Die die)
{
	uint64_t encoding = 0, offset;
	Dwarf_Die base;

	if (dwarf_file_uint(to->file, die, DW_AT_encoding, &encoding))
		return encoding == DW_ATE_signed;
	if (!dwarf_file_ref(to->file, die, DW_AT_type, &offset) ||
	    !dwarf_file_die(to->file, offset, &base))
		return false;
	dwarf_file_uint(to->file, base, DW_AT_encoding, &encoding);
	dwarf_dealloc_die(base);
	return encoding == DW_ATE_signed || encoding == DW_ATE_signed_char;
}

static int convert_enum(struct dwarf_btf *to, Dwarf_Die die)
{
	const char *name = dwarf_file_name(to->file, die);
	uint64_t size = 4;
	int id;

	dwarf_file_uint(to->file, die, DW_AT_byte_size, &size);
	if (size > 8 || !is_power_of_two(size))
		size = 4;
	id = added(to, size == 8 ? btf__add_enum64(to->btf, name, 8, enum_is_signed(to, die))
				 : btf__add_enum(to->btf, name, (uint32_t)size));
	if (id)
		add_enumerators(to, die, size == 8);
	return id;
}

/* A type that a pointer leads to, or that is only declared, gets only a name. */
static int convert_name(struct dwarf_btf *to, const char *name, unsigned int tag)
{
	if (!name || !*name)
		return tag == DW_TAG_union_type ? added(to, btf__add_union(to->btf, NULL, 0))
						: added(to, btf__add_struct(to->btf, NULL, 0));
	switch (tag) {
	case DW_TAG_union_type: return added(to, btf__add_fwd(to->btf, name, BTF_FWD_UNION));
	case DW_TAG_enumeration_type: return added(to, btf__add_enum(to->btf, name, 4));
	case DW_TAG_typedef: return added(to, btf__add_typedef(to->btf, name, 0));
	default: return added(to, btf__add_fwd(to->btf, name, BTF_FWD_STRUCT));
	}
}

static bool has_only_a_name(struct dwarf_btf *to, Dwarf_Die die, unsigned int tag, bool named_only)
{
	switch (tag) {
	case DW_TAG_structure_type:
	case DW_TAG_union_type:
	case DW_TAG_enumeration_type:
		return named_only || dwarf_file_flag(to->file, die, DW_AT_declaration);
	case DW_TAG_typedef: return named_only;
	default: return false;
	}
}

static int convert_die(struct dwarf_btf *to, Dwarf_Die die, bool named_only, int depth)
{
	unsigned int tag = dwarf_file_tag(to->file, die);
	const char *name = dwarf_file_name(to->file, die);
	int inner;

	if (has_only_a_name(to, die, tag, named_only))
		return convert_name(to, name, tag);
	switch (tag) {
	case DW_TAG_base_type: return convert_base(to, die);
	case DW_TAG_structure_type: return convert_composite(to, die, false, depth);
	case DW_TAG_union_type: return convert_composite(to, die, true, depth);
	case DW_TAG_enumeration_type: return convert_enum(to, die);
	case DW_TAG_array_type: return convert_array(to, die, named_only, depth);
	case DW_TAG_subroutine_type: return added(to, btf__add_func_proto(to->btf, 0));
	case DW_TAG_pointer_type:
		return added(to, btf__add_ptr(to->btf, convert_inner(to, die, true, depth)));
	}
	inner = convert_inner(to, die, named_only, depth);
	switch (tag) {
	case DW_TAG_typedef:
		return name && *name ? added(to, btf__add_typedef(to->btf, name, inner)) : inner;
	case DW_TAG_const_type: return added(to, btf__add_const(to->btf, inner));
	case DW_TAG_volatile_type: return added(to, btf__add_volatile(to->btf, inner));
	case DW_TAG_restrict_type: return added(to, btf__add_restrict(to->btf, inner));
	default: return inner; /* _Atomic; what no kernel has is void */
	}
}

/* named_only: a pointer leads to it, so that nobody asks for its members. */
static int convert(struct dwarf_btf *to, uint64_t offset, bool named_only, int depth)
{
	uint64_t key = (offset << 1 | named_only) + 1;
	const struct slot *known = slot_of(to->slots, to->size, key);
	Dwarf_Die die;
	int id;

	if (known->key)
		return known->id;
	if (depth > DEPTH_MAX || btf__type_cnt(to->btf) > TYPES_MAX)
		to->too_much = true;
	/* Void until it is converted, so that a type that contains itself comes to an end. */
	if (stopped(to) || !remember(to, key, 0) || !dwarf_file_die(to->file, offset, &die))
		return 0;
	id = convert_die(to, die, named_only, depth);
	dwarf_dealloc_die(die);
	return remember(to, key, id) ? id : 0;
}

bool dwarf_btf_add(struct dwarf_btf *to, Dwarf_Die die)
{
	convert(to, dwarf_file_offset(to->file, die), false, 0);
	return !stopped(to);
}

static struct kt_error *failure(const struct dwarf_btf *to)
{
	if (to->file->damage[0])
		return kt_error_new(KT_ERROR_FORMAT, "its DWARF is damaged: %s", to->file->damage);
	if (to->too_much)
		return kt_error_new(KT_ERROR_FORMAT,
				    "its DWARF is damaged: types without end in each other");
	return to->errnum == ENOMEM ? kt_error_no_memory()
				    : kt_error_os(to->errnum, "its DWARF does not fit into BTF");
}

struct kt_error *dwarf_btf_finish(struct dwarf_btf *to, struct btf **ret)
{
	struct kt_error *err = NULL;

	if (!stopped(to)) {
		int res = btf__dedup(to->btf, NULL);

		if (res)
			to->errnum = -res;
	}
	if (stopped(to))
		err = failure(to);
	else
		*ret = kt_take_ptr(to->btf);
	dwarf_btf_destroy(to);
	return err;
}
