/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A stretch of a verifier log that leads to an error, as short as it can be told. Internal to
 * render/log_last.c.
 */
#ifndef KT_RENDER_LOG_PATH_H
#define KT_RENDER_LOG_PATH_H

#include "logparse/text.h"
#include "util/buf.h"
#include "util/error.h"

/*
 * Appends the path collapsed, each line behind four blanks. Precision tracking, blank lines, and
 * source lines that only say again where the log is, are left out. Of more than max lines the
 * first `head` are shown and the last ones, and repeats that are cut into keep their marks.
 * Errors: KT_ERROR_NO_MEMORY, and then out is as it was.
 */
struct kt_error *render_log_path(struct kt_text path, size_t head, size_t max, struct kt_buf *out);

#endif
