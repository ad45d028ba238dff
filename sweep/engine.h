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

/* How a cell's process ends. Any other end: what the cell is about could not be done. */
enum { SWEEP_CELL_PASSED = 0, SWEEP_CELL_FAILED = 1, SWEEP_CELL_SKIPPED = 4 };

struct sweep_job {
	/*
	 * "verifier/SCHED/KERNEL/TOPOLOGY": parts that are neither empty nor "." or "..", of any
	 * bytes but "/" and newlines, since its output goes to DIR/.logs/NAME.out.
	 */
	const char *name;
	unsigned cpus; /* vCPUs of its guest */
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
	bool kvm;                       /* a vCPU is a thread; else (TCG) a guest is one */
	unsigned retries;               /* of a cell that neither passed nor was skipped */
	unsigned timeout_s;             /* of each try; then SIGTERM, 5 s later SIGKILL; 0: none */
	unsigned patience_s;            /* slurm: of waiting for what is down; 0: 600 */
	const char *machines;           /* of GNU parallel: for --sshlogin; NULL: this one */
	const char *const *engine_args; /* more options for sbatch or parallel */
	size_t n_engine_args;
	int cancel_fd; /* readable: stop, and leave what is done; -1: none */

	/*
	 * Told of each cell that begins (each of its tries, as far as the engine knows), and that
	 * it has ended and will not be tried again; one that could not be started only ends. And
	 * what somebody who waits should know: a sentence. Each may be NULL.
	 */
	void (*begun)(void *arg, size_t job);
	void (*ended)(void *arg, size_t job);
	void (*notice)(void *arg, const char *text);
	void *arg;
};

/*
 * Each runs all jobs, those first that need most, and returns when they have ended, or as soon as
 * cancel_fd is readable (KT_ERROR_CANCELLED), with nothing of theirs left running. What became of
 * a cell is in its record; a cell without one has not come so far. What it printed, in all its
 * tries, is in DIR/.logs/NAME.out. Errors: the engine is not there (NOT_FOUND, with a hint), or
 * does not work (with its own words); a cell that failed is none.
 *
 * Here. max_jobs at a time, or as many as have a CPU for each thread and, with a margin, memory
 * that is free when the sweep begins; one at least. Cells die with the thread that called.
 */
struct kt_error *sweep_run_local(const struct sweep_work *work);

/* Whether what an engine needs is installed here: NOT_FOUND, with a hint. The engine asks, too. */
struct kt_error *sweep_need_parallel(void);
struct kt_error *sweep_need_slurm(void);

/*
 * By GNU parallel, from 2022. max_jobs is for each machine; without it, a job for each CPU
 * there, and memory is not looked at. Its log is DIR/.logs/parallel.joblog. Where this process is
 * killed, cells here end with it, and those behind ssh when they are done.
 */
struct kt_error *sweep_run_parallel(const struct sweep_work *work);

/*
 * By Slurm, as job arrays: one for each need of CPUs and memory, or, with max_jobs, one after the
 * other with the largest need for all, since a limit is an array's. A cell is tried again when all
 * have been tried. Why cells wait is noticed after a while (patience_s / 20), and is an error
 * (TIMEOUT) after patience_s when something has to be mended first: a node that is down, a hold.
 * Cells that were cancelled or got lost are one in the end (CLOSED), after all others. What Slurm
 * says of its jobs is in DIR/.logs/slurm.out. They go on when this process is killed.
 */
struct kt_error *sweep_run_slurm(const struct sweep_work *work);

#endif
