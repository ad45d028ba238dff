/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Child processes that cannot outlive their use. */
#ifndef KT_VM_PROCESS_H
#define KT_VM_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "util/error.h"

/*
 * Runs argv (argv[0] is a path) to its end. *ret is what it wrote to stdout and stderr,
 * NUL-terminated, at most a megabyte, and the caller frees it; *ret_status is its wait status. It
 * gets no stdin.
 *
 * KT_ERROR_TIMEOUT at the deadline, KT_ERROR_CANCELLED when cancel_fd (-1: none) is readable: then
 * it and the processes that it started get SIGTERM, and after two seconds SIGKILL. They are a
 * process group of their own, so that a Ctrl-C in the terminal reaches them only through cancel_fd.
 */
struct kt_error *kt_process_output(const char *const *argv, int64_t deadline_ns, int cancel_fd,
				   char **ret, int *ret_status);

/* A child: killed and reaped by kt_process_kill(), or left alone. */
struct kt_process {
	pid_t pid; /* 0: none */
	int pidfd;
};

/*
 * Starts argv (argv[0] is looked up in PATH unless it has a slash) in a session of its own, with
 * stdin from /dev/null, stdout and stderr to log_fd. The program begins only after `release` has
 * returned without an error, so that a guard can be told of the process first; NULL: at once.
 * Unless survive, the process is killed when the thread that started it ends.
 */
struct kt_error *kt_process_start(const char *const *argv, int log_fd, bool survive,
				  struct kt_error *(*release)(void *arg, int pidfd), void *arg,
				  struct kt_process *ret);

/* Sends SIGKILL and reaps it. Does nothing if it was reaped already. */
void kt_process_kill(struct kt_process *process);

/* True: it has ended, is reaped, and *wait_status is set. */
bool kt_process_ended(struct kt_process *process, int *wait_status);

#endif
