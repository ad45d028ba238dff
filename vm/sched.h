/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a scheduler's run told of itself; gathered by vm/session.h. */
#ifndef KT_VM_SCHED_H
#define KT_VM_SCHED_H

#include "util/buf.h"
#include "vm/vm.h"

#define VM_SCHED_LOG_MAX (512u << 20) /* bytes of its log that are kept */

struct vm_sched_results {
	bool started; /* its process */

	/* What was said. Strings are NULL until then. */
	bool died;         /* it ended before it attached */
	bool not_attached; /* it did not attach in time; why: */
	char *why_not_attached;
	bool attached; /* process alive and sched_ext enabled; the name of its ops: */
	char *ops;
	bool dispatched, stalled; /* the workload made progress, or not; how much: */
	char *workload;
	bool exited; /* its process; and, early, without being told to: */
	bool exited_early;
	int exit_status; /* a wait status */
	bool stopping;   /* it was told to end */
	bool end_reported;

	struct kt_buf log;    /* what it wrote, stdout and stderr, with the SCHED_OUTPUT markers */
	uint64_t log_dropped; /* bytes behind that, which were too many to keep */
	uint64_t bad_frames;  /* of the guest's words, damaged on the way */
	uint64_t skipped_bytes;
};

void vm_sched_results_deinit(struct vm_sched_results *results);

/*
 * Takes in an event; false: it is not a scheduler's. bad_frames is how many there have been so
 * far: a hole in the log is marked in it, by a line in brackets. Out of memory shows in log.failed.
 */
bool vm_sched_take(struct vm_sched_results *results, const struct vm_event *event,
		   uint64_t bad_frames);

#endif
