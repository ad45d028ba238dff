/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SCHED_SCX_FIX_H
#define SCHED_SCX_FIX_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Writes lines (flood.h) to stdout and stderr in turn, in chunks that end anywhere: some more
 * than bytes in all. False: a stream cannot be written to.
 */
bool flood(size_t bytes);

/* Looks at the tasks of the workload; then prints what was seen, a line for each. */
void spy_look(void);
void spy_print(void);

#endif
