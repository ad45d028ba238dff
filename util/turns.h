/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Internal to the tool; not a public header. */
#ifndef KT_UTIL_TURNS_H
#define KT_UTIL_TURNS_H

/*
 * Short turns on the CPU, for a process that is waited for by a guest that stands still: on a busy
 * host it gets a CPU sooner, and keeps it for a shorter time. It gets no more of the CPU than
 * before. Needs Linux 6.12; an older kernel does nothing. For this thread, and the children that it
 * makes from then on, with the programs that they start.
 */
void kt_take_short_turns(void);

#endif
