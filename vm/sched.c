// SPDX-License-Identifier: LGPL-2.1-or-later
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "vm/sched.h"

void vm_sched_results_deinit(struct vm_sched_results *results)
{
	free(results->why_not_attached);
	free(results->ops);
	free(results->workload);
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

/* On a line of its own: a frame may end in the middle of one. */
static void mark_hole(struct kt_buf *log, uint64_t n)
{
	kt_buf_printf(log, "%s[... %" PRIu64 " damaged frame%s from the guest left out here ...]\n",
		      log->len && log->data[log->len - 1] != '\n' ? "\n" : "", n,
		      n == 1 ? "" : "s");
}

static void take_log(struct vm_sched_results *results, const struct vm_event *event,
		     uint64_t bad_frames)
{
	struct kt_buf *log = &results->log;

	/* What is dropped is the end of the log, also where a small piece would still fit. */
	if (results->log_dropped || log->len + event->len > VM_SCHED_LOG_MAX) {
		results->log_dropped += event->len;
		return;
	}
	if (bad_frames > results->bad_frames)
		mark_hole(log, bad_frames - results->bad_frames);
	results->bad_frames = bad_frames;
	kt_buf_append(log, event->data, event->len);
}

static void take_exit(struct vm_sched_results *results, const struct vm_event *event)
{
	results->exited = true;
	results->exited_early = !results->stopping;
	results->exit_status = event->status;
}

bool vm_sched_take(struct vm_sched_results *results, const struct vm_event *event,
		   uint64_t bad_frames)
{
	switch (event->type) {
	case VM_EVENT_SCHED_LOG: take_log(results, event, bad_frames); break;
	case VM_EVENT_SCHED_DIED: results->died = true; break;
	case VM_EVENT_NOT_ATTACHED:
		set(results, &results->not_attached, &results->why_not_attached, event->text);
		break;
	case VM_EVENT_ATTACHED: set(results, &results->attached, &results->ops, event->text); break;
	case VM_EVENT_DISPATCHED:
		set(results, &results->dispatched, &results->workload, event->text);
		break;
	case VM_EVENT_STALLED:
		set(results, &results->stalled, &results->workload, event->text);
		break;
	case VM_EVENT_STOPPING: results->stopping = true; break;
	case VM_EVENT_SCHED_EXIT: take_exit(results, event); break;
	default: return false;
	}
	return true;
}
