/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A child process that lets the guest run on when this process cannot. For the files of this room
 * only.
 *
 * The guardian has the connection, too, and only waits. When its parent ends (SIGKILL, a crash, out
 * of memory) or is stopped by a signal (Ctrl-Z), the guardian frees the stub's parser, removes
 * breakpoints, leaves physical-memory mode and detaches. It is in a session of its own, so that a
 * terminal's signals do not reach it, and has no file open but the connection.
 *
 * Parent and guardian share a page of memory, so a client need not send it anything.
 */
#ifndef KT_GDBRSP_GUARDIAN_H
#define KT_GDBRSP_GUARDIAN_H

#include <stdbool.h>
#include <stdint.h>

#include "util/error.h"

struct rsp_guardian;

/*
 * Forks, which takes some 0.2 ms in a small process. Call it before connect(2), which stops the
 * guest.
 */
struct kt_error *rsp_guardian_create(struct rsp_guardian **ret);

/*
 * Gives the guardian a copy of fd, in place of an earlier one; fd stays the caller's. When this
 * returns, the guardian has it and waits, so it costs no time while the guest is stopped.
 */
struct kt_error *rsp_guardian_hold(struct rsp_guardian *guardian, int fd);

/* When rsp_guardian_hold() returned last, in kt_now_ns() time. connect(2) comes next. */
int64_t rsp_guardian_held_ns(const struct rsp_guardian *guardian);

/* The process to detach from, as `D;` wants it ("1", unless this was called). */
void rsp_guardian_set_process(struct rsp_guardian *guardian, const char *process);

/* The guardian puts the stub's state back, but does not resume the guest. */
void rsp_guardian_set_leave_stopped(struct rsp_guardian *guardian, bool leave_stopped);

/*
 * True: this process was stopped, and the guardian let the guest go. The connection is of no more
 * use, and nothing may be sent on it. Ask before each send.
 */
bool rsp_guardian_acted(const struct rsp_guardian *guardian);

/* Waits for a guardian that acted, two seconds at most. True: the guest runs on. */
bool rsp_guardian_wait(const struct rsp_guardian *guardian);

/* The client has detached, so the guardian may end. No effect on one that acted. */
void rsp_guardian_dismiss(struct rsp_guardian *guardian);

/* Dismisses it and waits for its end. Call it before the connection is closed. Accepts NULL. */
void rsp_guardian_destroy(struct rsp_guardian *guardian);

#endif
