/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Not a public header. The file of `sched watch --dump`, read back. It may be anything: each value
 * is checked, and what is missing or of a wrong type is unknown.
 */
#ifndef KT_MODEL_SCHED_SAVED_H
#define KT_MODEL_SCHED_SAVED_H

#include <jansson.h>

#include "logparse/text.h"
#include "model/sched_event.h"
#include "util/error.h"

#define SCHED_SAVED_SCHEMA "ktstr-gdb.sched-dump.v1"
#define SCHED_SAVED_MAX    ((size_t)256 << 20) /* bytes */

struct sched_saved {
	char *release;            /* the kernel's; NULL: unknown */
	char *event_name;         /* "error", "exit", "panic" */
	struct sched_event event; /* with its dump, which has no sections */
	struct scx_task blamed;   /* pid unknown: the kernel named none */
	json_t *document;         /* all of it; its "sections" are as they were written */
};

/*
 * KT_ERROR_FORMAT: it is no such document, or has more of a kind than any that was written; errors
 * call it `name`. The caller owns *ret.
 */
struct kt_error *sched_saved_read(struct kt_text text, const char *name, struct sched_saved *ret);
void sched_saved_deinit(struct sched_saved *saved);

#endif
