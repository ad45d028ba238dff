/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The loads under way, each by the task that makes it: what is known of them from the places where
 * the guest stopped, until bpf_prog_load() returns. Internal to watch/.
 */
#ifndef KT_WATCH_PENDING_H
#define KT_WATCH_PENDING_H

#include "watch/asked.h"
#include "watch/cost.h"
#include "watch/progress.h"

struct pending_load {
	gaddr_t task;
	bool finalized;   /* load has the verifier's numbers */
	bool fails;       /* it came by a place that only such loads come by */
	bool has_program; /* load has what that says */
	struct loader_log log;
	struct sampled sampled;
	int64_t guest_ns; /* when it was finalized, or failed, by stop_guest_ns() */
	struct cost_load cost;
	struct bpf_load load;
};

struct pending {
	const struct reader *reader; /* the caller's */
	bool logs;                   /* read the log of a load that fails */
	struct asked_reader asked;
	KT_VEC(struct pending_load) loads;
	struct cost cost;
};

void pending_deinit(struct pending *pending);

/* The vCPU stopped at bpf_vlog_init(): a load gets to the verifier, and is sampled from now on. */
struct kt_error *pending_at_init(struct pending *pending, struct progress *progress);

/* It stopped at bpf_vlog_finalize(), where the verifier has all its numbers. */
struct kt_error *pending_at_finalize(struct pending *pending);

/*
 * It stopped where a load fails. prog: its program, which the verifier is through with; 0: it has
 * none, or none that it lets see.
 */
struct kt_error *pending_at_failure(struct pending *pending, gaddr_t prog);

/* Some load that came by such a place has not returned. */
bool pending_fails(const struct pending *pending);

/*
 * It stopped where bpf_prog_load() returns. *ret is the load, the caller's, even if there is an
 * error: its result was known before. What could not be read of it is unknown.
 */
struct kt_error *pending_at_return(struct pending *pending, struct bpf_load *ret);

/* Some load is in the verifier now. */
bool pending_in_verifier(const struct pending *pending);

/* Samples of loads, to be given out one by one. */
struct samples {
	KT_VEC(struct bpf_load_progress) all;
};

/* A sample of each load that is in the verifier, in this stop; the guest was found in it. */
struct kt_error *pending_sample(struct pending *pending, struct progress *progress,
				struct guest *guest, struct samples *ret);
void samples_deinit(struct samples *samples);

#endif
