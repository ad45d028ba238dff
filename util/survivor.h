/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A small child that outlives this process and puts things right afterwards, whatever ended this
 * process: SIGKILL, a crash, a closed terminal.
 *
 * It is in a session of its own with all signals blocked, so that nothing but SIGKILL ends it. It
 * works in /, and has no file open but /dev/null as 0, 1 and 2, and its end of a socket: whoever
 * waits for this process's output to end does not wait for the child.
 * Internal to the tool; not a public header.
 */
#ifndef KT_UTIL_SURVIVOR_H
#define KT_UTIL_SURVIVOR_H

#include <sys/types.h>

#include "util/error.h"

/* The child's end of the socket. It reads end of file once this process is gone. */
#define KT_SURVIVOR_SOCK 3

struct kt_survivor {
	pid_t pid; /* to be waited for with waitpid(2) */
	int sock;  /* this process's end: a stream, close-on-exec */
};

/*
 * Forks a child, which calls run(arg) and then ends with status 0. The child has the name (15
 * characters) in ps. If this process has threads, run() must not take a lock that one of them may
 * hold. (malloc()'s is none: glibc's fork() sees to it.)
 */
struct kt_error *kt_survivor_start(const char *name, void (*run)(void *arg), void *arg,
				   struct kt_survivor *ret);

#endif
