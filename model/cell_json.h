/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The JSON of one cell's record: `scheduler`, `kernel`, `topology`, `passed`, `skipped`, and
 * `stats`, a list of `name` and `verified_insns`. Where they are known also `verdict`, `reason`,
 * `release`, `log`, `started`, `duration_s`, `attempts`, and of each of the stats `type`, `tag`
 * and `failed`.
 */
#ifndef KT_MODEL_CELL_JSON_H
#define KT_MODEL_CELL_JSON_H

#include "logparse/text.h"
#include "model/cell_record.h"

/*
 * The record as JSON, which the caller frees. It ends in its brace, without a newline: so what is
 * cut anywhere is no JSON. KT_ERROR_FORMAT: a name is empty, or has a "/" in it, and would not be
 * read back; KT_ERROR_NO_MEMORY.
 */
struct kt_error *kt_cell_record_encode(const struct kt_cell_record *record, char **ret);

/*
 * Reads one. The text may be anything. Required are the three names, `passed` and `stats`;
 * `skipped` may be absent, which is false. Keys that are not known are ignored, one that comes
 * twice is an error, and so is a value of a wrong type.
 *
 * kt_cell_record_deinit() frees *ret. KT_ERROR_FORMAT, which says what is wrong;
 * KT_ERROR_NO_MEMORY.
 */
struct kt_error *kt_cell_record_decode(struct kt_text text, struct kt_cell_record *ret);

/* Whether it can be the name of a scheduler, kernel or topology: not empty, no "/". */
bool kt_cell_name_ok(const char *name);

/* Real ones have a hundred programs at most, and some kB. */
#define KT_CELL_STATS_MAX  10000
#define KT_CELL_RECORD_MAX ((size_t)4 << 20)

#endif
