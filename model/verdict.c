// SPDX-License-Identifier: LGPL-2.1-or-later
#include <string.h>
#include <sys/wait.h>

#include "logparse/blocks.h"
#include "logparse/last.h"
#include "model/verdict.h"
#include "util/cleanup.h"

void kt_verifier_vm_result_deinit(struct kt_verifier_vm_result *result)
{
	kt_prog_stats_deinit(&result->stats);
	free(result->crash);
	free(result->why_not_attached);
	free(result->ops);
	free(result->workload);
	free(result->kernel_words);
	free(result->scheduler_log);
	free(result->console);
	*result = (struct kt_verifier_vm_result){0};
}

enum kt_attach_outcome kt_attach_outcome(const struct kt_verifier_vm_result *result)
{
	if (result->died)
		return KT_ATTACH_DIED;
	if (result->not_attached)
		return KT_ATTACH_NOT_ATTACHED;
	return result->attached ? KT_ATTACH_ATTACHED : KT_ATTACH_UNCONFIRMED;
}

const char *kt_attach_outcome_name(enum kt_attach_outcome outcome)
{
	static const char *const names[] = {
		[KT_ATTACH_DIED] = "died",
		[KT_ATTACH_NOT_ATTACHED] = "not attached",
		[KT_ATTACH_ATTACHED] = "attached",
		[KT_ATTACH_UNCONFIRMED] = "unconfirmed",
	};

	return names[outcome];
}

enum kt_verdict kt_verdict(const struct kt_verifier_vm_result *result)
{
	bool attached = kt_attach_outcome(result) == KT_ATTACH_ATTACHED;

	if (result->timed_out)
		return KT_VERDICT_TIMED_OUT;
	if (result->crash)
		return KT_VERDICT_GUEST_CRASHED;
	if (attached && result->exited_early)
		return KT_VERDICT_SCHED_EXITED;
	if (!attached)
		return KT_VERDICT_NOT_ATTACHED;
	if (!result->dispatched && result->host_too_slow)
		return KT_VERDICT_HOST_TOO_SLOW;
	if (!result->dispatched)
		return KT_VERDICT_NO_PROGRESS;
	return result->end_reported ? KT_VERDICT_PASS : KT_VERDICT_NO_END;
}

bool kt_verdict_is_unknown(enum kt_verdict verdict)
{
	return verdict == KT_VERDICT_HOST_TOO_SLOW;
}

const char *kt_verdict_name(enum kt_verdict verdict)
{
	static const char *const names[] = {
		[KT_VERDICT_TIMED_OUT] = "timed_out",
		[KT_VERDICT_GUEST_CRASHED] = "guest_crashed",
		[KT_VERDICT_SCHED_EXITED] = "scheduler_exited",
		[KT_VERDICT_NOT_ATTACHED] = "not_attached",
		[KT_VERDICT_HOST_TOO_SLOW] = "host_too_slow",
		[KT_VERDICT_NO_PROGRESS] = "no_progress",
		[KT_VERDICT_NO_END] = "no_end",
		[KT_VERDICT_PASS] = "pass",
	};

	return names[verdict];
}

void kt_append_wait_status(struct kt_buf *out, int wait_status)
{
	if (WIFSIGNALED(wait_status))
		kt_buf_printf(out, "signal %d (%s)", WTERMSIG(wait_status),
			      strsignal(WTERMSIG(wait_status)));
	else
		kt_buf_printf(out, "exit status %d", WEXITSTATUS(wait_status));
}

/* Appends the last failed verifier log of the scheduler's output: mostly that is why it gave up. */
static void append_rejection(const struct kt_verifier_vm_result *result, struct kt_buf *out)
{
	struct kt_text log = {result->scheduler_log, result->scheduler_log_len};
	struct kt_log_block block, last = {0};
	struct kt_log_outcome outcome, of_last = {0};
	struct kt_log_blocks it;

	kt_log_blocks_init(&it, log);
	while (kt_log_blocks_next(&it, &block)) {
		kt_log_find_outcome(block.trace, &outcome);
		if (outcome.outcome != KT_LAST_FAILED || block.btf)
			continue;
		last = block;
		of_last = outcome;
	}
	if (!last.trace.data)
		return;
	kt_buf_appends(out, "; the verifier rejected ");
	if (last.program.len)
		kt_buf_append(out, last.program.data, last.program.len);
	else
		kt_buf_appends(out, "a program");
	kt_buf_appends(out, ": ");
	kt_buf_append(out, of_last.headline.data, of_last.headline.len);
}

static void append_not_attached(const struct kt_verifier_vm_result *result, struct kt_buf *out)
{
	kt_buf_appends(out, "not attached: ");
	switch (kt_attach_outcome(result)) {
	case KT_ATTACH_DIED:
		kt_buf_appends(out, "the scheduler ended before it attached");
		if (result->exited) {
			kt_buf_appends(out, ", ");
			kt_append_wait_status(out, result->exit_status);
		}
		append_rejection(result, out);
		break;
	case KT_ATTACH_NOT_ATTACHED:
		kt_buf_appends(out, result->why_not_attached ? result->why_not_attached : "");
		append_rejection(result, out);
		break;
	default: kt_buf_appends(out, "no word from the guest whether it did"); break;
	}
}

/*
 * sched_ext: BPF scheduler "simple" enabled
 * sched_ext: BPF scheduler "simple" disabled (runnable task stall)
 * sched_ext: BPF scheduler "simple" disabled (unregistered from user space)
 *
 * (6.12 to 7.3.) Only the second is a reason. The third is what the kernel prints whenever a
 * scheduler's process ends.
 */
static void append_kernel_words(const struct kt_verifier_vm_result *result, struct kt_buf *out)
{
	const char *words = result->kernel_words;

	if (words && !strstr(words, "\" enabled") &&
	    !strstr(words, "(unregistered from user space)"))
		kt_buf_printf(out, "; the kernel says: %s", words);
}

void kt_verdict_text(const struct kt_verifier_vm_result *result, struct kt_buf *out)
{
	switch (kt_verdict(result)) {
	case KT_VERDICT_TIMED_OUT:
		kt_buf_printf(out, "timed out %s the scheduler attached",
			      kt_attach_outcome(result) == KT_ATTACH_ATTACHED ? "after" : "before");
		break;
	case KT_VERDICT_GUEST_CRASHED:
		kt_buf_printf(out, "the guest crashed: %s", result->crash);
		break;
	case KT_VERDICT_SCHED_EXITED:
		kt_buf_appends(out, "the scheduler exited during the workload: ");
		kt_append_wait_status(out, result->exit_status);
		append_kernel_words(result, out);
		break;
	case KT_VERDICT_NOT_ATTACHED: append_not_attached(result, out); break;
	case KT_VERDICT_HOST_TOO_SLOW:
		kt_buf_printf(out, "no result, the host is too slow for this topology%s%s",
			      result->workload ? ": " : "",
			      result->workload ? result->workload : "");
		break;
	case KT_VERDICT_NO_PROGRESS:
		kt_buf_printf(out, "attached, but the workload made no progress%s%s",
			      result->workload ? ": " : "",
			      result->workload ? result->workload : "");
		append_kernel_words(result, out);
		break;
	case KT_VERDICT_NO_END: kt_buf_appends(out, "the guest did not report its end"); break;
	case KT_VERDICT_PASS: kt_buf_appends(out, "pass"); break;
	}
}

bool kt_sched_ext_disagrees(const struct kt_verifier_vm_result *result)
{
	const struct scx_state *a = &result->sysfs, *b = &result->memory;

	if (!a->known || !b->known)
		return false;
	return (!b->is_number && strcmp(a->state, b->state) != 0) || strcmp(a->ops, b->ops) != 0;
}

/* Adds a program that failed. Entries below `from` were in the list before this log was read. */
static struct kt_error *add_failed(struct kt_prog_stats_list *list, size_t from,
				   struct kt_text name, struct program_number insns)
{
	_cleanup_free_ char *copy = NULL;

	for (size_t i = 0; i < list->n; i++) {
		struct kt_prog_stats *known = &list->all[i];

		if (strlen(known->name) != name.len || memcmp(known->name, name.data, name.len))
			continue;
		if (i < from && !known->failed)
			return NULL; /* another try, or another variant of it, was loaded */
		if (i >= from) {
			known->verified_insns = insns;
			return NULL;
		}
	}
	copy = strndup(name.data, name.len);
	if (!copy)
		return kt_error_no_memory();
	return kt_prog_stats_add(list, &(struct kt_prog_stats){
					       .name = copy,
					       .verified_insns = insns,
					       .failed = true,
				       });
}

/* For hostile logs, which may name a program in each line. Real ones name a few dozen. */
#define FAILED_MAX 1000

struct kt_error *kt_failed_from_log(struct kt_text log, struct kt_prog_stats_list *ret)
{
	size_t from = ret->n;
	struct kt_error *err = NULL;
	struct kt_log_blocks it;
	struct kt_log_block block;

	kt_log_blocks_init(&it, log);
	while (!err && ret->n - from < FAILED_MAX && kt_log_blocks_next(&it, &block)) {
		struct kt_log_outcome outcome;

		kt_log_find_outcome(block.trace, &outcome);
		if (outcome.outcome != KT_LAST_FAILED || !block.program.len)
			continue;
		err = add_failed(ret, from, block.program,
				 (struct program_number){
					 outcome.stats.has[KT_STAT_PROCESSED],
					 outcome.stats.value[KT_STAT_PROCESSED],
				 });
	}
	return err;
}
