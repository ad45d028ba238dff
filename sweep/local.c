// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sweep/command.h"
#include "sweep/engine.h"
#include "sweep/work.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/resources.h"

/* A running cell. Its process leads a session, and so a process group. */
struct running {
	size_t job; /* index */
	struct kt_process process;
	int64_t deadline_ns; /* when it gets the next signal; 0: never */
	int signals;         /* how many it got: SIGTERM, then SIGKILL */
};

/* State of the engine. Each array has an element per job. */
struct local {
	const struct sweep_work *work;
	size_t *order;   /* indices of jobs, the largest first */
	size_t first;    /* index into order: no job before it waits */
	unsigned *tries; /* by job */
	bool *waiting;   /* by job: it waits for its first or next start */
	size_t n_waiting;
	struct running *running;
	struct pollfd *pollfds; /* one more than jobs, for cancel_fd */
	size_t n_running;
	const char **argv;
	int64_t cpus_free, memory_free; /* MiB; negative if one job needs more than there is */
};

static int64_t job_cpus(const struct local *l, size_t job)
{
	return sweep_job_threads(l->work, &l->work->jobs[job]);
}

static int64_t job_memory(const struct local *l, size_t job)
{
	return (int64_t)l->work->jobs[job].memory_mib + SWEEP_MARGIN_MIB;
}

/* If nothing else runs, any job fits: it is tried, even if it will be slow. */
static bool fits(const struct local *l, size_t job)
{
	if (!l->n_running)
		return true;
	if (l->work->max_jobs)
		return l->n_running < l->work->max_jobs;
	return job_cpus(l, job) <= l->cpus_free && job_memory(l, job) <= l->memory_free;
}

/* Updates what is free: sign is -1 when a job begins, 1 when it has ended. */
static void account(struct local *l, size_t job, int sign)
{
	l->cpus_free += sign * job_cpus(l, job);
	l->memory_free += sign * job_memory(l, job);
}

static void fill_argv(struct local *l, size_t job)
{
	const struct sweep_work *work = l->work;
	const char *const head[] = {work->tool,           "sweep",     work->file,   "--cell",
				    work->jobs[job].name, "--results", work->results};
	size_t n = sizeof(head) / sizeof(head[0]);

	memcpy(l->argv, head, sizeof(head));
	for (size_t i = 0; i < work->n_args; i++)
		l->argv[n++] = work->args[i];
	l->argv[n] = NULL;
}

static struct kt_error *start(struct local *l, size_t job)
{
	_cleanup_free_ char *path = sweep_log_path(l->work, &l->work->jobs[job]);
	struct running *r = &l->running[l->n_running];
	_cleanup_close_ int fd = -1;
	struct kt_error *err;

	if (!path)
		return kt_error_no_memory();
	fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
	if (fd < 0)
		return kt_error_os(errno, "cannot write %s", path);
	fill_argv(l, job);
	*r = (struct running){.job = job};
	err = sweep_start(l->argv, fd, &r->process);
	if (err)
		return err;
	if (l->work->timeout_s)
		r->deadline_ns = kt_deadline_ms((int64_t)l->work->timeout_s * 1000);
	l->n_running++;
	l->waiting[job] = false;
	l->n_waiting--;
	l->tries[job]++;
	account(l, job, -1);
	sweep_tell_begun(l->work, job);
	return NULL;
}

/* Starts the largest jobs that fit; smaller ones fill the rest. */
static struct kt_error *start_all_that_fit(struct local *l)
{
	while (l->first < l->work->n_jobs && !l->waiting[l->order[l->first]])
		l->first++;
	for (size_t i = l->first; i < l->work->n_jobs && l->n_waiting; i++) {
		struct kt_error *err;

		if (!l->waiting[l->order[i]] || !fits(l, l->order[i]))
			continue;
		err = start(l, l->order[i]);
		if (err)
			return err;
	}
	return NULL;
}

/* Sends SIGTERM, so that the cell tears its guest down, and the next time SIGKILL. */
static void signal_next(struct running *r)
{
	/* The leader is not reaped yet, so this number is still that of its group. */
	kill(-r->process.pid, r->signals++ ? SIGKILL : SIGTERM);
	r->deadline_ns = r->signals > 1 ? 0 : kt_deadline_ms(SWEEP_GRACE_S * 1000);
}

static void signal_overdue(struct local *l)
{
	for (size_t i = 0; i < l->n_running; i++) {
		struct running *r = &l->running[i];

		if (r->deadline_ns && !kt_deadline_left_ms(r->deadline_ns))
			signal_next(r);
	}
}

static bool tried_enough(const struct local *l, size_t job, int status)
{
	bool done = WIFEXITED(status) && (WEXITSTATUS(status) == SWEEP_CELL_PASSED ||
					  WEXITSTATUS(status) == SWEEP_CELL_SKIPPED);

	return done || l->tries[job] > l->work->retries;
}

/* Reaps the cells that have ended. Each is done, or waits for its next try. */
static void reap(struct local *l, bool cancelled)
{
	for (size_t i = l->n_running; i-- > 0;) {
		struct running *r = &l->running[i];
		size_t job = r->job;
		int status;

		if (!(l->pollfds[i].revents & POLLIN))
			continue;
		/* Ends what it left behind in its group. */
		kill(-r->process.pid, SIGKILL);
		if (!kt_process_ended(&r->process, &status))
			continue;
		*r = l->running[--l->n_running];
		account(l, job, 1);
		if (!tried_enough(l, job, status)) {
			l->waiting[job] = true;
			l->n_waiting++;
			l->first = 0;
		} else if (!cancelled) {
			sweep_tell_ended(l->work, job);
		}
	}
}

static int next_timeout(const struct local *l)
{
	int timeout = -1;

	for (size_t i = 0; i < l->n_running; i++) {
		int left = l->running[i].deadline_ns
				   ? kt_deadline_left_ms(l->running[i].deadline_ns)
				   : -1;

		if (left >= 0 && (timeout < 0 || left < timeout))
			timeout = left;
	}
	return timeout;
}

/* Waits until a cell ends or a signal is due. True: the sweep was cancelled. */
static bool wait_for_events(struct local *l, int cancel_fd)
{
	struct pollfd *cancel = &l->pollfds[l->n_running];

	for (size_t i = 0; i < l->n_running; i++)
		l->pollfds[i] = (struct pollfd){l->running[i].process.pidfd, POLLIN, 0};
	*cancel = (struct pollfd){cancel_fd, POLLIN, 0};
	if (poll(l->pollfds, l->n_running + 1, next_timeout(l)) <= 0) {
		for (size_t i = 0; i <= l->n_running; i++)
			l->pollfds[i].revents = 0;
	}
	return cancel->revents;
}

static void stop_all(struct local *l)
{
	for (size_t i = 0; i < l->n_running; i++)
		if (!l->running[i].signals)
			signal_next(&l->running[i]);
	while (l->n_running) {
		wait_for_events(l, -1);
		reap(l, true);
		signal_overdue(l);
	}
}

static struct kt_error *run(struct local *l)
{
	while (l->n_waiting || l->n_running) {
		struct kt_error *err = NULL;

		if (sweep_cancelled(l->work))
			return sweep_cancelled_error();
		err = start_all_that_fit(l);
		if (err)
			return err;
		if (wait_for_events(l, l->work->cancel_fd))
			return sweep_cancelled_error();
		reap(l, false);
		signal_overdue(l);
	}
	return NULL;
}

static struct kt_error *init(struct local *l, const struct sweep_work *work)
{
	size_t n = work->n_jobs;

	l->work = work;
	l->tries = calloc(n + 1, sizeof(*l->tries));
	l->waiting = calloc(n + 1, sizeof(*l->waiting));
	l->running = calloc(n + 1, sizeof(*l->running));
	l->pollfds = calloc(n + 1, sizeof(*l->pollfds));
	l->argv = calloc(work->n_args + 8, sizeof(*l->argv));
	if (!l->tries || !l->waiting || !l->running || !l->pollfds || !l->argv)
		return kt_error_no_memory();
	l->n_waiting = n;
	memset(l->waiting, true, n);
	l->cpus_free = kt_online_cpus();
	l->memory_free = kt_available_memory_mib();
	return sweep_order(work, &l->order);
}

static void deinit(struct local *l)
{
	free(l->order);
	free(l->tries);
	free(l->waiting);
	free(l->running);
	free(l->pollfds);
	free(l->argv);
}

struct kt_error *sweep_run_local(const struct sweep_work *work)
{
	_cleanup_(deinit) struct local l = {0};
	struct kt_error *err = init(&l, work);

	if (!err)
		err = sweep_logs_create(work);
	if (!err)
		err = run(&l);
	stop_all(&l);
	return err;
}
