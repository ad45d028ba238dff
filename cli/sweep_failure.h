/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What became of the objects of a cell, and why it failed. */
#ifndef KT_CLI_SWEEP_FAILURE_H
#define KT_CLI_SWEEP_FAILURE_H

#include "logparse/text.h"
#include "model/verifier.h"
#include "util/buf.h"

/* Appends the programs with what the verifier counted. KT_ERROR_NO_MEMORY. */
struct kt_error *sweep_trial_stats(const struct kt_trials *trials, struct kt_prog_stats_list *ret);

/*
 * The first program that was not taken, with its place in the source, the error and its class, and
 * how many there are. The caller frees *ret. KT_ERROR_NO_MEMORY.
 */
struct kt_error *sweep_failure_reason(const struct kt_trials *trials, char **ret);

/* Appends the logs of the programs that were not taken. KT_ERROR_NO_MEMORY. */
struct kt_error *sweep_failure_log(const struct kt_trials *trials, struct kt_buf *out);

/*
 * The steps that led to the errors in a log (`ktstr-gdb log --last`), as much as a page has room
 * for. The caller frees *ret; it stays as it is if no load failed. KT_ERROR_NO_MEMORY.
 */
struct kt_error *sweep_failure_last(struct kt_text log, char **ret);

#endif
