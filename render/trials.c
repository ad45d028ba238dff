// SPDX-License-Identifier: LGPL-2.1-or-later
/* The trials of one kernel as a table, those of several as CSV. */
#include "render/trials.h"

#include <stdlib.h>

#include "model/veristat.h"
#include "render/objects.h"
#include "render/trials_columns.h"
#include "util/cleanup.h"

static const char table_columns[] =
	"file_name,prog_name,prog_type,verdict,total_insns,total_states,peak_states,stack_depth";
static const char attach_columns[] =
	"file_name,prog_name,prog_type,verdict,total_insns,attach,run_retval,attach_place";
static const char csv_columns[] = KT_VERISTAT_CSV;

struct table {
	struct render_grid grid;
	struct trials_columns columns;
	KT_VEC(struct trials_row) rows;
};

static void table_deinit(struct table *table)
{
	trials_columns_deinit(&table->columns);
	kt_vec_free(&table->rows);
}

static struct kt_error *make_rows(struct table *table, const struct render_kernel_trials *kernels,
				  size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!kernels[i].trials)
			continue;
		kt_vec_for_each (&kernels[i].trials->v, trial) {
			struct trials_row row = {.trial = trial};

			if (n > 1)
				row.kernel = render_kernel_long_name(kernels, n, i);
			if (!kt_vec_push(&table->rows, row))
				return kt_error_no_memory();
		}
	}
	return NULL;
}

static struct kt_error *table_init(struct table *table, const struct render_kernel_trials *kernels,
				   size_t n)
{
	struct kt_error *err = trials_columns_init(&table->columns);

	if (!err)
		err = make_rows(table, kernels, n);
	table->grid = (struct render_grid){
		.columns = table->columns.v.data,
		.n_columns = table->columns.v.len,
		.rows = table->rows.data,
		.row_size = sizeof(struct trials_row),
		.n_rows = table->rows.len,
	};
	return err;
}

/* Filters, sorts, and selects. */
static struct kt_error *arrange(struct table *table, const struct render_trials_options *options,
				const char *columns)
{
	struct kt_error *err = render_grid_check_sort(&table->grid, options->sort);

	if (!err)
		err = render_grid_select(&table->grid,
					 options->columns ? options->columns : columns);
	if (err)
		return err;
	render_objects_filter(&table->grid, &options->filter);
	return render_grid_sort(&table->grid, options->sort);
}

struct kt_error *render_trials_check(const struct render_trials_options *options)
{
	_cleanup_(table_deinit) struct table table = {0};
	struct kt_error *err = table_init(&table, NULL, 0);

	if (!err)
		err = arrange(&table, options, table_columns);
	return err;
}

struct kt_error *render_trials_number(const char *name, enum kt_trial_number *ret)
{
	_cleanup_(table_deinit) struct table table = {0};
	struct kt_error *err = table_init(&table, NULL, 0);
	const struct render_column *column = err ? NULL
						 : render_grid_find(&table.grid, name,
								    strlen(name));

	if (err || (column && trials_column_number(column, ret)))
		return err;
	return kt_error_new(KT_ERROR_USAGE,
			    "\"%.100s\" is no number of a load, of which these are compared: "
			    "verified_insns, total_states, peak_states, max_states_per_insn, "
			    "mark_read, stack_depth, verification_time_us, log_bytes",
			    name);
}

static bool was_attached(const struct render_kernel_trials *kernel)
{
	kt_vec_for_each (&kernel->trials->v, trial)
		if (trial->attach != KT_ATTACH_UNASKED)
			return true;
	return false;
}

struct kt_error *render_trials_table(const struct render_kernel_trials *kernel,
				     const struct render_trials_options *options,
				     struct kt_buf *out)
{
	_cleanup_(table_deinit) struct table table = {0};
	struct kt_error *err = table_init(&table, kernel, 1);

	if (!err)
		err = arrange(&table, options,
			      was_attached(kernel) ? attach_columns : table_columns);
	return err ? err : render_grid_table(&table.grid, options->width, options->color, out);
}

struct kt_error *render_trials_csv(const struct render_kernel_trials *kernels, size_t n,
				   const struct render_trials_options *options, struct kt_buf *out)
{
	_cleanup_(table_deinit) struct table table = {0};
	_cleanup_(kt_buf_deinit) struct kt_buf columns = KT_BUF_INIT;
	struct kt_error *err = table_init(&table, kernels, n);

	kt_buf_printf(&columns, "%s%s", n > 1 ? "kernel," : "",
		      options->columns ? options->columns : csv_columns);
	if (!err && columns.failed)
		err = kt_error_no_memory();
	if (!options->columns)
		trials_columns_fill(&table.columns);
	if (!err) {
		struct render_trials_options with = *options;

		with.columns = columns.data;
		err = arrange(&table, &with, NULL);
	}
	return err ? err : render_grid_csv(&table.grid, out);
}
