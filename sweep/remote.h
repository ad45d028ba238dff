/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Internal to the engines: cells that somebody else starts, on any machine that has the result
 * directory. All that is passed on is a job's number, from 1, so that no name goes through anybody
 * else's quoting: DIR/.sweep.XXXXXX/cell is a script that runs the cell of that number, and
 * tells of it by files there: N.run while it runs, N.end with its exit status.
 */
#ifndef KT_SWEEP_REMOTE_H
#define KT_SWEEP_REMOTE_H

#include "sweep/engine.h"

struct sweep_remote {
	const struct sweep_work *work;
	char *dir;     /* DIR/.sweep.XXXXXX; removed in the end */
	char *command; /* "/bin/sh 'DIR/.sweep.XXXXXX/cell'", quoted; the number comes behind it */
	bool *begun;   /* by job: was seen to run, or to have run */
	bool *running; /* by job: in the last scan */
};

struct kt_error *sweep_remote_create(struct sweep_remote *remote, const struct sweep_work *work);
void sweep_remote_destroy(struct sweep_remote *remote);

/* A file there, written anew. */
struct kt_error *sweep_remote_write(struct sweep_remote *remote, const char *name, const char *text,
				    size_t len);

/* Its path, which the caller frees; NULL without memory. */
char *sweep_remote_path(const struct sweep_remote *remote, const char *name);

/*
 * Looks what there is of news: tells the sweep of what has begun, and `ended`, unless NULL, of
 * each try that has ended, once, with its exit status. Returns how many run.
 */
size_t sweep_remote_scan(struct sweep_remote *remote,
			 void (*ended)(void *arg, size_t job, int status), void *arg);

/*
 * From now on no cell begins. To be called before any is told to stop: GNU parallel's script
 * beyond ssh does not notice the end of a connection that it came later than.
 */
void sweep_remote_close(struct sweep_remote *remote);

/* Cells that were told to stop take their time: waits until none runs, or not any longer. */
void sweep_remote_wait(struct sweep_remote *remote, unsigned timeout_s);

/* An error when cells that have ended never began; takes and returns err, which counts more. */
struct kt_error *sweep_remote_check(const struct sweep_remote *remote, const char *words,
				    struct kt_error *err);

#endif
