/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The one growing array.
 *
 *	struct names { KT_VEC(char *) v; } n = {0};
 *	if (!kt_vec_push(&n.v, name)) return kt_error_no_memory();
 *	kt_vec_free(&n.v);
 *
 * data is NULL while empty; len counts elements. Pointers into data are good
 * until the next push or reserve.
 */
#ifndef KT_UTIL_VEC_H
#define KT_UTIL_VEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#define KT_VEC(type)                                                                               \
	struct {                                                                                   \
		type *data;                                                                        \
		size_t len, cap;                                                                   \
	}

/* Grows *data to hold at least want elements of size bytes. False: no memory, nothing changed. */
static inline bool kt_vec_grow_(void **data, size_t *cap, size_t want, size_t size)
{
	size_t n = *cap ? *cap : 8;
	void *p;

	if (want <= *cap)
		return true;
	while (n < want) {
		if (n > SIZE_MAX / 2 / size)
			return false;
		n *= 2;
	}
	p = realloc(*data, n * size);
	if (!p)
		return false;
	*data = p;
	*cap = n;
	return true;
}

#define kt_vec_reserve(v, n)                                                                       \
	({                                                                                         \
		void *data_ = (v)->data;                                                           \
		bool ok_ = kt_vec_grow_(&data_, &(v)->cap, (n), sizeof(*(v)->data));               \
		(v)->data = data_;                                                                 \
		ok_;                                                                               \
	})

#define kt_vec_push(v, ...)                                                                        \
	(kt_vec_reserve((v), (v)->len + 1) ? ((v)->data[(v)->len++] = (__VA_ARGS__), true) : false)

#define kt_vec_free(v)                                                                             \
	do {                                                                                       \
		free((v)->data);                                                                   \
		(v)->data = NULL;                                                                  \
		(v)->len = (v)->cap = 0;                                                           \
	} while (0)

#define kt_vec_for_each(v, it)                                                                     \
	for (__typeof__((v)->data + 0) it = (v)->data; it && it < (v)->data + (v)->len; it++)

#endif
