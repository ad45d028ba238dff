// SPDX-License-Identifier: LGPL-2.1-or-later
/* Lists of BPF objects other than programs: what the commands for them share. */
#include <stdlib.h>

#include "cli/objects.h"
#include "render/objects.h"
#include "util/cleanup.h"

static struct kt_error *render(const struct cli_objects *objects, struct render_grid *grid,
			       const struct cli_result *result, const struct cli_output *output,
			       char **ret)
{
	char build_id[CLI_BUILD_ID_MAX];
	struct kt_buf out = KT_BUF_INIT;
	struct render_guest guest;
	struct kt_error *err;

	if (output->json) {
		guest = cli_render_guest(result, build_id);
		return render_objects_json(grid, objects->what, &guest, ret);
	}
	err = render_grid_select(grid, output->columns);
	if (!err && output->csv)
		err = render_grid_csv(grid, &out);
	else if (!err)
		err = render_grid_table(grid, cli_terminal_width(),
					cli_color_on(output->color, stdout), &out);
	if (!err)
		return kt_buf_finish(&out, ret);
	kt_buf_deinit(&out);
	return err;
}

static int show(const struct cli_objects *objects, const struct cli_result *result,
		const struct cli_output *output)
{
	struct render_grid grid = objects->grid(result->inspection);
	struct render_filter filter = cli_filter(output);
	_cleanup_free_ char *text = NULL;
	size_t total = grid.n_rows;
	struct kt_error *err;
	int status;

	err = cli_check_types(result->facts, output, objects->types[0], objects->types[1],
			      objects->types[2]);
	if (err)
		return cli_fail(err);
	render_objects_filter(&grid, &filter);
	err = render_grid_sort(&grid, output->sort);
	if (!err)
		err = render(objects, &grid, result, output, &text);
	if (err)
		return cli_fail(err);
	status = cli_print(text);
	if (!grid.n_rows && !output->json && !output->csv) {
		if (total)
			cli_note("none of the guest's %zu BPF %s is one of those asked for", total,
				 objects->what);
		else if (!objects->unreadable(result->inspection))
			cli_note("the guest has no BPF %s", objects->what);
	}
	cli_note_unreadable(objects->unreadable(result->inspection), objects->idr);
	if (output->timing)
		cli_print_timing(result);
	return status;
}

static int list(const struct cli_objects *objects, const char *target,
		const struct cli_guest *guest, const struct cli_output *output)
{
	const struct inspect_options what = {.objects = objects->object};
	_cleanup_(inspection_deinit) struct inspection inspection = {0};
	_cleanup_(cli_facts_destroyp) struct kfacts *facts = NULL;
	struct cli_result result = {.inspection = &inspection};
	struct kt_error *err = cli_output_check(output);

	if (!err)
		err = cli_read_target(target, guest, &what, &result, &facts);
	return err ? cli_fail(err) : show(objects, &result, output);
}

int cli_objects(const struct cli_objects *objects, int argc, char **argv)
{
	static const struct option options[] = {
		CLI_GUEST_OPTIONS, CLI_OUTPUT_OPTIONS, {"help", no_argument, NULL, 'h'}, {0}};
	const struct cli_texts texts = {objects->help, objects->output_help};
	struct inspection none = {0};
	const struct render_grid grid = objects->grid(&none);
	_cleanup_(cli_output_deinit) struct cli_output output = {.grid = &grid};
	struct cli_guest guest = {0};
	const char *target;
	int status = cli_target_args(argc, argv, options, &texts, &guest, &output, &target);

	if (status != CLI_GO_ON)
		return status;
	if (output.filter.globs.len && !render_grid_find(&grid, "name", 4))
		return cli_fail(
			kt_error_new(KT_ERROR_USAGE, "--name: %s have no names", objects->what));
	return list(objects, target, &guest, &output);
}
