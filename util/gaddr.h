/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef KT_UTIL_GADDR_H
#define KT_UTIL_GADDR_H

#include <stdint.h>

/* An address in the guest, virtual or physical: a number, never a host pointer. */
typedef uint64_t gaddr_t;

#endif
