// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdint.h>
#include <string.h>
#include <wchar.h>

#include "render/text.h"
#include "util/utf8.h"

size_t render_utf8_length(const char *text)
{
	/* The NUL at the end continues no sequence, so nothing behind it is read. */
	return kt_utf8_length(text, 4);
}

/* Whether a terminal just shows the character at p, of len bytes. */
static bool is_harmless(const uint8_t *p, size_t len, bool lines)
{
	if (len == 1)
		return (p[0] >= ' ' && p[0] != 0x7f) || (lines && (p[0] == '\n' || p[0] == '\t'));
	return len && !(p[0] == 0xc2 && p[1] < 0xa0);
}

/* How many bytes from p on are printable ASCII. Looks at eight at a time, for speed. */
static size_t printable(const uint8_t *p, size_t left)
{
	const uint64_t ones = UINT64_C(0x0101010101010101), high = ones << 7;
	size_t n = 0;

	for (; left - n >= 8; n += 8) {
		uint64_t w, control, del;

		memcpy(&w, p + n, 8);
		control = (w - ones * 0x20) & ~w; /* the high bit of a byte below 0x20 */
		del = w ^ ones * 0x7f;
		del = (del - ones) & ~del; /* likewise, of one that is 0x7f */
		if ((w | control | del) & high)
			break;
	}
	while (n < left && p[n] >= ' ' && p[n] < 0x7f)
		n++;
	return n;
}

void render_append_visible_bytes(struct kt_buf *buf, const char *data, size_t len, bool lines)
{
	const uint8_t *text = (const uint8_t *)data;
	size_t pos = 0;

	while (pos < len) {
		size_t start = pos, n;

		for (;;) {
			pos += printable(text + pos, len - pos);
			n = pos < len ? kt_utf8_length(data + pos, len - pos) : 0;
			if (!n || !is_harmless(text + pos, n, lines))
				break;
			pos += n;
		}
		kt_buf_append(buf, text + start, pos - start);
		/* Byte by byte: what is left of a C1 control is no UTF-8 either. */
		if (pos < len)
			kt_buf_printf(buf, "\\x%02x", text[pos++]);
	}
}

void render_append_visible(struct kt_buf *buf, const char *text, bool lines)
{
	render_append_visible_bytes(buf, text, strlen(text), lines);
}

/* The next character of a line of len > 0 bytes: its bytes, and the columns that it needs. */
static size_t next_character(const char *line, size_t len, mbstate_t *state, size_t *width_ret)
{
	wchar_t c;
	size_t n = mbrtowc(&c, line, len, state);
	int width;

	*width_ret = 1;
	if (!n || n > len) {
		*state = (mbstate_t){0};
		return 1;
	}
	width = wcwidth(c);
	*width_ret = width > 0 ? (size_t)width : 0;
	return n;
}

size_t render_text_width(const char *line, size_t len)
{
	mbstate_t state = {0};
	size_t sum = 0, width, n;

	for (; len; line += n, len -= n) {
		n = next_character(line, len, &state, &width);
		sum += width;
	}
	return sum;
}

void render_append_fitting(struct kt_buf *buf, const char *line, size_t width)
{
	size_t len = strlen(line), kept = 0, taken = 0, n, more;
	size_t dots = width < 2 ? width : 2;
	mbstate_t state = {0};

	if (render_text_width(line, len) <= width) {
		kt_buf_append(buf, line, len);
		return;
	}
	for (; kept < len; kept += n, taken += more) {
		n = next_character(line + kept, len - kept, &state, &more);
		if (taken + more > width - dots)
			break;
	}
	kt_buf_append(buf, line, kept);
	kt_buf_append(buf, "..", dots);
}

void render_append_wrapped(struct kt_buf *buf, const char *line, size_t width, const char *indent)
{
	size_t used = 0;

	for (bool first = true; *line; first = false) {
		size_t blanks = strspn(line, " "), len = blanks + strcspn(line + blanks, " ");
		size_t wide = render_text_width(line, len);

		if (!first && used + wide > width) {
			kt_buf_printf(buf, "\n%s", indent);
			used = strlen(indent);
			wide -= blanks;
			line += blanks;
			len -= blanks;
		}
		kt_buf_append(buf, line, len);
		used += wide;
		line += len;
	}
}

void render_append_csv(struct kt_buf *buf, const char *field)
{
	if (!strpbrk(field, ",\"\r\n")) {
		kt_buf_appends(buf, field);
		return;
	}
	kt_buf_appendc(buf, '"');
	for (; *field; field++) {
		if (*field == '"')
			kt_buf_appendc(buf, '"');
		kt_buf_appendc(buf, *field);
	}
	kt_buf_appendc(buf, '"');
}
