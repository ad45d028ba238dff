/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A frame of the guest as an event. Internal to vm/. */
#ifndef KT_VM_EVENT_H
#define KT_VM_EVENT_H

#include "vm/frame.h"
#include "vm/vm.h"

/*
 * False, and *ret untouched: nothing that this host knows. Pointers in *ret are into the frame's
 * payload, or into text, which is set anew.
 */
bool vm_event_from_frame(const struct kt_frame *frame, struct kt_buf *text, struct vm_event *ret);

/* Sets the buffer to what the event's text is to be, NUL-terminated; "" without memory. */
const char *vm_event_text(struct kt_buf *buf, const void *text, size_t len);

#endif
