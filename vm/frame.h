/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The frames in which the guest's init speaks to the host, over a byte stream that may
 * lose its beginning or be damaged. 16 bytes little-endian, `type, length, crc32 of the
 * payload, 0`, then the payload. Pure: no I/O; used on both sides.
 */
#ifndef KT_VM_FRAME_H
#define KT_VM_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/buf.h"

#define KT_FRAME_HEADER 16
#define KT_FRAME_MAX    (1u << 20) /* bytes of payload that a reader accepts */

enum kt_frame_type {
	KT_FRAME_SCHED_LOG = 0x53434c47,
	KT_FRAME_LIFECYCLE = 0x4c494645,
	KT_FRAME_EXIT = 0x45584954,
	KT_FRAME_SCHED_EXIT = 0x53434458,
	KT_FRAME_PROG = 0x50524f47,   /* one program that init loaded or failed to load */
	KT_FRAME_OUTPUT = 0x4f555450, /* bytes of the payload's stdout and stderr */
};

enum kt_phase {
	KT_PHASE_INIT_STARTED = 1,
	KT_PHASE_PAYLOAD_STARTED = 2,
	KT_PHASE_SCHED_DIED = 3,
	KT_PHASE_SCHED_NOT_ATTACHED = 4,
	KT_PHASE_SCHED_ATTACHED = 5,
	KT_PHASE_WORKLOAD_DISPATCHED = 6,
	KT_PHASE_READY = 16, /* everything is loaded and held: the host may read now */
};

#endif
