/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Internal to the engines: cells that GNU parallel or Slurm starts, on any machine that has the
 * result directory. They are given only the number of a job, from 1, so that no name has to survive
 * their quoting. The script DIR/.sweep.XXXXXX/cell runs the cell of a number N. In its directory it
 * keeps a file N.run while the cell runs, and leaves N.end with the exit status.
 */
#ifndef KT_SWEEP_REMOTE_H
#define KT_SWEEP_REMOTE_H

#include "sweep/engine.h"

struct sweep_remote {
	const struct sweep_work *work;
	char *dir;     /* DIR/.sweep.XXXXXX; sweep_remote_destroy() removes it */
	char *command; /* "/bin/sh 'DIR/.sweep.XXXXXX/cell'", quoted; to append: the number */
	bool *begun;   /* by job: a scan saw it run, or have run */
	bool *running; /* by job: the last scan saw it run */
};

struct kt_error *sweep_remote_create(struct sweep_remote *remote, const struct sweep_work *work);
void sweep_remote_destroy(struct sweep_remote *remote);

/* Writes a file in that directory, in place of one that is there. */
struct kt_error *sweep_remote_write(struct sweep_remote *remote, const char *name, const char *text,
				    size_t len);

/* The path of a file in that directory, which the caller frees; NULL without memory. */
char *sweep_remote_path(const struct sweep_remote *remote, const char *name);

/*
 * Looks for changes: tells the sweep about cells that have begun, and calls `ended` (may be NULL)
 * once for each try that has ended, with its exit status. Returns how many cells run.
 */
size_t sweep_remote_scan(struct sweep_remote *remote,
			 void (*ended)(void *arg, size_t job, int status), void *arg);

/*
 * From now on no cell begins. Call this before any is told to stop: a script that ssh starts after
 * the connection has ended would not notice the end.
 */
void sweep_remote_close(struct sweep_remote *remote);

/* Waits, for a limited time, until the cells that were told to stop have ended. */
void sweep_remote_wait(struct sweep_remote *remote, unsigned timeout_s);

/* Takes and returns err. If that is NULL: an error if cells have ended that never began. */
struct kt_error *sweep_remote_check(const struct sweep_remote *remote, const char *words,
				    struct kt_error *err);

#endif
