/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What Linux 7.3 itself says of an error. Internal to render/log_last.c. */
#ifndef KT_RENDER_LOG_WHY_H
#define KT_RENDER_LOG_WHY_H

#include "logparse/text.h"
#include "util/buf.h"

/*
 * Appends the explanation, "Verification failed: ..." to its suggestion, as it is; but of the
 * steps of a long causal path (a loop's are there again for each iteration) the first one and
 * the last ones.
 */
void render_log_why(struct kt_text explanation, struct kt_buf *out);

#endif
