/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reports every load of a BPF program in a running guest. Hardware breakpoints, set through the
 * stub, stop the guest twice a load: at bpf_vlog_finalize() (since 6.4), which the verifier calls
 * last, when all its numbers are there; and where bpf_prog_load() returns, with the result. Or it
 * is stopped only by loads that fail, where these part from the others (watch/failing.h).
 */
#ifndef KT_WATCH_WATCH_H
#define KT_WATCH_WATCH_H

#include "gdbrsp/client.h"
#include "memory/guest.h"
#include "model/load.h"
#include "model/sched_event.h"

struct watch;

struct watch_options {
	bool logs;           /* read the logs of loads that fail */
	bool progress;       /* sample loads that take long */
	bool only_failing;   /* do not stop at loads that pass, if that can be; not with progress */
	double max_overhead; /* the share of time that the guest may be stopped; 0: any */
	bool sched;          /* events of sched_ext, too */
	bool no_loads;       /* and nothing else */
	/* Of sched_ext only schedulers that come and go: what else happens stops nobody. */
	bool sched_ends;
};

enum watch_event_kind {
	WATCH_NOTHING, /* the time is over, or samples are there: call again */
	WATCH_LOAD,
	WATCH_PROGRESS,
	WATCH_SCHED,
	WATCH_NO_PROGRESS, /* samples end: with them, max_overhead was exceeded; `why` tells */
	WATCH_END,         /* the guest is not the same any more; `why` tells */
};

struct watch_event {
	enum watch_event_kind kind;
	struct bpf_load load;              /* the caller's, of WATCH_LOAD */
	struct bpf_load_progress progress; /* the caller's, of WATCH_PROGRESS */
	struct sched_event sched;          /* the caller's, of WATCH_SCHED */
	char why[200];                     /* "the guest's kernel panicked"; of WATCH_NO_PROGRESS */
	bool paused;                       /* somebody else paused the guest */
};

struct watch_stats {
	uint64_t stops;    /* of all kinds */
	int64_t paused_ns; /* from the stub's report of each stop until the guest was let run */
	int64_t looked_ns; /* the part of paused_ns for samples and checks, not for a load */
	int64_t since_ns, until_ns; /* the watch's beginning and end, in kt_now_ns() time */
	/* Set by watch_end(): */
	struct program_number drops; /* how often QEMU dropped the code that it had translated */
	int64_t load_cost_ns;        /* of the guest's own time, for a load; 0: none */
	bool behind_known;
	int64_t behind_ns; /* how far the guest's clock fell behind this machine's */
};

/* Adds what a watch takes to know of a kernel. False: no memory. */
bool watch_wants(struct wants *wants);
bool watch_wants_sched(struct wants *wants); /* for events of sched_ext, in addition */

/*
 * Sets the breakpoints in a guest that is stopped, and lets it run. The client and the facts stay
 * the caller's and must outlive the watch; the client is not to be used before watch_end(). hint:
 * as for guest_create(). KT_ERROR_UNSUPPORTED: this kernel has no function to stop at.
 */
struct kt_error *watch_create(struct rsp_client *client, const struct kfacts *facts,
			      const int64_t *hint, const struct watch_options *options,
			      struct watch **ret);

/*
 * Waits for the next event, at most wait_ms (-1: for ever). KT_ERROR_CANCELLED: the user wants to
 * end. What fails after a load's result is known is for the next call: the load comes first. The
 * guest runs when this returns, unless it is WATCH_END, an error, or such a load.
 */
struct kt_error *watch_next(struct watch *watch, int64_t wait_ms, struct watch_event *ret);

/*
 * Between two calls of watch_next(): stops the guest, has visit() read it, and lets it run again.
 * What a breakpoint has come before that is for the next watch_next(). The guest is proved to be
 * the one that is watched; KT_ERROR_MISMATCH: it is not any more. The other errors are visit()'s,
 * and then the watch may go on, and those of the connection.
 */
struct kt_error *watch_visit(struct watch *watch,
			     struct kt_error *(*visit)(void *arg, struct guest *guest), void *arg);

/*
 * Removes the breakpoints, if the guest is still there. It stands still afterwards. Returns an
 * error, too, that is still left for the next watch_next().
 */
struct kt_error *watch_end(struct watch *watch);

/* After that: what happened to sched_ext and was not given out yet. False: there is no more. */
bool watch_rest(struct watch *watch, struct sched_event *ret);
void watch_destroy(struct watch *watch);

/* The kernel has bpf_vlog_finalize(): loads have the verifier's numbers, not only results. */
bool watch_sees_verifier(const struct watch *watch);

/*
 * Only loads that fail are stopped at. Of those without a log, the verifier's states, time and
 * stack are unknown then.
 */
bool watch_only_failing(const struct watch *watch);

/* Which debug registers are in use, in words: "scx_root, exit_kind". *ret is the caller's. */
struct kt_error *watch_sched_points(const struct watch *watch, char **ret);

int64_t watch_kaslr_offset(const struct watch *watch);
const struct watch_stats *watch_stats(const struct watch *watch);

#endif
