/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The machine code of one program of a stopped guest, and of its subprograms, as
 * BPF_OBJ_GET_INFO_BY_FD gives it to root: bpf_prog_get_info_by_fd() in kernel/bpf/syscall.c.
 */
#ifndef KT_INTROSPECT_BPF_JITED_H
#define KT_INTROSPECT_BPF_JITED_H

#include "memory/guest.h"
#include "model/jited.h"

bool bpf_jited_wants(struct wants *wants);
struct kt_error *bpf_jited_check(const struct kfacts *facts);

/*
 * insns of the functions stay empty. The caller owns *ret. KT_ERROR_NOT_FOUND: no program has this
 * ID, or the guest's kernel interprets it. KT_ERROR_FAULT, FORMAT: what is there makes no sense.
 */
struct kt_error *bpf_jited_read(struct guest *guest, uint32_t id, struct jited *ret);

/*
 * The name of what machine code calls at a run-time address, the caller's: a helper, a kfunc. *ret
 * is untouched if nothing known is there.
 */
struct kt_error *bpf_jited_callee(const struct kfacts *facts, int64_t kaslr_offset, gaddr_t addr,
				  char **ret);

#endif
