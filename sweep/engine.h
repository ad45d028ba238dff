/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What runs the cells of a sweep. A cell is a process of its own (`ktstr-gdb sweep FILE --cell
 * NAME --results DIR`) that shares nothing with the others but the result directory, into which it
 * writes its record. So an engine only starts processes: here, or on other machines.
 */
#ifndef KT_SWEEP_ENGINE_H
#define KT_SWEEP_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/error.h"

struct sweep_job {
	const char *name; /* "verifier/SCHED/KERNEL/TOPOLOGY" */
	unsigned cpus;    /* vCPUs of its guest */
	unsigned memory_mib;
};

/* Paths are absolute, and the same on every machine. All of it stays the caller's. */
struct sweep_work {
	const struct sweep_job *jobs;
	size_t n_jobs;
	const char *tool;        /* ktstr-gdb itself */
	const char *file;        /* the sweep file */
	const char *results;     /* the result directory */
	const char *const *args; /* more arguments for each cell's process */
	size_t n_args;
	unsigned max_jobs;              /* at a time; 0: as many as CPUs and memory allow */
	unsigned retries;               /* of a cell that did not pass */
	unsigned timeout_s;             /* of each try; 0: none */
	const char *machines;           /* of GNU parallel: for --sshlogin; NULL: this one */
	const char *const *engine_args; /* more options for sbatch or parallel */
	size_t n_engine_args;
	int cancel_fd; /* readable: stop, and leave what is done; -1: none */

	/* Told of each cell that begins or has ended, as far as the engine knows; may be NULL. */
	void (*begun)(void *arg, size_t job);
	void (*ended)(void *arg, size_t job);
	void *arg;
};

/*
 * Each runs all jobs and returns when they have ended, or as soon as cancel_fd is readable
 * (KT_ERROR_CANCELLED), with nothing of theirs left running. What became of a cell is in its
 * record; a cell without one has not come so far. Errors: the engine is not there (OS, with a
 * hint), or does not work (with its own words).
 */
struct kt_error *sweep_run_local(const struct sweep_work *work);
struct kt_error *sweep_run_parallel(const struct sweep_work *work);
struct kt_error *sweep_run_slurm(const struct sweep_work *work);

#endif
