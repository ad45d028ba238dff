// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sweep/work.h"
#include "util/buf.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/io.h"

bool sweep_sleep_ms(const struct sweep_work *work, int ms)
{
	struct pollfd pollfd = {work->cancel_fd, POLLIN, 0}; /* poll() ignores -1 */
	int64_t deadline = kt_deadline_ms(ms);
	int n;

	do
		n = poll(&pollfd, 1, kt_deadline_left_ms(deadline));
	while (n < 0 && errno == EINTR);
	return n > 0;
}

bool sweep_cancelled(const struct sweep_work *work)
{
	return sweep_sleep_ms(work, 0);
}

struct kt_error *sweep_cancelled_error(void)
{
	return kt_error_new(KT_ERROR_CANCELLED, "cancelled");
}

void sweep_tell_begun(const struct sweep_work *work, size_t job)
{
	if (work->begun)
		work->begun(work->arg, job);
}

void sweep_tell_ended(const struct sweep_work *work, size_t job)
{
	if (work->ended)
		work->ended(work->arg, job);
}

void sweep_notice(const struct sweep_work *work, const char *fmt, ...)
{
	_cleanup_(kt_buf_deinit) struct kt_buf text = KT_BUF_INIT;
	va_list ap;

	if (!work->notice)
		return;
	va_start(ap, fmt);
	kt_buf_vprintf(&text, fmt, ap);
	va_end(ap);
	if (!kt_buf_failed(&text))
		work->notice(work->arg, text.data);
}

unsigned sweep_job_threads(const struct sweep_work *work, const struct sweep_job *job)
{
	return work->kvm && job->cpus ? job->cpus : 1;
}

/* Sorts by the expected duration: as a rule more vCPUs and more memory take longer. */
static int compare_jobs(const void *va, const void *vb, void *arg)
{
	const struct sweep_work *work = arg;
	size_t ia = *(const size_t *)va, ib = *(const size_t *)vb;
	const struct sweep_job *a = &work->jobs[ia], *b = &work->jobs[ib];

	if (a->cpus != b->cpus)
		return a->cpus < b->cpus ? 1 : -1;
	if (a->memory_mib != b->memory_mib)
		return a->memory_mib < b->memory_mib ? 1 : -1;
	return ia < ib ? -1 : ia > ib;
}

struct kt_error *sweep_order(const struct sweep_work *work, size_t **ret)
{
	size_t *order = calloc(work->n_jobs + 1, sizeof(*order));

	if (!order)
		return kt_error_no_memory();
	for (size_t i = 0; i < work->n_jobs; i++)
		order[i] = i;
	qsort_r(order, work->n_jobs, sizeof(*order), compare_jobs, (void *)(uintptr_t)work);
	*ret = order;
	return NULL;
}

/* A name has to be good as a path below DIR/.logs, and as a line of a file. */
static bool name_is_good(const char *name)
{
	for (const char *part = name;; part += strcspn(part, "/") + 1) {
		size_t len = strcspn(part, "/");

		if (!len || (len == 1 && part[0] == '.') || (len == 2 && !memcmp(part, "..", 2)))
			return false;
		if (!part[len])
			return !strchr(name, '\n');
	}
}

char *sweep_log_path(const struct sweep_work *work, const struct sweep_job *job)
{
	char *path;

	return asprintf(&path, "%s/.logs/%s.out", work->results, job->name) < 0 ? NULL : path;
}

static struct kt_error *create_log(const struct sweep_work *work, const struct sweep_job *job)
{
	_cleanup_free_ char *path = sweep_log_path(work, job);
	_cleanup_close_ int fd = -1;
	struct kt_error *err;
	char *slash;

	if (!name_is_good(job->name))
		return kt_error_new(KT_ERROR_USAGE, "'%s' is no name for a cell", job->name);
	if (!path)
		return kt_error_no_memory();
	/* Only what is below the results is made here. */
	if (access(work->results, X_OK))
		return kt_error_os(errno, "cannot use the result directory %s", work->results);
	/* There is a slash in a cell's name, too. */
	slash = strrchr(path, '/');
	*slash = '\0';
	err = kt_mkdir_p(path, 0777);
	*slash = '/';
	if (err)
		return err;
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	return fd < 0 ? kt_error_os(errno, "cannot create %s", path) : NULL;
}

struct kt_error *sweep_logs_create(const struct sweep_work *work)
{
	struct kt_error *err = NULL;

	for (size_t i = 0; i < work->n_jobs && !err; i++)
		err = create_log(work, &work->jobs[i]);
	return err;
}

struct kt_error *sweep_need_program(const char *name, const char *package)
{
	const char *path = getenv("PATH");

	for (path = path ? path : "/usr/bin:/bin"; *path; path += strspn(path, ":")) {
		int len = (int)strcspn(path, ":");
		_cleanup_free_ char *file = NULL;

		if (asprintf(&file, "%.*s/%s", len, path, name) < 0) {
			file = NULL;
			return kt_error_no_memory();
		}
		if (!access(file, X_OK))
			return NULL;
		path += len;
	}
	return kt_error_hint(kt_error_new(KT_ERROR_NOT_FOUND, "%s is not installed", name),
			     "try: sudo apt-get install %s", package);
}
