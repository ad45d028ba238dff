// SPDX-License-Identifier: LGPL-2.1-or-later
/* What a sweep needs before its first cell: its kernels, and room for its results. */
#include <errno.h>
#include <string.h>
#include <sys/statvfs.h>

#include "cli/boot.h"
#include "cli/sweep.h"
#include "introspect/scx.h"
#include "sweep/kernel.h"
#include "util/cleanup.h"

/* --- kernels --- */

static bool is_used(const struct sweep_kernel *kernel, const struct sweep_cells *cells)
{
	kt_vec_for_each (&cells->v, cell)
		if (cell->kernel == kernel)
			return true;
	return false;
}

/* Whether a scheduler may run on it. True, too, if that cannot be told: its cells will say why. */
static bool may_have_sched_ext(const struct kt_kernel *kernel)
{
	const struct kfacts_sources sources = {.image = kernel->image};
	const struct cli_guest options = {0};
	struct cli_session session = {0};
	struct kt_error *err = cli_session_init(&session, &options);
	bool has = true;

	session.booted = true;
	if (!err)
		err = cli_session_load(&session, &sources, INSPECT_PROGRAMS | INSPECT_SCX);
	if (!err)
		has = scx_supported(session.facts);
	kt_error_destroy(err);
	cli_session_deinit(&session);
	return has;
}

static bool all_are_schedulers(const struct sweep_cells *cells)
{
	kt_vec_for_each (&cells->v, cell)
		if (!cell->scheduler->scheduler)
			return false;
	return true;
}

struct kt_error *sweep_prepare_kernels(const struct sweep_plan *plan,
				       const struct sweep_cells *cells)
{
	bool can_run = !all_are_schedulers(cells);
	struct kt_kernels_options options = cli_kernels_options();

	kt_vec_for_each (&plan->kernels, kernel) {
		_cleanup_(kt_kernel_deinit) struct kt_kernel found = {0};
		struct kt_error *err;

		if (!is_used(kernel, cells))
			continue;
		err = sweep_kernel_find(kernel, &options, &found);
		can_run = can_run || err || may_have_sched_ext(&found);
		kt_error_destroy(err);
		if (cli_sleep_ms(0))
			return kt_error_new(KT_ERROR_CANCELLED, "cancelled");
	}
	if (can_run)
		return NULL;
	return kt_error_hint(kt_error_new(KT_ERROR_UNSUPPORTED,
					  "no cell can run: of these kernels none has sched_ext "
					  "(CONFIG_SCHED_CLASS_EXT)"),
			     "it takes Linux 6.12 or later, built with that option");
}

/* --- the disk --- */

/* A record has a few kB, and a cell's output as much. */
#define ROOM_MIN ((uint64_t)64 << 10)

struct kt_error *sweep_check_disk(const char *results)
{
	struct statvfs fs;
	uint64_t left;

	if (statvfs(results, &fs))
		return kt_error_os(errno, "cannot use the result directory %s", results);
	left = (uint64_t)fs.f_bavail * fs.f_frsize;
	if (left >= ROOM_MIN)
		return NULL;
	return kt_error_hint(kt_error_os(ENOSPC, "the disk of the result directory %s is full",
					 results),
			     "--results DIR takes another one");
}
