/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What disasm.[ch] use of the kernel's own headers. */
#ifndef KT_DISASM_SHIM_KERNEL_H
#define KT_DISASM_SHIM_KERNEL_H

#include <linux/types.h>
#include <stdbool.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;

#define __printf(a, b)	   __attribute__((format(printf, a, b)))
#define ARRAY_SIZE(array)  (sizeof(array) / sizeof((array)[0]))
#define BUILD_BUG_ON(cond) _Static_assert(!(cond), #cond)

#endif
