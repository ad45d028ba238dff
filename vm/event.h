/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What happens in a guest, and how a frame from the guest becomes an event. */
#ifndef KT_VM_EVENT_H
#define KT_VM_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/buf.h"
#include "vm/frame.h"

enum vm_event_type {
	VM_EVENT_WAITING, /* init waits for its work; vm_next_event() keeps it to itself */
	VM_EVENT_INIT_STARTED,
	VM_EVENT_PAYLOAD_STARTED,
	VM_EVENT_PROGRAM,  /* program: an object's program was loaded or not */
	VM_EVENT_LEFT_OUT, /* status: how many programs the filter did not let through */
	VM_EVENT_OUTPUT,   /* stream, data, len: what the payload wrote */
	VM_EVENT_READY,    /* text: why; all is loaded and held */
	VM_EVENT_EXIT,     /* status: the payload's wait status; of a scheduler's run, its end */

	/* From a scheduler's run; see enum kt_phase for the texts. */
	VM_EVENT_SCHED_LOG,    /* data, len: the next bytes of its log */
	VM_EVENT_SCHED_DIED,   /* it ended before it attached */
	VM_EVENT_NOT_ATTACHED, /* text: why */
	VM_EVENT_ATTACHED,     /* text: the name of its ops */
	VM_EVENT_DISPATCHED,   /* text: what the workload did */
	VM_EVENT_STALLED,      /* text: what it did, and why that is not enough */
	VM_EVENT_TOO_SLOW,     /* text: the same, where the guest's CPUs themselves hardly ran */
	VM_EVENT_STOPPING,     /* it is told to end */
	VM_EVENT_SCHED_EXIT,   /* status: its wait status */

	/* The last event. text: the console's line that says why, of len bytes; len 0: none does.
	 */
	VM_EVENT_GUEST_DIED,
	VM_EVENT_QEMU_EXITED, /* status, text: QEMU's messages. The last event. */
};

struct vm_event {
	enum vm_event_type type;
	int stream; /* 1 or 2 */
	int status; /* a wait status, see waitpid(2) */
	const char *text;
	const uint8_t *data;
	size_t len;
	struct kt_prog_record program;
};

/*
 * False: the frame makes no sense to this host, and *ret is untouched. Pointers in *ret point into
 * the frame's payload, or into text, whose content is replaced.
 */
bool vm_event_from_frame(const struct kt_frame *frame, struct kt_buf *text, struct vm_event *ret);

/* Replaces the content of buf, and returns it as a string; "": no memory. */
const char *vm_event_text(struct kt_buf *buf, const void *text, size_t len);

#endif
