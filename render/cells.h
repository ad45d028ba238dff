/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a sweep came to, as tables, JSON, CSV, Markdown and JUnit's XML. Everything is sorted: the
 * same records give the same bytes, whatever their order. Kernels sort by version (6.9 before
 * 6.16), topologies by their number of CPUs, then by name.
 *
 * Of several records of one cell the worst counts (failed, passed, skipped), then the latest. Names
 * and reasons may be anything: nothing of them gets to control a terminal or breaks a document.
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
	bool by_kernel; /* kt_render_result_table(): a grid a scheduler, of topologies and kernels
			 */
};

/*
 * verified_insns: a table a scheduler, a row a kernel that ran, a column a program; "N", or
 * "LO..HI" where topologies differ, or "-". A program that failed has no number. The second
 * program of a name in one cell is "NAME#2".
 *
 * options may be NULL. No record gives "". The caller frees *ret. KT_ERROR_NO_MEMORY.
 */
struct kt_error *kt_render_instruction_count_tables(const struct kt_cell_records *records,
						    const struct kt_cells_options *options,
						    char **ret);

/*
 * The grid: a row a topology, a column a scheduler, over all kernels: "✓" where every kernel that
 * ran passed, "✗" where every one failed, "✗ 2/3" where 2 of 3 passed, "-" where none ran. Below
 * it are a tally and every combination that failed, "SCHED / KERNEL / TOPOLOGY", with its reason.
 * In a locale that is not UTF-8 it is "ok", "FAIL" and "FAIL 2/3". Otherwise as above; and
 * KT_ERROR_UNSUPPORTED, as from kt_format_cells_markdown(): a grid of more than some million cells.
 */
struct kt_error *kt_render_result_table(const struct kt_cell_records *records,
					const struct kt_cells_options *options, char **ret);

/*
 * Gives the log of a record, appended to out, if it is to be shown: an error is as none, and freed
 * by the callee.
 */
typedef void (*kt_cell_log_fn)(void *arg, const struct kt_cell_record *record, struct kt_buf *out);

/*
 * Other forms; docs/architecture.md has the keys of "ktstr-gdb.report.v1". CSV has a line for each
 * program of each cell. Markdown is GitHub's, for a CI summary, with a <details> a cell that
 * failed; log may be NULL. The caller frees *ret. KT_ERROR_NO_MEMORY.
 */
struct kt_error *kt_format_cells_json(const struct kt_cell_records *records, char **ret);
struct kt_error *kt_format_cells_csv(const struct kt_cell_records *records, char **ret);
struct kt_error *kt_format_cells_junit(const struct kt_cell_records *records, char **ret);
struct kt_error *kt_format_cells_markdown(const struct kt_cell_records *records, kt_cell_log_fn log,
					  void *arg, char **ret);

#endif
