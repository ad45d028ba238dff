/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * QEMU's monitor (QMP, docs/interop/qmp-spec of QEMU) for a guest of ours: the tool listens in the
 * guest's private directory, and QEMU connects. Internal to vm/.
 */
#ifndef KT_VM_MONITOR_H
#define KT_VM_MONITOR_H

#include <jansson.h>
#include <stdint.h>

#include "util/buf.h"
#include "util/error.h"

struct vm_monitor {
	int listen_fd, fd;   /* -1: none */
	int cancel_fd;       /* readable: KT_ERROR_CANCELLED; -1: none */
	int64_t deadline_ns; /* of all that waits, in kt_now_ns() time */
	struct kt_buf in;    /* what came and is not taken yet */
	unsigned owed;       /* answers that QEMU owes to what was sent */
	char version[64];    /* of QEMU, as it says */
};

/* clang-format off */
#define VM_MONITOR_INIT {.listen_fd = -1, .fd = -1, .cancel_fd = -1}
/* clang-format on */

/* Listens on DIR/monitor.sock, in place of a socket that was there. */
struct kt_error *vm_monitor_listen(struct vm_monitor *monitor, const char *dir);

/* Waits for QEMU, and begins. KT_ERROR_CLOSED: it is gone; KT_ERROR_PROTOCOL: it is no QEMU. */
struct kt_error *vm_monitor_begin(struct vm_monitor *monitor);

/*
 * Has QEMU run a command. arguments may be NULL, and are taken over; a copy of the descriptor fd
 * (-1: none) goes with it. *ret, unless ret is NULL, is what QEMU returns, and the caller's. Errors
 * as above, and KT_ERROR_UNSUPPORTED: QEMU refuses, in its own words.
 */
struct kt_error *vm_monitor_run(struct vm_monitor *monitor, const char *command, json_t *arguments,
				int fd, json_t **ret);

/*
 * The same without waiting for the answer: so several commands cost one turn of QEMU, which may be
 * busy. vm_monitor_settle() waits for all answers; its error is that of the first that failed.
 */
struct kt_error *vm_monitor_send(struct vm_monitor *monitor, const char *command, json_t *arguments,
				 int fd);
struct kt_error *vm_monitor_settle(struct vm_monitor *monitor);

/* Hangs up, or listens no more. Everything else stays; it may listen again. */
void vm_monitor_close(struct vm_monitor *monitor);

#endif
