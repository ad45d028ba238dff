/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What leads to the error of a verifier log: the message, the instruction that failed, the
 * registers it complains about and where they were last set, the path, and what the kernel
 * itself has to say.
 */
#ifndef KT_LOGPARSE_LAST_H
#define KT_LOGPARSE_LAST_H

#include "logparse/blocks.h"
#include "logparse/last_result.h"
#include "util/error.h"

/*
 * Reads a log, all texts are slices of it. Time is linear; memory is bounded by what the
 * verifier can execute (some 35 MB). Nothing to release. Errors: KT_ERROR_NO_MEMORY.
 */
struct kt_error *kt_log_find_last(struct kt_text log, struct kt_log_last *ret);

/*
 * The same of a log that was found in a text, with what its loader says of it: a load that failed
 * is FAILED, whatever the log ends with, and text between markers is the kernel's.
 */
struct kt_error *kt_log_find_last_of(const struct kt_log_block *block, struct kt_log_last *ret);

struct kt_log_outcome {
	enum kt_last_outcome outcome;
	struct kt_text headline;        /* of FAILED; empty: only the loader says so */
	struct kt_verifier_stats stats; /* as kt_log_last.stat_values */
};

/*
 * Only what became of a log, as kt_log_find_last() has it. The log is read from its end, as far
 * as it takes.
 */
void kt_log_find_outcome(struct kt_text log, struct kt_log_outcome *ret);

/* The outcome as kt_log_find_last_of() has it. */
void kt_log_find_outcome_of(const struct kt_log_block *block, struct kt_log_outcome *ret);

#endif
