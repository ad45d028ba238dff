/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * For projects whose cells are tests of cargo, called verifier/S/K/T, each of which writes its
 * record: the command line of `cargo nextest`, and the meaning of its result.
 */
#ifndef KT_SWEEP_NEXTEST_H
#define KT_SWEEP_NEXTEST_H

#include <stdbool.h>
#include <stddef.h>

#include "util/error.h"

/*
 * The arguments of `cargo`: "nextest" and its own, `--profile PROFILE` unless that is NULL, then
 * the n_forward strings of forward. *ret ends in NULL; kt_nextest_args_free() frees it.
 * KT_ERROR_NO_MEMORY.
 */
struct kt_error *kt_build_nextest_args(const char *profile, const char *const *forward,
				       size_t n_forward, char ***ret);

/* Accepts NULL. */
void kt_nextest_args_free(char **args);

enum kt_run_outcome {
	KT_RUN_SUCCESS,
	KT_RUN_FAILED,          /* needs a message: the grid does not show why */
	KT_RUN_FAILED_SILENTLY, /* needs none: the grid shows a cell that failed */
};

/*
 * Judges a run by its exit code and its records. success is separate from exit_code, since a
 * process that a signal ended has no exit code. scheduler is the filter for the message, or NULL.
 *
 * A success without records is a failure with exit code 1. Otherwise *code_ret is exit_code, or 1
 * if a failure has exit code 0. *message is set for KT_RUN_FAILED, and the caller frees it; it is
 * NULL for the others. KT_ERROR_NO_MEMORY.
 */
struct kt_error *kt_classify_run_outcome(bool success, bool records_empty, bool has_failed_cell,
					 const char *scheduler, int exit_code,
					 enum kt_run_outcome *ret, char **message, int *code_ret);

#endif
