/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The translated instructions of one program of a stopped guest, as the kernel dumps them for
 * root: bpf_insn_prepare_dump() in kernel/bpf/syscall.c. The main program's instructions include
 * those of its subprograms (jit_subprogs() in kernel/bpf/verifier.c leaves them there for dumps).
 */
#ifndef KT_INTROSPECT_BPF_INSNS_H
#define KT_INTROSPECT_BPF_INSNS_H

#include "memory/guest.h"
#include "model/insns.h"

bool bpf_insns_wants(struct wants *wants);
struct kt_error *bpf_insns_check(const struct kfacts *facts);

struct bpf_insns;

/* KT_ERROR_NOT_FOUND: no program has this ID. */
struct kt_error *bpf_insns_read(struct guest *guest, uint32_t id, struct bpf_insns **ret);
void bpf_insns_destroy(struct bpf_insns *insns);

/* Plain data out of what was read; needs no guest. The caller owns *ret. */
struct kt_error *bpf_insns_finish(const struct bpf_insns *insns, const struct kfacts *facts,
				  struct insns *ret);

#endif
