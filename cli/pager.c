// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/pager.h"
#include "util/cleanup.h"

/* The command; NULL: the user wants no pager. */
static const char *pager_command(void)
{
	const char *command = getenv("KTSTR_GDB_PAGER");

	if (!command)
		command = getenv("PAGER");
	if (!command)
		command = "less";
	command += strspn(command, " \t\n");
	return !command[0] || strcmp(command, "cat") == 0 ? NULL : command;
}

#define WORDS_MAX 32

/*
 * A command of plain words is run without a shell, so that a program that does not exist is
 * noticed. Cuts text up.
 */
static void make_argv(const char *command, char *text, char **argv)
{
	size_t n = 0;

	if (!strpbrk(text, "|&;<>()$`\\\"'*?[#~=%\n"))
		for (char *save, *word = strtok_r(text, " \t", &save); word && n < WORDS_MAX;
		     word = strtok_r(NULL, " \t", &save))
			argv[n++] = word;
	if (!n || n == WORDS_MAX) {
		argv[0] = (char *)"sh";
		argv[1] = (char *)"-c";
		argv[2] = (char *)command;
		n = 3;
	}
	argv[n] = NULL;
}

/*
 * Runs in the child and does not return. If exec fails, its errno is written to `failed`; a
 * successful exec closes that. less: -F quits if the text fits the screen, -R shows colours, -X
 * leaves the text on the screen.
 */
static void run_pager(char *const *argv, int in, int failed)
{
	static const int given_back[] = {SIGINT, SIGQUIT, SIGPIPE};
	int errnum;

	for (size_t i = 0; i < sizeof(given_back) / sizeof(given_back[0]); i++)
		signal(given_back[i], SIG_DFL);
	setenv("LESS", "FRX", 0);
	setenv("LV", "-c", 0);
	if (dup2(in, STDIN_FILENO) >= 0)
		execvp(argv[0], argv);
	errnum = errno;
	while (write(failed, &errnum, sizeof(errnum)) < 0 && errno == EINTR)
		;
	_exit(127);
}

/* Starts the pager. Returns the pipe to write to, or -1. */
static int spawn(char *const *argv, pid_t *pid_ret)
{
	_cleanup_close_ int in = -1, out = -1, status_in = -1, status_out = -1;
	int text[2], status[2], errnum;
	pid_t pid;
	ssize_t n;

	if (pipe2(text, O_CLOEXEC) < 0)
		return -1;
	in = text[0];
	out = text[1];
	if (pipe2(status, O_CLOEXEC) < 0)
		return -1;
	status_in = status[0];
	status_out = status[1];
	pid = fork();
	if (pid < 0)
		return -1;
	if (!pid)
		run_pager(argv, in, status_out);
	close(kt_take_fd(&status_out));
	while ((n = read(status_in, &errnum, sizeof(errnum))) < 0 && errno == EINTR)
		;
	if (n > 0) {
		waitpid(pid, NULL, 0);
		return -1;
	}
	*pid_ret = pid;
	return kt_take_fd(&out);
}

/* The pager that runs; there is one at a time. */
static struct {
	pid_t pid;    /* 0: none runs */
	int out, err; /* copies of the terminal while these are the pager's pipe; or -1 */
} pager = {.out = -1, .err = -1};

/* This process ends after the pager, or else the pager and the shell read the same terminal. */
static void on_end(int sig)
{
	close(STDOUT_FILENO);
	close(STDERR_FILENO);
	waitpid(pager.pid, NULL, 0);
	signal(sig, SIG_DFL);
	raise(sig);
}

static struct {
	int sig;
	void (*handler)(int);
	void (*before)(int);
} signals[] = {
	{SIGINT, SIG_IGN, NULL}, {SIGQUIT, SIG_IGN, NULL}, {SIGPIPE, SIG_IGN, NULL},
	{SIGTERM, on_end, NULL}, {SIGHUP, on_end, NULL},
};
#define N_SIGNALS (sizeof(signals) / sizeof(signals[0]))

static void take_signals(void)
{
	for (size_t i = 0; i < N_SIGNALS; i++) {
		signals[i].before = signal(signals[i].sig, signals[i].handler);
		if (signals[i].before == SIG_IGN) /* nohup */
			signal(signals[i].sig, SIG_IGN);
	}
}

static void give_signals_back(void)
{
	for (size_t i = 0; i < N_SIGNALS; i++)
		signal(signals[i].sig, signals[i].before);
}

/* Makes fd the same as `instead`. Returns a copy of what it was; -1: it failed. */
static int redirect(int fd, int instead)
{
	int saved = fcntl(fd, F_DUPFD_CLOEXEC, 3);

	if (saved >= 0 && dup2(instead, fd) < 0) {
		close(saved);
		return -1;
	}
	return saved;
}

static void restore(int fd, int *saved)
{
	if (*saved < 0)
		return;
	dup2(*saved, fd);
	close(kt_take_fd(saved));
}

bool cli_pager_start(void)
{
	const char *command = pager_command();
	_cleanup_free_ char *words = command ? strdup(command) : NULL;
	char *argv[WORDS_MAX + 1];
	_cleanup_close_ int to = -1;

	if (!words || pager.pid || !isatty(STDOUT_FILENO))
		return false;
	make_argv(command, words, argv);
	to = spawn(argv, &pager.pid);
	if (to < 0)
		return false;
	take_signals();
	pager.out = redirect(STDOUT_FILENO, to);
	if (isatty(STDERR_FILENO))
		pager.err = redirect(STDERR_FILENO, to);
	return true;
}

void cli_pager_finish(void)
{
	if (!pager.pid)
		return;
	restore(STDOUT_FILENO, &pager.out); /* closes the pipe, so that the pager sees the end */
	restore(STDERR_FILENO, &pager.err);
	while (waitpid(pager.pid, NULL, 0) < 0 && errno == EINTR)
		;
	give_signals_back();
	pager.pid = 0;
}
