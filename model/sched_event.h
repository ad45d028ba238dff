/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Not a public header. What happens to sched_ext in a guest while it is watched, and what was read
 * of the guest at the instant at which a scheduler began to end: plain data.
 */
#ifndef KT_MODEL_SCHED_EVENT_H
#define KT_MODEL_SCHED_EVENT_H

#include "model/map_dump.h"
#include "model/sched.h"

enum sched_event_kind {
	SCHED_RUNNING,  /* a scheduler was there already when the watch began */
	SCHED_ENABLING, /* scx_root leads to a new scheduler */
	SCHED_ENABLED,  /* its tasks are switched to it: enable_seq counts */
	SCHED_BYPASS,   /* the kernel begins, or ends, to schedule by itself for a while */
	SCHED_HOTPLUG,  /* a CPU came or went: hotplug_seq counts */
	SCHED_REJECTED, /* a task that wanted sched_ext was refused: nr_rejected counts */
	SCHED_EXIT,     /* exit_kind was written: the scheduler begins to end */
	SCHED_DISABLED, /* scx_root leads to no scheduler any more */
	SCHED_PANIC,    /* the kernel panics */
	SCHED_EVENT_KINDS,
};

/* A global variable's section of the scheduler: a map, and its contents as they were. */
struct sched_section {
	struct map_dump dump; /* one entry; `done` is false if it is too large for one stop */
};

/* All that was read in one stop. */
struct sched_dump {
	struct scx_snapshot snapshot;
	bool snapshot_known;
	struct sched_section *sections; /* by the maps' IDs */
	size_t n_sections;
	struct program_number cpu; /* on which it happened */
	struct scx_task task;      /* that runs there */
	struct scx_frame *frames;  /* the innermost first */
	size_t n_frames;
	bool frames_cut; /* the stack goes on */
	char why[128];   /* why a part could not be read; "": all could */
};

struct sched_event {
	enum sched_event_kind kind;
	int64_t at_ns;    /* since 1970, by this machine's clock */
	int64_t pause_ns; /* how long the guest stood still for it, about */
	/* Nobody stopped the guest at it: it was found at the next stop or look, up to 2 s later.
	 */
	bool late;
	uint64_t scheduler;        /* the address of its struct scx_sched; 0: none */
	char ops[128];             /* its name; "": unknown */
	struct program_number cpu; /* on which it happened */
	struct program_number pid; /* of the task that ran there: of the thread */
	char comm[17];
	struct program_number on; /* BYPASS: 1 it begins, 0 it ends; also its depth before: */
	struct program_number depth;
	struct program_number count; /* the counter, and by how much it grew */
	uint64_t more;
	struct program_number rejected_pid; /* REJECTED: of the task; unknown: it was not found */
	char rejected_comm[17];
	struct scx_exit exit;    /* EXIT, DISABLED; kind 0 is one that was never enabled */
	bool is_error;           /* its kind is SCX_EXIT_ERROR or above */
	struct sched_dump *dump; /* EXIT, PANIC; NULL: none */
	char panic[128];         /* PANIC: the format of its message */
};

static inline void sched_dump_deinit(struct sched_dump *dump)
{
	scx_snapshot_deinit(&dump->snapshot);
	for (size_t i = 0; i < dump->n_sections; i++)
		map_dump_deinit(&dump->sections[i].dump);
	scx_frames_free(dump->frames, dump->n_frames);
	free(dump->sections);
	scx_task_deinit(&dump->task);
	*dump = (struct sched_dump){0};
}

static inline void sched_event_deinit(struct sched_event *event)
{
	if (event->dump)
		sched_dump_deinit(event->dump);
	free(event->dump);
	scx_exit_deinit(&event->exit);
	*event = (struct sched_event){0};
}

#endif
