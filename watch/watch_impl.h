/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Internal to watch.c: a watch is made of these parts. The test puts one together, too. */
#ifndef KT_WATCH_WATCH_IMPL_H
#define KT_WATCH_WATCH_IMPL_H

#include "watch/identity.h"
#include "watch/pending.h"
#include "watch/places.h"
#include "watch/watch.h"

struct watch {
	struct stop stop;
	struct places places;
	struct identity identity;
	struct reader reader;
	struct pending pending;
	struct progress progress;

	struct samples samples; /* that were not given out yet */
	struct kt_error *later; /* for the next watch_next(): a load came first */
	bool ended;
	struct watch_stats stats;
};

#endif
