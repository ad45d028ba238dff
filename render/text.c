// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdint.h>

#include "render/text.h"

size_t render_utf8_length(const char *text)
{
	const uint8_t *p = (const uint8_t *)text;
	uint32_t code;
	size_t len;

	if (p[0] < 0x80)
		return 1;
	if (p[0] >= 0xc2 && p[0] <= 0xdf) {
		len = 2;
		code = p[0] & 0x1f;
	} else if (p[0] >= 0xe0 && p[0] <= 0xef) {
		len = 3;
		code = p[0] & 0x0f;
	} else if (p[0] >= 0xf0 && p[0] <= 0xf4) {
		len = 4;
		code = p[0] & 0x07;
	} else {
		return 0;
	}
	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (p[i] & 0x3f);
	}
	if ((len == 3 && code < 0x800) || (len == 4 && code < 0x10000) || code > 0x10ffff ||
	    (code >= 0xd800 && code <= 0xdfff))
		return 0;
	return len;
}

/* May the character at p, of len bytes, go to a terminal as it is? */
static bool is_harmless(const char *p, size_t len, bool lines)
{
	uint8_t c = (uint8_t)p[0];

	if (len == 1)
		return (c >= ' ' && c != 0x7f) || (lines && (c == '\n' || c == '\t'));
	return len && !(c == 0xc2 && (uint8_t)p[1] < 0xa0);
}

void render_append_visible(struct kt_buf *buf, const char *text, bool lines)
{
	for (const char *p = text; *p;) {
		size_t len = render_utf8_length(p);

		if (is_harmless(p, len, lines)) {
			kt_buf_append(buf, p, len);
			p += len;
		} else {
			/* Byte by byte: what is left of a C1 control is no UTF-8 either. */
			kt_buf_printf(buf, "\\x%02x", (uint8_t)*p++);
		}
	}
}
