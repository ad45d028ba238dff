// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sweep/command.h"
#include "sweep/engine.h"
#include "sweep/remote.h"
#include "sweep/work.h"
#include "util/buf.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/vec.h"
#include "vm/process.h"

#define LOOK_MS      300
#define STARTUP_MS   1000  /* GNU parallel drops a SIGTERM that comes before its first job */
#define STOP_MS      15000 /* longer than TERMSEQ */
#define TERMSEQ      "TERM,7000,KILL,25"
#define TIMEOUT_LATE 30 /* seconds after a cell's own timeout: by then its machine must hang */

struct parallel {
	const struct sweep_work *work;
	struct sweep_remote remote;
	size_t *order;   /* for each job of GNU parallel our job */
	char *joblog;    /* its path */
	int joblog_fd;   /* -1: the file is not there yet */
	off_t joblog_at; /* how much of it was read */
	struct kt_buf joblog_rest;
	bool *ended;
	size_t n_ended;
	struct kt_process process;
	int output; /* a memfd with GNU parallel's own output */
};

/*
 * Writes the jobs as commands, in order. GNU parallel replaces nothing in its input. "exec":
 * without a shell in between, the script notices when GNU parallel is gone.
 */
static struct kt_error *write_jobs(struct parallel *p)
{
	_cleanup_(kt_buf_deinit) struct kt_buf buf = KT_BUF_INIT;

	for (size_t i = 0; i < p->work->n_jobs; i++) {
		kt_buf_printf(&buf, "exec %s %zu", p->remote.command, p->order[i] + 1);
		kt_buf_appendc(&buf, '\0');
	}
	if (kt_buf_failed(&buf))
		return kt_error_no_memory();
	return sweep_remote_write(&p->remote, "jobs", buf.data, buf.len);
}

/* The argument of --jobs, per machine: GNU parallel gives each job the same share of the CPUs. */
static void format_jobs(const struct sweep_work *work, char text[32])
{
	unsigned most = 1;

	for (size_t i = 0; i < work->n_jobs; i++) {
		unsigned n = sweep_job_threads(work, &work->jobs[i]);

		most = n > most ? n : most;
	}
	if (work->max_jobs)
		snprintf(text, 32, "%u", work->max_jobs);
	else
		snprintf(text, 32, "%u%%", most < 100 ? 100 / most : 1);
}

static struct kt_error *start_argv(struct parallel *p, const char *jobs, const char *tries,
				   const char *late, const char *input)
{
	const struct sweep_work *work = p->work;
	const char *const head[] = {"env",         "PARALLEL_SHELL=/bin/sh",
				    "parallel",    "--plain",
				    "--will-cite", "--ungroup",
				    "--halt",      "never",
				    "--termseq",   TERMSEQ,
				    "--joblog",    p->joblog,
				    "--jobs",      jobs,
				    "--retries",   tries};
	struct {
		KT_VEC(const char *) v;
	} argv = {0};
	struct kt_error *err = NULL;
	bool ok = true;

	for (size_t i = 0; i < sizeof(head) / sizeof(head[0]); i++)
		ok = ok && kt_vec_push(&argv.v, head[i]);
	if (work->timeout_s)
		ok = ok && kt_vec_push(&argv.v, "--timeout") && kt_vec_push(&argv.v, late);
	if (work->machines)
		ok = ok && kt_vec_push(&argv.v, "--sshlogin") &&
		     kt_vec_push(&argv.v, work->machines);
	for (size_t i = 0; i < work->n_engine_args; i++)
		ok = ok && kt_vec_push(&argv.v, work->engine_args[i]);
	ok = ok && kt_vec_push(&argv.v, "-0") && kt_vec_push(&argv.v, "--arg-file") &&
	     kt_vec_push(&argv.v, input) && kt_vec_push(&argv.v, NULL);
	err = ok ? sweep_start(argv.v.data, p->output, &p->process) : kt_error_no_memory();
	kt_vec_free(&argv.v);
	return err;
}

static struct kt_error *start(struct parallel *p)
{
	_cleanup_free_ char *input = sweep_remote_path(&p->remote, "jobs");
	char jobs[32], tries[32], late[32];

	if (!input)
		return kt_error_no_memory();
	format_jobs(p->work, jobs);
	snprintf(tries, sizeof(tries), "%u", p->work->retries + 1);
	snprintf(late, sizeof(late), "%u", p->work->timeout_s + TIMEOUT_LATE);
	return start_argv(p, jobs, tries, late, input);
}

/* A line of the joblog, "Seq\tHost\t...", which is written when a job will not be tried again. */
static void take_line(struct parallel *p, const char *line)
{
	char *end;
	unsigned long seq = strtoul(line, &end, 10);
	size_t job;

	if (end == line || *end != '\t' || !seq || seq > p->work->n_jobs)
		return; /* the heading */
	job = p->order[seq - 1];
	if (p->ended[job])
		return;
	p->ended[job] = true;
	p->n_ended++;
	sweep_tell_ended(p->work, job);
}

static void read_joblog(struct parallel *p)
{
	char chunk[65536];
	ssize_t n;

	if (p->joblog_fd < 0)
		p->joblog_fd = open(p->joblog, O_RDONLY | O_CLOEXEC);
	while (p->joblog_fd >= 0 &&
	       (n = pread(p->joblog_fd, chunk, sizeof(chunk), p->joblog_at)) > 0) {
		p->joblog_at += n;
		kt_buf_append(&p->joblog_rest, chunk, (size_t)n);
	}
}

static void take_joblog(struct parallel *p)
{
	char *line = p->joblog_rest.data, *newline;

	while (p->joblog_rest.len && (newline = strchr(line, '\n'))) {
		*newline = '\0';
		take_line(p, line);
		line = newline + 1;
	}
	kt_buf_consume(&p->joblog_rest, (size_t)(line - p->joblog_rest.data));
}

/* Reads the joblog before the scan and uses it afterwards: a cell that has ended has begun then. */
static void look(struct parallel *p)
{
	read_joblog(p);
	sweep_remote_scan(&p->remote, NULL, NULL);
	take_joblog(p);
}

/* After GNU parallel has ended: an error with its words, unless it has run all cells. */
static struct kt_error *judge(struct parallel *p)
{
	_cleanup_free_ char *text = NULL;
	struct kt_error *err;
	const char *words;

	look(p);
	err = sweep_read_fd(p->output, &text);
	if (err)
		return err;
	words = sweep_last_line(text);
	if (p->n_ended < p->work->n_jobs)
		return kt_error_new(KT_ERROR_PROTOCOL, "GNU parallel gave up%s%s",
				    *words ? ": " : "", words);
	return sweep_remote_check(&p->remote, words, NULL);
}

static struct kt_error *follow(struct parallel *p)
{
	struct pollfd pollfds[] = {{p->process.pidfd, POLLIN, 0}, {p->work->cancel_fd, POLLIN, 0}};
	int status;

	for (;;) {
		int n = poll(pollfds, 2, LOOK_MS);

		if (n > 0 && pollfds[1].revents)
			return sweep_cancelled_error();
		if (kt_process_ended(&p->process, &status))
			return judge(p);
		look(p);
	}
}

static bool ends_within(struct parallel *p, int ms)
{
	struct pollfd pollfd = {p->process.pidfd, POLLIN, 0};
	int64_t deadline = kt_deadline_ms(ms);
	int status;

	while (!kt_process_ended(&p->process, &status)) {
		if (!kt_deadline_left_ms(deadline))
			return false;
		poll(&pollfd, 1, kt_deadline_left_ms(deadline));
	}
	return true;
}

/* On SIGTERM, GNU parallel stops its jobs and waits for them. Those behind ssh end a little later.
 */
static void stop(struct parallel *p)
{
	if (p->process.pid <= 0)
		return;
	sweep_remote_close(&p->remote);
	kill(p->process.pid, SIGTERM);
	if (!ends_within(p, STARTUP_MS)) {
		kill(p->process.pid, SIGTERM);
		ends_within(p, STOP_MS);
	}
	kt_process_kill(&p->process);
	sweep_remote_wait(&p->remote, 2 * SWEEP_GRACE_S);
}

static struct kt_error *init(struct parallel *p, const struct sweep_work *work)
{
	struct kt_error *err = sweep_remote_create(&p->remote, work);

	if (err)
		return err;
	p->ended = calloc(work->n_jobs + 1, sizeof(*p->ended));
	if (!p->ended || asprintf(&p->joblog, "%s/.logs/parallel.joblog", work->results) < 0) {
		p->joblog = NULL;
		return kt_error_no_memory();
	}
	p->output = memfd_create("output", MFD_CLOEXEC);
	if (p->output < 0)
		return kt_error_os(errno, "cannot start GNU parallel");
	/* GNU parallel would append to an old joblog, and this engine would read the old lines. */
	unlink(p->joblog);
	err = sweep_order(work, &p->order);
	return err ? err : write_jobs(p);
}

static void deinit(struct parallel *p)
{
	sweep_remote_destroy(&p->remote);
	free(p->order);
	free(p->joblog);
	free(p->ended);
	kt_buf_deinit(&p->joblog_rest);
	kt_closep(&p->joblog_fd);
	kt_closep(&p->output);
}

struct kt_error *sweep_need_parallel(void)
{
	return sweep_need_program("parallel", "parallel");
}

struct kt_error *sweep_run_parallel(const struct sweep_work *work)
{
	_cleanup_(deinit) struct parallel p = {.work = work, .joblog_fd = -1, .output = -1};
	struct kt_error *err = sweep_need_parallel();

	if (err || !work->n_jobs)
		return err;
	if (sweep_cancelled(work))
		return sweep_cancelled_error();
	err = init(&p, work);
	if (!err)
		err = start(&p);
	if (!err)
		err = follow(&p);
	stop(&p);
	return err;
}
