/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The result directory of a sweep: a file a cell, in the words of model/cell_json.h. All that
 * cells of a sweep share. They may run on many machines, so a file is there as a whole or not at
 * all: it is written under another name and renamed.
 */
#ifndef KT_SWEEP_RECORDS_H
#define KT_SWEEP_RECORDS_H

#include <stdbool.h>

#include "model/cell_record.h"
#include "util/buf.h"

/* Names the directory, for who runs cells by other means (cargo nextest). */
#define KTSTR_VERIFIER_RESULT_DIR_ENV "KTSTR_VERIFIER_RESULT_DIR"

/*
 * What the files of the cell "verifier/SCHEDULER/KERNEL/TOPOLOGY" are called, without ".json":
 * "verifier~scx_simple~6.12~4cpu-1llc-nosmt". Two cells never have the same. What is not a letter,
 * a digit or one of "._+-" is "%NN"; of a name that is too long the beginning is there, and a hash
 * of it all. Up to KT_CELL_STEM_MAX bytes, which the caller frees. KT_ERROR_NO_MEMORY.
 */
struct kt_error *kt_cell_stem(const char *scheduler, const char *kernel, const char *topology,
			      char **ret);
#define KT_CELL_STEM_MAX 200

/*
 * Writes the record into dir, in place of one that this cell has there. Others see the old one, or
 * the new one, or none. The cell is not due any more. Errors: KT_ERROR_OS, and then the old record
 * survives; KT_ERROR_FORMAT as kt_cell_record_encode().
 */
struct kt_error *kt_write_cell_record(const char *dir, const struct kt_cell_record *record);

/* One that this function does not own: why the file, a name in the directory, was skipped. */
typedef void (*kt_cell_warn_fn)(void *arg, const char *file, const struct kt_error *why);

/*
 * Reads every "*.json" in dir, not in directories below it, and none that begin with a dot. A
 * directory that is not there has none. What is no record is skipped, after warn (may be NULL) was
 * called. The order is that of the directory.
 *
 * kt_cell_records_deinit() frees *ret. KT_ERROR_OS: the directory cannot be read;
 * KT_ERROR_NO_MEMORY.
 */
struct kt_error *kt_read_cell_records(const char *dir, kt_cell_warn_fn warn, void *arg,
				      struct kt_cell_records *ret);

/*
 * The record of one cell. KT_ERROR_NOT_FOUND: it has none; KT_ERROR_FORMAT: there is a file that
 * is none, or that of another cell; KT_ERROR_OS.
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

/* Makes a cell due. Does nothing for a cell without a record. */
struct kt_error *kt_cell_set_due(const char *dir, const char *scheduler, const char *kernel,
				 const char *topology);

struct kt_error *kt_cell_is_due(const char *dir, const char *scheduler, const char *kernel,
				const char *topology, bool *ret);

/*
 * The cell starts now. If it is due, or has no record, this removes its record and log. A record
 * that is not due is of an earlier try in this sweep, and stays until the next one takes its place.
 */
struct kt_error *kt_cell_start(const char *dir, const char *scheduler, const char *kernel,
			       const char *topology);

/*
 * Appends the log that lies beside a record: record->log, a plain name in dir. Of one longer than
 * max bytes the middle is left out, in whole lines, and a line says so. KT_ERROR_NOT_FOUND: it has
 * none; KT_ERROR_OS; KT_ERROR_UNSUPPORTED: its name is a path, or it is not a regular file.
 */
struct kt_error *kt_read_cell_log(const char *dir, const struct kt_cell_record *record, size_t max,
				  struct kt_buf *out);

#endif
