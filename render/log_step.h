/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The words for how a register came to its value (logparse/last_result.h). Not a public header.
 */
#ifndef KT_RENDER_LOG_STEP_H
#define KT_RENDER_LOG_STEP_H

#include "logparse/last_result.h"
#include "util/buf.h"

/* Appends "copied from R0 at ", which an instruction follows. */
void render_log_how(const struct kt_last_subject *subject, const struct kt_last_step *step,
		    struct kt_buf *out);

/* "never set on this path", of a subject that no step sets; else "". */
const char *render_log_origin(const struct kt_last_subject *subject);

/* Appends "R7", "fp-8 of frame 1", "reference 2". */
void render_log_name(const struct kt_last_subject *subject, struct kt_buf *out);

/* Appends "R7=scalar, was pkt(r=0)": what is known of the subject, with its role. */
void render_log_subject(const struct kt_last_subject *subject, struct kt_buf *out);

#endif
