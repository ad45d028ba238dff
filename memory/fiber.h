/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A function that can be left in its middle, and gone on with later, on a stack of its own. There
 * are no threads: who enters a fiber goes on when the fiber leaves.
 */
#ifndef KT_MEMORY_FIBER_H
#define KT_MEMORY_FIBER_H

#include <stdbool.h>

struct fiber;

/* Runs nothing yet. NULL: no memory. */
struct fiber *fiber_create(void (*run)(void *arg), void *arg);

/* Only one that has ended, or that was never entered: else what it holds is lost. */
void fiber_destroy(struct fiber *fiber);

/* Runs the fiber until it leaves or ends, which is true then. Must not be called in itself. */
bool fiber_enter(struct fiber *fiber);

/* Within the fiber: goes back to who entered it, and returns when it is entered again. */
void fiber_leave(struct fiber *fiber);

#endif
