/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What was read of a guest at the instant at which a scheduler began to end: the file of --dump,
 * and how it is shown again. Not a public header.
 */
#ifndef KT_RENDER_SCHED_DUMP_H
#define KT_RENDER_SCHED_DUMP_H

#include <jansson.h>

#include "model/sched_saved.h"
#include "util/buf.h"
#include "util/error.h"

/*
 * One JSON document. variables: of each section of event->dump what its types make of it; NULL: its
 * bytes are shown. The caller frees *ret.
 */
struct kt_error *render_sched_dump_json(const struct sched_event *event, const char *release,
					int64_t kaslr_offset, json_t *const *variables, char **ret);

/* For people, at most width columns (0: any) but for names. The caller frees *ret. */
struct kt_error *render_sched_dump_text(const struct sched_saved *saved, size_t width, bool color,
					char **ret);

/*
 * Appends the sum of it, a few lines: kind, reason and message of the end, who ran and who is to
 * blame, and the first frames of the stack. It is for a terminal.
 */
void render_append_sched_end(struct kt_buf *out, const struct sched_saved *saved);

/* The task in the dump that the kernel's message is about, "NAME[PID]"; NULL: it names none. */
const struct scx_task *render_sched_blamed(const struct sched_event *event);

#endif
