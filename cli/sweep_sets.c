// SPDX-License-Identifier: LGPL-2.1-or-later
/* Sets of values for the global variables of the objects of a sweep. */
#include <stdio.h>
#include <unistd.h>

#include "cli/sweep.h"
#include "util/cleanup.h"

struct kt_error *sweep_take_set(const struct sweep_plan *plan,
				const struct sweep_scheduler *scheduler,
				struct cli_globals_options *ret)
{
	bool ok = true;

	kt_vec_for_each (&scheduler->set.v, assignment)
		ok &= kt_vec_push(&ret->sets, *assignment);
	if (scheduler->rodata)
		ok &= kt_vec_push(&ret->rodata, scheduler->rodata);
	if (ok && asprintf(&ret->where, "%s:%u", plan->path, scheduler->line) < 0) {
		ret->where = NULL;
		ok = false;
	}
	return ok ? NULL : kt_error_no_memory();
}

/* What is wrong with a value is wrong with the plan, not with the command line. */
static struct kt_error *blame_plan(struct kt_error *err)
{
	_cleanup_(kt_error_destroyp) struct kt_error *usage = err;

	if (!err || kt_error_code(err) != KT_ERROR_USAGE)
		return kt_take_ptr(usage);
	return kt_error_again(KT_ERROR_FORMAT, 0, kt_error_message(usage),
			      kt_error_hint_text(usage));
}

static struct kt_error *check_set(const struct sweep_plan *plan,
				  const struct sweep_scheduler *scheduler)
{
	_cleanup_(cli_globals_options_deinit) struct cli_globals_options options = {0};
	_cleanup_(cli_globals_deinit) struct cli_globals globals = {0};
	struct kt_error *err;

	kt_vec_for_each (&scheduler->objects.v, object)
		if (access(*object, R_OK))
			return NULL;
	err = sweep_take_set(plan, scheduler, &options);
	if (!err)
		err = cli_globals_load(&options, (const char *const *)scheduler->objects.v.data,
				       scheduler->objects.v.len, &globals);
	return blame_plan(err);
}

struct kt_error *sweep_check_sets(const struct sweep_plan *plan, const struct sweep_cells *cells)
{
	const struct sweep_scheduler *last = NULL;
	struct kt_error *err = NULL;

	/* The cells of a scheduler are neighbours. */
	kt_vec_for_each (&cells->v, cell) {
		if (!err && cell->scheduler != last)
			err = check_set(plan, cell->scheduler);
		last = cell->scheduler;
	}
	return err;
}
