// SPDX-License-Identifier: LGPL-2.1-or-later
#include <sched.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "util/turns.h"

/* struct sched_attr as of Linux 3.14, which glibc has since 2.41. */
struct attr {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime_ns, deadline_ns, period_ns;
};

/* The shortest turn that the kernel gives. */
#define TURN_NS 100000

/*
 * For SCHED_OTHER, sched_runtime is the slice that is asked for, since 6.12 (857b158dc5e8,
 * "sched/eevdf: Use sched_attr::sched_runtime to set request/slice suggestion"). A task with a
 * shorter slice has an earlier deadline, and may come before one that is not through with its own.
 */
void kt_take_short_turns(void)
{
	struct attr attr = {0};

	if (syscall(SYS_sched_getattr, 0, &attr, sizeof(attr), 0) ||
	    (attr.policy != SCHED_OTHER && attr.policy != SCHED_BATCH))
		return;
	attr.runtime_ns = TURN_NS;
	(void)syscall(SYS_sched_setattr, 0, &attr, 0);
}
