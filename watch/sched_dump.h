/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * All that is kept of a guest at the instant at which a scheduler ends. Internal to watch/.
 */
#ifndef KT_WATCH_SCHED_DUMP_H
#define KT_WATCH_SCHED_DUMP_H

#include "introspect/stack.h"
#include "model/sched_event.h"
#include "watch/stop.h"

/* How one kernel lays out what is read here. */
struct sched_dump_views {
	struct view sched, info;
	bool has_info; /* both */
	struct stack_views stack;
	gaddr_t current_task, cpu_number; /* per-CPU: 0: not known */
	struct view task;
	bool has_task;
};

/* False: no memory. */
bool sched_dump_wants(struct wants *wants);

/* KT_ERROR_NOT_FOUND names what a kernel lacks. */
struct kt_error *sched_dump_views_init(struct sched_dump_views *views, const struct kfacts *facts,
				       int64_t kaslr_offset);

/* Of a struct scx_sched. */
struct sched_seen {
	bool known;
	char ops[128];
	int32_t exit_kind;
	gaddr_t exit_info;
	int32_t info_kind;                  /* exit_info's own; 0: not written yet */
	struct program_number bypass_depth; /* since 7.1 */
};

struct kt_error *sched_see(const struct sched_dump_views *views, const struct gmem *memory,
			   gaddr_t scheduler, struct sched_seen *ret);

/* The exit as its exit_info has it by now. The caller owns *ret. */
struct kt_error *sched_read_exit(const struct sched_dump_views *views, const struct gmem *memory,
				 const struct kfacts *facts, int64_t kaslr_offset,
				 const struct sched_seen *seen, struct scx_exit *ret);

/*
 * The names of frames that are BPF's or a module's; what cannot be read has none, and is no error.
 */
struct kt_error *sched_name_frames(const struct stop *stop, const struct kfacts *facts,
				   int64_t kaslr_offset, struct scx_frame *frames, size_t n);

/* The CPU that stopped, and the task that runs there. Registers were fetched. */
struct kt_error *sched_read_cpu(const struct sched_dump_views *views, const struct stop *stop,
				struct program_number *cpu_ret, struct scx_task *ret);

/*
 * Everything. What could not be read is left out, and `why` tells. stop: of a vCPU whose registers
 * were fetched; late: it is not where it happened, so its CPU, task and stack are left out. The
 * caller owns *ret.
 */
struct kt_error *sched_dump_read(const struct sched_dump_views *views, struct stop *stop,
				 const struct kfacts *facts, int64_t kaslr_offset, bool late,
				 struct sched_dump *ret);

#endif
