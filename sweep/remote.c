// SPDX-License-Identifier: LGPL-2.1-or-later
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sweep/command.h"
#include "sweep/remote.h"
#include "sweep/work.h"
#include "util/buf.h"
#include "util/cleanup.h"
#include "util/clock.h"

/*
 * The script that runs a cell, without the lines that write_script() puts in the middle. With
 * setpriv it ends together with the process that started it. timeout(1) gives the cell a process
 * group of its own, so the script has to pass signals on to it.
 */
static const char script_head[] =
	"[ \"${2:-}\" = tied ] || ! command -v setpriv >/dev/null ||\n"
	"	exec setpriv --pdeathsig TERM /bin/sh \"$0\" \"$1\" tied\n"
	"pid= stop=\n"
	"trap 'stop=1; [ -z \"$pid\" ] || kill \"$pid\"' HUP INT TERM\n"
	": >\"$state/$1.run\" || exit 127\n"
	/* Without `names` the sweep is over; a sweep that is ending waits for N.run to go. */
	"name=$(LC_ALL=C sed -n \"$1{p;q;}\" \"$state/names\")\n"
	"[ -n \"$name\" ] || { rm -f \"$state/$1.run\"; exit 127; }\n";

static const char script_tail[] =
	"pid=$!\n"
	"[ -z \"$stop\" ] || kill \"$pid\"\n"
	"wait \"$pid\"\n"
	"status=$?\n"
	"while kill -0 \"$pid\" 2>/dev/null; do\n" /* a signal ended wait, but not the cell */
	"	wait \"$pid\"\n"
	"	status=$?\n"
	"done\n"
	"echo \"$status\" >\"$state/$1.tmp\"\n"
	"rm -f \"$state/$1.run\"\n"
	/* A cell that was stopped leaves no status: whoever stopped it knows why. */
	"if [ -z \"$stop\" ] || [ \"$status\" = 0 ]; then\n"
	"	mv \"$state/$1.tmp\" \"$state/$1.end\"\n"
	"else\n"
	"	rm -f \"$state/$1.tmp\"\n"
	"fi\n";

static void append_word(struct kt_buf *buf, const char *word)
{
	kt_buf_appendc(buf, ' ');
	sweep_quote(buf, word);
}

static struct kt_error *write_script(struct sweep_remote *remote)
{
	_cleanup_(kt_buf_deinit) struct kt_buf buf = KT_BUF_INIT;
	const struct sweep_work *work = remote->work;

	kt_buf_appends(&buf, "#!/bin/sh\nstate=");
	sweep_quote(&buf, remote->dir);
	kt_buf_printf(&buf, "\n%stimeout -k %d %u", script_head, SWEEP_GRACE_S, work->timeout_s);
	append_word(&buf, work->tool);
	kt_buf_appends(&buf, " sweep");
	append_word(&buf, work->file);
	kt_buf_appends(&buf, " --cell \"$name\" --results");
	append_word(&buf, work->results);
	for (size_t i = 0; i < work->n_args; i++)
		append_word(&buf, work->args[i]);
	kt_buf_appends(&buf, " </dev/null >>");
	sweep_quote(&buf, work->results);
	kt_buf_printf(&buf, "\"/.logs/$name.out\" 2>&1 &\n%s", script_tail);
	/* To GNU parallel and Slurm, a status other than 0 means to try again. */
	kt_buf_printf(&buf, "[ \"$status\" != %d ] || exit 0\nexit \"$status\"\n",
		      SWEEP_CELL_SKIPPED);
	if (kt_buf_failed(&buf))
		return kt_error_no_memory();
	return sweep_remote_write(remote, "cell", buf.data, buf.len);
}

static struct kt_error *write_names(struct sweep_remote *remote)
{
	_cleanup_(kt_buf_deinit) struct kt_buf buf = KT_BUF_INIT;

	for (size_t i = 0; i < remote->work->n_jobs; i++)
		kt_buf_printf(&buf, "%s\n", remote->work->jobs[i].name);
	if (kt_buf_failed(&buf))
		return kt_error_no_memory();
	return sweep_remote_write(remote, "names", buf.data, buf.len);
}

static struct kt_error *make_command(struct sweep_remote *remote)
{
	_cleanup_(kt_buf_deinit) struct kt_buf buf = KT_BUF_INIT;
	_cleanup_free_ char *path = sweep_remote_path(remote, "cell");

	if (!path)
		return kt_error_no_memory();
	kt_buf_appends(&buf, "/bin/sh");
	append_word(&buf, path);
	return kt_buf_finish(&buf, &remote->command);
}

struct kt_error *sweep_remote_create(struct sweep_remote *remote, const struct sweep_work *work)
{
	_cleanup_free_ char *dir = NULL;
	struct kt_error *err = sweep_logs_create(work);

	*remote = (struct sweep_remote){.work = work};
	if (err)
		return err;
	remote->begun = calloc(work->n_jobs + 1, sizeof(*remote->begun));
	remote->running = calloc(work->n_jobs + 1, sizeof(*remote->running));
	if (!remote->begun || !remote->running ||
	    asprintf(&dir, "%s/.sweep.XXXXXX", work->results) < 0)
		return kt_error_no_memory();
	if (!mkdtemp(dir))
		return kt_error_os(errno, "cannot create a directory in %s", work->results);
	remote->dir = kt_take_ptr(dir);
	err = make_command(remote);
	if (!err)
		err = write_names(remote);
	return err ? err : write_script(remote);
}

static void remove_dir(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		unlinkat(dirfd(dir), entry->d_name, 0);
	if (dir)
		closedir(dir);
	rmdir(path);
}

void sweep_remote_destroy(struct sweep_remote *remote)
{
	if (remote->dir)
		remove_dir(remote->dir);
	free(remote->dir);
	free(remote->command);
	free(remote->begun);
	free(remote->running);
}

char *sweep_remote_path(const struct sweep_remote *remote, const char *name)
{
	char *path;

	return asprintf(&path, "%s/%s", remote->dir, name) < 0 ? NULL : path;
}

struct kt_error *sweep_remote_write(struct sweep_remote *remote, const char *name, const char *text,
				    size_t len)
{
	_cleanup_free_ char *path = sweep_remote_path(remote, name);
	_cleanup_fclose_ FILE *f = NULL;

	if (!path)
		return kt_error_no_memory();
	f = fopen(path, "we");
	if (!f || fwrite(text, 1, len, f) != len || fflush(f))
		return kt_error_os(errno, "cannot write %s", path);
	return NULL;
}

static int read_status(int dirfd, const char *name)
{
	_cleanup_close_ int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC);
	char text[16] = "";

	/* The file was renamed to this name, so it is whole. */
	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 1)
		return 255;
	return (int)strtol(text, NULL, 10);
}

/* Returns the index of the job of a file "N.SUFFIX"; n_jobs for any other file. */
static size_t job_of(const struct sweep_remote *remote, const char *name, const char *suffix)
{
	char *end;
	unsigned long n = strtoul(name, &end, 10);

	if (end == name || strcmp(end, suffix) || !n || n > remote->work->n_jobs)
		return remote->work->n_jobs;
	return n - 1;
}

static void see_begun(struct sweep_remote *remote, size_t job)
{
	if (!remote->running[job])
		sweep_tell_begun(remote->work, job);
	remote->begun[job] = true;
}

size_t sweep_remote_scan(struct sweep_remote *remote,
			 void (*ended)(void *arg, size_t job, int status), void *arg)
{
	size_t none = remote->work->n_jobs, n = 0, job;
	DIR *dir = opendir(remote->dir);
	struct dirent *entry;
	int status;

	while (dir && (entry = readdir(dir))) {
		job = job_of(remote, entry->d_name, ".end");
		if (job == none)
			continue;
		status = read_status(dirfd(dir), entry->d_name);
		see_begun(remote, job);
		/* Each file is told once; removing it also keeps the directory short. */
		unlinkat(dirfd(dir), entry->d_name, 0);
		remote->running[job] = false;
		if (ended)
			ended(arg, job, status);
	}
	if (dir)
		rewinddir(dir);
	while (dir && (entry = readdir(dir))) {
		job = job_of(remote, entry->d_name, ".run");
		if (job == none)
			continue;
		see_begun(remote, job);
		remote->running[job] = true;
		n++;
	}
	if (dir)
		closedir(dir);
	return n;
}

void sweep_remote_close(struct sweep_remote *remote)
{
	_cleanup_free_ char *path = sweep_remote_path(remote, "names");

	if (path)
		unlink(path);
}

void sweep_remote_wait(struct sweep_remote *remote, unsigned timeout_s)
{
	int64_t deadline = kt_deadline_ms((int64_t)timeout_s * 1000);
	size_t n;

	while ((n = sweep_remote_scan(remote, NULL, NULL)) && kt_deadline_left_ms(deadline))
		usleep(100000);
	if (n)
		sweep_notice(remote->work, "%zu cells were told to stop, and may still run", n);
}

struct kt_error *sweep_remote_check(const struct sweep_remote *remote, const char *words,
				    struct kt_error *err)
{
	size_t n = 0;

	if (err)
		return err;
	for (size_t i = 0; i < remote->work->n_jobs; i++)
		n += !remote->begun[i];
	if (!n)
		return NULL;
	return kt_error_hint(
		kt_error_new(KT_ERROR_CLOSED, "%zu of %zu cells could not be started%s%s", n,
			     remote->work->n_jobs, *words ? ": " : "", words),
		"each machine needs %s, and ktstr-gdb, at the same paths", remote->work->results);
}
