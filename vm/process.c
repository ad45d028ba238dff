// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/buf.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "vm/process.h"

#define OUTPUT_MAX  (1u << 20)
#define TERM_MAX_MS 2000 /* between SIGTERM and SIGKILL */

/* In the child: a program expects default signal handling, whatever the tool has set up. */
static void reset_signals(void)
{
	sigset_t none;

	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static pid_t waitpid_again(pid_t pid, int *status, int flags)
{
	pid_t ret;

	do
		ret = waitpid(pid, status, flags);
	while (ret < 0 && errno == EINTR);
	return ret;
}

static _Noreturn void exec_child(const char *const *argv, int in, int out)
{
	setpgid(0, 0);
	reset_signals();
	if (dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0)
		_exit(127);
	/* execvp() does not write to what argv points to. */
	execvp(argv[0], (char *const *)(uintptr_t)argv);
	_exit(127);
}

static struct kt_error *wait_readable(int fd, int64_t deadline_ns, int cancel_fd)
{
	struct pollfd fds[] = {{fd, POLLIN, 0}, {cancel_fd, POLLIN, 0}};

	for (;;) {
		int left = kt_deadline_left_ms(deadline_ns), n;

		if (!left)
			return kt_error_new(KT_ERROR_TIMEOUT, "it took too long");
		n = poll(fds, 2, left);
		if (n < 0 && errno != EINTR)
			return kt_error_os(errno, "poll");
		if (n > 0 && fds[1].revents)
			return kt_error_new(KT_ERROR_CANCELLED, "cancelled");
		if (n > 0)
			return NULL;
	}
}

static struct kt_error *read_output(int fd, int64_t deadline_ns, int cancel_fd, struct kt_buf *out)
{
	struct kt_error *err;
	char chunk[4096];
	ssize_t n;

	while (!(err = wait_readable(fd, deadline_ns, cancel_fd))) {
		n = read(fd, chunk, sizeof(chunk));
		if (n < 0 && errno != EINTR)
			return kt_error_os(errno, "read");
		if (n == 0)
			return NULL;
		if (n > 0 && out->len < OUTPUT_MAX)
			kt_buf_append(out, chunk, (size_t)n);
	}
	return err;
}

/* The group's number stays taken until its leader is reaped, which the caller does after this. */
static void end_group(const struct kt_process *leader)
{
	kill(-leader->pid, SIGTERM);
	kt_error_destroy(wait_readable(leader->pidfd, kt_deadline_ms(TERM_MAX_MS), -1));
	kill(-leader->pid, SIGKILL);
}

/* *out_fd is what its output can be read from, and the caller's. */
static struct kt_error *start_group(const char *const *argv, int *out_fd, struct kt_process *ret)
{
	_cleanup_close_ int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct kt_error *err;
	pid_t pid;
	int fds[2];

	if (null < 0 || pipe2(fds, O_CLOEXEC))
		return kt_error_os(errno, "cannot start it");
	pid = fork();
	if (!pid)
		exec_child(argv, null, fds[1]);
	close(fds[1]);
	if (pid < 0) {
		close(fds[0]);
		return kt_error_os(errno, "cannot start it");
	}
	/* Here, too: end_group() may come before the child has done it. */
	setpgid(pid, pid);
	*ret = (struct kt_process){pid, pidfd_open(pid, 0)};
	*out_fd = fds[0];
	if (ret->pidfd >= 0)
		return NULL;
	err = kt_error_os(errno, "cannot start it");
	kt_process_kill(ret);
	return err;
}

struct kt_error *kt_process_output(const char *const *argv, int64_t deadline_ns, int cancel_fd,
				   char **ret, int *ret_status)
{
	_cleanup_(kt_buf_deinit) struct kt_buf out = KT_BUF_INIT;
	_cleanup_close_ int out_fd = -1;
	struct kt_process process;
	struct kt_error *err;
	int status = 0;

	err = start_group(argv, &out_fd, &process);
	if (err)
		return kt_error_wrap(err, "%s", argv[0]);
	err = read_output(out_fd, deadline_ns, cancel_fd, &out);
	/* It may have closed its output and go on. */
	if (!err)
		err = wait_readable(process.pidfd, deadline_ns, cancel_fd);
	if (err)
		end_group(&process);
	waitpid_again(process.pid, &status, 0);
	close(process.pidfd);
	kt_buf_appends(&out, "");
	if (!err && out.failed)
		err = kt_error_no_memory();
	if (err)
		return kt_error_wrap(err, "%s", argv[0]);
	*ret = kt_buf_steal(&out);
	*ret_status = status;
	return NULL;
}

/* In the child: waits for a byte from `go`. None comes if the parent has died or given up. */
static _Noreturn void start_child(const char *const *argv, int log_fd, pid_t parent, bool survive,
				  int go, int report)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), errnum;
	char byte;

	reset_signals();
	setsid();
	/* If the parent died before prctl(), no signal will come. */
	if (!survive && (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent))
		_exit(127);
	if (read(go, &byte, 1) != 1 || dup2(null, 0) < 0 || dup2(log_fd, 1) < 0 ||
	    dup2(log_fd, 2) < 0)
		_exit(127);
	execvp(argv[0], (char *const *)(uintptr_t)argv);
	errnum = errno;
	if (write(report, &errnum, sizeof(errnum)) < 0)
		_exit(126);
	_exit(127);
}

/* Lets the child go on. It writes errno to `report` if execvp() fails; a success closes that. */
static struct kt_error *release_child(int go, int report, const char *name)
{
	int errnum;
	ssize_t n;

	if (write(go, "g", 1) != 1)
		return kt_error_os(errno, "cannot start %s", name);
	do
		n = read(report, &errnum, sizeof(errnum));
	while (n < 0 && errno == EINTR);
	if (n == sizeof(errnum))
		return kt_error_os(errnum, "cannot start %s", name);
	return NULL;
}

struct kt_error *kt_process_start(const char *const *argv, int log_fd, bool survive,
				  struct kt_error *(*release)(void *arg, int pidfd), void *arg,
				  struct kt_process *ret)
{
	struct kt_process process = {0, -1};
	int go[2], report[2];
	struct kt_error *err;
	pid_t self = getpid();

	if (pipe2(report, O_CLOEXEC))
		return kt_error_os(errno, "cannot start %s", argv[0]);
	if (pipe2(go, O_CLOEXEC)) {
		err = kt_error_os(errno, "cannot start %s", argv[0]);
		close(report[0]);
		close(report[1]);
		return err;
	}
	process.pid = fork();
	if (!process.pid) {
		close(go[1]);
		close(report[0]);
		start_child(argv, log_fd, self, survive, go[0], report[1]);
	}
	close(report[1]);
	if (process.pid > 0)
		process.pidfd = pidfd_open(process.pid, 0);
	if (process.pid < 0 || process.pidfd < 0)
		err = kt_error_os(errno, "cannot start %s", argv[0]);
	else
		err = release ? release(arg, process.pidfd) : NULL;
	if (!err)
		err = release_child(go[1], report[0], argv[0]);
	close(go[0]);
	close(go[1]);
	close(report[0]);
	if (err)
		kt_process_kill(&process);
	else
		*ret = process;
	return err;
}

void kt_process_kill(struct kt_process *process)
{
	int status;

	if (process->pid > 0) {
		/* It is not reaped yet, so its number is not somebody else's. */
		kill(process->pid, SIGKILL);
		waitpid_again(process->pid, &status, 0);
	}
	if (process->pidfd >= 0)
		close(process->pidfd);
	*process = (struct kt_process){0, -1};
}

bool kt_process_ended(struct kt_process *process, int *wait_status)
{
	if (process->pid <= 0 || waitpid_again(process->pid, wait_status, WNOHANG) <= 0)
		return false;
	close(process->pidfd);
	*process = (struct kt_process){0, -1};
	return true;
}
