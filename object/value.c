// SPDX-License-Identifier: LGPL-2.1-or-later
#include <ctype.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "object/value.h"

/* One character of a C literal at *text, which then points behind it. False: a wrong escape. */
static bool read_char(const char **text, char *ret)
{
	static const char names[] = "abfnrtv0\\'\"?", codes[] = "\a\b\f\n\r\t\v\0\\'\"?";
	const char *s = *text, *name;
	char *end;

	*ret = *s;
	*text = s + 1;
	if (*s != '\\')
		return *s;
	if (s[1] == 'x' && isxdigit((unsigned char)s[2])) {
		char digits[3] = {s[2], isxdigit((unsigned char)s[3]) ? s[3] : '\0', '\0'};

		*ret = (char)strtoul(digits, &end, 16);
		*text = s + 2 + strlen(digits);
		return true;
	}
	name = s[1] ? strchr(names, s[1]) : NULL;
	if (!name)
		return false;
	*ret = codes[name - names];
	*text = s + 2;
	return true;
}

static bool read_quoted_char(const char *text, struct value_int *ret)
{
	char c;

	if (*text++ != '\'' || *text == '\'' || !read_char(&text, &c) || strcmp(text, "'") != 0)
		return false;
	*ret = (struct value_int){.negative = c < 0, .magnitude = (value_uint)(c < 0 ? -c : c)};
	return true;
}

/* Digits up to the end of text. */
static enum value_read read_digits(const char *text, unsigned base, value_uint *ret)
{
	value_uint value = 0;

	if (!*text)
		return VALUE_NO_NUMBER;
	for (; *text; text++) {
		static const char digits[] = "0123456789abcdef";
		const char *at = strchr(digits, tolower((unsigned char)*text));
		unsigned digit = at ? (unsigned)(at - digits) : base;

		if (digit >= base)
			return VALUE_NO_NUMBER;
		if (value > (value_max(128, false) - digit) / base)
			return VALUE_TOO_LARGE;
		value = value * base + digit;
	}
	*ret = value;
	return VALUE_OK;
}

enum value_read value_read_int(const char *text, struct value_int *ret)
{
	struct value_int value = {.negative = *text == '-'};
	enum value_read read;

	if (read_quoted_char(text, ret))
		return VALUE_OK;
	text += *text == '-' || *text == '+';
	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
		read = read_digits(text + 2, 16, &value.magnitude);
	else
		read = read_digits(text, text[0] == '0' ? 8 : 10, &value.magnitude);
	if (read == VALUE_OK)
		*ret = value;
	return read;
}

value_uint value_max(unsigned bits, bool is_signed)
{
	return ~(value_uint)0 >> (128 - bits) >> is_signed;
}

bool value_fits(const struct value_int *value, unsigned bits, bool is_signed, value_uint *ret)
{
	value_uint max = value_max(bits, is_signed);

	if (value->negative && value->magnitude)
		max = is_signed ? max + 1 : 0;
	if (value->magnitude > max)
		return false;
	*ret = (value->negative ? -value->magnitude : value->magnitude) & value_max(bits, false);
	return true;
}

void value_print(value_uint value, struct kt_buf *out)
{
	char digits[40], *at = digits + sizeof(digits); /* 2^128 has 39 */

	*--at = '\0';
	do {
		*--at = (char)('0' + (int)(value % 10));
		value /= 10;
	} while (value);
	kt_buf_appends(out, at);
}

bool value_unquote(const char *text, struct kt_buf *out)
{
	char c;

	if (*text++ != '"')
		return false;
	while (*text && *text != '"') {
		if (!read_char(&text, &c))
			return false;
		kt_buf_appendc(out, c);
	}
	return !strcmp(text, "\"");
}
