/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The trampolines of a stopped guest: what fentry, fexit, fmod_ret, LSM and freplace programs are
 * attached to, by the kernel's own table of them (kernel/bpf/trampoline.c: trampoline_table,
 * trampoline_key_table since 7.0), whatever the IDRs list.
 */
#ifndef KT_INTROSPECT_BPF_TRAMPOLINE_H
#define KT_INTROSPECT_BPF_TRAMPOLINE_H

#include "memory/guest.h"
#include "model/attached.h"

/* False: no memory. */
bool bpf_trampolines_wants(struct wants *wants);

/* KT_ERROR_NOT_FOUND: the facts lack something. KT_ERROR_UNSUPPORTED: a kernel without BPF. */
struct kt_error *bpf_trampolines_check(const struct kfacts *facts);

struct bpf_trampolines;

/* Reads them all: the round trips are the length of the longest chain, not the number of programs.
 */
struct kt_error *bpf_trampolines_read(struct guest *guest, struct bpf_trampolines **ret);
void bpf_trampolines_destroy(struct bpf_trampolines *trampolines);

/* Plain data out of what was read, a row for each program. The caller owns *ret. */
struct kt_error *bpf_trampolines_finish(struct bpf_trampolines *trampolines,
					const struct kfacts *facts, struct trampolines *ret);

#endif
