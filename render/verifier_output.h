/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A scheduler's run in a guest, for a person. */
#ifndef KT_RENDER_VERIFIER_OUTPUT_H
#define KT_RENDER_VERIFIER_OUTPUT_H

#include "model/verdict.h"

/*
 * Appends the label with the verdict; the outcome of attach and of the workload; a line for each
 * program, "  NAME verified_insns=N"; the log's statistics; for each load that failed what led to
 * it (render/log_last.h); and the scheduler's log, with its verifier logs collapsed. raw: without
 * what led to failures, and the log is not collapsed. Bytes of names and of the log are copied as
 * they are. KT_ERROR_NO_MEMORY.
 */
struct kt_error *kt_format_verifier_output(const char *label,
					   const struct kt_verifier_vm_result *result, bool raw,
					   struct kt_buf *out);

/*
 * Appends, for each load in a loader's output that failed, an empty line and the steps that led to
 * the error, as `ktstr-gdb log --last` has them. KT_ERROR_NO_MEMORY.
 */
struct kt_error *kt_format_failures(struct kt_text log, struct kt_buf *out);

#endif
