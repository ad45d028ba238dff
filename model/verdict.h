/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a scheduler's run in a guest came to: what was seen of it, and the verdict on that. Plain
 * data: collect/ fills it in, a program that runs its guests otherwise may, too.
 */
#ifndef KT_MODEL_VERDICT_H
#define KT_MODEL_VERDICT_H

#include "model/verifier.h"
#include "util/buf.h"

/* VerifierVmResult. Its strings are its own; those that were not told are NULL. */
struct kt_verifier_vm_result {
	struct kt_prog_stats_list stats; /* read while it was attached, then those that failed */

	bool timed_out;    /* the run, by the host's clock */
	char *crash;       /* the guest's last word, when it died */
	bool died;         /* the scheduler ended before it attached */
	bool not_attached; /* alive, but sched_ext never became enabled; why: */
	char *why_not_attached;
	bool attached; /* process alive and sched_ext enabled; the name of its ops: */
	char *ops;
	bool dispatched;           /* the workload made progress under it */
	char *workload;            /* how much, or why that is not enough */
	bool exited, exited_early; /* its process has ended; without being told to */
	int exit_status;           /* a wait status */
	bool end_reported;         /* the guest told that it was through */
	char *kernel_words;        /* what its kernel said of sched_ext last */

	/* sched_ext at the time of reading: as the guest's sysfs has it, and its memory. */
	struct scx_state sysfs, memory;

	char *scheduler_log; /* its stdout and stderr, NUL-terminated; never NULL once collected */
	size_t scheduler_log_len;
	uint64_t log_dropped;    /* bytes behind it that were too many to keep */
	uint64_t damaged_frames; /* of the guest's words, on their way to the host */
	uint64_t skipped_bytes;  /* garbage between frames */
	char *console;           /* the end of the guest's console, when something went wrong */
};

void kt_verifier_vm_result_deinit(struct kt_verifier_vm_result *result);

/* AttachOutcome: only positive evidence counts as attached. */
enum kt_attach_outcome {
	KT_ATTACH_DIED,
	KT_ATTACH_NOT_ATTACHED,
	KT_ATTACH_ATTACHED,
	KT_ATTACH_UNCONFIRMED, /* no word at all */
};

/* The first of them, in this order, that there is evidence of. */
enum kt_attach_outcome kt_attach_outcome(const struct kt_verifier_vm_result *result);

/* "died", "not attached", "attached", "unconfirmed". */
const char *kt_attach_outcome_name(enum kt_attach_outcome outcome);

/* In order of precedence. */
enum kt_verdict {
	KT_VERDICT_TIMED_OUT,
	KT_VERDICT_GUEST_CRASHED,
	KT_VERDICT_SCHED_EXITED, /* during the workload */
	KT_VERDICT_NOT_ATTACHED,
	KT_VERDICT_NO_PROGRESS,
	KT_VERDICT_NO_END, /* the guest did not report it */
	KT_VERDICT_PASS,
};

enum kt_verdict kt_verdict(const struct kt_verifier_vm_result *result);

/* "timed_out", ..., "pass": for documents and scripts. */
const char *kt_verdict_name(enum kt_verdict verdict);

/* Appends the verdict as a sentence, with what is known of the reason, on one line. */
void kt_verdict_text(const struct kt_verifier_vm_result *result, struct kt_buf *out);

/* Guest and memory were both read, and do not say the same of sched_ext. */
bool kt_sched_ext_disagrees(const struct kt_verifier_vm_result *result);

/*
 * Appends the programs that a loader's output has failed verifier logs of (logparse/blocks.h), each
 * name once, with what was said of it last; but none that is in *ret before as loaded, by another
 * try. KT_ERROR_NO_MEMORY.
 */
struct kt_error *kt_failed_from_log(struct kt_text log, struct kt_prog_stats_list *ret);

/* Appends "exit status 3" or "signal 11 (Segmentation fault)". */
void kt_append_wait_status(struct kt_buf *out, int wait_status);

#endif
