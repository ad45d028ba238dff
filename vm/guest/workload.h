/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The tasks of a workload, and what they do. Internal to the guest's init. */
#ifndef KT_VM_GUEST_WORKLOAD_H
#define KT_VM_GUEST_WORKLOAD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What a worker tells of itself, in memory that it shares with init. */
struct worker {
	_Atomic unsigned long turns;
	_Atomic int error;          /* errno: the kernel refuses what it asks for */
	const char *_Atomic failed; /* what that was, text of this program */
	_Atomic pid_t child;        /* the newest that it forked; 0: none */
};

/*
 * What workers do. prepare() is called once, before there are workers, and enter() in each of them,
 * once it is a task of SCHED_EXT: both return what they could not do, with errno, or NULL. Both may
 * be NULL. turn() is called again and again; true: the task was on a CPU once more.
 */
struct workload_kind {
	const char *name;
	const char *(*prepare)(size_t n);
	const char *(*enter)(size_t i);
	bool (*turn)(struct worker *worker, size_t i);
};

/* NULL: there is none of that name. */
const struct workload_kind *workload_kind(const char *name);

#endif
