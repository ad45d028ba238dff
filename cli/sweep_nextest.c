// SPDX-License-Identifier: LGPL-2.1-or-later
/* A sweep whose cells are tests of a cargo project. */
#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/sweep.h"
#include "sweep/nextest.h"
#include "sweep/records.h"
#include "util/cleanup.h"

static struct kt_error *run_cargo(char **args, int *wait_status)
{
	pid_t pid = fork();

	if (pid < 0)
		return kt_error_os(errno, "cannot fork");
	if (!pid) {
		execvp(args[0], args);
		_exit(errno == ENOENT ? 127 : 126);
	}
	while (waitpid(pid, wait_status, 0) < 0)
		if (errno != EINTR)
			return kt_error_os(errno, "cannot wait for cargo");
	if (WIFEXITED(*wait_status) && WEXITSTATUS(*wait_status) == 127)
		return kt_error_hint(kt_error_os(ENOENT, "cannot run cargo"),
				     "--nextest is for cargo projects; it has to be in PATH");
	return NULL;
}

int sweep_nextest(const struct sweep_scope *scope, const char *profile, int n, char **forward)
{
	static char cargo[] = "cargo";
	_cleanup_free_ char **args = NULL;
	char **nextest = NULL;
	struct kt_error *err;
	size_t len = 0;
	int status = 0, code;

	err = kt_build_nextest_args(profile, (const char *const *)forward, (size_t)n, &nextest);
	if (err)
		return cli_fail(err);
	while (nextest[len])
		len++;
	args = calloc(len + 2, sizeof(*args));
	if (!args)
		err = kt_error_no_memory();
	if (!err) {
		args[0] = cargo;
		memcpy(args + 1, nextest, (len + 1) * sizeof(*args));
		setenv(KTSTR_VERIFIER_RESULT_DIR_ENV, scope->results, 1);
		err = run_cargo(args, &status);
	}
	kt_nextest_args_free(nextest);
	if (err)
		return cli_fail(err);
	code = WIFEXITED(status) ? WEXITSTATUS(status) : 1;
	return sweep_conclude(scope, WIFEXITED(status) && !code, code);
}
