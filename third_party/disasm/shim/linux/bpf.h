/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The system's header, and what the oldest one that this builds with (Linux 6.1) lacks. */
#ifndef KT_DISASM_SHIM_BPF_H
#define KT_DISASM_SHIM_BPF_H

#include_next <linux/bpf.h>

#include <linux/kernel.h>

#ifndef BPF_MEMSX
#define BPF_MEMSX 0x80 /* 6.6 */
#endif
#ifndef BPF_JCOND
#define BPF_JCOND 0xe0 /* 6.10 */
#endif
#ifndef BPF_LOAD_ACQ
#define BPF_LOAD_ACQ 0x100 /* 6.15 */
#endif
#ifndef BPF_STORE_REL
#define BPF_STORE_REL 0x110 /* 6.15 */
#endif

/* Enumerators since 6.10, which the preprocessor does not see: same names, same values. */
#define BPF_MAY_GOTO	    0
#define BPF_ADDR_SPACE_CAST 1

#endif
