/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A pager for output that is longer than the terminal, as git has one. */
#ifndef KT_CLI_PAGER_H
#define KT_CLI_PAGER_H

#include <stdbool.h>

/*
 * Puts a pager between stdout and the terminal: KTSTR_GDB_PAGER, else PAGER, else less, run by
 * the shell if it is more than plain words. stderr goes there too if it is a terminal. False, and
 * nothing changed: stdout is no terminal, the pager is "" or "cat", or it cannot be run.
 *
 * Until cli_pager_finish() writing to a pager that was quit gives EPIPE, and Ctrl-C is the
 * pager's alone. There is one at a time.
 */
bool cli_pager_start(void);

/* Waits until the user has quit the pager, if one runs. Gives stdout, stderr and signals back. */
void cli_pager_finish(void);

#endif
