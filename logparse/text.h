/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Log text: bytes, not necessarily UTF-8, which may hold NULs. Every function of logparse/
 * takes text in this form and gives back slices of what it was given: nothing is copied,
 * and a slice is good for as long as the text that it was cut from.
 */
#ifndef KT_LOGPARSE_TEXT_H
#define KT_LOGPARSE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct kt_text {
	const char *data; /* not NUL-terminated; NULL only where len is 0 */
	size_t len;       /* bytes */
};

/* clang-format off */
#define KT_TEXT(s) ((struct kt_text){(s), sizeof(s) - 1}) /* of a string literal */
/* clang-format on */

static inline bool kt_text_starts_with(struct kt_text text, struct kt_text prefix)
{
	return text.len >= prefix.len &&
	       (!prefix.len || memcmp(text.data, prefix.data, prefix.len) == 0);
}

static inline bool kt_text_equals(struct kt_text a, struct kt_text b)
{
	return a.len == b.len && kt_text_starts_with(a, b);
}

static inline bool kt_text_ends_with(struct kt_text text, struct kt_text suffix)
{
	return text.len >= suffix.len && (!suffix.len || memcmp(text.data + text.len - suffix.len,
								suffix.data, suffix.len) == 0);
}

/* Whether the text has the part in it; part.len > 0. */
bool kt_text_has(struct kt_text text, struct kt_text part);

/* The bytes from `from` to before `to`; from <= to <= text.len. */
static inline struct kt_text kt_text_slice(struct kt_text text, size_t from, size_t to)
{
	return (struct kt_text){from ? text.data + from : text.data, to - from};
}

/* All but the first n bytes; n <= text.len. */
static inline struct kt_text kt_text_from(struct kt_text text, size_t n)
{
	return kt_text_slice(text, n, text.len);
}

/* The first n bytes, or fewer if it has fewer. */
static inline struct kt_text kt_text_head(struct kt_text text, size_t n)
{
	return (struct kt_text){text.data, text.len < n ? text.len : n};
}

/* Takes the first n bytes off; n <= text->len. */
static inline void kt_text_skip(struct kt_text *text, size_t n)
{
	*text = kt_text_from(*text, n); /* an empty text may have no data at all */
}

/* Takes the prefix off, if the text begins with it. */
static inline bool kt_text_take(struct kt_text *text, struct kt_text prefix)
{
	if (!kt_text_starts_with(*text, prefix))
		return false;
	kt_text_skip(text, prefix.len);
	return true;
}

/*
 * Takes the first line off *rest into *ret, without its newline (a carriage return before
 * it stays). False when nothing is left. Text that ends in a newline has no empty line after it.
 */
static inline bool kt_text_next_line(struct kt_text *rest, struct kt_text *ret)
{
	const char *nl;

	if (!rest->len)
		return false;
	nl = memchr(rest->data, '\n', rest->len);
	ret->data = rest->data;
	ret->len = nl ? (size_t)(nl - rest->data) : rest->len;
	rest->data += ret->len + (nl != NULL);
	rest->len -= ret->len + (nl != NULL);
	return true;
}

/* The number of lines in the text. */
static inline size_t kt_text_count_lines(struct kt_text text)
{
	struct kt_text line;
	size_t n = 0;

	while (kt_text_next_line(&text, &line))
		n++;
	return n;
}

#endif
