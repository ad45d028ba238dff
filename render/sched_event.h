/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What happens to sched_ext in a guest, a line each, as text or as JSON. Not a public header. */
#ifndef KT_RENDER_SCHED_EVENT_H
#define KT_RENDER_SCHED_EVENT_H

#include <jansson.h>

#include "model/sched_event.h"
#include "util/error.h"

/* "enabled", the event's name in both forms. */
const char *render_sched_event_name(const struct sched_event *event);

/* One line, with a newline. It is for a terminal. The caller frees *ret. */
struct kt_error *render_sched_event_line(const struct sched_event *event, char **ret);

/* The same as a JSON object on a line. file: where its dump is kept; NULL: nowhere. */
struct kt_error *render_sched_event_json(const struct sched_event *event, const char *file,
					 char **ret);

/*
 * The first object of the JSON, and the last. points: the debug registers in use, by name. ended:
 * why the guest ended the watch, or NULL.
 */
struct kt_error *render_sched_begin_json(const char *release, const char *points, char **ret);
struct kt_error *render_sched_end_json(uint64_t events, uint64_t stops, int64_t paused_ns,
				       int64_t elapsed_ns, const char *ended, char **ret);

/* As JSON: a new reference, NULL without memory. */
json_t *render_sched_frames_json(const struct scx_frame *frames, size_t n);

#endif
