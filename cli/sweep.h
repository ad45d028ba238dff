/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The parts of `ktstr-gdb sweep`. */
#ifndef KT_CLI_SWEEP_H
#define KT_CLI_SWEEP_H

#include "cli/cli.h"
#include "render/cells.h"
#include "sweep/engine.h"
#include "sweep/plan.h"

struct sweep_cell_options {
	const char *results; /* the directory that the record goes to */
	const char *accel;   /* NULL: the plan's, or the default */
	unsigned timeout_s;  /* 0: the plan's, or the default */
};

/* Runs one cell here, writes its record, says in a line what came of it. Gives the exit status. */
int sweep_run_cell(const struct sweep_plan *plan, const struct sweep_cell *cell,
		   const struct sweep_cell_options *options);

/*
 * The record of a cell that this sweep, or one that --resume goes on with, has run.
 * KT_ERROR_NOT_FOUND: there is none, or only one from before (kt_cell_is_due()).
 */
struct kt_error *sweep_read_record(const char *results, const struct sweep_cell *cell,
				   struct kt_cell_record *ret);

/*
 * Shows the records of these cells (NULL: all that are in the directory), unless `show` is false,
 * and gives the exit status: success and exit_code are of who ran the cells, scheduler is what they
 * were filtered by, or NULL.
 */
int sweep_conclude(const char *results, const struct sweep_cells *cells, const char *scheduler,
		   bool show, bool success, int exit_code);

/*
 * Runs `cargo nextest` with these arguments more, and concludes as above. Gives the exit status,
 * which is cargo's where that says it all.
 */
int sweep_nextest(const char *results, const char *profile, const char *scheduler, bool show, int n,
		  char **forward);

/* The tables of a report as text, which the caller frees: instructions, the grid, what failed. */
struct kt_error *cli_format_cells(const struct kt_cell_records *records,
				  const struct kt_cells_options *options, char **ret);

/* Follows a sweep: lines as cells end, and on a terminal what is being done. */
struct sweep_view;
struct kt_error *sweep_view_create(const struct sweep_cells *cells, const char *results, bool json,
				   struct sweep_view **ret);
void sweep_view_destroy(struct sweep_view *view);
void sweep_view_begun(void *view, size_t cell);
void sweep_view_ended(void *view, size_t cell);

/* Cells that have ended and neither passed nor were skipped. */
size_t sweep_view_failed(const struct sweep_view *view);

#endif
