// SPDX-License-Identifier: LGPL-2.1-or-later
/* Shows what became of the programs of objects. */
#include <string.h>

#include "cli/trials.h"
#include "logparse/logs.h"
#include "render/log_table.h"
#include "util/cleanup.h"

static struct render_trials_options render_options(const struct cli_output *output, FILE *stream)
{
	return (struct render_trials_options){
		.columns = output->columns,
		.sort = output->sort,
		.filter = {.ids = output->filter.ids.data, .n_ids = output->filter.ids.len},
		.width = cli_terminal_width(),
		.color = cli_color_on(output->color, stream),
	};
}

struct kt_error *cli_trials_check(const struct cli_trials_options *options, size_t n)
{
	const struct cli_output *output = options->output;
	struct render_trials_options with = render_options(output, stdout);

	if ((options->stats || options->source) && (output->json || output->csv))
		return kt_error_new(KT_ERROR_USAGE, "--stats and --source are tables for a "
						    "terminal: without --json and --csv");
	if (output->json && n > 1)
		return output->sort || output->columns
			       ? kt_error_new(KT_ERROR_USAGE,
					      "--sort and -o: the document of several "
					      "kernels has all, in order")
			       : NULL;
	if (output->json) /* it is in the order of the kernel's programs */
		return cli_output_check_columns(output);
	if (n > 1 && output->sort && !output->csv)
		return kt_error_new(KT_ERROR_USAGE, "--sort: a table over several kernels is in "
						    "the order of the objects; --csv is sorted");
	if (n > 1 && output->filter.ids.len)
		return kt_error_new(KT_ERROR_USAGE, "--id: a program has another id on each "
						    "kernel; --name chooses by name");
	if (n > 1 && !output->csv)
		return render_matrix_check(output->columns);
	return kt_error_wrap(render_trials_check(&with), "collect");
}

/* --- the tables of `ktstr-gdb log` --- */

struct log_list {
	KT_VEC(struct render_log_program) programs;
	KT_VEC(struct kt_logs) logs; /* that they are slices of */
};

static void log_list_deinit(struct log_list *list)
{
	kt_vec_for_each (&list->logs, logs)
		kt_logs_deinit(logs);
	kt_vec_free(&list->logs);
	kt_vec_free(&list->programs);
}

static struct kt_error *add_logs(struct log_list *list, const struct kt_trial *trial)
{
	struct kt_text object = {trial->object, strlen(trial->object)};
	struct kt_logs logs = {0};
	struct kt_error *err = kt_logs_find((struct kt_text){trial->log, strlen(trial->log)}, NULL,
					    &logs);

	if (err)
		return err;
	if (!kt_vec_push(&list->logs, logs)) {
		kt_logs_deinit(&logs);
		return kt_error_no_memory();
	}
	kt_vec_for_each (&logs.v, block) {
		struct render_log_program program = {.file = object, .log = *block};

		if (!program.log.program.len)
			program.log.program = (struct kt_text){trial->name, strlen(trial->name)};
		if (!block->btf && !kt_vec_push(&list->programs, program))
			return kt_error_no_memory();
	}
	return NULL;
}

static struct kt_error *append_log_tables(const struct kt_trials *trials,
					  const struct cli_trials_options *options,
					  struct kt_buf *out)
{
	_cleanup_(log_list_deinit) struct log_list list = {0};
	const struct render_log_table_options how = {
		.width = cli_terminal_width(),
		.color = cli_color_on(options->output->color, stdout),
	};
	struct kt_error *err = NULL;

	kt_vec_for_each (&trials->v, trial)
		if (!err)
			err = add_logs(&list, trial);
	for (int i = 0; i < 2 && !err; i++) {
		_cleanup_free_ char *text = NULL;

		if (i ? !options->source : !options->stats)
			continue;
		err = i ? render_log_source(list.programs.data, list.programs.len, &how, &text)
			: render_log_stats(list.programs.data, list.programs.len, &how, &text);
		if (!err)
			kt_buf_printf(out, "\n%s", text);
	}
	return err;
}

static struct kt_error *append_all_log_tables(const struct render_kernel_trials *kernels, size_t n,
					      const struct cli_trials_options *options,
					      struct kt_buf *out)
{
	struct kt_error *err = NULL;

	for (size_t i = 0; i < n && !err && (options->stats || options->source); i++) {
		if (!kernels[i].trials)
			continue;
		if (n > 1) {
			kt_buf_appends(out, "\n--- ");
			render_kernel_name(kernels, n, i, out);
			kt_buf_appends(out, " ---\n");
		}
		err = append_log_tables(kernels[i].trials, options, out);
	}
	return err;
}

/* --- all of it --- */

/* The kernels behind what is beside them; the caller frees *ret. */
static struct kt_error *join_beside(const struct render_kernel_trials *kernels, size_t n,
				    const struct render_kernel_trials *beside,
				    struct render_kernel_trials **ret)
{
	*ret = calloc(n + 1, sizeof(**ret));
	if (!*ret)
		return kt_error_no_memory();
	(*ret)[0] = *beside;
	memcpy(*ret + 1, kernels, n * sizeof(*kernels));
	return NULL;
}

static struct kt_error *append_table(const struct render_kernel_trials *kernels, size_t n,
				     const struct cli_trials_options *options,
				     const struct render_trials_options *how, struct kt_buf *out)
{
	_cleanup_free_ struct render_kernel_trials *all = NULL;
	struct kt_error *err;

	if (!options->beside)
		return n > 1 ? render_trials_matrix(kernels, n, how, out)
			     : render_trials_table(kernels, how, out);
	err = join_beside(kernels, n, options->beside, &all);
	return err ? err : render_trials_matrix(all, n + 1, how, out);
}

static struct kt_error *append_text(const struct render_kernel_trials *kernels, size_t n,
				    const struct cli_trials_options *options, struct kt_buf *out)
{
	struct render_trials_options how = render_options(options->output, stdout);
	struct kt_error *err = append_table(kernels, n, options, &how, out);

	if (!err)
		err = append_all_log_tables(kernels, n, options, out);
	if (!err && out->len)
		kt_buf_appendc(out, '\n');
	if (!err)
		err = render_trials_failures(kernels, n, options->raw, how.color, out);
	return err;
}

/* CSV has no room for why programs failed, so that is on stderr. */
static int show_csv(const struct render_kernel_trials *kernels, size_t n,
		    const struct cli_trials_options *options)
{
	_cleanup_(kt_buf_deinit) struct kt_buf out = KT_BUF_INIT, why = KT_BUF_INIT;
	struct render_trials_options how = render_options(options->output, stderr);
	_cleanup_free_ struct render_kernel_trials *all = NULL;
	struct kt_error *err = options->beside ? join_beside(kernels, n, options->beside, &all)
					       : NULL;
	int status;

	if (!err)
		err = all ? render_trials_csv(all, n + 1, &how, &out)
			  : render_trials_csv(kernels, n, &how, &out);
	if (!err)
		err = render_trials_failures(kernels, n, options->raw, how.color, &why);
	if (err || out.failed)
		return cli_fail(err ? err : kt_error_no_memory());
	status = cli_print(out.data ? out.data : "");
	if (why.len)
		fputs(why.data, stderr);
	return status;
}

int cli_show_trials(const struct render_kernel_trials *kernels, size_t n,
		    const struct cli_trials_options *options)
{
	_cleanup_(kt_buf_deinit) struct kt_buf out = KT_BUF_INIT;
	struct kt_error *err;

	if (options->output->csv)
		return show_csv(kernels, n, options);
	err = append_text(kernels, n, options, &out);
	if (!err && out.failed)
		err = kt_error_no_memory();
	if (err)
		return cli_fail(err);
	return cli_print(out.data ? out.data : "");
}
