/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What happens to sched_ext: the stops for it, and the events that they are. Internal to watch/.
 *
 *	enabling    scx_root is written: from here on the new scheduler's exit_kind is watched
 *	enabled     scx_enable_seq counts
 *	exit        exit_kind is written (scx_claim_exit(), before 7.x scx_vexit() and
 *	            scx_disable()): the dump is read. A moment later the message is there, which the
 *	            event waits for
 *	disabled    scx_root is written: the reason is there, too, and the kernel's own dump
 */
#ifndef KT_WATCH_SCHED_H
#define KT_WATCH_SCHED_H

#include "model/sched_event.h"
#include "watch/sched_dump.h"
#include "watch/sched_points.h"
#include "watch/sched_reject.h"
#include "watch/stop.h"

/* What the kernel says in one moment. */
struct sched_now {
	gaddr_t root; /* 0: there is no scheduler, or it is not known */
	struct program_number enable_seq, hotplug_seq, nr_rejected;
	struct program_number bypass_depth;
};

struct sched {
	bool on;
	struct stop *stop;
	const struct kfacts *facts;
	int64_t kaslr_offset;
	struct sched_points points;
	struct sched_dump_views views;
	struct sched_reject reject;
	struct sched_now now; /* as it was at the last look */
	char ops[128];        /* of the scheduler at now.root */
	gaddr_t exit_info;    /* its */
	bool dumped;          /* it has begun to end, and that was seen */
	/* That end, while its message is not there yet; kind SCHED_EXIT, else there is none. */
	struct sched_event held;
	bool is_held;
	bool was_looked_at; /* while it was held */
	KT_VEC(struct sched_event) events; /* that were not given out yet, the oldest first */
};

/* False: no memory. */
bool sched_watch_wants(struct wants *wants);

/*
 * Finds what it stops at, in a stopped guest, and looks at what there is by now; a scheduler that
 * runs is an event. stop and facts stay the caller's. KT_ERROR_UNSUPPORTED: no sched_ext.
 */
struct kt_error *sched_init(struct sched *sched, struct stop *stop, const struct kfacts *facts,
			    struct guest *guest);
void sched_deinit(struct sched *sched);

/*
 * At a stop whose registers were fetched. *taken_ret: it was for this, all is done, and the vCPU is
 * past its breakpoint.
 */
struct kt_error *sched_at_stop(struct sched *sched, bool *taken_ret);

/* Nobody will look any more: gives out the end that waits for its message, as far as it is known.
 */
struct kt_error *sched_release(struct sched *sched);

/* At panic(). */
struct kt_error *sched_at_panic(struct sched *sched);

/* At a look: finds what nobody stopped at. The guest was found in this stop. */
struct kt_error *sched_look(struct sched *sched, struct guest *guest);

/* The oldest event; false: there is none. The caller owns *ret. */
bool sched_take(struct sched *sched, struct sched_event *ret);

#endif
