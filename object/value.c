// SPDX-License-Identifier: LGPL-2.1-or-later
#include <ctype.h>
#include <errno.h>
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
	*ret = (struct value_int){.negative = c < 0, .magnitude = (uint64_t)(c < 0 ? -c : c)};
	return true;
}

enum value_read value_read_int(const char *text, struct value_int *ret)
{
	struct value_int value = {.negative = *text == '-'};
	char *end;

	if (read_quoted_char(text, ret))
		return VALUE_OK;
	text += *text == '-' || *text == '+';
	/* strtoull() takes blanks and a sign of its own. */
	if (!isdigit((unsigned char)*text))
		return VALUE_NO_NUMBER;
	errno = 0;
	value.magnitude = strtoull(text, &end, 0);
	if (*end)
		return VALUE_NO_NUMBER;
	if (errno)
		return VALUE_TOO_LARGE;
	*ret = value;
	return VALUE_OK;
}

bool value_fits(const struct value_int *value, unsigned size, bool is_signed, uint64_t *ret)
{
	unsigned bits = 8 * size - is_signed;
	uint64_t max = bits < 64 ? (UINT64_C(1) << bits) - 1 : UINT64_MAX;

	if (value->negative && value->magnitude)
		max = is_signed ? max + 1 : 0;
	if (value->magnitude > max)
		return false;
	*ret = value->negative ? -value->magnitude : value->magnitude;
	return true;
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
