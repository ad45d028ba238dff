// SPDX-License-Identifier: LGPL-2.1-or-later
/* A value in the bytes of its type. */
#include <stdlib.h>
#include <string.h>

#include "object/place.h"
#include "object/value.h"
#include "util/cleanup.h"

static struct kt_error *cut_short(void)
{
	return kt_error_new(KT_ERROR_FORMAT,
			    "its type is larger than the variable: its BTF is broken");
}

/* Takes data, also on failure. */
static struct kt_error *push(const struct place *place, void *data, uint64_t size,
			     struct place_writes *writes)
{
	const struct object_write write = {place->section, place->offset, data, (size_t)size};

	if (data && place->offset <= place->end && size <= place->end - place->offset &&
	    kt_vec_push(&writes->v, write))
		return NULL;
	free(data);
	return data && size > place->end - place->offset ? cut_short() : kt_error_no_memory();
}

static struct kt_error *put_uint(const struct place *place, uint64_t value, unsigned size,
				 struct place_writes *writes)
{
	bool big = btf__endianness(place->btf) == BTF_BIG_ENDIAN;
	unsigned char *data = malloc(size);

	for (unsigned i = 0; data && i < size; i++)
		data[big ? size - 1 - i : i] = (unsigned char)(value >> 8 * i);
	return push(place, data, size, writes);
}

static struct kt_error *does_not_fit(const char *text, unsigned size, bool is_signed)
{
	unsigned bits = 8 * size - is_signed;
	uint64_t max = bits < 64 ? (UINT64_C(1) << bits) - 1 : UINT64_MAX;

	if (is_signed)
		return kt_error_new(KT_ERROR_USAGE, "'%.80s' does not fit: it takes -%llu to %llu",
				    text, (unsigned long long)max + 1, (unsigned long long)max);
	return kt_error_new(KT_ERROR_USAGE, "'%.80s' does not fit: it takes 0 to %llu, %#llx", text,
			    (unsigned long long)max, (unsigned long long)max);
}

static struct kt_error *put_int(const struct place *place, const struct value_int *value,
				const char *text, unsigned size, bool is_signed,
				struct place_writes *writes)
{
	uint64_t bytes;

	if (size != 1 && size != 2 && size != 4 && size != 8)
		return kt_error_new(KT_ERROR_UNSUPPORTED, "integers of %u bytes cannot be set",
				    size);
	if (!value_fits(value, size, is_signed, &bytes))
		return does_not_fit(text, size, is_signed);
	return put_uint(place, bytes, size, writes);
}

/* A number, or an enumerator of any enum. */
static struct kt_error *read_int(const struct place *place, const char *text, struct value_int *ret)
{
	int64_t value;

	switch (value_read_int(text, ret)) {
	case VALUE_OK: return NULL;
	case VALUE_TOO_LARGE:
		return kt_error_new(KT_ERROR_USAGE, "'%.80s' has more than 64 bits", text);
	default: break;
	}
	if (!place_enumerator(place, text, &value))
		return place_list_enumerators(
			place,
			kt_error_new(
				KT_ERROR_USAGE,
				"'%.80s' is no number, and no enumerator of this object with one "
				"value",
				text));
	*ret = (struct value_int){value < 0, value < 0 ? -(uint64_t)value : (uint64_t)value};
	return NULL;
}

static struct kt_error *put_bool(const struct place *place, const char *text, unsigned size,
				 struct place_writes *writes)
{
	bool yes = !strcmp(text, "true") || !strcmp(text, "1");

	if (!yes && strcmp(text, "false") != 0 && strcmp(text, "0") != 0)
		return kt_error_new(KT_ERROR_USAGE, "'%.80s' is neither true nor false", text);
	if (size != 1 && size != 2 && size != 4 && size != 8)
		return kt_error_new(KT_ERROR_UNSUPPORTED, "a bool of %u bytes cannot be set", size);
	return put_uint(place, yes, size, writes);
}

static struct kt_error *put_float(const struct place *place, const char *text, unsigned size,
				  struct place_writes *writes)
{
	uint64_t bits = 0;
	char *end;
	double value = strtod(text, &end);
	float narrow = (float)value;

	if (end == text || *end)
		return kt_error_new(KT_ERROR_USAGE, "'%.80s' is no number", text);
	if (size != sizeof(value) && size != sizeof(narrow))
		return kt_error_new(KT_ERROR_UNSUPPORTED, "a float of %u bytes cannot be set",
				    size);
	if (size == sizeof(value)) {
		memcpy(&bits, &value, sizeof(value));
	} else {
		uint32_t word;

		memcpy(&word, &narrow, sizeof(word));
		bits = word;
	}
	return put_uint(place, bits, size, writes);
}

struct kt_error *place_put_text(const struct place *place, const char *text, size_t len,
				struct place_writes *writes)
{
	uint32_t size = place_length(place);
	char *data;

	if (len >= size)
		return kt_error_new(KT_ERROR_USAGE,
				    "a text of %zu bytes and its end do not fit into %u bytes", len,
				    size);
	if (place->offset > place->end || size > place->end - place->offset)
		return cut_short();
	data = calloc(1, size);
	if (data)
		memcpy(data, text, len);
	return push(place, data, size, writes);
}

static struct kt_error *put_string(const struct place *place, const char *text,
				   struct place_writes *writes)
{
	_cleanup_(kt_buf_deinit) struct kt_buf plain = KT_BUF_INIT;

	if (text[0] != '"')
		return place_put_text(place, text, strlen(text), writes);
	if (!value_unquote(text, &plain))
		return kt_error_new(KT_ERROR_USAGE, "%.80s: a quote or an escape is wrong", text);
	if (plain.failed)
		return kt_error_no_memory();
	return place_put_text(place, plain.len ? plain.data : "", plain.len, writes);
}

struct kt_error *place_put(const struct place *place, const char *text, struct place_writes *writes)
{
	const struct btf_type *t = place_type(place);
	struct value_int value;
	struct kt_error *err;

	if (!t)
		return kt_error_new(KT_ERROR_FORMAT, "its type is not known: the BTF is broken");
	if (place->bits)
		return kt_error_new(KT_ERROR_UNSUPPORTED, "it is a bit-field, which cannot be set");
	if (place_is_text(place))
		return put_string(place, text, writes);
	switch (btf_kind(t)) {
	case BTF_KIND_INT:
		if (btf_int_encoding(t) & BTF_INT_BOOL)
			return put_bool(place, text, t->size, writes);
		err = read_int(place, text, &value);
		return err ? err
			   : put_int(place, &value, text, t->size,
				     btf_int_encoding(t) & BTF_INT_SIGNED, writes);
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
		err = read_int(place, text, &value);
		return err ? err : put_int(place, &value, text, t->size, btf_kflag(t), writes);
	case BTF_KIND_FLOAT: return put_float(place, text, t->size, writes);
	case BTF_KIND_ARRAY:
		return kt_error_hint(kt_error_new(KT_ERROR_USAGE, "it is an array"),
				     "name an element: [0], [*] for each; or {1, 2, 3}, or @FILE");
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return kt_error_hint(kt_error_new(KT_ERROR_USAGE, "it is a struct"),
				     "name a member: .NAME");
	default:
		return kt_error_new(KT_ERROR_UNSUPPORTED,
				    "it is a pointer or the like, which cannot be set");
	}
}
