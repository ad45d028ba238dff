/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Internal to the tool; not a public header. */
#ifndef KT_UTIL_HEAP_H
#define KT_UTIL_HEAP_H

#include <stddef.h>

/*
 * Gets that many bytes from the kernel, page by page, and keeps them for malloc(3). A walk takes
 * megabytes and gives them back after each step. Without this, each step waits for new pages while
 * the guest stands still. Does nothing where the C library is not glibc. No memory is no error.
 */
void kt_heap_warm(size_t bytes);

#endif
