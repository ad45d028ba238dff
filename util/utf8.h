/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* UTF-8 in text of unknown origin. */
#ifndef KT_UTIL_UTF8_H
#define KT_UTIL_UTF8_H

#include <stddef.h>

/*
 * Returns the length in bytes of the UTF-8 sequence (RFC 3629) that starts at p, or 0 if none
 * does. Reads at most `left` bytes, which must be at least 1. A NUL is a sequence of one byte.
 */
size_t kt_utf8_length(const char *p, size_t left);

#endif
