/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Internal to the engines: runs programs such as squeue, and reads their output. */
#ifndef KT_SWEEP_COMMAND_H
#define KT_SWEEP_COMMAND_H

#include "util/buf.h"
#include "vm/process.h"

/* kt_process_start() for a program that dies with this process and needs no callback. */
struct kt_error *sweep_start(const char *const *argv, int log_fd, struct kt_process *ret);

/*
 * Runs argv to its end, but at most timeout_s, or until cancel_fd (-1: none) is readable. Returns
 * what it wrote to stdout and stderr, which the caller frees. It has a session of its own, so that
 * a Ctrl-C at the terminal does not end sbatch between submitting and telling the number. An exit
 * status other than 0 is an error with the last line of the output.
 */
struct kt_error *sweep_command(const char *const *argv, unsigned timeout_s, int cancel_fd,
			       char **ret);

/* The last line of a text that is not empty, cut to fit a message; "" if there is none. */
const char *sweep_last_line(char *text);

/* Appends a word, quoted for /bin/sh. */
void sweep_quote(struct kt_buf *buf, const char *word);

/* Reads a program's output from a file, up to a limit. NUL-terminated; the caller frees it. */
struct kt_error *sweep_read_fd(int fd, char **ret);

#endif
