/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The results of a sweep, as tables, JSON, CSV, Markdown and JUnit's XML. Everything is sorted: the
 * same records give the same bytes, whatever their order. Kernels sort by version (6.9 before
 * 6.16), topologies by their number of CPUs, then by name.
 *
 * If a cell has several records, the worst counts (failed, passed, skipped), then the latest. Names
 * and reasons may be anything: they neither control a terminal nor break a document.
 */
#ifndef KT_RENDER_CELLS_H
#define KT_RENDER_CELLS_H

#include "model/cell_record.h"
#include "util/buf.h"
#include "util/error.h"

struct kt_cells_options {
	size_t width;   /* of the terminal; a wider table is turned around if that helps; 0: none */
	bool color;     /* heads in bold, what passed in green, what failed in red */
	bool transpose; /* rows and columns change places */
	unsigned numbers; /* 1 << enum kt_trial_number of each that has tables; 0: verified_insns */
	bool by_kernel;   /* result table: one for each scheduler, of topologies and kernels */
};

/*
 * verified_insns, or the numbers that were chosen (those that no record has are left out): a table
 * for each scheduler, with a row for each kernel that ran and a column for each program: "N", or
 * "LO..HI" if topologies differ, or "-". A program that failed has no number. The second program of
 * a name in one cell is "NAME#2".
 *
 * options may be NULL. No record gives "". The caller frees *ret. KT_ERROR_NO_MEMORY.
 */
struct kt_error *kt_render_instruction_count_tables(const struct kt_cell_records *records,
						    const struct kt_cells_options *options,
						    char **ret);

/*
 * A row for each topology and a column for each scheduler, over all kernels: "✓" if every kernel
 * that ran passed, "✗" if every one failed, "✗ 2/3" if 2 of 3 passed, "-" if none ran. Below
 * it are a tally and every combination that failed, "SCHED / KERNEL / TOPOLOGY", with its reason.
 * In a locale that is not UTF-8 it is "ok", "FAIL" and "FAIL 2/3". Otherwise as above; and
 * KT_ERROR_UNSUPPORTED, as from kt_format_cells_markdown(): a grid of more than some million cells.
 */
struct kt_error *kt_render_result_table(const struct kt_cell_records *records,
					const struct kt_cells_options *options, char **ret);

/*
 * Appends the log of a record to out, if it shall be shown. The callee destroys an error; then
 * there is no log.
 */
typedef void (*kt_cell_log_fn)(void *arg, const struct kt_cell_record *record, struct kt_buf *out);

/*
 * Other forms; docs/json.md has the keys of "ktstr-gdb.report.v1". CSV has a line for each
 * program of each cell. Markdown is GitHub's, for a CI summary, with a <details> for each cell that
 * failed; log may be NULL. The caller frees *ret. KT_ERROR_NO_MEMORY.
 */
struct kt_error *kt_format_cells_json(const struct kt_cell_records *records, char **ret);
struct kt_error *kt_format_cells_csv(const struct kt_cell_records *records, char **ret);
struct kt_error *kt_format_cells_junit(const struct kt_cell_records *records, char **ret);
struct kt_error *kt_format_cells_markdown(const struct kt_cell_records *records, kt_cell_log_fn log,
					  void *arg, char **ret);

#endif
