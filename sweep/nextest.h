/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * For projects that keep their cells in cargo: how `cargo nextest` is run so that each test
 * verifier/S/K/T writes its record, and what came of it.
 */
#ifndef KT_SWEEP_NEXTEST_H
#define KT_SWEEP_NEXTEST_H

#include <stdbool.h>
#include <stddef.h>

#include "util/error.h"

/*
 * The arguments of `cargo`: "nextest" and what goes with it, `--profile PROFILE` unless that is
 * NULL, then the n_forward of forward as they are. *ret ends in NULL; to be freed by
 * kt_nextest_args_free(). KT_ERROR_NO_MEMORY.
 */
struct kt_error *kt_build_nextest_args(const char *profile, const char *const *forward,
				       size_t n_forward, char ***ret);

/* Accepts NULL. */
void kt_nextest_args_free(char **args);

enum kt_run_outcome {
	KT_RUN_SUCCESS,
	KT_RUN_FAILED,          /* with a message: nothing that is shown says why */
	KT_RUN_FAILED_SILENTLY, /* the grid shows a cell that failed, which says it all */
};

/*
 * What a run that ended with exit_code (0: success), and the records that it left, come to.
 * scheduler: what cells were filtered by, NULL: nothing. *message, for KT_RUN_FAILED, is the
 * caller's to free, and NULL for the others. Where it is a success without a record, that is a
 * failure, whose exit code is 1; otherwise *code_ret is exit_code.
 *
 * success is given beside exit_code because a process that a signal ended has no exit code; one
 * that failed with 0 is given 1. KT_ERROR_NO_MEMORY.
 */
struct kt_error *kt_classify_run_outcome(bool success, bool records_empty, bool has_failed_cell,
					 const char *scheduler, int exit_code,
					 enum kt_run_outcome *ret, char **message, int *code_ret);

#endif
