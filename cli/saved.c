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
	for (size_t i = 0; result->trials && i < result->trials->v.len && !err; i++) {
		const struct kt_trial *trial = &result->trials->v.data[i];

		if (trial->program)
			take_numbers(trial, result->inspection, &saved);
		if (!trial->passed)
			err = kt_saved_add_failure(&saved, trial->object, trial->name, trial->log);
	}
	if (err)
		kt_saved_deinit(&saved);
	else
		*ret = saved;
	return err;
}
