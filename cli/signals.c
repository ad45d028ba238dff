// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "cli/cli.h"

static int cancel_pipe[2] = {-1, -1};

static void on_signal(int sig)
{
	int saved = errno;
	char byte = (char)sig;
	ssize_t n = write(cancel_pipe[1], &byte, 1);

	(void)n; /* it only fails if the pipe is full, and then it is readable */
	errno = saved;
}

int cli_cancel_fd(void)
{
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};

	if (cancel_pipe[0] >= 0)
		return cancel_pipe[0];
	if (pipe2(cancel_pipe, O_CLOEXEC | O_NONBLOCK))
		return -1;
	sigemptyset(&action.sa_mask);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
	return cancel_pipe[0];
}

bool cli_sleep_ms(int ms)
{
	struct pollfd pfd = {.fd = cli_cancel_fd(), .events = POLLIN};

	return poll(&pfd, 1, ms) > 0;
}
