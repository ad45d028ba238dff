/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The part of a verifier log that leads to an error, shortened. Internal to render/log_last.c.
 */
#ifndef KT_RENDER_LOG_PATH_H
#define KT_RENDER_LOG_PATH_H

#include "logparse/text.h"
#include "util/buf.h"
#include "util/error.h"

/*
 * Appends the path, collapsed and indented. Precision tracking, blank lines, and repeated source
 * lines are left out. Of more than max lines the first `head` and the last ones are shown, and
 * repeats that the cut goes through keep their marks. KT_ERROR_NO_MEMORY; out is then as it was.
 */
struct kt_error *render_log_path(struct kt_text path, size_t head, size_t max, struct kt_buf *out);

#endif
