/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Frames from and to the guest, through a Unix socket that QEMU connects to. The tool listens
 * before QEMU starts, so that no frame is lost. Internal to vm/.
 */
#ifndef KT_VM_CHANNEL_H
#define KT_VM_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/error.h"
#include "vm/frame.h"

struct vm_channel {
	int listen_fd; /* until QEMU has connected, else -1 */
	int fd;        /* -1 before that, and after QEMU hung up */
	struct kt_frame_decoder decoder;
};

/* clang-format off */
#define VM_CHANNEL_INIT {.listen_fd = -1, .fd = -1}
/* clang-format on */

/* Listens on DIR/NAME, in place of a socket that was there. The path fits sun_path. */
struct kt_error *vm_channel_listen(struct vm_channel *channel, const char *dir, const char *name);

/* Closes it and drops what was received; it may listen again. The counts of damage stay. */
void vm_channel_close(struct vm_channel *channel);

/* What to poll for POLLIN; -1: nothing will come any more. */
int vm_channel_poll_fd(const struct vm_channel *channel);

/* Reads what is there, without waiting. The only error is KT_ERROR_NO_MEMORY. */
struct kt_error *vm_channel_receive(struct vm_channel *channel);

/*
 * Sends a frame, in a second at most. KT_ERROR_CLOSED: QEMU has hung up. KT_ERROR_TIMEOUT: the
 * guest does not read; a part of the frame may have been sent.
 */
struct kt_error *vm_channel_send(struct vm_channel *channel, uint32_t type, const void *payload,
				 size_t len);

/* The same until a deadline, in kt_now_ns() time. */
struct kt_error *vm_channel_send_by(struct vm_channel *channel, uint32_t type, const void *payload,
				    size_t len, int64_t deadline_ns);

#endif
