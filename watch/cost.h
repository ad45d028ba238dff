/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What loads cost the guest by its own clock, which stands still while the guest does. Up to QEMU
 * 10.1, TCG drops all code that it has translated whenever a breakpoint stops the guest. Then the
 * guest runs slowly until what it needs is translated again: most of what a watch costs it.
 *
 * Nobody knows how long a load would have taken without a watch. But next to the translation that
 * is little, except for programs that keep the verifier busy. So the cost of a load is the time
 * that its task used from one load to the next, in which each place is passed once; and of the
 * verifier's part no more than short programs need. Internal to watch/.
 */
#ifndef KT_WATCH_COST_H
#define KT_WATCH_COST_H

#include "gdbrsp/types.h"
#include "model/load.h"
#include "util/vec.h"

/* All zero: no load was seen. The members are private. */
struct cost {
	/* The last tasks that loaded something, and how long they had run by then. */
	struct cost_task {
		gaddr_t task;
		uint64_t cpu_ns;
	} tasks[64];
	size_t n_tasks; /* counts on */
	KT_VEC(struct cost_load) loads;
};

/* Of one load, in nanoseconds of the guest's clock. */
struct cost_load {
	int64_t verifier_ns, other_ns;
	uint64_t insns;
	bool is_first; /* of its task, so that other_ns is only what came behind the verifier */
};

/* At bpf_vlog_finalize(): *ret gets what is known of the load by then. */
void cost_begin(struct cost *cost, gaddr_t task, struct program_number cpu_ns,
		const struct bpf_load *load, struct cost_load *ret);

/* bpf_prog_load() has returned, behind_ns of the guest's clock later. */
void cost_end(struct cost *cost, struct cost_load *load, int64_t behind_ns);

/* What a load has cost on average, in nanoseconds; 0: there was none. Orders the loads anew. */
int64_t cost_of_load(struct cost *cost);
void cost_deinit(struct cost *cost);

#endif
