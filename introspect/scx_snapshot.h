/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The whole state of sched_ext in a stopped guest: schedulers, CPUs, queues and the tasks that wait
 * there (kernel/sched/ext.c, from 7.1 kernel/sched/ext/). Linux 6.12 to 7.3; what moved or came is
 * told by the kernel's own types:
 *
 *	            a scheduler     its global queues   bypassed tasks      event counters
 *	to 6.15     variables       global_dsqs         the global queue    (none to 6.13)
 *	from 6.16   scx_root        global_dsqs         the global queue    event_stats_cpu
 *	from 6.19   scx_root        global_dsqs         rq->scx.bypass_dsq  pcpu->event_stats
 *	from 7.1    scx_sched_all   pnode[]->global_dsq pcpu->bypass_dsq    pcpu->event_stats
 *
 * A scheduler that has ended is found as long as something holds its struct_ops map.
 * It takes the same two steps as introspect/bpf_prog.h.
 */
#ifndef KT_INTROSPECT_SCX_SNAPSHOT_H
#define KT_INTROSPECT_SCX_SNAPSHOT_H

#include "memory/guest.h"
#include "model/sched.h"

/* False: no memory. */
bool scx_snapshot_wants(struct wants *wants);

/* KT_ERROR_UNSUPPORTED: a kernel without sched_ext. */
struct kt_error *scx_snapshot_check(const struct kfacts *facts);

struct scx_walk;

/*
 * Reads it. Lists of tasks are read from both ends, all of them at the same time, which takes as
 * many round trips as half of the longest one has tasks. Of a queue with more than SCX_TASKS_MAX
 * the first and the last half of so many are read; of all queues together, 20000. An error means
 * that the guest cannot be read any more, or that there is no memory: what is damaged is marked in
 * the result.
 */
#define SCX_TASKS_MAX 1000
struct kt_error *scx_snapshot_read(struct guest *guest, struct scx_walk **ret);
void scx_walk_destroy(struct scx_walk *walk);

/* Plain data out of what was read; needs no guest. The caller owns *ret. */
struct kt_error *scx_snapshot_finish(const struct scx_walk *walk, struct scx_snapshot *ret);

#endif
