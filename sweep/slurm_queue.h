/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Internal to the engine of Slurm: its commands, and what they print. Formats are those of
 * Slurm 22.05, which have not changed since 14.11 (job arrays, squeue's %K). Every job of a sweep
 * has the same name, which nobody else's has; so it is found even when its number was never heard
 * of.
 */
#ifndef KT_SWEEP_SLURM_QUEUE_H
#define KT_SWEEP_SLURM_QUEUE_H

#include <stdbool.h>
#include <stddef.h>

#include "util/error.h"

/* A task's, as far as it makes a difference. */
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
	char word[32];      /* Slurm's for the state */
	const char *reason; /* why it is pending; good during the call */
};

struct slurm_request {
	const char *name;          /* of the sweep's jobs */
	const char *dir;           /* where it runs */
	const char *output;        /* relative to dir; appended to */
	const char *script;        /* path; Slurm takes a copy */
	size_t n_tasks;            /* 0..n-1 */
	unsigned at_a_time;        /* 0: as many as there is room for */
	unsigned cpus, memory_mib; /* of each task */
	unsigned timeout_s;        /* of what it runs, which sees to that itself; 0: none */
	const char *const *args;   /* more options */
	size_t n_args;
};

/* How many tasks an array may have. UNSUPPORTED: none. */
struct kt_error *slurm_array_max(size_t *ret);

/* The job number in *ret. Errors have sbatch's own words. */
struct kt_error *slurm_submit(const struct slurm_request *request, unsigned long *ret);

/*
 * Tells of each line of the queue under that name; those that ended minutes ago are still there.
 * CANCELLED when cancel_fd (-1: none) is readable before Slurm answers.
 */
struct kt_error *slurm_queue(const char *name, int cancel_fd,
			     void (*tell)(void *arg, const struct slurm_line *line), void *arg);

/* Asks Slurm to end all of that name: SIGTERM, and after its KillWait SIGKILL. */
struct kt_error *slurm_cancel(const char *name);

/* Does that reason mean that something must be mended before the job runs? */
bool slurm_reason_is_bad(const char *reason);

#endif
