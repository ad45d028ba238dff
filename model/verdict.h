/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The run of a scheduler in a guest: the facts that were seen, and the verdict, which is a function
 * of them. Plain data. vm/ and collect/ fill it in; so can a program that runs guests by itself.
 */
#ifndef KT_MODEL_VERDICT_H
#define KT_MODEL_VERDICT_H

#include "model/verifier.h"
#include "util/buf.h"

/* VerifierVmResult. It owns its strings; NULL: the guest did not tell. */
struct kt_verifier_vm_result {
	struct kt_prog_stats_list stats; /* programs read while attached, then refused ones */

	bool timed_out;    /* the run took too long, by the host's clock */
	char *crash;       /* if the guest died: its last console line, or another reason */
	bool died;         /* the scheduler's process ended before it attached */
	bool not_attached; /* it lives, but sched_ext did not become enabled */
	char *why_not_attached;
	bool attached;      /* it lives, and sched_ext became enabled */
	char *ops;          /* the name of its sched_ext_ops */
	bool dispatched;    /* the workload made progress under it */
	bool host_too_slow; /* it made none, since the host hardly ran the guest's CPUs */
	char *workload;     /* how much progress, or why it is not enough */
	bool exited;        /* the scheduler's process has ended */
	bool exited_early;  /* it ended before it was told to */
	int exit_status;    /* if it exited: a wait status, see wait(2) */
	bool end_reported;  /* the guest reported that it was done */
	char *kernel_words; /* the kernel's last console line about sched_ext */

	/* sched_ext when the programs were read: from the guest's sysfs, and from its memory. */
	struct scx_state sysfs, memory;

	char *scheduler_log; /* its stdout and stderr, NUL-terminated; never NULL once collected */
	size_t scheduler_log_len;
	uint64_t log_dropped;    /* bytes left out at the end of the log, which was too long */
	uint64_t damaged_frames; /* frames from the guest that arrived damaged */
	uint64_t skipped_bytes;  /* garbage between frames */
	char *console;           /* the end of the guest's console, if something went wrong */
};

/* Frees what *result owns, and zeroes it. */
void kt_verifier_vm_result_deinit(struct kt_verifier_vm_result *result);

/* AttachOutcome: only positive evidence counts as attached. */
enum kt_attach_outcome {
	KT_ATTACH_DIED,
	KT_ATTACH_NOT_ATTACHED,
	KT_ATTACH_ATTACHED,
	KT_ATTACH_UNCONFIRMED, /* the guest told nothing about it */
};

/* The first of them, in this order, for which there is evidence. */
enum kt_attach_outcome kt_attach_outcome(const struct kt_verifier_vm_result *result);

/* "died", "not attached", "attached", "unconfirmed". */
const char *kt_attach_outcome_name(enum kt_attach_outcome outcome);

/* In order of precedence: the first that applies is the verdict. */
enum kt_verdict {
	KT_VERDICT_TIMED_OUT,
	KT_VERDICT_GUEST_CRASHED,
	KT_VERDICT_SCHED_EXITED, /* during the workload */
	KT_VERDICT_NOT_ATTACHED,
	KT_VERDICT_HOST_TOO_SLOW, /* no result: nothing can be said of the scheduler */
	KT_VERDICT_NO_PROGRESS,
	KT_VERDICT_NO_END, /* the guest did not report its end */
	KT_VERDICT_PASS,
};

enum kt_verdict kt_verdict(const struct kt_verifier_vm_result *result);

/* Whether it says nothing about the scheduler: neither that it passed nor that it failed. */
bool kt_verdict_is_unknown(enum kt_verdict verdict);

/* A word for documents and scripts: "timed_out", ..., "pass". */
const char *kt_verdict_name(enum kt_verdict verdict);

/* Appends the verdict as a sentence on one line, with the reason where it is known. */
void kt_verdict_text(const struct kt_verifier_vm_result *result, struct kt_buf *out);

/* Whether sysfs and memory are both known, and disagree about sched_ext. */
bool kt_sched_ext_disagrees(const struct kt_verifier_vm_result *result);

/*
 * Appends the programs for which a loader's output has failed verifier logs (logparse/blocks.h).
 * Each name is appended once, with the numbers of its last log. A program that is in *ret as
 * loaded, because another try passed, is left out. KT_ERROR_NO_MEMORY.
 */
struct kt_error *kt_failed_from_log(struct kt_text log, struct kt_prog_stats_list *ret);

/* Appends "exit status 3" or "signal 11 (Segmentation fault)". */
void kt_append_wait_status(struct kt_buf *out, int wait_status);

#endif
