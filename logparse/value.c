// SPDX-License-Identifier: LGPL-2.1-or-later
#include "logparse/value.h"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int digit_of(char c)
{
	if (is_digit(c))
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "7", "-300", "0x3f", "18446744073709551615", "0xffffffff80000000": modulo 2^64. */
static bool take_number(struct kt_text *text, uint64_t *ret)
{
	struct kt_text rest = *text;
	bool minus = kt_text_take(&rest, KT_TEXT("-"));
	int base = kt_text_take(&rest, KT_TEXT("0x")) ? 16 : 10;
	const char *start = rest.data;
	uint64_t n = 0;

	while (rest.len && digit_of(rest.data[0]) >= 0 && digit_of(rest.data[0]) < base) {
		n = n * (uint64_t)base + (uint64_t)digit_of(rest.data[0]);
		kt_text_skip(&rest, 1);
	}
	if (rest.data == start)
		return false;
	*ret = minus ? -n : n;
	*text = rest;
	return true;
}

struct kt_text kt_value_type(struct kt_text value)
{
	const char *paren = value.len ? memchr(value.data, '(', value.len) : NULL;

	if (paren)
		value.len = (size_t)(paren - value.data);
	return value;
}

bool kt_value_is_const(struct kt_text value, int64_t *ret)
{
	uint64_t n;

	kt_text_take(&value, KT_TEXT("inv"));
	kt_text_take(&value, KT_TEXT("imm"));
	kt_text_take(&value, KT_TEXT("P"));
	if (!take_number(&value, &n) || value.len)
		return false;
	*ret = (int64_t)n;
	return true;
}

/* What the bytes of a slot are: "mmmm????", "0000mmmm", "rrrrrrrr". */
static bool is_bytes(struct kt_text value)
{
	for (size_t i = 0; i < value.len; i++)
		if (!memchr("?m0rdif", value.data[i], 7))
			return false;
	return value.len == 8;
}

enum kt_value_rank kt_value_rank(struct kt_text value)
{
	struct kt_text type = kt_value_type(value);
	int64_t n;

	if (!value.len)
		return KT_VALUE_NONE;
	if (kt_text_take(&type, KT_TEXT("P")) && !type.len)
		return KT_VALUE_SCALAR;
	if (kt_text_equals(type, KT_TEXT("scalar")) || kt_text_equals(type, KT_TEXT("inv")) ||
	    kt_text_equals(type, KT_TEXT("invP")) || kt_text_equals(type, KT_TEXT("imm")) ||
	    kt_text_equals(type, KT_TEXT("unknown")) || is_bytes(type) ||
	    kt_value_is_const(value, &n))
		return KT_VALUE_SCALAR;
	if (memmem(type.data, type.len, "untrusted_", 10))
		return KT_VALUE_UNTRUSTED;
	return KT_VALUE_POINTER;
}

/*
 * Finds a bound by one of its names. A bound that several have in common stands once:
 *	scalar(smin=smin32=0,smax=umax=smax32=umax32=16383,var_off=(0x0; 0x3fff))	6.8
 *	inv(id=0,umax_value=16383,var_off=(0x0; 0x3fff))				5.10
 */
static bool find_bound(struct kt_text value, struct kt_text name, uint64_t *ret)
{
	const char *paren = value.len ? memchr(value.data, '(', value.len) : NULL;
	bool found = false;

	if (!paren)
		return false;
	kt_text_skip(&value, (size_t)(paren - value.data) + 1);
	while (value.len) {
		struct kt_text word = {value.data, 0};

		while (word.len < value.len && !memchr("=,)", value.data[word.len], 3))
			word.len++;
		kt_text_skip(&value, word.len);
		if (kt_text_starts_with(word, name) &&
		    (word.len == name.len ||
		     (word.len == name.len + 6 && !memcmp(word.data + name.len, "_value", 6))))
			found = true;
		if (found && kt_text_take(&value, KT_TEXT("="))) {
			if (take_number(&value, ret))
				return true;
			continue;
		}
		found = false;
		if (value.len)
			kt_text_skip(&value, 1);
	}
	return false;
}

bool kt_value_max(struct kt_text value, uint64_t *ret)
{
	int64_t n;

	if (kt_value_is_const(value, &n)) {
		*ret = (uint64_t)n;
		return true;
	}
	return find_bound(value, KT_TEXT("umax"), ret);
}

bool kt_value_min(struct kt_text value, int64_t *ret)
{
	uint64_t n;

	if (kt_value_is_const(value, ret))
		return true;
	if (!find_bound(value, KT_TEXT("smin"), &n) && !find_bound(value, KT_TEXT("umin"), &n)) {
		/* What is at most a positive number, and unsigned, is not below 0. */
		if (!find_bound(value, KT_TEXT("umax"), &n) || n > INT64_MAX)
			return false;
		n = 0;
	}
	*ret = (int64_t)n;
	return true;
}

uint32_t kt_value_ref(struct kt_text value)
{
	uint64_t n;

	return find_bound(value, KT_TEXT("ref_obj_id"), &n) && n < UINT32_MAX ? (uint32_t)n : 0;
}

uint32_t kt_value_id(struct kt_text value)
{
	uint64_t n;

	return find_bound(value, KT_TEXT("id"), &n) && n < UINT32_MAX ? (uint32_t)n : 0;
}
