/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Internal to watch.c: a watch is made of these parts. The test puts one together, too. */
#ifndef KT_WATCH_WATCH_IMPL_H
#define KT_WATCH_WATCH_IMPL_H

#include "watch/clock.h"
#include "watch/identity.h"
#include "watch/overhead.h"
#include "watch/pending.h"
#include "watch/places.h"
#include "watch/sched.h"
#include "watch/watch.h"

struct watch {
	struct stop stop;
	struct places places;
	struct identity identity;
	struct reader reader;
	struct pending pending;
	struct progress progress;
	struct sched sched;
	struct overhead overhead;
	struct guest_clock clock;
	struct program_number drops_before; /* of translated code, when the watch began */

	struct samples samples;    /* that were not given out yet */
	struct watch_event queued; /* for the next watch_next(), as kind says */
	struct kt_error *later;    /* for the next watch_next(): a load came first */
	bool ended;
	struct watch_stats stats;
};

#endif
