/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A child that has the guest's stub for as long as a scheduler runs: QEMU's takes one client at a
 * time. It waits for the write of exit_kind (watch/sched.h) and keeps what the guest was like at
 * that instant; and it reads the guest when it is asked to, over the same connection, so that there
 * is no moment in which nobody watches. It is behind the fence of all readers. Internal to
 * collect/.
 *
 * That a guest cannot be watched is no error: whoever asks reads it by himself then.
 */
#ifndef KT_COLLECT_WATCHER_H
#define KT_COLLECT_WATCHER_H

#include "introspect/inspect.h"
#include "model/sched_event.h"
#include "util/apart.h"

struct watcher_options {
	const struct kfacts *facts;
	const struct rsp_options *stub;
	bool is_users; /* the stub is the user's, who may want to connect to it */
	/* As in struct kt_collect. */
	struct kt_error *(*dump)(void *arg, const struct sched_event *event, int64_t kaslr_offset,
				 char **ret);
	void *dump_arg;
};

struct watcher {
	struct watcher_options options; /* set by the caller; what is in it must stay */
	struct rsp_target target;
	struct kt_apart apart;
	struct kt_apart_child child; /* while there is one */
	int keep[1];
	bool started, watching; /* it was started; it has said that it watches */
	char *dump;             /* what it had kept, once it is ended; NULL: nothing */
	char why[300];          /* why it does not watch any more, or never did; "": it does */
};

/*
 * Starts it, unless that was done, or nobody wants a dump. It stops the guest for a moment, and
 * nobody waits for it.
 */
void watcher_start(struct watcher *watcher, const char *target);

/* Reads the guest. False: it is not watched; then the stub is free. */
bool watcher_read(struct watcher *watcher, struct inspection *ret);

/*
 * Ends it. What it has kept is in *dump_ret, which is as sched_saved_read() takes it, or why there
 * is nothing is in *why_ret; both are the caller's. One that was never started has neither.
 */
struct kt_error *watcher_end(struct watcher *watcher, char **dump_ret, char **why_ret);

#endif
