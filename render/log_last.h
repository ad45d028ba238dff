/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The error of a verifier log and the steps that lead to it, for a person. */
#ifndef KT_RENDER_LOG_LAST_H
#define KT_RENDER_LOG_LAST_H

#include "logparse/text.h"
#include "util/buf.h"
#include "util/error.h"

/*
 * Appends some 10 to 40 lines (and some 100 where 7.3 explains it) to out: the error, the
 * instruction and its source line, the register that the verifier complains about and where it was
 * last set, the path, collapsed, what the kernel explains, and the statistics. program may be
 * empty. Bytes of the log are copied as they are. Errors: KT_ERROR_NO_MEMORY; out is then as it
 * was.
 */
struct kt_error *render_log_last(struct kt_text trace, struct kt_text program, struct kt_buf *out);

#endif
