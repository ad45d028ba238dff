/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Every load of a BPF program in a running guest, from hardware breakpoints set through the
 * stub. The guest stops twice a load: at bpf_vlog_finalize() (since 6.4), which the verifier
 * calls last and which has everything it knows, and where bpf_prog_load() returns, which has
 * the result.
 */
#ifndef KT_WATCH_WATCH_H
#define KT_WATCH_WATCH_H

#include "gdbrsp/client.h"
#include "introspect/guest.h"
#include "model/load.h"

struct watch;

struct watch_options {
	bool logs;           /* take the logs of loads that fail */
	bool progress;       /* samples of loads that last */
	double max_overhead; /* of samples: the share of time that the guest may be stopped */
};

enum watch_event_kind {
	WATCH_NOTHING, /* the time is over */
	WATCH_LOAD,
	WATCH_PROGRESS,
	WATCH_END, /* the guest is not what it was; `why` tells */
};

struct watch_event {
	enum watch_event_kind kind;
	struct bpf_load load;              /* the caller's, to deinit */
	struct bpf_load_progress progress; /* likewise */
	char why[200];                     /* "the guest's kernel panicked" */
	bool paused;                       /* it is that somebody paused it */
};

/* What a watch came to. */
struct watch_stats {
	uint64_t stops;    /* of all kinds */
	int64_t looked_ns; /* the part of paused_ns that was only to look: samples, is it there? */
	int64_t paused_ns; /* from the stub's word that it stands to ours that it shall run */
	int64_t since_ns, until_ns; /* CLOCK_MONOTONIC, the watch's beginning and end */
};

/* What has to be known of the kernel image. */
bool watch_wants(struct wants *wants);

/*
 * Sets the breakpoints in a guest that is stopped, and lets it run. The client and the facts
 * stay the caller's, must outlive the watch, and are the watch's until it ends. hint as for
 * guest_create(). KT_ERROR_UNSUPPORTED: this kernel has no place to see anything at.
 */
struct kt_error *watch_create(struct rsp_client *client, const struct kfacts *facts,
			      const int64_t *hint, const struct watch_options *options,
			      struct watch **ret);

/*
 * Waits for the next event, at most wait_ms (-1: for ever). The guest runs when this returns,
 * but after WATCH_END or an error. KT_ERROR_CANCELLED: the user wants to end.
 */
struct kt_error *watch_next(struct watch *watch, int64_t wait_ms, struct watch_event *ret);

/* Removes the breakpoints, as far as the guest is still there; it stands still afterwards. */
struct kt_error *watch_end(struct watch *watch);
void watch_destroy(struct watch *watch);

/* The kernel has bpf_vlog_finalize(): numbers, not results only. */
bool watch_sees_verifier(const struct watch *watch);

int64_t watch_kaslr_offset(const struct watch *watch);
const struct watch_stats *watch_stats(const struct watch *watch);

#endif
