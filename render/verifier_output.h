/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A scheduler's run in a guest, for a person. */
#ifndef KT_RENDER_VERIFIER_OUTPUT_H
#define KT_RENDER_VERIFIER_OUTPUT_H

#include "model/verdict.h"

/*
 * Appends the label with the verdict; the outcome of attach and of the workload; a line a program,
 * "  NAME verified_insns=N"; what there is to say of the log; for each load that failed what led to
 * it (render/log_last.h); and the scheduler's log, its verifier logs collapsed. raw: the log as it
 * is, and nothing before it. Names and the log have their bytes as they are. KT_ERROR_NO_MEMORY.
 */
struct kt_error *kt_format_verifier_output(const char *label,
					   const struct kt_verifier_vm_result *result, bool raw,
					   struct kt_buf *out);

#endif
