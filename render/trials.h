/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What became of the programs of BPF objects: on one kernel, or on several side by side. */
#ifndef KT_RENDER_TRIALS_H
#define KT_RENDER_TRIALS_H

#include "model/trial.h"
#include "render/filter.h"
#include "render/text.h"
#include "util/buf.h"

/* The trials of one kernel. Borrows all. */
struct render_kernel_trials {
	const char *asked;              /* what was asked for: a path, "debian:trixie" */
	const char *release;            /* as `uname -r`; NULL: unknown */
	const struct kt_trials *trials; /* NULL: the kernel could not be tried */
};

struct render_trials_options {
	const char *columns; /* names, with commas between; NULL: those that a table has */
	const char *sort;    /* "KEY", "-KEY"; NULL: the order of the objects */
	struct render_filter filter;
	size_t width; /* of the terminal; 0: no terminal */
	bool color;
};

/*
 * A row for each program. Columns are those of programs (render/programs.h), and those that only a
 * load by us has; `ktstr-gdb collect --help` lists them. Appends to out. Errors: KT_ERROR_USAGE for
 * a column or key that there is not, KT_ERROR_NO_MEMORY.
 */
struct kt_error *render_trials_table(const struct render_kernel_trials *kernel,
				     const struct render_trials_options *options,
				     struct kt_buf *out);

/*
 * The same as CSV. Unless columns are chosen, these are veristat's, by its names, so that `veristat
 * -C` reads it. Several kernels have a first column "kernel".
 */
struct kt_error *render_trials_csv(const struct render_kernel_trials *kernels, size_t n,
				   const struct render_trials_options *options, struct kt_buf *out);

/* Whether columns and sort are good for a table, or for CSV: KT_ERROR_USAGE. */
struct kt_error *render_trials_check(const struct render_trials_options *options);

/* The number of that name. KT_ERROR_USAGE, with those that there are. */
struct kt_error *render_trials_number(const char *name, enum kt_trial_number *ret);

/* Whether columns are good for a matrix: KT_ERROR_USAGE. */
struct kt_error *render_matrix_check(const char *columns);

/*
 * A table of the programs over the kernels: verified_insns, or one table for each of the columns.
 * It fits width (80 where that is 0): if kernels are too many, it is turned around, or becomes
 * several tables. A program that was rejected has a cross. Errors: as above.
 */
struct kt_error *render_trials_matrix(const struct render_kernel_trials *kernels, size_t n,
				      const struct render_trials_options *options,
				      struct kt_buf *out);

/*
 * A paragraph for each program that failed: the place in its source, the error and its class in one
 * line, and below what leads to it (render/log_last.h); raw: all of the log, as it is. Failures
 * that are the same on several kernels are one paragraph. Then a line that counts.
 */
struct kt_error *render_trials_failures(const struct render_kernel_trials *kernels, size_t n,
					bool raw, bool color, struct kt_buf *out);

/* The release, or, of two that have the same, what was asked for. */
const char *render_kernel_long_name(const struct render_kernel_trials *kernels, size_t n, size_t i);

/*
 * What a person calls a kernel: the release without the parts that all kernels of its vendor have,
 * "6.12.117" of "6.12.117+deb13-cloud-amd64", as long as that tells it from the others. Appends
 * it.
 */
void render_kernel_name(const struct render_kernel_trials *kernels, size_t n, size_t i,
			struct kt_buf *out);

#endif
