// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "util/survivor.h"

/* Above the numbers that files get here. */
#define OUT_OF_THE_WAY 16

static void keep_only(int sock)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	/* A parent that was started without stdin or stdout may have the socket there. */
	sock = fcntl(sock, F_DUPFD_CLOEXEC, OUT_OF_THE_WAY);
	for (int i = 0; i < 3; i++) {
		if (null >= 0)
			dup2(null, i);
		else
			close(i);
	}
	dup2(sock, KT_SURVIVOR_SOCK);
	close_range(KT_SURVIVOR_SOCK + 1, ~0U, 0);
}

struct kt_error *kt_survivor_start(const char *name, void (*run)(void *arg), void *arg,
				   struct kt_survivor *ret)
{
	sigset_t all, before;
	int socks[2], errnum;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, socks))
		return kt_error_os(errno, "cannot make a socket pair");
	/* Before the fork: a signal that comes right after it must not end the child. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pid = fork();
	errnum = errno;
	if (!pid) {
		/* Past the C library: a sanitizer takes a lock there, which a thread may hold. */
		syscall(SYS_prctl, PR_SET_NAME, name, 0, 0, 0);
		setsid();
		(void)!chdir("/");
		close(socks[0]);
		keep_only(socks[1]);
		run(arg);
		_exit(0);
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	close(socks[1]);
	if (pid < 0) {
		close(socks[0]);
		return kt_error_os(errnum, "cannot fork");
	}
	*ret = (struct kt_survivor){pid, socks[0]};
	return NULL;
}
