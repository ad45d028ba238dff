// SPDX-License-Identifier: LGPL-2.1-or-later
/* How bytes are escaped in the wrappings of a text. */
#include <ctype.h>

#include "logparse/unwrap_layer.h"

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 32);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Takes up to `max` hexadecimal digits at *p; false: there is none. */
static bool take_hex(const char **p, const char *end, int max, uint32_t *ret)
{
	const char *q = *p;
	uint32_t value = 0;

	for (; q < end && q - *p < max && hex_value(*q) >= 0; q++)
		value = value << 4 | (uint32_t)hex_value(*q);
	if (q == *p)
		return false;
	*p = q;
	*ret = value;
	return true;
}

static size_t put_utf8(uint32_t c, char *out)
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | (c >> 18 & 7));
	out[1] = (char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

/* Behind "\u": "003e", of Rust "{3e}". A newline inside a line would be a line that is none. */
static const char *decode_unicode(const char *p, const char *end, char *out, size_t *n)
{
	bool brace = p < end && *p == '{';
	const char *q = p + brace;
	uint32_t c;

	if (!take_hex(&q, end, brace ? 6 : 4, &c) || (brace && (q == end || *q != '}')) || !c ||
	    c == '\n')
		return NULL;
	*n = put_utf8(c, out);
	return q + brace;
}

static const char *decode_escape(const char *p, const char *end, char *out, size_t *n)
{
	static const char from[] = "ntr\"\\/'abfve0", to[] = "\n\t\r\"\\/'\a\b\f\v\033 ";
	const char *q = p + 2, *known;
	uint32_t c;

	*n = 1;
	*out = *p;
	if (*p != '\\' || p + 1 == end)
		return p + 1;
	if (p[1] == 'u' || p[1] == 'U') {
		q = decode_unicode(q, end, out, n);
		return q ? q : p + 1;
	}
	if (p[1] == 'x') {
		if (!take_hex(&q, end, 2, &c) || !c || c == '\n')
			return p + 1;
		*out = (char)c;
		return q;
	}
	known = strchr(from, p[1]);
	if (!known || !p[1])
		return p + 1;
	*out = to[known - from];
	return q;
}

/* "#012" */
static const char *decode_octal(const char *p, const char *end, char *out, size_t *n)
{
	*n = 1;
	*out = *p;
	if (*p != '#' || end - p < 4 || p[1] != '0' || p[2] < '0' || p[2] > '3' || p[3] < '0' ||
	    p[3] > '7' || (p[2] == '0' && p[3] == '0'))
		return p + 1;
	*out = (char)((p[2] - '0') * 8 + (p[3] - '0'));
	return p + 4;
}

/* "=3D", and "=" before a newline, which is no newline then. */
static const char *decode_quoted_printable(const char *p, const char *end, char *out, size_t *n)
{
	const char *q = p + 1;
	uint32_t c;

	*n = 1;
	*out = *p;
	if (*p != '=')
		return q;
	if (q < end && *q == '\r')
		q++;
	if (q < end && *q == '\n') {
		*n = 0;
		return q + 1;
	}
	q = p + 1;
	if (end - q < 2 || !take_hex(&q, end, 2, &c) || q != p + 3 || !c || c == '\n')
		return p + 1;
	*out = (char)c;
	return q;
}

/* "\033[1;31m", "\033[K" */
static const char *decode_color(const char *p, const char *end, char *out, size_t *n)
{
	const char *q = p + 1;

	*n = 1;
	*out = *p;
	if (*p != '\033' || q == end || *q != '[')
		return q;
	for (q++; q < end && ((*q >= '0' && *q <= '9') || *q == ';' || *q == '?'); q++)
		;
	if (q == end || !isalpha((unsigned char)*q))
		return p + 1;
	*n = 0;
	return q + 1;
}

const char *wrap_decode(enum wrap_code code, const char *p, const char *end, char *out, size_t *n)
{
	switch (code) {
	case WRAP_ESCAPED: return decode_escape(p, end, out, n);
	case WRAP_OCTAL: return decode_octal(p, end, out, n);
	case WRAP_QUOTED_PRINTABLE: return decode_quoted_printable(p, end, out, n);
	case WRAP_COLORED: return decode_color(p, end, out, n);
	case WRAP_PLAIN:
	case WRAP_VERBATIM: break;
	}
	*n = 1;
	*out = *p;
	return p + 1;
}

char wrap_special(enum wrap_code code)
{
	switch (code) {
	case WRAP_ESCAPED: return '\\';
	case WRAP_OCTAL: return '#';
	case WRAP_QUOTED_PRINTABLE: return '=';
	default: return '\033';
	}
}

const struct wrap_line *wrap_line_at(const struct wrap_layer *layer, uint64_t inner)
{
	size_t lo = 0, hi = layer->lines.len;

	while (hi - lo > 1) {
		size_t mid = lo + (hi - lo) / 2;

		if (layer->lines.data[mid].inner <= inner)
			lo = mid;
		else
			hi = mid;
	}
	return &layer->lines.data[lo];
}

struct kt_text wrap_line_outer(const struct wrap_layer *layer, const struct wrap_line *line)
{
	const struct wrap_line *end = layer->lines.data + layer->lines.len;
	uint64_t to = line + 1 < end ? line[1].outer : layer->outer.len;

	return (struct kt_text){layer->outer.data + line->outer, to - line->outer};
}
