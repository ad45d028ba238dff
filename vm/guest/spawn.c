// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "vm/guest/guest.h"

static _Noreturn void exec_payload(const struct orders *orders, const int *write_ends)
{
	struct sched_param param = {0};
	int null = open("/dev/null", O_RDONLY);

	dup2(null, 0);
	dup2(write_ends[0], 1);
	dup2(write_ends[1], 2);
	setsid();
	sched_setscheduler(0, SCHED_OTHER, &param); /* whatever init is */
	if (orders->cwd && chdir(orders->cwd))
		dprintf(2, "ktstr-init: cannot change to %s: %s\n", orders->cwd, strerror(errno));
	execve(orders->argv.data[0], orders->argv.data, orders->env.data);
	dprintf(2, "ktstr-init: cannot run %s: %s\n", orders->argv.data[0], strerror(errno));
	_exit(127);
}

pid_t spawn(const struct orders *orders, int pipes[2])
{
	int out[2], err[2];
	pid_t pid;

	if (pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC))
		die("cannot make a pipe: %s", strerror(errno));
	pid = fork();
	if (pid < 0)
		die("cannot fork: %s", strerror(errno));
	if (!pid)
		exec_payload(orders, (const int[]){out[1], err[1]});
	close(out[1]);
	close(err[1]);
	pipes[0] = out[0];
	pipes[1] = err[0];
	return pid;
}
