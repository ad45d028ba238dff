// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/buf.h"

/* Makes room for n more bytes and the NUL behind them. */
static bool buf_reserve(struct kt_buf *buf, size_t n)
{
	size_t cap = buf->cap ? buf->cap : 64;
	char *p;

	if (buf->failed || n >= SIZE_MAX / 4 - buf->len) {
		buf->failed = true;
		return false;
	}
	if (buf->len + n + 1 <= buf->cap)
		return true;
	while (cap < buf->len + n + 1)
		cap *= 2;
	p = realloc(buf->data, cap);
	if (!p) {
		buf->failed = true;
		return false;
	}
	buf->data = p;
	buf->cap = cap;
	return true;
}

void kt_buf_append(struct kt_buf *buf, const void *data, size_t len)
{
	if (!buf_reserve(buf, len))
		return;
	if (len)
		memcpy(buf->data + buf->len, data, len);
	buf->len += len;
	buf->data[buf->len] = '\0';
}

void kt_buf_appends(struct kt_buf *buf, const char *s)
{
	kt_buf_append(buf, s, strlen(s));
}

void kt_buf_appendc(struct kt_buf *buf, char c)
{
	kt_buf_append(buf, &c, 1);
}

void kt_buf_appendz(struct kt_buf *buf, const char *s)
{
	kt_buf_append(buf, s, strlen(s) + 1);
}

void kt_buf_vprintf(struct kt_buf *buf, const char *fmt, va_list ap)
{
	va_list again;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	if (n >= 0 && buf_reserve(buf, (size_t)n)) {
		vsnprintf(buf->data + buf->len, (size_t)n + 1, fmt, again);
		buf->len += (size_t)n;
	}
	va_end(again);
}

void kt_buf_printf(struct kt_buf *buf, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	kt_buf_vprintf(buf, fmt, ap);
	va_end(ap);
}

void kt_buf_append_le(struct kt_buf *buf, uint64_t value, size_t size)
{
	uint8_t bytes[8];

	for (size_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)(value >> (8 * i));
	kt_buf_append(buf, bytes, size);
}

void kt_buf_consume(struct kt_buf *buf, size_t n)
{
	if (n > buf->len)
		n = buf->len;
	if (!n)
		return;
	memmove(buf->data, buf->data + n, buf->len - n + 1);
	buf->len -= n;
}

bool kt_buf_failed(const struct kt_buf *buf)
{
	return buf->failed;
}

char *kt_buf_steal(struct kt_buf *buf)
{
	char *s = NULL;

	if (buf_reserve(buf, 0)) {
		s = buf->data;
		s[buf->len] = '\0';
		*buf = (struct kt_buf)KT_BUF_INIT;
	}
	return s;
}

struct kt_error *kt_buf_finish(struct kt_buf *buf, char **ret)
{
	char *text = kt_buf_steal(buf);

	kt_buf_deinit(buf);
	if (!text)
		return kt_error_no_memory();
	*ret = text;
	return NULL;
}

void kt_buf_deinit(struct kt_buf *buf)
{
	free(buf->data);
	*buf = (struct kt_buf)KT_BUF_INIT;
}
