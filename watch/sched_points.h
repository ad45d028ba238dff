/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where the guest is stopped for what happens to sched_ext. Internal to watch/.
 *
 * A processor has four debug registers. Two are always used: a write to scx_root, and a write to
 * the exit_kind of the scheduler that it leads to. The others are at scx_bypass() and at the
 * kernel's counters, as far as registers are left (loads and panic() come first); what has none is
 * found at a look, a little later. TCG has any number of them.
 */
#ifndef KT_WATCH_SCHED_POINTS_H
#define KT_WATCH_SCHED_POINTS_H

#include "memory/guest.h"
#include "watch/arch.h"

enum sched_point {
	SCHED_AT_ROOT,     /* scx_root is written */
	SCHED_AT_EXIT,     /* so is exit_kind of the scheduler */
	SCHED_AT_INFO,     /* and kind of its exit_info */
	SCHED_AT_BYPASS,   /* scx_bypass() */
	SCHED_AT_ENABLED,  /* scx_enable_seq counts */
	SCHED_AT_HOTPLUG,  /* scx_hotplug_seq does */
	SCHED_AT_REJECTED, /* scx_nr_rejected does */
	SCHED_POINTS,
	SCHED_NOWHERE = SCHED_POINTS,
};

struct sched_points {
	struct {
		gaddr_t addr; /* 0: not known, or this kernel does not have it */
		bool set;
	} at[SCHED_POINTS];
	size_t breakpoint_len;
	bool more;                /* registers that are left were given to the others */
	uint64_t bypass_argument; /* which one of scx_bypass() tells whether it begins */
};

/* False: no memory. */
bool sched_points_wants(struct wants *wants);

/* Finds those that do not depend on a scheduler. KT_ERROR_UNSUPPORTED: there is no scx_root. */
struct kt_error *sched_points_find(struct sched_points *points, struct guest *guest,
				   const struct watch_arch *arch);

/* The two that every watch has to have: until there is a scheduler, the second waits at scx_root.
 */
struct kt_error *sched_points_set(struct sched_points *points, struct rsp_client *client);

/* Those of the others that registers are left for; only_ends: only that of exit_info. */
struct kt_error *sched_points_set_more(struct sched_points *points, struct rsp_client *client,
				       bool only_ends);
struct kt_error *sched_points_remove(struct sched_points *points, struct rsp_client *client);

/* The scheduler is another one: where its exit_kind and its exit_info's kind are; 0: there is none.
 */
struct kt_error *sched_points_move(struct sched_points *points, struct rsp_client *client,
				   gaddr_t exit, gaddr_t info);

/* Those that are set, in words: "scx_root, exit_kind". The caller frees *ret. */
struct kt_error *sched_points_name(const struct sched_points *points, char **ret);

/* Which one stopped the guest. */
enum sched_point sched_points_which(const struct sched_points *points, const struct rsp_stop *told,
				    gaddr_t pc);

#endif
