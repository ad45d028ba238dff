// SPDX-License-Identifier: LGPL-2.1-or-later
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "vm/sched.h"

void vm_sched_results_deinit(struct vm_sched_results *results)
{
	kt_verifier_vm_result_deinit(&results->result);
	kt_buf_deinit(&results->log);
	*results = (struct vm_sched_results){0};
}

static void set(struct vm_sched_results *results, bool *flag, char **string, const char *text)
{
	*flag = true;
	free(*string);
	*string = strdup(text);
	results->log.failed |= !*string;
}

/* Ends the line first, if the last frame did not end one. */
static void mark_hole(struct kt_buf *log, uint64_t n)
{
	kt_buf_printf(log, "%s[... %" PRIu64 " damaged frame%s from the guest left out here ...]\n",
		      log->len && log->data[log->len - 1] != '\n' ? "\n" : "", n,
		      n == 1 ? "" : "s");
}

static void take_log(struct vm_sched_results *results, const struct vm_event *event,
		     uint64_t bad_frames)
{
	struct kt_verifier_vm_result *result = &results->result;
	struct kt_buf *log = &results->log;

	/* Only the end of the log is dropped: nothing is kept behind a piece that did not fit. */
	if (result->log_dropped || log->len + event->len > VM_SCHED_LOG_MAX) {
		result->log_dropped += event->len;
		return;
	}
	if (bad_frames > result->damaged_frames)
		mark_hole(log, bad_frames - result->damaged_frames);
	result->damaged_frames = bad_frames;
	kt_buf_append(log, event->data, event->len);
}

bool vm_sched_take(struct vm_sched_results *results, const struct vm_event *event,
		   uint64_t bad_frames)
{
	struct kt_verifier_vm_result *result = &results->result;

	switch (event->type) {
	case VM_EVENT_SCHED_LOG: take_log(results, event, bad_frames); break;
	case VM_EVENT_SCHED_DIED: result->died = true; break;
	case VM_EVENT_NOT_ATTACHED:
		set(results, &result->not_attached, &result->why_not_attached, event->text);
		break;
	case VM_EVENT_ATTACHED: set(results, &result->attached, &result->ops, event->text); break;
	case VM_EVENT_DISPATCHED:
		set(results, &result->dispatched, &result->workload, event->text);
		break;
	case VM_EVENT_STALLED:
		set(results, &results->stalled, &result->workload, event->text);
		break;
	case VM_EVENT_TOO_SLOW:
		results->stalled = true;
		set(results, &result->host_too_slow, &result->workload, event->text);
		break;
	case VM_EVENT_STOPPING: results->stopping = true; break;
	case VM_EVENT_SCHED_EXIT:
		result->exited = true;
		result->exited_early = !results->stopping;
		result->exit_status = event->status;
		break;
	default: return false;
	}
	return true;
}
