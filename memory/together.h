/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Several walks of a stopped guest at once. Each is written as if it were alone. What it reads is
 * put off until every walk waits for memory; then all of it is one batch. So the round trips are
 * those of the longest walk, and not of all walks one after the other. There are no threads.
 */
#ifndef KT_MEMORY_TOGETHER_H
#define KT_MEMORY_TOGETHER_H

#include "memory/memory.h"

struct guest_walk {
	struct kt_error *(*run)(void *arg);
	void *arg;
};

struct together;

/* below: where all memory comes from in the end. NULL: no memory. */
struct together *together_create(struct gmem below);
void together_destroy(struct together *together);

/* What walks read from. Who reads from it outside of a walk reads from below at once. */
struct gmem together_memory(struct together *together);

/*
 * Runs all n walks to their end. A walk may do the same with walks of its own. The error is that of
 * the walk that failed first; the others are told that their next read is called off.
 */
struct kt_error *together_run(struct together *together, const struct guest_walk *walks, size_t n);

#endif
