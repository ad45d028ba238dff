/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The struct_ops of a stopped guest: maps of that type, which of the kernel's structs each is for,
 * its state, and the program behind each of its members (struct bpf_struct_ops_map in
 * kernel/bpf/bpf_struct_ops.c).
 */
#ifndef KT_INTROSPECT_BPF_STRUCT_OPS_H
#define KT_INTROSPECT_BPF_STRUCT_OPS_H

#include "memory/guest.h"
#include "model/attached.h"

/* False: no memory. */
bool bpf_struct_ops_wants(struct wants *wants);

/* KT_ERROR_UNSUPPORTED: a kernel without BPF. KT_ERROR_NOT_FOUND: the facts lack something. */
struct kt_error *bpf_struct_ops_check(const struct kfacts *facts);

/*
 * Reads them all, by ID, in a fixed number of batches. A kernel without struct_ops (before 5.6) has
 * none. Names of programs and members are left for struct_ops_name(). The caller owns *ret.
 */
struct kt_error *bpf_struct_ops_read(struct guest *guest, struct struct_ops_list *ret);

#endif
