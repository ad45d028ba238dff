/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Trials in the document "ktstr-gdb.programs.v1": written and read back. */
#ifndef KT_MODEL_TRIAL_JSON_H
#define KT_MODEL_TRIAL_JSON_H

#include <jansson.h>

#include "model/trial.h"

/*
 * Adds to a program's object what its trial knows: the object that it is from, its full name, and
 * what the verifier counted. order: which trial it is, from 0.
 */
void kt_trial_put(const struct kt_trial *trial, size_t order, json_t *object);

/* The same of a program of no object: kt_trials_add_log(). */
void kt_trial_put_log(const struct kt_trial *trial, json_t *object);

/*
 * Reads the trials of a document, which may be anything, in their order. Programs that are of no
 * object are left out. Errors: KT_ERROR_FORMAT, KT_ERROR_NO_MEMORY; *ret is then empty.
 */
struct kt_error *kt_trials_read(const json_t *root, struct kt_trials *ret);

#endif
