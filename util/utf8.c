// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdint.h>

#include "util/utf8.h"

/* Returns the length that the first byte announces, and the bits it adds to the code; 0: none. */
static size_t announced(uint8_t first, uint32_t *code)
{
	if (first >= 0xc2 && first <= 0xdf) {
		*code = first & 0x1f;
		return 2;
	}
	if (first >= 0xe0 && first <= 0xef) {
		*code = first & 0x0f;
		return 3;
	}
	if (first >= 0xf0 && first <= 0xf4) {
		*code = first & 0x07;
		return 4;
	}
	*code = first;
	return first < 0x80;
}

size_t kt_utf8_length(const char *text, size_t left)
{
	const uint8_t *p = (const uint8_t *)text;
	uint32_t code;
	size_t len = announced(p[0], &code);

	if (len > left)
		return 0;
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
