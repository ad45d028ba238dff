/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The state of sched_ext in a guest. Not a public header. */
#ifndef KT_RENDER_SCHED_H
#define KT_RENDER_SCHED_H

#include <jansson.h>

#include "model/sched.h"
#include "render/guest.h"
#include "util/buf.h"
#include "util/error.h"

/*
 * As text of at most width columns (0: any), but for what the kernel printed itself: CPUs that are
 * alike share a row, and empty queues a line. The caller frees *ret.
 */
struct kt_error *render_sched_text(const struct scx_snapshot *snapshot, size_t width, bool color,
				   char **ret);

/*
 * Parts of that: an exit with its code, message and backtrace (of one that has not come, nothing),
 * and the kernel's own debug dump of it, if there is one.
 */
void render_append_scx_exit(struct kt_buf *out, const struct scx_exit *exit, size_t width);
void render_append_scx_exit_dump(struct kt_buf *out, const struct scx_exit *exit);

/* A line of a backtrace or stack, as in an oops: "schedule+0x28", "? veth_xmit+0x1 [veth]". */
void render_append_scx_frame(struct kt_buf *out, const struct scx_frame *frame);

/* The document ktstr-gdb.sched.v1. */
struct kt_error *render_sched_json(const struct scx_snapshot *snapshot,
				   const struct render_guest *guest, char **ret);

/* Its parts, as in that document, without the guest: a new reference, NULL without memory. */
json_t *render_sched_object(const struct scx_snapshot *snapshot);

/* An exit, and a task without how long it waits, as in that document. */
json_t *render_scx_exit_json(const struct scx_exit *exit);
json_t *render_scx_task_json(const struct scx_task *task);

/* "local", "user": the kind of a queue, as it is in the document. */
const char *render_queue_kind(enum scx_queue_kind kind);

#endif
