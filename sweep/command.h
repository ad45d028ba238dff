/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Internal to the engines: the programs that they ask, each for a moment. */
#ifndef KT_SWEEP_COMMAND_H
#define KT_SWEEP_COMMAND_H

#include "util/buf.h"
#include "vm/process.h"

/* kt_process_start() of one that dies with us, and of which nobody else needs to know. */
struct kt_error *sweep_start(const char *const *argv, int log_fd, struct kt_process *ret);

/*
 * Runs argv to its end, at most timeout_s or until cancel_fd is readable (-1: whatever happens),
 * and returns what it wrote to stdout and stderr. It has a session of its own, so that a Ctrl-C
 * at the terminal is not for it: a job that sbatch has submitted is always heard of. An exit
 * status other than 0 is an error with its last words.
 */
struct kt_error *sweep_command(const char *const *argv, unsigned timeout_s, int cancel_fd,
			       char **ret);

/* The last line of a text that says something, cut to a length fit for a message; "" if none. */
const char *sweep_last_line(char *text);

/* A word as /bin/sh reads it back, whatever is in it. */
void sweep_quote(struct kt_buf *buf, const char *word);

/* All of a file that is a program's output; NUL-terminated, bounded; the caller frees it. */
struct kt_error *sweep_read_fd(int fd, char **ret);

#endif
