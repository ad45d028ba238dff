/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The result directory of a sweep: one file per cell, in the format of model/cell_json.h. Cells
 * share nothing else, and may run on many machines. A file is written under another name and
 * renamed, so readers see all of it or nothing.
 */
#ifndef KT_SWEEP_RECORDS_H
#define KT_SWEEP_RECORDS_H

#include <stdbool.h>

#include "model/cell_record.h"
#include "util/buf.h"

/* The environment variable that names the directory, for cells run by others (cargo nextest). */
#define KTSTR_VERIFIER_RESULT_DIR_ENV "KTSTR_VERIFIER_RESULT_DIR"

/*
 * The name of a cell's files without ".json": "verifier~scx_simple~6.12~4cpu-1llc-nosmt". Two cells
 * never share one. Letters, digits and "._+-" stay; other bytes become "%NN". A name of more than
 * KT_CELL_STEM_MAX bytes is cut, and ends in a hash of all of it. The caller frees *ret.
 * KT_ERROR_NO_MEMORY.
 */
struct kt_error *kt_cell_stem(const char *scheduler, const char *kernel, const char *topology,
			      char **ret);
#define KT_CELL_STEM_MAX 200

/*
 * Writes the record into dir, in place of one that this cell has there. Others see the old one, or
 * the new one, or none. A dump of an earlier try goes, if the record has none. The cell is not due
 * any more. Errors: KT_ERROR_OS, and then the old record
 * survives, or the cell is still due; KT_ERROR_FORMAT as kt_cell_record_encode().
 */
struct kt_error *kt_write_cell_record(const char *dir, const struct kt_cell_record *record);

/* Tells why a file of the directory was skipped. The error stays the caller's. */
typedef void (*kt_cell_warn_fn)(void *arg, const char *file, const struct kt_error *why);

/*
 * Reads every "*.json" in dir that does not begin with a dot, without subdirectories, in the order
 * of the directory. Without such a directory there are no records. A file that is no record is
 * skipped, after a call of warn (may be NULL).
 *
 * kt_cell_records_deinit() frees *ret. Errors: KT_ERROR_OS if the directory cannot be read;
 * KT_ERROR_NO_MEMORY.
 */
struct kt_error *kt_read_cell_records(const char *dir, kt_cell_warn_fn warn, void *arg,
				      struct kt_cell_records *ret);

/*
 * Reads the record of one cell. Errors: KT_ERROR_NOT_FOUND if it has none; KT_ERROR_FORMAT if its
 * file is no record, or that of another cell; KT_ERROR_OS.
 */
struct kt_error *kt_read_cell_record(const char *dir, const char *scheduler, const char *kernel,
				     const char *topology, struct kt_cell_record *ret);

/*
 * A sweep that runs cells again must lose no result to an engine, a kernel or a scheduler that is
 * not there. So a record stays until its cell starts, and until then the cell is "due": a hidden
 * file beside the record says so. Whoever runs cells takes a due cell for one without a record;
 * readers like kt_read_cell_records() do not care.
 *
 * All three: KT_ERROR_OS, KT_ERROR_NO_MEMORY.
 */

/* Makes a cell due that has a record. One without is to be run in any case. */
struct kt_error *kt_cell_set_due(const char *dir, const char *scheduler, const char *kernel,
				 const char *topology);

/* Whether it has a record, and that is one from before. */
struct kt_error *kt_cell_is_due(const char *dir, const char *scheduler, const char *kernel,
				const char *topology, bool *ret);

/*
 * The cell starts now. If it is due, or has no record, this removes its record, log and dump. A
 * record that is not due is of an earlier try in this sweep, and stays until the next one takes its
 * place.
 */
struct kt_error *kt_cell_start(const char *dir, const char *scheduler, const char *kernel,
			       const char *topology);

/*
 * Appends the log beside a record: record->log, a plain name in dir. If it is longer than max
 * bytes, whole lines in the middle are left out, and a line says so. Errors: KT_ERROR_NOT_FOUND if
 * there is none; KT_ERROR_UNSUPPORTED if its name is a path, or it is not a regular file;
 * KT_ERROR_OS.
 */
struct kt_error *kt_read_cell_log(const char *dir, const struct kt_cell_record *record, size_t max,
				  struct kt_buf *out);

/*
 * Writes the dump of a cell into dir, before its record: a file that `sched --from` takes, and that
 * is not named like a record. *name_ret is for record->dump, and the caller's. KT_ERROR_OS,
 * KT_ERROR_NO_MEMORY.
 */
struct kt_error *kt_write_cell_dump(const char *dir, const struct kt_cell_record *record,
				    const char *text, char **name_ret);

/* Appends it. Errors: as kt_read_cell_log(); KT_ERROR_UNSUPPORTED if it has more than max bytes. */
struct kt_error *kt_read_cell_dump(const char *dir, const struct kt_cell_record *record, size_t max,
				   struct kt_buf *out);

#endif
