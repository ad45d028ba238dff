// SPDX-License-Identifier: LGPL-2.1-or-later
#include <string.h>

#include "cli/objects.h"
#include "render/objects.h"
#include "util/cleanup.h"

static struct kt_error *render(const struct cli_objects *objects, struct render_grid *grid,
			       const struct cli_result *result, const struct cli_output *output,
			       char **ret)
{
	char build_id[CLI_BUILD_ID_MAX];
	struct render_guest guest;

	if (!output->json)
		return cli_render_grid(grid, output,
				       output->columns ? cli_terminal_width() : cli_table_width(),
				       ret);
	guest = cli_render_guest(result, build_id);
	if (objects->document)
		return objects->document(result->inspection, grid, &guest, ret);
	if (objects->json)
		return render_array_json(objects->json(result->inspection, grid), objects->what,
					 &guest, ret);
	return render_objects_json(grid, objects->what, &guest, ret);
}

static int show(const struct cli_objects *objects, const struct cli_result *result,
		const struct cli_output *output)
{
	struct kt_error *err = objects->prepare ? objects->prepare(result->inspection) : NULL;
	struct render_grid grid = objects->grid(result->inspection);
	struct render_filter filter = cli_filter(output);
	_cleanup_free_ char *text = NULL;
	size_t total = grid.n_rows;
	int status;

	if (!err && objects->types.name)
		err = cli_check_types(result->session->facts, output, &objects->types);
	if (err)
		return cli_fail(err);
	filter.only = objects->only;
	memcpy(filter.only_in, objects->only_in, sizeof(filter.only_in));
	filter.only_known = objects->only_known;
	render_objects_filter(&grid, &filter);
	err = render_grid_sort(&grid, output->sort);
	if (!err)
		err = render(objects, &grid, result, output, &text);
	if (err)
		return cli_fail(err);
	status = cli_print(text);
	if (!grid.n_rows && !output->json && !output->csv) {
		if (total)
			cli_note("none of the guest's %zu %s is let through by the filter", total,
				 objects->noun);
		else if (!objects->unreadable(result->inspection))
			cli_note("the guest has no %s", objects->noun);
	}
	if (objects->note)
		objects->note(result->inspection);
	cli_note_unreadable(objects->unreadable(result->inspection), objects->idr);
	cli_note_holders(result->inspection);
	if (output->timing)
		cli_print_timing(result);
	return status;
}

static int list(const struct cli_objects *objects, const struct cli_args *args)
{
	struct inspect_options what = {.objects = objects->object |
						  cli_output_holders(&args->output)};
	_cleanup_(cli_session_deinit) struct cli_session session = {0};
	const struct cli_result result = {.session = &session, .inspection = &session.inspection};
	struct kt_error *err = cli_output_check(&args->output);

	if (args->own)
		objects->set(&what);
	if (!err)
		err = cli_session_open(&session, &args->guest, args->target, NULL);
	if (!err)
		err = cli_session_read(&session, &what);
	return err ? cli_fail(err) : show(objects, &result, &args->output);
}

int cli_objects(const struct cli_objects *objects, int argc, char **argv)
{
	struct inspection none = {0};
	const struct render_grid grid = objects->grid(&none);
	struct cli_args args = {.output.grid = &grid};
	int status = cli_parse_args(objects->command, argc, argv, &args);

	if (status == CLI_GO_ON)
		status = list(objects, &args);
	cli_output_deinit(&args.output);
	return status;
}
