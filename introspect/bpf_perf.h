/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The descriptors of a stopped guest's processes at which a BPF program runs: of perf events, and
 * of links to raw tracepoints. It is what BPF_TASK_FD_QUERY answers of each
 * (bpf_task_fd_query() in kernel/bpf/syscall.c), and events with a program of the type perf_event,
 * which the kernel tells of none.
 */
#ifndef KT_INTROSPECT_BPF_PERF_H
#define KT_INTROSPECT_BPF_PERF_H

#include "introspect/open_files.h"
#include "memory/guest.h"
#include "model/attached.h"

/* False: no memory. */
bool bpf_perf_wants(struct wants *wants);

/* KT_ERROR_NOT_FOUND: the facts lack something. KT_ERROR_UNSUPPORTED: events have no programs. */
struct kt_error *bpf_perf_check(const struct kfacts *facts);

struct bpf_perf;

/* A fixed number of round trips, however many descriptors there are. */
struct kt_error *bpf_perf_read(struct guest *guest, struct bpf_perf **ret);
/* The same where somebody else reads open files, too: says which it wants, and goes on when they
 * are read. */
struct kt_error *bpf_perf_begin(struct bpf_perf **ret, struct open_files_want *want_ret);
struct kt_error *bpf_perf_follow(struct bpf_perf *perf, struct guest *guest);
void bpf_perf_destroy(struct bpf_perf *perf);

/* Plain data out of what was read, once; needs no guest. The caller owns *ret. */
struct kt_error *bpf_perf_finish(struct bpf_perf *perf, const struct kfacts *facts,
				 struct perf_progs *ret);

#endif
