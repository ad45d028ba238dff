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

/* Takes data and mask, which may be NULL, also on failure. */
static struct kt_error *push_masked(const struct place *place, void *data, void *mask,
				    uint64_t size, struct place_writes *writes)
{
	const struct object_write write = {place->section, place->offset, data, mask, (size_t)size};

	if (data && place->offset <= place->end && size <= place->end - place->offset &&
	    kt_vec_push(&writes->v, write))
		return NULL;
	free(data);
	free(mask);
	return data && size > place->end - place->offset ? cut_short() : kt_error_no_memory();
}

static struct kt_error *push(const struct place *place, void *data, uint64_t size,
			     struct place_writes *writes)
{
	return push_masked(place, data, NULL, size, writes);
}

/* NULL: no memory. */
static unsigned char *to_bytes(const struct place *place, value_uint value, unsigned size)
{
	bool big = btf__endianness(place->btf) == BTF_BIG_ENDIAN;
	unsigned char *data = malloc(size);

	for (unsigned i = 0; data && i < size; i++)
		data[big ? size - 1 - i : i] = (unsigned char)(value >> 8 * i);
	return data;
}

static struct kt_error *put_uint(const struct place *place, value_uint value, unsigned size,
				 struct place_writes *writes)
{
	return push(place, to_bytes(place, value, size), size, writes);
}

/*
 * BTF counts the bits before a bit-field in the order of the bytes: on a big-endian machine the
 * first ones are the highest of the first byte.
 */
static struct kt_error *put_bits(const struct place *place, value_uint value,
				 struct place_writes *writes)
{
	unsigned bits = place->bit_shift + place->bit_size, size = (bits + 7) / 8;
	bool big = btf__endianness(place->btf) == BTF_BIG_ENDIAN;
	unsigned shift = big ? 8 * size - bits : place->bit_shift;
	unsigned char *data, *mask;

	if (size > sizeof(value))
		return kt_error_new(KT_ERROR_UNSUPPORTED,
				    "a bit-field of %u bits in %u bytes cannot be set",
				    place->bit_size, size);
	data = to_bytes(place, value << shift, size);
	mask = to_bytes(place, value_max(place->bit_size, false) << shift, size);
	if (!mask) {
		free(data);
		return kt_error_no_memory();
	}
	return push_masked(place, data, mask, size, writes);
}

static struct kt_error *does_not_fit(const char *text, unsigned bits, bool is_signed)
{
	_cleanup_(kt_buf_deinit) struct kt_buf range = KT_BUF_INIT;
	value_uint max = value_max(bits, is_signed);

	if (is_signed) {
		kt_buf_appendc(&range, '-');
		value_print(max + 1, &range);
	} else {
		kt_buf_appendc(&range, '0');
	}
	kt_buf_appends(&range, " to ");
	value_print(max, &range);
	if (!is_signed && bits <= 64)
		kt_buf_printf(&range, ", %#llx", (unsigned long long)max);
	if (range.failed)
		return kt_error_no_memory();
	return kt_error_new(KT_ERROR_USAGE, "'%.80s' does not fit: it takes %s", text, range.data);
}

/* size: of the type, in bytes; a bit-field of it may have fewer bits. */
static struct kt_error *put_int(const struct place *place, const struct value_int *value,
				const char *text, unsigned size, bool is_signed,
				struct place_writes *writes)
{
	unsigned bits = place->bit_size ? place->bit_size : 8 * size;
	bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	value_uint bytes;

	if (size != 1 && size != 2 && size != 4 && size != 8 && size != 16)
		return kt_error_new(KT_ERROR_UNSUPPORTED, "integers of %u bytes cannot be set",
				    size);
	if (bits > 8 * size)
		return kt_error_new(KT_ERROR_FORMAT,
				    "a bit-field of %u bits in %u bytes: its BTF is broken", bits,
				    size);
	/*
	 * bpftool prints an integer of 128 bits, and a bit-field, as its bits, also a negative one:
	 * "0x58" is -40 in seven bits.
	 */
	if (!value_fits(value, bits, is_signed, &bytes) &&
	    !(hex && (size == 16 || place->bit_size) && value_fits(value, bits, false, &bytes)))
		return does_not_fit(text, bits, is_signed);
	return place->bit_size ? put_bits(place, bytes, writes)
			       : put_uint(place, bytes, size, writes);
}

/* A number, or an enumerator of any enum. */
static struct kt_error *read_int(const struct place *place, const char *text, struct value_int *ret)
{
	int64_t value;

	switch (value_read_int(text, ret)) {
	case VALUE_OK: return NULL;
	case VALUE_TOO_LARGE:
		return kt_error_new(KT_ERROR_USAGE, "'%.80s' has more than 128 bits", text);
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
	*ret = (struct value_int){value < 0, value < 0 ? -(value_uint)value : (value_uint)value};
	return NULL;
}

/*
 * clang before 16 does not tell whether an enum is signed. Its whole bytes are the same either way;
 * the bits of a bit-field hold a negative enumerator only if it is.
 */
static struct kt_error *put_enum(const struct place *place, const struct btf_type *t,
				 struct value_int *value, const char *text,
				 struct place_writes *writes)
{
	bool is_signed = btf_kflag(t);

	for (uint32_t i = 0; place->bit_size && btf_is_enum(t) && i < btf_vlen(t); i++)
		is_signed |= btf_enum(t)[i].val < 0;
	if (is_signed && !btf_kflag(t) && !value->negative && value->magnitude <= UINT32_MAX &&
	    value->magnitude > INT32_MAX)
		*value = (struct value_int){true, ((value_uint)1 << 32) - value->magnitude};
	return put_int(place, value, text, t->size, is_signed, writes);
}

static struct kt_error *put_bool(const struct place *place, const char *text, unsigned size,
				 struct place_writes *writes)
{
	/* bpftool prints a bit-field as its bits. */
	bool bit = place->bit_size;
	bool yes = !strcmp(text, "true") || !strcmp(text, "1") || (bit && !strcmp(text, "0x1"));
	bool no = !strcmp(text, "false") || !strcmp(text, "0") || (bit && !strcmp(text, "0x0"));

	if (!yes && !no)
		return kt_error_new(KT_ERROR_USAGE, "'%.80s' is neither true nor false", text);
	if (size != 1 && size != 2 && size != 4 && size != 8)
		return kt_error_new(KT_ERROR_UNSUPPORTED, "a bool of %u bytes cannot be set", size);
	return place->bit_size ? put_bits(place, yes, writes) : put_uint(place, yes, size, writes);
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
	if (place->bit_shift && !place->bit_size)
		return kt_error_new(
			KT_ERROR_FORMAT,
			"it begins within a byte, and is no bit-field: its BTF is broken");
	if (place->bit_size && !btf_is_int(t) && !btf_is_any_enum(t))
		return kt_error_new(KT_ERROR_FORMAT,
				    "it is a bit-field of no integer: its BTF is broken");
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
		return err ? err : put_enum(place, t, &value, text, writes);
	case BTF_KIND_FLOAT: return put_float(place, text, t->size, writes);
	case BTF_KIND_ARRAY:
		return kt_error_hint(kt_error_new(KT_ERROR_USAGE, "it is an array"),
				     "name an element: [0], [*] for each; or {1, 2, 3}, or @FILE");
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return kt_error_hint(kt_error_new(KT_ERROR_USAGE, "it is a struct"),
				     "name a member: .NAME");
	case BTF_KIND_PTR:
		return kt_error_hint(
			kt_error_new(KT_ERROR_UNSUPPORTED,
				     "it is a pointer, which has no value before the load: the "
				     "loader or the kernel puts an address there"),
			"what it points at may be a variable that can be set");
	default: return kt_error_new(KT_ERROR_UNSUPPORTED, "nothing of its type can be set");
	}
}
