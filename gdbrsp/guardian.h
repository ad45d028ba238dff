/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whatever becomes of this process, the guest runs on. For the files of this room only.
 *
 * A guardian is a small child that has the connection too, and does nothing but wait. When its
 * parent ends (SIGKILL, a crash, out of memory), or is stopped by a signal (Ctrl-Z), it gets
 * the stub out of whatever it was in the middle of, removes breakpoints, leaves
 * physical-memory mode and detaches. It is in a session of its own, so that a terminal's
 * signals do not reach it, and has no file open but the connection.
 *
 * Both share a page, so that in all that a client does nothing is sent to it.
 */
#ifndef KT_GDBRSP_GUARDIAN_H
#define KT_GDBRSP_GUARDIAN_H

#include <stdbool.h>
#include <stdint.h>

#include "util/error.h"

struct rsp_guardian;

/*
 * Forks. The smaller the process is then, the faster: some 0.2 ms. To be done before the guest
 * can stop, so before connect(2).
 */
struct kt_error *rsp_guardian_create(struct rsp_guardian **ret);

/*
 * The connection, which stays the caller's; in place of an earlier one. When this returns, the
 * guardian has it, and is at rest: it takes no time of the guest's stop.
 */
struct kt_error *rsp_guardian_hold(struct rsp_guardian *guardian, int fd);

/* When the last one returned, in kt_now_ns() time: connect(2) comes next. */
int64_t rsp_guardian_held_ns(const struct rsp_guardian *guardian);

/* The process to detach from, as `D;` wants it ("1", unless this was called). */
void rsp_guardian_set_process(struct rsp_guardian *guardian, const char *process);

/* Not to resume the guest, but all else. */
void rsp_guardian_set_leave_stopped(struct rsp_guardian *guardian, bool leave_stopped);

/*
 * It acted, since this process was stopped: the connection is of no more use, and nothing may
 * be sent on it. To be asked before anything is.
 */
bool rsp_guardian_acted(const struct rsp_guardian *guardian);

/* After that: waits until it is done, two seconds at most. True: the guest runs on. */
bool rsp_guardian_wait(const struct rsp_guardian *guardian);

/* Nothing is left to guard: the client has detached. Once it has acted, that stays so. */
void rsp_guardian_dismiss(struct rsp_guardian *guardian);

/* Dismisses it and waits for its end. To be done before the connection is closed. Accepts NULL. */
void rsp_guardian_destroy(struct rsp_guardian *guardian);

#endif
