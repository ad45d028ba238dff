/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is attached to the cgroups of a stopped guest (cgroup v2): the tree below cgrp_dfl_root, and
 * of each cgroup its struct cgroup_bpf. Each value is what BPF_PROG_QUERY would answer
 * (__cgroup_bpf_query() in kernel/bpf/cgroup.c). It takes the same two steps as
 * introspect/bpf_prog.h.
 */
#ifndef KT_INTROSPECT_CGROUP_H
#define KT_INTROSPECT_CGROUP_H

#include "memory/guest.h"
#include "model/cgroup.h"

bool bpf_cgroups_wants(struct wants *wants);

/* KT_ERROR_UNSUPPORTED: a kernel without BPF for cgroups. KT_ERROR_NOT_FOUND: the facts lack
 * something. */
struct kt_error *bpf_cgroups_check(const struct kfacts *facts);

struct bpf_cgroups;

/* effective: what runs in each cgroup, its ancestors' programs among it; else what is attached to
 * it. */
struct kt_error *bpf_cgroups_read(struct guest *guest, bool effective, struct bpf_cgroups **ret);
void bpf_cgroups_destroy(struct bpf_cgroups *cgroups);

/* Plain data out of what was read, once; needs no guest. The caller owns *ret. */
struct kt_error *bpf_cgroups_finish(struct bpf_cgroups *cgroups, const struct kfacts *facts,
				    struct cgroups *ret);

#endif
