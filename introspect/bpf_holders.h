/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who holds the BPF objects of a stopped guest. Processes: what bpftool's iterator over the open
 * files of all tasks finds (skeleton/pid_iter.bpf.c), the files of bpf_prog_fops and its kin. Files
 * in bpffs: all that is below the roots of its superblocks, by the paths that the initial mount
 * namespace has for it.
 */
#ifndef KT_INTROSPECT_BPF_HOLDERS_H
#define KT_INTROSPECT_BPF_HOLDERS_H

#include "introspect/bpf_perf.h"
#include "memory/guest.h"
#include "model/holders.h"

bool bpf_holders_wants(struct wants *wants);

/* KT_ERROR_NOT_FOUND: nothing tells where the guest's processes are. */
struct kt_error *bpf_holders_check(const struct kfacts *facts);

/*
 * All of it; processes and bpffs at once: a fixed number of round trips, or a few for each
 * directory of bpffs that is deep or large. The caller owns *ret.
 */
struct kt_error *bpf_holders_read(struct guest *guest, struct holdings *ret);

/* The same, and programs at perf events, for which open files are walked, too: once for both. The
 * caller owns *perf_ret after an error, too, if it is not NULL. */
struct kt_error *bpf_holders_read_with_perf(struct guest *guest, struct holdings *ret,
					    struct bpf_perf **perf_ret);

#endif
