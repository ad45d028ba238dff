/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Internal to the engine of Slurm: runs its commands and reads what they print. Formats are those
 * of Slurm 22.05, unchanged since 14.11 (job arrays, squeue's %K). All jobs of a sweep share a
 * unique name, so that they are found even if sbatch failed to tell a number.
 */
#ifndef KT_SWEEP_SLURM_QUEUE_H
#define KT_SWEEP_SLURM_QUEUE_H

#include <stdbool.h>
#include <stddef.h>

#include "util/error.h"

/* The state of a task, as far as it makes a difference here. */
enum slurm_state {
	SLURM_GONE, /* not in the queue */
	SLURM_PENDING,
	SLURM_ACTIVE, /* on a node */
	SLURM_COMPLETED,
	SLURM_FAILED, /* exit status not 0 */
	SLURM_ENDED,  /* otherwise: cancelled, killed, lost with its node */
};

struct slurm_line {
	unsigned long array; /* job number */
	long task;           /* -1: all of the array's tasks that have no line of their own */
	enum slurm_state state;
	char word[32];      /* Slurm's word for the state */
	const char *reason; /* why it is pending; valid during the call */
};

struct slurm_request {
	const char *name;          /* shared by all jobs of the sweep */
	const char *dir;           /* working directory */
	const char *output;        /* relative to dir; appended to */
	const char *script;        /* path; Slurm takes a copy */
	size_t n_tasks;            /* numbered from 0 */
	unsigned at_a_time;        /* 0: as many as fit */
	unsigned cpus, memory_mib; /* of each task */
	unsigned timeout_s;        /* of the cell, which keeps to it by itself; 0: none */
	const char *const *args;   /* more options */
	size_t n_args;
};

/* How many tasks an array may have. KT_ERROR_UNSUPPORTED if Slurm has no arrays. */
struct kt_error *slurm_array_max(size_t *ret);

/* Submits an array; its job number is in *ret. Errors have sbatch's own words. */
struct kt_error *slurm_submit(const struct slurm_request *request, unsigned long *ret);

/*
 * Calls tell for each line of the queue with that name, also for jobs that ended minutes ago.
 * KT_ERROR_CANCELLED if cancel_fd (-1: none) is readable before Slurm answers.
 */
struct kt_error *slurm_queue(const char *name, int cancel_fd,
			     void (*tell)(void *arg, const struct slurm_line *line), void *arg);

/* Asks Slurm to end all jobs with that name: SIGTERM, and after its KillWait SIGKILL. */
struct kt_error *slurm_cancel(const char *name);

/* Whether a pending job with this reason waits for somebody to repair something. */
bool slurm_reason_is_bad(const char *reason);

#endif
