/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Engines run the cells of a sweep. A cell is a process of its own (`ktstr-gdb sweep FILE --cell
 * NAME --results DIR`), and shares only the result directory with others, where it writes its
 * record. So an engine only starts processes, here or on other machines.
 */
#ifndef KT_SWEEP_ENGINE_H
#define KT_SWEEP_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/error.h"

/* Exit statuses of a cell's process. With any other, the cell has no result. */
enum { SWEEP_CELL_PASSED = 0, SWEEP_CELL_FAILED = 1, SWEEP_CELL_SKIPPED = 4 };

struct sweep_job {
	/*
	 * "verifier/SCHED/KERNEL/TOPOLOGY". It becomes the path DIR/.logs/NAME.out: no part is
	 * empty, "." or "..", and it has no newline.
	 */
	const char *name;
	unsigned cpus; /* vCPUs of its guest */
	unsigned memory_mib;
};

/* Paths are absolute, and the same on every machine. Everything stays the caller's. */
struct sweep_work {
	const struct sweep_job *jobs;
	size_t n_jobs;
	const char *tool;        /* the ktstr-gdb to run */
	const char *file;        /* the sweep file */
	const char *results;     /* the result directory */
	const char *const *args; /* more arguments for each cell's process */
	size_t n_args;
	unsigned max_jobs;              /* at a time; 0: as many as CPUs and memory allow */
	bool kvm;                       /* a guest has a thread per vCPU; else (TCG) one */
	unsigned retries;               /* further tries of a cell that did not pass */
	unsigned timeout_s;             /* per try; then SIGTERM, 5 s later SIGKILL; 0: none */
	unsigned patience_s;            /* slurm: how long to wait for what is down; 0: 600 */
	const char *machines;           /* parallel: for --sshlogin; NULL: this machine */
	const char *const *engine_args; /* more options for sbatch or parallel */
	size_t n_engine_args;
	int cancel_fd; /* if readable: stop, and keep what is done; -1: none */

	/*
	 * Each may be NULL. begun: a cell begins a try, as far as the engine notices. ended: it has
	 * ended and will not be tried again; a cell that could not start only ends. notice: a
	 * sentence for whoever waits.
	 */
	void (*begun)(void *arg, size_t job);
	void (*ended)(void *arg, size_t job);
	void (*notice)(void *arg, const char *text);
	void *arg;
};

/*
 * Each engine runs all jobs, the largest first. It returns when they have ended, or as soon as
 * cancel_fd is readable (KT_ERROR_CANCELLED), and leaves none of them running. The result of a cell
 * is its record. The output of all its tries is in DIR/.logs/NAME.out. Errors: the engine is not
 * installed (KT_ERROR_NOT_FOUND, with a hint), or does not work (with its own words). A cell that
 * failed is no error.
 *
 * local: on this machine. It runs max_jobs at a time, or as many as have a CPU per thread and fit,
 * with a margin, the memory that is free when the sweep begins; but at least one. Cells die with
 * the calling thread.
 */
struct kt_error *sweep_run_local(const struct sweep_work *work);

/* Whether an engine is installed here: KT_ERROR_NOT_FOUND, with a hint, if not. */
struct kt_error *sweep_need_parallel(void);
struct kt_error *sweep_need_slurm(void);

/*
 * By GNU parallel, 2022 or later. max_jobs counts per machine; without it, a machine runs a job per
 * CPU, whatever its memory. GNU parallel's log is DIR/.logs/parallel.joblog. If this process is
 * killed, cells on this machine end with it; those behind ssh go on to their end.
 */
struct kt_error *sweep_run_parallel(const struct sweep_work *work);

/*
 * By Slurm, as job arrays: one array for all cells that need the same CPUs and memory. With
 * max_jobs, which limits one array, arrays run one after the other and request what the largest
 * cell needs. Retries begin when all cells have been tried.
 *
 * If nothing runs for patience_s / 20, a notice says why. If somebody has to repair something first
 * (a node is down, a job is held), it is an error after patience_s (KT_ERROR_TIMEOUT). Cells that
 * were cancelled or lost are an error at the end (KT_ERROR_CLOSED). Slurm's output about its jobs
 * is in DIR/.logs/slurm.out. Cells go on if this process is killed.
 */
struct kt_error *sweep_run_slurm(const struct sweep_work *work);

#endif
