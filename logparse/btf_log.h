/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The log of a BTF that the kernel refuses (kernel/bpf/btf.c): its header, its types up to the one
 * that is wrong, and the reason behind that. Not a public header.
 *
 *	magic: 0xeb9f
 *	version: 1
 *	...
 *	[10] FUNC_PROTO (anon) return=3 args=(3 arg)
 *	[11] FUNC helper_func2 type_id=10 vlen != 0
 *
 *	[52] STRUCT task_struct size=7744 vlen=218
 *		cpus_mask type_id=109 bitfield_size=0 bits_offset=7744 Invalid member
 */
#ifndef KT_LOGPARSE_BTF_LOG_H
#define KT_LOGPARSE_BTF_LOG_H

#include "logparse/text.h"

/* Does such a log begin here, or the rest of one, with a type? */
bool log_is_btf(struct kt_text text);

/* How much of a text that begins with such a log belongs to it, in bytes: its first line at least.
 */
size_t log_btf_len(struct kt_text text);

/* The line that says what is wrong; empty: the log ends before it. */
struct kt_text log_btf_error(struct kt_text log);

#endif
