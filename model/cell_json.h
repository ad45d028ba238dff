/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A cell's record as JSON. It always has the keys `scheduler`, `kernel`, `topology`, `passed`,
 * `skipped` and `stats`, a list of objects with `name` and `verified_insns`. Where they are known,
 * it also has `verdict`, `reason`, `release`, `log`, `last`, `started`, `duration_s`, `attempts`,
 * `place`, `file`, `host` and `version`, and each of the stats `type`, `tag`, `failed`, and the
 * numbers of model/trial.h.
 */
#ifndef KT_MODEL_CELL_JSON_H
#define KT_MODEL_CELL_JSON_H

#include "logparse/text.h"
#include "model/cell_record.h"

/*
 * Writes the record as JSON, which the caller frees. It ends in its brace, without a newline, so
 * that a file that was cut short is never valid JSON. Errors: KT_ERROR_FORMAT if a name is empty
 * or has a "/", since it could not be read back; KT_ERROR_NO_MEMORY.
 */
struct kt_error *kt_cell_record_encode(const struct kt_cell_record *record, char **ret);

/*
 * Reads a record from text that may be anything. The three names, `passed` and `stats` are
 * required; `skipped` is false if absent. Unknown keys are ignored. A key given twice is an error,
 * and so is a value of a wrong type.
 *
 * kt_cell_record_deinit() frees *ret. Errors: KT_ERROR_FORMAT, with what is wrong;
 * KT_ERROR_NO_MEMORY.
 */
struct kt_error *kt_cell_record_decode(struct kt_text text, struct kt_cell_record *ret);

/* Whether a scheduler, kernel or topology may have this name: it is not empty and has no "/". */
bool kt_cell_name_ok(const char *name);

/* Limits for hostile records. Real ones have at most a hundred programs and a few kB. */
#define KT_CELL_STATS_MAX  10000
#define KT_CELL_RECORD_MAX ((size_t)4 << 20)

#endif
