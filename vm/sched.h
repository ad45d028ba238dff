/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a guest told of its scheduler's run, event by event; gathered by vm/session.h. To add a
 * fact: a member of struct kt_verifier_vm_result, and a line in vm_sched_take().
 */
#ifndef KT_VM_SCHED_H
#define KT_VM_SCHED_H

#include "model/verdict.h"
#include "util/buf.h"
#include "vm/vm.h"

#define VM_SCHED_LOG_MAX (512u << 20) /* bytes of its log that are kept */

struct vm_sched_results {
	bool started;  /* its process */
	bool stopping; /* it was told to end */
	bool stalled;  /* the workload made no progress; result.workload says how much */
	/*
	 * All that the guest told. Its programs, its log and what the host saw itself are for the
	 * caller to add, who may take the struct away and leave a zeroed one.
	 */
	struct kt_verifier_vm_result result;
	struct kt_buf log; /* what it wrote, stdout and stderr, with the SCHED_OUTPUT markers */
};

void vm_sched_results_deinit(struct vm_sched_results *results);

/*
 * Takes an event; false: it is not about a scheduler. bad_frames is the number of damaged frames so
 * far: where it has grown, a line in brackets marks a hole in the log. log.failed: no memory.
 */
bool vm_sched_take(struct vm_sched_results *results, const struct vm_event *event,
		   uint64_t bad_frames);

#endif
