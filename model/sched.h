/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Not a public header. The whole state of sched_ext in a guest, at one moment: plain data. What a
 * kernel does not have, or what could not be read, is unknown: `known` is false, a text is NULL.
 *
 *	from 6.12   one scheduler at a time
 *	from 7.1    a tree of schedulers: each one that is not the root is for the tasks of a cgroup
 */
#ifndef KT_MODEL_SCHED_H
#define KT_MODEL_SCHED_H

#include "model/program.h"

#define SCX_NOBODY ((size_t)-1)

/* A task, as one that waits in a queue or that runs on a CPU. */
struct scx_task {
	struct program_number pid; /* of the thread, in the first namespace; 0: a CPU's idle task */
	struct program_number tgid;
	char comm[17];             /* "": unknown */
	struct program_number cpu; /* that it ran on last, or runs on */
	/*
	 * How long it has been runnable without running, as the kernel's watchdog measures it: in
	 * ms, of whole ticks. Only of a task that waits.
	 */
	struct program_number waits_ms;
	struct program_number weight;   /* 1 to 10000, 100 for nice 0 */
	struct program_number slice_ns; /* UINT64_MAX: SCX_SLICE_INF */
	struct program_number vtime;
	struct program_number flags; /* sched_ext_entity.flags */
	char *flag_names;            /* "QUEUED|ENABLED"; NULL: unknown */
	bool is_ext;                 /* its class is sched_ext; only of a task that runs */
	size_t scheduler;            /* in schedulers; SCX_NOBODY: unknown, or none */
};

enum scx_queue_kind {
	SCX_QUEUE_LOCAL,  /* one of each CPU */
	SCX_QUEUE_REJECT, /* likewise: tasks that a sub-scheduler may not run there; since 7.3 */
	SCX_QUEUE_RESCUE, /* likewise: tasks that were taken from one; since 7.3 */
	SCX_QUEUE_GLOBAL, /* one of a scheduler, or of each of its NUMA nodes */
	SCX_QUEUE_BYPASS, /* tasks while a scheduler is bypassed; of each of its CPUs, since 7.1 */
	SCX_QUEUE_USER,   /* that a scheduler made, by its id */
	SCX_N_QUEUE_KINDS,
};

struct scx_queue {
	enum scx_queue_kind kind;
	uint64_t id; /* dsq->id: a user's, or a number of the kernel's own */
	bool id_known;
	struct program_number cpu;   /* of LOCAL, REJECT and BYPASS */
	struct program_number node;  /* of GLOBAL */
	size_t scheduler;            /* in schedulers; SCX_NOBODY: a CPU's, whoever schedules */
	struct program_number depth; /* dsq->nr, as the kernel counts */
	bool is_by_vtime;            /* tasks are ordered by vtime; else first in, first out */
	struct scx_task *tasks;      /* that were read, the next one to run first */
	size_t n_tasks;
	/*
	 * The list did not lead back to its queue: it is cyclic, or ends in what is not mapped.
	 * There may be more tasks, and some of these may be wrong.
	 */
	bool is_torn;
	bool is_cut; /* there are more tasks than one stop reads: those in the middle are left out
		      */
	/*
	 * depth and n_tasks differ, or a task is not of this queue by its own word: the guest was
	 * stopped in the middle of a change.
	 */
	bool is_uneven;
};

/* A CPU that is possible. */
struct scx_cpu {
	uint32_t cpu;
	struct program_number online;     /* 1: yes */
	struct program_number nr_running; /* rq->scx.nr_running: tasks of sched_ext, its current one
					     among them */
	struct program_number flags;      /* rq->scx.flags */
	char *flag_names;                 /* "ONLINE|BYPASSING", the kernel's less "SCX_RQ_" */
	struct program_number idle;       /* 1: the built-in idle mask has it */
	struct program_number idle_core;  /* 1: and that of idle cores */
	bool has_current;
	struct scx_task current; /* rq->curr */
	size_t queue;            /* its local one, in queues; SCX_NOBODY: could not be read */
};

struct scx_event {
	char *name;    /* "SCX_EV_SELECT_CPU_FALLBACK" */
	int64_t value; /* over all CPUs */
};

/* An address of a backtrace, or of a stack. */
struct scx_frame {
	uint64_t addr;   /* in this boot: where the call returns to, or where it stands */
	char *func;      /* also BPF's: bpf_prog_TAG_NAME; NULL: unknown */
	char *module;    /* that func is in; NULL: none */
	uint64_t offset; /* in func */
	/* Nothing proves that this was called by the one below: it may be a leftover. */
	bool is_guess;
};

/* Why a scheduler ended, or is about to. Kind 0 is SCX_EXIT_NONE: it has not. */
struct scx_exit {
	/*
	 * Of scx_exit_info when that is filled, else scx_sched.exit_kind. That one is
	 * SCX_EXIT_DONE from when the kernel begins to take the scheduler away.
	 */
	struct program_number kind;
	char *kind_name; /* "SCX_EXIT_ERROR_STALL"; NULL: unknown */
	/* The rest is in scx_exit_info, which the kernel fills a moment after exit_kind. */
	bool is_complete;           /* it is filled */
	struct program_number code; /* an int64_t */
	struct program_number cpu;  /* that it began on; since 7.2 */
	char *reason;               /* "runnable task stall"; NULL: none, or unknown */
	char *message;              /* "stress[123] failed to run for 5.001s" */
	char *dump;                 /* the kernel's debug dump, of many lines */
	bool dump_is_cut;           /* it is longer than was read */
	struct scx_frame *frames;   /* the backtrace, the innermost first */
	size_t n_frames;
};

/* A member of sched_ext_ops that the scheduler has a program for. */
struct scx_op {
	char *name;                    /* "enqueue"; NULL: unknown */
	struct program_number prog_id; /* the rest is in the list of programs, by this */
	char *prog_name;
	struct program_number verified_insns, run_cnt, run_time_ns;
};

struct scx_scheduler {
	uint64_t addr;    /* of its struct scx_sched; 0: a kernel before 6.16 has none */
	char *ops;        /* ops.name; NULL: unknown */
	bool is_root;     /* scx_root: what sysfs calls "root" */
	bool is_attached; /* else it ended, and something still holds it: a link or a process */
	struct program_number flags; /* ops.flags */
	char *flag_names;            /* "ENQ_LAST|SWITCH_PARTIAL", the kernel's less "SCX_OPS_" */
	struct program_number
		timeout_ms;             /* ops.timeout_ms, as the scheduler asked; 0: the default */
	struct program_number since_ns; /* when it was enabled, in ns since 1970 */
	struct program_number map_id;   /* of its struct_ops map */
	struct scx_op *all_ops;
	size_t n_ops;
	bool ops_known;
	struct program_number bypass_depth; /* before 7.1 one for all, and here the root's */
	struct program_number aborting;     /* 1: since 6.19, the kernel is ending it */
	struct scx_event *events;
	size_t n_events;
	bool events_known;
	struct scx_exit exit;

	/* Of a tree of schedulers, since 7.1. */
	size_t parent; /* in schedulers; SCX_NOBODY: it has none */
	struct program_number level;
	struct program_number cgroup_id;
	char *cgroup; /* its path; NULL: none, or unknown */
};

struct scx_snapshot {
	struct scx_state state;
	struct program_number switched_all; /* 1: tasks of SCHED_NORMAL are sched_ext's, too */
	struct program_number enable_seq;   /* how many schedulers were enabled since the boot */
	struct program_number hotplug_seq;  /* how often a CPU came or went */
	struct program_number nr_rejected;  /* tasks that ops.init_task refused to have */
	struct program_number hz;           /* ticks a second */
	struct program_number watchdog_timeout_ms; /* the shortest of all schedulers */
	struct program_number watchdog_age_ms;     /* since the watchdog last looked */
	struct scx_scheduler *schedulers; /* the root first, a parent before its children */
	size_t n_schedulers;
	struct scx_cpu *cpus; /* by number */
	size_t n_cpus;
	bool cpus_known;
	/* Local ones by CPU, then each scheduler's: global, bypass, its own by id. */
	struct scx_queue *queues;
	size_t n_queues;
	size_t n_unreadable; /* queues and schedulers that could not be read, and are left out */
	bool is_torn;        /* so are lists of those: there may be more */
};

/* Fills what the programs behind the ops have, by their IDs. False: no memory. */
bool scx_name_programs(struct scx_snapshot *snapshot, const struct programs *programs);

static inline void scx_task_deinit(struct scx_task *task)
{
	free(task->flag_names);
	*task = (struct scx_task){0};
}

static inline void scx_queue_deinit(struct scx_queue *queue)
{
	for (size_t i = 0; i < queue->n_tasks; i++)
		scx_task_deinit(&queue->tasks[i]);
	free(queue->tasks);
	*queue = (struct scx_queue){0};
}

static inline void scx_frames_free(struct scx_frame *frames, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(frames[i].func);
		free(frames[i].module);
	}
	free(frames);
}

static inline void scx_exit_deinit(struct scx_exit *exit)
{
	scx_frames_free(exit->frames, exit->n_frames);
	free(exit->kind_name);
	free(exit->reason);
	free(exit->message);
	free(exit->dump);
	*exit = (struct scx_exit){0};
}

static inline void scx_scheduler_deinit(struct scx_scheduler *scheduler)
{
	for (size_t i = 0; i < scheduler->n_ops; i++) {
		free(scheduler->all_ops[i].name);
		free(scheduler->all_ops[i].prog_name);
	}
	free(scheduler->all_ops);
	for (size_t i = 0; i < scheduler->n_events; i++)
		free(scheduler->events[i].name);
	free(scheduler->events);
	free(scheduler->ops);
	free(scheduler->flag_names);
	free(scheduler->cgroup);
	scx_exit_deinit(&scheduler->exit);
	*scheduler = (struct scx_scheduler){0};
}

/* Frees all that it holds, and zeroes it. */
static inline void scx_snapshot_deinit(struct scx_snapshot *snapshot)
{
	for (size_t i = 0; i < snapshot->n_schedulers; i++)
		scx_scheduler_deinit(&snapshot->schedulers[i]);
	for (size_t i = 0; i < snapshot->n_cpus; i++) {
		free(snapshot->cpus[i].flag_names);
		scx_task_deinit(&snapshot->cpus[i].current);
	}
	for (size_t i = 0; i < snapshot->n_queues; i++)
		scx_queue_deinit(&snapshot->queues[i]);
	free(snapshot->schedulers);
	free(snapshot->cpus);
	free(snapshot->queues);
	*snapshot = (struct scx_snapshot){0};
}

#endif
