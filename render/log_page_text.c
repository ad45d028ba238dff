// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render/log_page_text.h"

#include <stdlib.h>

#include "render/text.h"

#define MAX_SHOWN 4096 /* bytes of a line; the kernel prints 1024 at a time */

/* --- each text once --- */

static uint32_t hash_of(struct kt_text text)
{
	uint64_t hash = 0xcbf29ce484222325;

	for (size_t i = 0; i < text.len; i++)
		hash = (hash ^ (unsigned char)text.data[i]) * 0x100000001b3;
	return (uint32_t)(hash ^ hash >> 32);
}

static bool grow(struct log_page_strings *s)
{
	size_t n = s->n_heads ? s->n_heads * 2 : 1024;
	uint32_t *heads = calloc(n, sizeof(*heads));

	if (!heads)
		return false;
	free(s->heads);
	s->heads = heads;
	s->n_heads = n;
	for (size_t i = 0; i < s->all.len; i++) {
		struct log_page_string *string = &s->all.data[i];

		string->next = heads[string->hash & (n - 1)];
		heads[string->hash & (n - 1)] = (uint32_t)i + 1;
	}
	return true;
}

bool log_page_intern(struct log_page_strings *s, struct kt_text text, uint32_t *ret)
{
	struct log_page_string string = {.text = text, .hash = hash_of(text)};

	if (s->all.len >= s->n_heads && !grow(s))
		return false;
	for (uint32_t i = s->heads[string.hash & (s->n_heads - 1)]; i;
	     i = s->all.data[i - 1].next) {
		const struct log_page_string *old = &s->all.data[i - 1];

		if (old->hash != string.hash || !kt_text_equals(old->text, text))
			continue;
		*ret = i - 1;
		return true;
	}
	string.next = s->heads[string.hash & (s->n_heads - 1)];
	if (!kt_vec_push(&s->all, string))
		return false;
	s->heads[string.hash & (s->n_heads - 1)] = (uint32_t)s->all.len;
	*ret = (uint32_t)s->all.len - 1;
	return true;
}

void log_page_strings_deinit(struct log_page_strings *s)
{
	kt_vec_free(&s->all);
	free(s->heads);
}

/* --- as JSON --- */

/*
 * "<" could begin a tag that ends the script, or a comment in it. Characters that turn the
 * direction of writing around (as in render/markup.c) make a text read as another one.
 */
static void append_escaped(struct kt_buf *out, const char *text)
{
	const char *start = text, *p = text;

	for (; *p; p++) {
		const unsigned char *u = (const unsigned char *)p;
		unsigned int code = 0;
		size_t size = 1;

		if (*p == '"' || *p == '\\' || *p == '<' || *p == '\n' || *p == '\t') {
			code = u[0];
		} else if (u[0] == 0xe2 && u[1] && u[2]) {
			code = 0x2000u | (u[1] & 0x3fu) << 6 | (u[2] & 0x3fu);
			size = 3;
			if (!(code >= 0x202a && code <= 0x202e) &&
			    !(code >= 0x2066 && code <= 0x2069) && code != 0x200e && code != 0x200f)
				code = 0;
		}
		if (!code)
			continue;
		kt_buf_append(out, start, (size_t)(p - start));
		kt_buf_printf(out, size == 3 ? "\\\\u%04x" : "\\u%04x", code);
		p += size - 1;
		start = p + 1;
	}
	kt_buf_append(out, start, (size_t)(p - start));
}

static void append(struct kt_buf *out, struct kt_text text)
{
	struct kt_buf clean = KT_BUF_INIT;

	render_append_visible_bytes(&clean, text.data, text.len, true);
	kt_buf_appendc(out, '"');
	if (clean.data)
		append_escaped(out, clean.data);
	out->failed |= clean.failed;
	kt_buf_deinit(&clean);
}

void log_page_append_lines(struct kt_buf *out, struct kt_text text)
{
	append(out, text);
	kt_buf_appendc(out, '"');
}

void log_page_append_string(struct kt_buf *out, struct kt_text text)
{
	size_t left = text.len > MAX_SHOWN ? text.len - MAX_SHOWN : 0;

	text.len -= left;
	append(out, text);
	if (left)
		kt_buf_printf(out, " … (%zu bytes more)", left);
	kt_buf_appendc(out, '"');
}
