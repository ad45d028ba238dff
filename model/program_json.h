/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Programs out of the document "ktstr-gdb.programs.v1". */
#ifndef KT_MODEL_PROGRAM_JSON_H
#define KT_MODEL_PROGRAM_JSON_H

#include <jansson.h>

#include "model/program.h"
#include "util/error.h"

/*
 * Reads the programs of a document, which may be anything, those that were in the guest's memory;
 * by id. What has another type than docs/json.md says is not known. For programs_deinit().
 * KT_ERROR_NO_MEMORY; *ret is then untouched.
 */
struct kt_error *kt_programs_read(const json_t *root, struct programs *ret);

#endif
