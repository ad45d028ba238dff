/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The task that sched_ext has just refused: scx_nr_rejected was counted, and no argument of a
 * function tells for which. Internal to watch/.
 */
#ifndef KT_WATCH_SCHED_REJECT_H
#define KT_WATCH_SCHED_REJECT_H

#include "model/sched.h"
#include "watch/stop.h"

struct sched_reject {
	struct view task, node;
	uint32_t link; /* the offset of p->scx.tasks_node */
	bool has;      /* this kernel has all of that */
};

/* False: no memory. */
bool sched_reject_wants(struct wants *wants);
void sched_reject_init(struct sched_reject *reject, const struct kfacts *facts);

/*
 * At the write of scx_nr_rejected, of the vCPU that did it. The task is in a register: the one that
 * leads to a task which may not be sched_ext's (scx.disallow), and which is on the list of all
 * tasks, whose next one leads back to it. ret->pid is unknown if that is not exactly one.
 */
struct kt_error *sched_reject_read(const struct sched_reject *reject, const struct stop *stop,
				   struct scx_task *ret);

#endif
