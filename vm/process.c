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

#define OUTPUT_MAX (1u << 20)

/* In the child: signals as a program expects them, whatever the tool did with its own. */
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
	reset_signals();
	if (dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0)
		_exit(127);
	/* execvp() does not write to what argv points to. */
	execvp(argv[0], (char *const *)(uintptr_t)argv);
	_exit(127);
}

static struct kt_error *read_output(int fd, int64_t deadline_ns, struct kt_buf *out)
{
	struct pollfd pollfd = {fd, POLLIN, 0};
	char chunk[4096];
	ssize_t n;

	for (;;) {
		int left = kt_deadline_left_ms(deadline_ns);

		if (!left)
			return kt_error_new(KT_ERROR_TIMEOUT, "it took too long");
		if (poll(&pollfd, 1, left) <= 0)
			continue;
		n = read(fd, chunk, sizeof(chunk));
		if (n < 0 && errno != EINTR)
			return kt_error_os(errno, "read");
		if (n == 0)
			return NULL;
		if (n > 0 && out->len < OUTPUT_MAX)
			kt_buf_append(out, chunk, (size_t)n);
	}
}

struct kt_error *kt_process_output(const char *const *argv, int64_t deadline_ns, char **ret,
				   int *ret_status)
{
	_cleanup_(kt_buf_deinit) struct kt_buf out = KT_BUF_INIT;
	_cleanup_close_ int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	_cleanup_close_ int read_end = -1;
	struct kt_error *err;
	int fds[2], status = 0;
	pid_t pid;

	if (null < 0 || pipe2(fds, O_CLOEXEC))
		return kt_error_os(errno, "cannot run %s", argv[0]);
	read_end = fds[0];
	pid = fork();
	if (!pid)
		exec_child(argv, null, fds[1]);
	close(fds[1]);
	if (pid < 0)
		return kt_error_os(errno, "cannot run %s", argv[0]);
	err = read_output(read_end, deadline_ns, &out);
	if (err)
		kill(pid, SIGKILL);
	waitpid_again(pid, &status, 0);
	kt_buf_appends(&out, "");
	if (!err && out.failed)
		err = kt_error_no_memory();
	if (err)
		return kt_error_wrap(err, "%s", argv[0]);
	*ret = kt_buf_steal(&out);
	*ret_status = status;
	return NULL;
}

/* In the child: waits for the go-ahead; without it, the parent has died or given up. */
static _Noreturn void start_child(const char *const *argv, int log_fd, pid_t parent, bool survive,
				  int go, int report)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), errnum;
	char byte;

	reset_signals();
	setsid();
	/* The parent may have died before prctl(): then no signal will come. */
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

/* Lets the child go on and learns whether it became argv[0]: EOF means that it did. */
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
		err = release(arg, process.pidfd);
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
		/* Not reaped yet, so that the number is still its own. */
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
