// SPDX-License-Identifier: LGPL-2.1-or-later
#include "introspect/scx_walk.h"
#include "util/cleanup.h"

#define MAX_NODES 1024 /* CONFIG_NODES_SHIFT is 10 at most */

/* clang-format off */
static const struct {
	const char *symbol, *older;
	size_t size;
} globals[SCX_N_GLOBALS] = {
	[SCX_G_ROOT] = {"scx_root", NULL, 8},                   /* since 6.16 */
	[SCX_G_ENABLE_SEQ] = {"scx_enable_seq", NULL, 8},
	[SCX_G_HOTPLUG_SEQ] = {"scx_hotplug_seq", NULL, 8},
	[SCX_G_NR_REJECTED] = {"scx_nr_rejected", NULL, 8},
	[SCX_G_SWITCHING_ALL] = {"scx_switching_all", NULL, 1},
	[SCX_G_WATCHDOG_TIMEOUT] = {"scx_watchdog_timeout", NULL, 8}, /* before 7.1 */
	[SCX_G_WATCHDOG_AT] = {"scx_watchdog_timestamp", NULL, 8},
	/* Before 7.1. An int, or an atomic_t. */
	[SCX_G_BYPASS_DEPTH] = {"scx_bypass_depth", "scx_ops_bypass_depth", 4},
	[SCX_G_JIFFIES] = {"jiffies_64", "jiffies", 8},
	[SCX_G_NODES] = {"nr_node_ids", NULL, 4},               /* a constant without NUMA */
	[SCX_G_ALL] = {"scx_sched_all", NULL, 8},               /* its first one; since 7.1 */
	/* Static keys, which begin with a counter; per node since 6.15. */
	[SCX_G_IDLE_ENABLED] = {"scx_builtin_idle_enabled", NULL, 4},
	[SCX_G_IDLE_PER_NODE] = {"scx_builtin_idle_per_node", NULL, 4},
	[SCX_G_IDLE_NODES] = {"scx_idle_node_masks", NULL, 8},
};
/* clang-format on */

/* Of the clock source "jiffies": mult is TICK_NSEC << shift (kernel/time/jiffies.c). */
static const char tick_clock[] = "clocksource_jiffies";

bool scx_globals_wants(struct wants *wants)
{
	for (size_t i = 0; i < SCX_N_GLOBALS; i++)
		if (!wants_add(wants, KFACTS_SYMBOL, globals[i].symbol, NULL, true) ||
		    (globals[i].older &&
		     !wants_add(wants, KFACTS_SYMBOL, globals[i].older, NULL, true)))
			return false;
	return percpu_wants(wants) && wallclock_wants(wants) &&
	       wants_add(wants, KFACTS_SYMBOL, "__cpu_online_mask", NULL, true) &&
	       wants_add(wants, KFACTS_SYMBOL, tick_clock, NULL, true) &&
	       wants_add(wants, KFACTS_MEMBER, "clocksource", "mult", true) &&
	       wants_add(wants, KFACTS_MEMBER, "clocksource", "shift", true);
}

size_t scx_nodes(const struct scx_walk *walk)
{
	uint64_t n = scx_piece_value(walk, &walk->globals[SCX_G_NODES]);

	return n && n <= MAX_NODES ? (size_t)n : 1;
}

static struct kt_error *begin(struct scx_walk *walk, struct gmem_batch *batch)
{
	struct kfacts_member mult, shift;
	struct kt_error *err = NULL;
	uint64_t mask_len;
	gaddr_t addr;

	for (size_t i = 0; i < SCX_N_GLOBALS && !err; i++)
		if (guest_symbol(walk->guest, globals[i].symbol, &addr) ||
		    (globals[i].older && guest_symbol(walk->guest, globals[i].older, &addr)))
			err = scx_piece_begin(&walk->globals[i], addr, globals[i].size, batch);
	if (!err && guest_symbol(walk->guest, "__cpu_online_mask", &addr) &&
	    kfacts_size(walk->facts, "cpumask", &mask_len) && mask_len <= PERCPU_MASK_MAX)
		err = scx_piece_begin(&walk->online, addr, (size_t)mask_len, batch);
	if (!err && guest_symbol(walk->guest, tick_clock, &addr) &&
	    kfacts_member(walk->facts, "clocksource", "mult", &mult) &&
	    kfacts_member(walk->facts, "clocksource", "shift", &shift) && mult.size == 4 &&
	    shift.size == 4) {
		err = scx_piece_begin(&walk->tick_mult, addr + mult.offset, 4, batch);
		if (!err)
			err = scx_piece_begin(&walk->tick_shift, addr + shift.offset, 4, batch);
	}
	return err;
}

static void end(struct scx_walk *walk, const struct gmem_batch *done)
{
	for (size_t i = 0; i < SCX_N_GLOBALS; i++)
		scx_piece_end(&walk->globals[i], done);
	scx_piece_end(&walk->online, done);
	scx_piece_end(&walk->tick_mult, done);
	scx_piece_end(&walk->tick_shift, done);
	wallclock_end(&walk->clock, done);
}

static struct kt_error *read_with(struct scx_walk *walk, struct percpu_reader *percpu)
{
	_cleanup_(gmem_batch_deinit) struct gmem_batch first = {0}, second = {0};
	struct kt_error *err = begin(walk, &first);

	if (!err)
		err = wallclock_begin(&walk->clock, walk->guest, &first);
	if (!err)
		err = percpu_begin(percpu, walk->guest, &first);
	if (!err)
		err = guest_read(walk->guest, &first);
	if (err)
		return err;
	end(walk, &first);
	err = percpu_next(percpu, walk->guest, &first, &second);
	if (!err && second.reads.len)
		err = guest_read(walk->guest, &second);
	return err ? err : percpu_end(percpu, walk->guest, &second, &walk->percpu);
}

struct kt_error *scx_globals_read(struct scx_walk *walk)
{
	struct percpu_reader percpu = {0};
	struct kt_error *err = read_with(walk, &percpu);

	percpu_reader_deinit(&percpu);
	return err;
}
