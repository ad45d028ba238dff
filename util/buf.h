/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A growing byte buffer. Appending remembers a failed allocation, so that a
 * caller may append many times and check once with kt_buf_failed().
 */
#ifndef KT_UTIL_BUF_H
#define KT_UTIL_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/error.h"

struct kt_buf {
	char *data; /* NUL-terminated when not NULL; may hold NULs itself */
	size_t len; /* bytes, without that NUL */
	size_t cap;
	bool failed;
};

/* clang-format off */
#define KT_BUF_INIT {0}
/* clang-format on */

void kt_buf_append(struct kt_buf *buf, const void *data, size_t len);
void kt_buf_appends(struct kt_buf *buf, const char *s);
void kt_buf_appendc(struct kt_buf *buf, char c);
/* With its NUL, as kt_cursor_string() reads it back. */
void kt_buf_appendz(struct kt_buf *buf, const char *s);
void kt_buf_printf(struct kt_buf *buf, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void kt_buf_vprintf(struct kt_buf *buf, const char *fmt, va_list ap)
	__attribute__((format(printf, 2, 0)));

/* Appends the low `size` bytes (at most 8) of a number, little-endian. */
void kt_buf_append_le(struct kt_buf *buf, uint64_t value, size_t size);

/* Removes the first n bytes (at most len). */
void kt_buf_consume(struct kt_buf *buf, size_t n);

/* True when any append since init ran out of memory; the content is then short. */
bool kt_buf_failed(const struct kt_buf *buf);

/* The string, which the caller frees; NULL without memory. buf is empty afterwards. */
char *kt_buf_steal(struct kt_buf *buf);

/*
 * kt_buf_steal() for the last line of a function that makes text: the string in *ret, or
 * KT_ERROR_NO_MEMORY. buf is empty afterwards, either way.
 */
struct kt_error *kt_buf_finish(struct kt_buf *buf, char **ret);

void kt_buf_deinit(struct kt_buf *buf);

#endif
