/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The parts of `ktstr-gdb sweep`. */
#ifndef KT_CLI_SWEEP_H
#define KT_CLI_SWEEP_H

#include "cli/globals.h"
#include "cli/options.h"
#include "render/cells.h"
#include "sweep/engine.h"
#include "sweep/plan.h"

struct sweep_cell_options {
	const char *results;  /* the directory for the record */
	const char *accel;    /* NULL: the plan's, or the default */
	const char *workload; /* NULL: the scheduler's, the plan's, or the default */
	unsigned timeout_s;   /* 0: the plan's, or the default */
};

/* Runs one cell here, writes its record, and prints a line. Returns the exit status. */
int sweep_run_cell(const struct sweep_plan *plan, const struct sweep_cell *cell,
		   const struct sweep_cell_options *options);

/*
 * The record of a cell that this sweep, or one that --resume goes on with, has run.
 * KT_ERROR_NOT_FOUND: there is none, or only one from before (kt_cell_is_due()).
 */
struct kt_error *sweep_read_record(const char *results, const struct sweep_cell *cell,
				   struct kt_cell_record *ret);

/*
 * Fetches kernels before two cells would fetch the same at a time. A kernel that cannot be fetched
 * is no error here: its cells will say so. Errors: KT_ERROR_UNSUPPORTED, if all cells are of
 * schedulers, and no kernel has sched_ext; KT_ERROR_CANCELLED.
 */
struct kt_error *sweep_prepare_kernels(const struct sweep_plan *plan,
				       const struct sweep_cells *cells);

/* Puts the scheduler's set into *ret; its strings stay the plan's. KT_ERROR_NO_MEMORY. */
struct kt_error *sweep_take_set(const struct sweep_plan *plan,
				const struct sweep_scheduler *scheduler,
				struct cli_globals_options *ret);

/*
 * Whether the objects of these cells have the variables of their sets, and values fit. Where an
 * object cannot be read is no error here: its cells will say so. Errors: those of
 * cli_globals_load(), with the file and the line of the set; a value that does not fit is
 * KT_ERROR_FORMAT.
 */
struct kt_error *sweep_check_sets(const struct sweep_plan *plan, const struct sweep_cells *cells);

/* Whether there is room for records. KT_ERROR_OS: the disk is full, or the directory is gone. */
struct kt_error *sweep_check_disk(const char *results);

/* What is shown at the end of a sweep. */
struct sweep_scope {
	const char *results;             /* the directory of the records */
	const struct sweep_cells *cells; /* whose records are shown; NULL: all in the directory */
	const char *scheduler;           /* --scheduler, or NULL */
	bool show;                       /* false: only the exit status is wanted */
};

/*
 * Shows the records and returns the exit status. success and exit_code are those of whatever ran
 * the cells.
 */
int sweep_conclude(const struct sweep_scope *scope, bool success, int exit_code);

/*
 * Runs `cargo nextest` with n more arguments, and concludes as above. Returns cargo's exit status
 * if the records do not say more.
 */
int sweep_nextest(const struct sweep_scope *scope, const char *profile, int n, char **forward);

/* The tables of a report as text: instructions, the grid, failures. The caller frees *ret. */
struct kt_error *cli_format_cells(const struct kt_cell_records *records,
				  const struct kt_cells_options *options, char **ret);

/* Follows a sweep: prints a line as each cell ends, and on a terminal what is going on. */
struct sweep_view;
struct kt_error *sweep_view_create(const struct sweep_cells *cells, const char *results, bool json,
				   struct sweep_view **ret);
void sweep_view_destroy(struct sweep_view *view);
void sweep_view_begun(void *view, size_t cell);
void sweep_view_ended(void *view, size_t cell);

/* How many cells have ended, and neither passed nor were skipped. */
size_t sweep_view_failed(const struct sweep_view *view);

#endif
