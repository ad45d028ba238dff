// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render/markup.h"
#include "render/text.h"

/*
 * U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069 make a name read as another one; U+FFFE and
 * U+FFFF are in no XML document. All are three bytes long. Gives the code, or 0 for any other.
 */
static unsigned int refused(const char *p)
{
	const unsigned char *u = (const unsigned char *)p;
	unsigned int code;

	if (u[0] != 0xe2 && u[0] != 0xef)
		return 0;
	code = (u[0] & 0x0fu) << 12 | (u[1] & 0x3fu) << 6 | (u[2] & 0x3fu);
	if ((code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069) ||
	    code == 0x200e || code == 0x200f || code == 0xfffe || code == 0xffff)
		return code;
	return 0;
}

static const char *entity(char c)
{
	switch (c) {
	case '&': return "&amp;";
	case '<': return "&lt;";
	case '>': return "&gt;";
	case '"': return "&quot;";
	case '\'': return "&#39;";
	default: return NULL;
	}
}

/* clean is valid UTF-8: render_append_visible() made it. */
static void append_escaped(struct kt_buf *out, const char *clean)
{
	const char *start = clean, *p = clean;

	for (; *p; p++) {
		const char *name = entity(*p);
		unsigned int code = name ? 0 : refused(p);

		if (!name && !code)
			continue;
		kt_buf_append(out, start, (size_t)(p - start));
		if (name)
			kt_buf_appends(out, name);
		else
			kt_buf_printf(out, "\\u%04x", code);
		p += name ? 0 : 2;
		start = p + 1;
	}
	kt_buf_append(out, start, (size_t)(p - start));
}

void render_append_markup_slice(struct kt_buf *out, struct kt_text text, bool lines)
{
	struct kt_buf clean = KT_BUF_INIT;

	render_append_visible_bytes(&clean, text.data, text.len, lines);
	if (clean.data)
		append_escaped(out, clean.data);
	out->failed |= clean.failed;
	kt_buf_deinit(&clean);
}

void render_append_markup(struct kt_buf *out, const char *text, bool lines)
{
	render_append_markup_slice(out, (struct kt_text){text, strlen(text)}, lines);
}
