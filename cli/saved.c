// SPDX-License-Identifier: LGPL-2.1-or-later
/* The result of a guest that was just read, as diff and a sweep's record compare it. */
#include <string.h>

#include "cli/boot.h"

/* saved->programs begins with the guest's programs, in their order. */
static void take_numbers(const struct kt_trial *trial, const struct inspection *inspection,
			 struct kt_saved *saved)
{
	size_t at = (size_t)(trial->program - inspection->programs.all);

	memcpy(saved->programs.all[at].more, trial->number, sizeof(trial->number));
}

/* Those that passed are among the guest's programs, unless they are gone from its memory. */
static struct kt_error *add_trials(const struct kt_trials *trials,
				   const struct inspection *inspection, struct kt_saved *saved)
{
	struct kt_error *err = NULL;

	kt_vec_for_each (&trials->v, trial) {
		if (trial->program)
			take_numbers(trial, inspection, saved);
		else if (trial->passed && !err)
			err = kt_saved_add_trial(saved, trial);
	}
	kt_vec_for_each (&trials->v, trial)
		if (!trial->passed && !err)
			err = kt_saved_add_trial(saved, trial);
	return err;
}

struct kt_error *cli_saved(const struct cli_result *result, struct kt_saved *ret)
{
	const char *release = kfacts_kernel(result->session->facts)->release;
	struct kt_saved saved = {0};
	struct kt_error *err;

	saved.kernel = release && release[0] ? strdup(release) : NULL;
	err = release && release[0] && !saved.kernel ? kt_error_no_memory() : NULL;
	if (!err)
		err = kt_prog_stats_add_loaded(&saved.programs, &result->inspection->programs);
	if (!err && result->run)
		err = kt_saved_set_run(&saved, result->scheduler, result->run);
	if (!err && result->trials)
		err = add_trials(result->trials, result->inspection, &saved);
	if (!err && result->payload && result->payload->rejected)
		err = add_trials(result->payload->rejected, result->inspection, &saved);
	if (err)
		kt_saved_deinit(&saved);
	else
		*ret = saved;
	return err;
}
