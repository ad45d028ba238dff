// SPDX-License-Identifier: LGPL-2.1-or-later
#include <string.h>

#include "sweep/nextest.h"
#include "util/buf.h"
#include "util/cleanup.h"

/* Tests named verifier/..., but not those of a Rust module of that name. */
#define FILTER "test(/^verifier/) & !test(/^verifier::/)"

static const char *const fixed[] = {
	"nextest", "run", "--run-ignored", "all", "--no-tests", "pass", "-E", FILTER,
};
#define N_FIXED (sizeof(fixed) / sizeof(*fixed))

struct kt_error *kt_build_nextest_args(const char *profile, const char *const *forward,
				       size_t n_forward, char ***ret)
{
	char **args = calloc(N_FIXED + 2 + n_forward + 1, sizeof(*args));
	bool ok = args != NULL;
	size_t n = 0;

	for (size_t i = 0; ok && i < N_FIXED; i++)
		ok = (args[n++] = strdup(fixed[i]));
	if (ok && profile)
		ok = (args[n++] = strdup("--profile")) && (args[n++] = strdup(profile));
	for (size_t i = 0; ok && i < n_forward; i++)
		ok = (args[n++] = strdup(forward[i]));
	if (!ok) {
		kt_nextest_args_free(args);
		return kt_error_no_memory();
	}
	*ret = args;
	return NULL;
}

void kt_nextest_args_free(char **args)
{
	for (size_t i = 0; args && args[i]; i++)
		free(args[i]);
	free(args);
}

/* Success with nothing to show for it. */
static void append_why_none(struct kt_buf *out, const char *scheduler)
{
	if (scheduler)
		kt_buf_printf(out, "no cell ran: the scheduler filter \"%s\" matched nothing",
			      scheduler);
	else
		kt_buf_appends(out, "no cell ran: no scheduler is declared, or every topology was "
				    "rejected");
}

struct kt_error *kt_classify_run_outcome(bool success, bool records_empty, bool has_failed_cell,
					 const char *scheduler, int exit_code,
					 enum kt_run_outcome *ret, char **message, int *code_ret)
{
	struct kt_buf words = KT_BUF_INIT;
	struct kt_error *err;

	if (success && !records_empty) {
		*ret = KT_RUN_SUCCESS;
		*message = NULL;
		*code_ret = 0;
		return NULL;
	}
	if (!success && has_failed_cell && !records_empty) {
		*ret = KT_RUN_FAILED_SILENTLY;
		*message = NULL;
		*code_ret = exit_code ? exit_code : 1;
		return NULL;
	}
	if (success)
		append_why_none(&words, scheduler);
	else
		kt_buf_printf(&words, "the run failed with exit status %d, and %s", exit_code,
			      records_empty ? "no cell left a record"
					    : "no cell that has a record did");
	err = kt_buf_finish(&words, message);
	if (err)
		return err;
	*ret = KT_RUN_FAILED;
	*code_ret = !success && exit_code ? exit_code : 1;
	return NULL;
}
