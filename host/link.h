/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A link to a guest's monitor, through a keeper.
 *
 * The keeper is a small child (util/survivor.h) that has the monitor. It is started before the
 * process puts up its fence, and asked over a socket. The process itself never speaks QMP or
 * libvirt. When the process ends, however it ends, the keeper waits until the guardian of gdbrsp/
 * has let the guest go, and then takes away what it had QEMU make: the stub and its character
 * device. A guest that ran and stands still is continued.
 *
 * A keeper that is killed itself, or crashes, has a spare: its parent, which only waits, and does
 * the same in its place once the process is done or gone. libvirt's library waits for its daemon as
 * long as that takes; a keeper that is late by two seconds ends itself.
 *
 * Not covered: all of them killed at the same moment (a cgroup's `memory.oom.group`,
 * `cgroup.kill`).
 */
#ifndef KT_HOST_LINK_H
#define KT_HOST_LINK_H

#include "gdbrsp/target.h"
#include "host/stub.h"
#include "host/target.h"

struct host_link;

/*
 * Starts a keeper, has it open the target's monitor, and look. target: not a HOST_TARGET_STUB. It
 * is used during the call only. Errors that may pass, for --wait: ENOENT and ECONNREFUSED of
 * KT_ERROR_OS, KT_ERROR_NOT_READY.
 */
struct kt_error *host_link_open(const struct host_target *target,
				const struct rsp_patience *patience, struct host_link **ret);

/* The keeper was gone when the guest was let go, and its spare has to put QEMU right. */
bool host_link_is_lost(const struct host_link *link);

/* Ends what was started, and waits for the keeper's end. Accepts NULL. */
void host_link_close(struct host_link *link);

/* The user wants the guest to be left stopped: the keeper does not continue it. */
void host_link_set_leave_stopped(struct host_link *link, bool leave_stopped);

/* What was found when it was opened. */
const struct host_vm *host_link_vm(const struct host_link *link);

/*
 * Connects a client of gdbrsp/ to the guest. With host_link_vm()->address the client connects to
 * that by itself, and the dialer only tells whether the guest is paused.
 */
const struct rsp_dialer *host_link_dialer(const struct host_link *link);

#endif
