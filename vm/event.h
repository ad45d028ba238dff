/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Makes an event of a frame from the guest. Internal to vm/. */
#ifndef KT_VM_EVENT_H
#define KT_VM_EVENT_H

#include "vm/frame.h"
#include "vm/vm.h"

/*
 * False: the frame makes no sense to this host, and *ret is untouched. Pointers in *ret point into
 * the frame's payload, or into text, whose content is replaced.
 */
bool vm_event_from_frame(const struct kt_frame *frame, struct kt_buf *text, struct vm_event *ret);

/* Replaces the content of buf, and returns it as a string; "": no memory. */
const char *vm_event_text(struct kt_buf *buf, const void *text, size_t len);

#endif
