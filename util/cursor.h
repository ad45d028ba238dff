/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The one bounds-checked reader for bytes that come from outside.
 *
 * A read past the end sets failed, gives 0 and moves nothing; every later read
 * gives 0 too. So a parser may read a whole structure and check once.
 */
#ifndef KT_UTIL_CURSOR_H
#define KT_UTIL_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct kt_cursor {
	const uint8_t *data;
	size_t len;      /* bytes in data */
	size_t pos;      /* offset of the next read, <= len */
	bool big_endian; /* of the data */
	bool failed;
};

static inline struct kt_cursor kt_cursor(const void *data, size_t len, bool big_endian)
{
	return (struct kt_cursor){.data = data, .len = len, .big_endian = big_endian};
}

/* Returns n bytes at the cursor and moves behind them; NULL: there are fewer. */
static inline const uint8_t *kt_cursor_bytes(struct kt_cursor *c, size_t n)
{
	const uint8_t *p = c->data + c->pos;

	if (c->failed || n > c->len - c->pos) {
		c->failed = true;
		return NULL;
	}
	c->pos += n;
	return p;
}

/* Moves to an absolute offset. */
static inline bool kt_cursor_seek(struct kt_cursor *c, uint64_t pos)
{
	if (c->failed || pos > c->len) {
		c->failed = true;
		return false;
	}
	c->pos = (size_t)pos;
	return true;
}

/* An unsigned number of size 1..8 bytes, in the data's byte order. */
static inline uint64_t kt_load_uint(const void *from, size_t size, bool big_endian)
{
	const uint8_t *p = from;
	uint64_t value = 0;

	for (size_t i = 0; i < size; i++)
		value = value << 8 | p[big_endian ? i : size - 1 - i];
	return value;
}

static inline uint64_t kt_cursor_uint(struct kt_cursor *c, size_t size)
{
	const uint8_t *p = kt_cursor_bytes(c, size);

	return p ? kt_load_uint(p, size, c->big_endian) : 0;
}

static inline uint8_t kt_cursor_u8(struct kt_cursor *c)
{
	return (uint8_t)kt_cursor_uint(c, 1);
}

static inline uint16_t kt_cursor_u16(struct kt_cursor *c)
{
	return (uint16_t)kt_cursor_uint(c, 2);
}

static inline uint32_t kt_cursor_u32(struct kt_cursor *c)
{
	return (uint32_t)kt_cursor_uint(c, 4);
}

static inline uint64_t kt_cursor_u64(struct kt_cursor *c)
{
	return kt_cursor_uint(c, 8);
}

/* Returns the NUL-terminated string at the cursor and moves behind it; NULL: there is no NUL. */
static inline const char *kt_cursor_string(struct kt_cursor *c)
{
	const uint8_t *p = c->data + c->pos;
	const uint8_t *nul = c->failed || c->pos == c->len ? NULL : memchr(p, 0, c->len - c->pos);

	if (!nul) {
		c->failed = true;
		return NULL;
	}
	c->pos += (size_t)(nul - p) + 1;
	return (const char *)p;
}

#endif
