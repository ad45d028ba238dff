// SPDX-License-Identifier: LGPL-2.1-or-later
#include <bpf/btf.h>
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "btf/btf_checked.h"
#include "introspect/typed.h"
#include "model/json.h"
#include "model/json_put.h"
#include "util/cursor.h"

/* A value with more numbers is shown as bytes only. */
#define WEIGHT_MAX (UINT64_C(4) << 20)

struct typed {
	struct btf *base; /* what btf continues; NULL: nothing */
	struct btf *btf;
	uint32_t key, value; /* types; 0: unknown */
	size_t key_len, value_len;
	bool big_endian;
};

/* A type is used if its size is that of the bytes, and a value of it ends. */
static uint32_t fitting(const struct btf *btf, uint32_t type, size_t len)
{
	const struct btf_type *t = btf__type_by_id(btf, type);
	int64_t size;

	if (!type || !t || btf_weight(btf, type) > WEIGHT_MAX)
		return 0;
	size = btf_is_datasec(t) ? t->size : btf__resolve_size(btf, type);
	return size >= 0 && (uint64_t)size == len ? type : 0;
}

struct kt_error *typed_create(const struct map_dump *dump, struct typed **ret)
{
	struct typed *typed;
	struct kt_error *err;

	*ret = NULL;
	if (!dump->btf || !dump->value_type)
		return NULL;
	typed = calloc(1, sizeof(*typed));
	if (!typed)
		return kt_error_no_memory();
	err = dump->base_btf
		      ? btf_parse_checked(dump->base_btf, dump->base_btf_len, NULL, &typed->base)
		      : NULL;
	if (!err)
		err = btf_parse_checked(dump->btf, dump->btf_len, typed->base, &typed->btf);
	if (err) {
		typed_destroy(typed);
		return err;
	}
	typed->key_len = dump->key_len;
	typed->value_len = dump->value_len;
	typed->big_endian = dump->big_endian;
	typed->key = fitting(typed->btf, dump->key_type, typed->key_len);
	typed->value = fitting(typed->btf, dump->value_type, typed->value_len);
	if (!typed->value) {
		typed_destroy(typed);
		return kt_error_new(KT_ERROR_FORMAT,
				    "the types in map %u's BTF do not fit its values",
				    dump->map.id);
	}
	*ret = typed;
	return NULL;
}

void typed_destroy(struct typed *typed)
{
	if (!typed)
		return;
	btf__free(typed->btf);
	btf__free(typed->base);
	free(typed);
}

bool typed_has_key(const struct typed *typed)
{
	return typed && typed->key;
}

static const struct btf_type *datasec(const struct typed *typed)
{
	const struct btf_type *t = btf__type_by_id(typed->btf, typed->value);

	return btf_is_datasec(t) ? t : NULL;
}

const char *typed_section(const struct typed *typed)
{
	const struct btf_type *t = datasec(typed);

	return t ? btf__str_by_offset(typed->btf, t->name_off) : NULL;
}

bool typed_variable(const struct typed *typed, uint32_t i, const char **name_ret,
		    uint32_t *offset_ret, uint32_t *size_ret)
{
	const struct btf_type *t = datasec(typed), *var;

	if (!t || i >= btf_vlen(t))
		return false;
	var = btf__type_by_id(typed->btf, btf_var_secinfos(t)[i].type);
	*name_ret = btf__str_by_offset(typed->btf, var->name_off);
	*offset_ret = btf_var_secinfos(t)[i].offset;
	*size_ret = btf_var_secinfos(t)[i].size;
	return true;
}

/* Bytes that are left: no type reaches beyond its value. */
struct place {
	const struct typed *typed;
	const uint8_t *data;
	size_t len;
};

static json_t *value_json(const struct place *at, uint32_t type);

static struct place inside(const struct place *at, uint64_t offset, uint64_t size)
{
	struct place ret = {.typed = at->typed};

	if (offset <= at->len && size <= at->len - offset) {
		ret.data = at->data + offset;
		ret.len = (size_t)size;
	}
	return ret;
}

/* Bits [shift, shift + bits) of at most 16 bytes, bits up to 64. */
static uint64_t load_bits(const struct place *at, uint64_t shift, unsigned int bits)
{
	uint64_t value = 0;

	for (unsigned int i = 0; i < bits; i++) {
		uint64_t bit = shift + i;
		size_t byte = (size_t)(bit / 8);
		unsigned int in = (unsigned int)(bit % 8);
		bool set;

		if (byte >= at->len)
			return 0;
		/* On a big-endian machine the first bit is the highest, and the first in the value.
		 */
		set = at->data[byte] >> (at->typed->big_endian ? 7 - in : in) & 1;
		value |= (uint64_t)set << (at->typed->big_endian ? bits - 1 - i : i);
	}
	return value;
}

static uint64_t load(const struct place *at)
{
	return at->len && at->len <= 8 ? kt_load_uint(at->data, at->len, at->typed->big_endian) : 0;
}

static int64_t load_signed(const struct place *at)
{
	unsigned int shift = (unsigned int)(64 - 8 * (at->len < 8 ? at->len : 8));

	return at->len ? (int64_t)(load(at) << shift) >> shift : 0;
}

/* As bpftool has it: a string, since no number of JSON is so large. */
static json_t *wide_json(const struct place *at)
{
	struct place low = inside(at, at->typed->big_endian ? 8 : 0, 8);
	struct place high = inside(at, at->typed->big_endian ? 0 : 8, 8);

	if (!load(&high))
		return json_sprintf("0x%llx", (unsigned long long)load(&low));
	return json_sprintf("0x%llx%016llx", (unsigned long long)load(&high),
			    (unsigned long long)load(&low));
}

/* As bpftool has it: a string. */
static json_t *bits_json(const struct place *at, uint64_t shift, unsigned int bits)
{
	return json_sprintf("0x%llx", (unsigned long long)load_bits(at, shift, bits));
}

/* bpftool has no form for it. null: no finite number. */
static json_t *float_json(const struct place *at)
{
	uint64_t bits = load(at);
	uint32_t half = (uint32_t)bits;
	double value = NAN;
	float narrow;

	if (at->len == 8) {
		memcpy(&value, &bits, sizeof(value));
	} else if (at->len == 4) {
		memcpy(&narrow, &half, sizeof(narrow));
		value = (double)narrow;
	}
	return isfinite(value) ? json_real(value) : json_null();
}

static json_t *int_json(const struct place *at, const struct btf_type *t)
{
	char text[2] = {0};

	if (t->size > 8)
		return wide_json(at);
	if (btf_int_bits(t) % 8 || btf_int_bits(t) != t->size * 8)
		return bits_json(at, 0, btf_int_bits(t));
	if (btf_int_encoding(t) & BTF_INT_BOOL)
		return json_boolean(load(at) != 0);
	if (btf_int_encoding(t) & BTF_INT_CHAR) {
		text[0] = (char)load(at);
		if (text[0] > 0 && isprint(text[0]))
			return json_string(text);
		return kt_json_slice((struct kt_text){(const char *)at->data, 1});
	}
	return btf_int_encoding(t) & BTF_INT_SIGNED ? json_integer(load_signed(at))
						    : kt_json_u64(load(at));
}

static json_t *enum_json(const struct place *at, const struct btf_type *t)
{
	const struct btf *btf = at->typed->btf;
	int64_t value = load_signed(at);

	for (uint32_t i = 0; i < btf_vlen(t); i++)
		if (btf_is_enum(t) ? btf_enum(t)[i].val == value
				   : btf_enum64_value(&btf_enum64(t)[i]) == (uint64_t)value)
			return kt_json_text(btf__str_by_offset(
				btf, btf_is_enum(t) ? btf_enum(t)[i].name_off
						    : btf_enum64(t)[i].name_off));
	return btf_kflag(t) || btf_is_enum(t) ? json_integer(value) : kt_json_u64(load(at));
}

/* Without its modifiers and names. The checks at parsing make this end. */
static const struct btf_type *bare(const struct btf *btf, uint32_t type)
{
	const struct btf_type *t = btf__type_by_id(btf, type);

	while (btf_is_mod(t) || btf_is_typedef(t) || btf_is_var(t))
		t = btf__type_by_id(btf, t->type);
	return t;
}

/* An array of char is a string if it looks like one; a typedef of char is none: bpftool's rule. */
static bool is_string(const struct place *at, const struct btf_array *array)
{
	const struct btf *btf = at->typed->btf;
	const struct btf_type *t = btf__type_by_id(btf, array->type);

	while (btf_is_mod(t))
		t = btf__type_by_id(btf, t->type);
	if (!btf_is_int(t) || t->size != 1 ||
	    (btf_int_encoding(t) != BTF_INT_CHAR &&
	     strcmp(btf__str_by_offset(btf, t->name_off), "char") != 0))
		return false;
	for (size_t i = 0; i < at->len; i++) {
		if (!at->data[i])
			return true;
		if (at->data[i] <= 0x1f || at->data[i] >= 0x7f)
			return false;
	}
	return false;
}

static json_t *array_json(const struct place *at, const struct btf_type *t)
{
	const struct btf_array *array = btf_array(t);
	int64_t size = btf__resolve_size(at->typed->btf, array->type);
	json_t *ret;

	if (is_string(at, array))
		return kt_json_text((const char *)at->data);
	ret = json_array();
	for (uint32_t i = 0; i < array->nelems && size >= 0; i++) {
		const struct place elem = inside(at, (uint64_t)size * i, (uint64_t)size);

		json_array_append_new(ret, value_json(&elem, array->type));
	}
	return ret;
}

/*
 * Several members without a name have one key, "". bpftool repeats it, and a reader of JSON takes
 * the last; here each object among them gets into that of the first.
 */
static void set_member(json_t *object, const char *name, json_t *value)
{
	json_t *before = *name ? NULL : json_object_get(object, name);

	if (json_is_object(before) && json_is_object(value)) {
		kt_json_put(json_object_update(before, value));
		json_decref(value);
	} else {
		json_object_set_new(object, name, value);
	}
}

static json_t *member_json(const struct place *at, const struct btf_type *t, uint32_t i)
{
	uint32_t bits = btf_member_bitfield_size(t, i), offset = btf_member_bit_offset(t, i);
	const struct btf *btf = at->typed->btf;
	uint32_t type = btf_members(t)[i].type;
	int64_t size = btf__resolve_size(btf, type);
	struct place member;

	if (!bits) {
		const struct btf_type *m = bare(btf, type);

		/* Older compilers have bit fields as integers of few bits. */
		if (offset % 8 && btf_is_int(m))
			bits = btf_int_bits(m);
	}
	if (bits)
		return bits > 64 ? json_null() : bits_json(at, offset, bits);
	member = inside(at, offset / 8, size < 0 ? 0 : (uint64_t)size);
	return value_json(&member, type);
}

static json_t *struct_json(const struct place *at, const struct btf_type *t)
{
	json_t *ret = json_object();

	for (uint32_t i = 0; i < btf_vlen(t); i++)
		set_member(ret, btf__str_by_offset(at->typed->btf, btf_members(t)[i].name_off),
			   member_json(at, t, i));
	return ret;
}

/* {".bss": [{"variable": value}, ...]} */
static json_t *datasec_json(const struct place *at, const struct btf_type *t)
{
	const struct btf *btf = at->typed->btf;
	json_t *ret = json_object(), *list = json_array();

	for (uint32_t i = 0; i < btf_vlen(t); i++) {
		const struct btf_var_secinfo *info = &btf_var_secinfos(t)[i];
		const struct btf_type *var = btf__type_by_id(btf, info->type);
		const struct place place = inside(at, info->offset, info->size);
		json_t *object = json_object();

		if (btf_is_var(var))
			json_object_set_new(object, btf__str_by_offset(btf, var->name_off),
					    value_json(&place, var->type));
		json_array_append_new(list, object);
	}
	json_object_set_new(ret, btf__str_by_offset(btf, t->name_off), list);
	return ret;
}

/* null: it does not lie in the bytes, or bpftool has no form for it. */
static json_t *value_json(const struct place *at, uint32_t type)
{
	const struct btf_type *t = bare(at->typed->btf, type);
	const int64_t size = btf_is_datasec(t) ? t->size : btf__resolve_size(at->typed->btf, type);

	if (!at->data || size < 0 || (uint64_t)size > at->len)
		return json_null();
	switch (btf_kind(t)) {
	case BTF_KIND_INT: return int_json(at, t);
	case BTF_KIND_FLOAT: return float_json(at);
	case BTF_KIND_PTR: return kt_json_u64(load(at));
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64: return enum_json(at, t);
	case BTF_KIND_ARRAY: return array_json(at, t);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION: return struct_json(at, t);
	case BTF_KIND_DATASEC: return datasec_json(at, t);
	default: return json_null();
	}
}

json_t *typed_key_json(const struct typed *typed, const uint8_t *data)
{
	const struct place at = {typed, data, typed->key_len};

	return value_json(&at, typed->key);
}

json_t *typed_value_json(const struct typed *typed, const uint8_t *data)
{
	const struct place at = {typed, data, typed->value_len};

	return value_json(&at, typed->value);
}

json_t *typed_variable_json(const struct typed *typed, uint32_t i, const uint8_t *data)
{
	const struct btf_var_secinfo *info = &btf_var_secinfos(datasec(typed))[i];
	const struct place all = {typed, data, typed->value_len};
	const struct place at = inside(&all, info->offset, info->size);

	return value_json(&at, info->type);
}
