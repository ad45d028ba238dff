/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The kernel's own explanation of an error, since Linux 7.3. Internal to render/log_last.c. */
#ifndef KT_RENDER_LOG_WHY_H
#define KT_RENDER_LOG_WHY_H

#include "logparse/text.h"
#include "util/buf.h"

/*
 * Appends the explanation, from "Verification failed: ..." to its suggestion, as it is. A long
 * causal path (it has the steps of a loop for each iteration) is cut to its first and last steps.
 */
void render_log_why(struct kt_text explanation, struct kt_buf *out);

#endif
