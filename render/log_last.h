/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The error of a verifier log and the steps that lead to it, for a person. */
#ifndef KT_RENDER_LOG_LAST_H
#define KT_RENDER_LOG_LAST_H

#include "logparse/last.h"
#include "util/buf.h"
#include "util/error.h"

/*
 * Appends some 10 to 55 lines (and some 100 where 7.3 explains it) to out: the error, the
 * instruction and its source line, the register that the verifier complains about and where it was
 * last set, the path, collapsed, what the kernel or the catalogue explains, and the statistics.
 * program may be empty. Bytes of the log are copied as they are. Errors: KT_ERROR_NO_MEMORY; out is
 * then as it was.
 */
struct kt_error *render_log_last(struct kt_text trace, struct kt_text program, struct kt_buf *out);

/*
 * Appends what became of a load of which only the loader says that it failed (KT_LAST_UNSAID): "the
 * load failed with E2BIG (7), and the verifier gave no reason". No newline.
 */
void render_log_verdict(const struct kt_log_last *last, struct kt_buf *out);

/*
 * Why it failed then, as far as that follows from the log: static text of one or two lines; NULL:
 * not known.
 */
const char *render_log_loaders_reason(const struct kt_log_last *last);

/* The same as render_log_last() of a log that was found in a text, with what its loader says of it.
 */
struct kt_error *render_log_last_of(const struct kt_log_block *log, struct kt_buf *out);

#endif
