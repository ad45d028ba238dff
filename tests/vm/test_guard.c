// SPDX-License-Identifier: LGPL-2.1-or-later
/* That nothing outlives its owner, tried with `sleep` in place of QEMU. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "util/clock.h"
#include "vm/guard.h"
#include "vm/process.h"

#define HANG_MS 60000 /* bounds a hang; what is waited for comes far earlier */

static const char *const sleep_argv[] = {"sleep", "1000", NULL};

static struct kt_error *watch(void *guard, int pidfd)
{
	return vm_guard_watch(guard, pidfd);
}

/* What a tool in its own process tells the test before it dies. */
struct told {
	pid_t sleeper;
	pid_t guard;
	char dir[128];
};

/* Somebody else's child, which may stay a zombie for a while. */
static bool ended_soon(pid_t pid)
{
	int64_t deadline = kt_deadline_ms(HANG_MS);
	char path[32], text[256] = "", *end;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	while (kt_deadline_left_ms(deadline)) {
		FILE *file = fopen(path, "re");

		if (!file)
			return true;
		if (!fgets(text, sizeof(text), file))
			text[0] = '\0';
		fclose(file);
		end = strrchr(text, ')');
		if (end && end[1] && end[2] == 'Z')
			return true;
		usleep(10000);
	}
	return false;
}

static bool gone(const struct told *told)
{
	struct stat st;

	return kill(told->sleeper, 0) && errno == ESRCH && stat(told->dir, &st) && errno == ENOENT;
}

static bool gone_soon(const struct told *told)
{
	int64_t deadline = kt_deadline_ms(HANG_MS);

	while (!gone(told) && kt_deadline_left_ms(deadline))
		usleep(10000);
	return gone(told);
}

static void tell(int fd, const struct vm_guard *guard, const struct kt_process *process)
{
	struct told told = {.sleeper = process->pid, .guard = guard->pid};

	strncpy(told.dir, guard->dir, sizeof(told.dir) - 1);
	if (write(fd, &told, sizeof(told)) != sizeof(told))
		_exit(1);
}

/* A tool that starts a process and then does nothing: keep as vm_keep() has it. */
static pid_t start_tool(bool keep, struct told *told)
{
	int fds[2];
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (!pid) {
		struct vm_guard guard = VM_GUARD_INIT;
		struct kt_process process;
		int null = open("/dev/null", O_RDWR | O_CLOEXEC);

		if (vm_guard_init(&guard) ||
		    kt_process_start(sleep_argv, null, keep, watch, &guard, &process))
			_exit(1);
		tell(fds[1], &guard, &process);
		if (keep && vm_guard_release(&guard))
			_exit(1);
		if (keep)
			_exit(0);
		for (;;)
			pause();
	}
	close(fds[1]);
	assert_int_equal(read(fds[0], told, sizeof(*told)), sizeof(*told));
	close(fds[0]);
	return pid;
}

static void test_killed_tool(void **state)
{
	struct told told;
	pid_t tool = start_tool(false, &told);

	(void)state;
	assert_false(gone(&told));
	kill(tool, SIGKILL);
	waitpid(tool, NULL, 0);
	assert_true(gone_soon(&told));
}

/* Without its guard, the process still dies with the tool; only the directory is left. */
static void test_killed_guard_and_tool(void **state)
{
	struct told told;
	pid_t tool = start_tool(false, &told);
	int64_t deadline = kt_deadline_ms(HANG_MS);

	(void)state;
	kill(told.guard, SIGKILL);
	kill(tool, SIGKILL);
	waitpid(tool, NULL, 0);
	while (!kill(told.sleeper, 0) && kt_deadline_left_ms(deadline))
		usleep(10000);
	assert_int_equal(kill(told.sleeper, 0), -1);
	rmdir(told.dir);
}

/* Kept: even once the guard of a tool that ended later has noticed that end. */
static void test_kept(void **state)
{
	struct told told, other;
	pid_t tool = start_tool(true, &told), later;
	struct stat st;

	(void)state;
	waitpid(tool, NULL, 0);
	later = start_tool(false, &other);
	kill(later, SIGKILL);
	waitpid(later, NULL, 0);
	assert_true(gone_soon(&other));
	assert_int_equal(kill(told.sleeper, 0), 0);
	assert_int_equal(stat(told.dir, &st), 0);
	kill(told.sleeper, SIGTERM);
	assert_true(gone_soon(&told));
}

static void test_directory(void **state)
{
	struct vm_guard guard = VM_GUARD_INIT;
	char *path, *dir;
	struct stat st;

	(void)state;
	assert_null(vm_guard_init(&guard));
	assert_int_equal(stat(guard.dir, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	path = vm_guard_path(&guard, "file");
	close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	assert_int_equal(access(path, F_OK), 0);
	free(path);
	dir = strdup(guard.dir);
	vm_guard_deinit(&guard);
	assert_int_equal(stat(dir, &st), -1);
	free(dir);
}

/* A TMPDIR that is too long for a socket in it is passed over. */
static void test_long_tmpdir(void **state)
{
	struct vm_guard guard = VM_GUARD_INIT;
	char dir[200] = "/tmp/ktstr-test-";

	(void)state;
	memset(dir + strlen(dir), 'x', 120);
	mkdir(dir, 0700);
	unsetenv("XDG_RUNTIME_DIR");
	setenv("TMPDIR", dir, 1);
	assert_null(vm_guard_init(&guard));
	assert_true(strlen(guard.dir) < 80);
	vm_guard_deinit(&guard);
	rmdir(dir);
	unsetenv("TMPDIR");
}

static struct kt_error *no_watch(void *arg, int pidfd)
{
	(void)arg;
	(void)pidfd;
	return NULL;
}

static void test_process_errors(void **state)
{
	static const char *const none[] = {"/nonexistent/qemu", NULL};
	struct kt_process process = {0, -1};
	struct kt_error *err;
	int status;

	(void)state;
	err = kt_process_start(none, 2, false, no_watch, NULL, &process);
	assert_int_equal(kt_error_errno(err), ENOENT);
	assert_int_equal(process.pid, 0);
	kt_error_destroy(err);
	assert_null(kt_process_start(sleep_argv, 2, false, no_watch, NULL, &process));
	assert_false(kt_process_ended(&process, &status));
	kt_process_kill(&process);
	assert_int_equal(process.pid, 0);
}

static void test_process_output(void **state)
{
	static const char *const echo[] = {"/bin/sh", "-c", "echo out; echo err >&2; exit 3", NULL};
	static const char *const slow[] = {"/bin/sh", "-c", "exec sleep 1000", NULL};
	struct kt_error *err;
	char *output;
	int status;

	(void)state;
	assert_null(kt_process_output(echo, kt_deadline_ms(HANG_MS), -1, &output, &status));
	assert_string_equal(output, "out\nerr\n");
	assert_int_equal(WEXITSTATUS(status), 3);
	free(output);
	err = kt_process_output(slow, kt_deadline_ms(50), -1, &output, &status);
	assert_int_equal(kt_error_code(err), KT_ERROR_TIMEOUT);
	kt_error_destroy(err);
}

/*
 * A shell that starts a process and waits for it. It leaves a file when SIGTERM ends it; the
 * process writes its number, and does not end by itself.
 */
static void test_cancel(void **state)
{
	char dir[] = "/tmp/ktstr-test.XXXXXX", script[256], path[64];
	const char *const argv[] = {"/bin/sh", "-c", script, NULL};
	int cancel[2], status;
	char *output = NULL;
	struct kt_error *err;
	struct stat st;
	pid_t canceller, child;
	FILE *file;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(script, sizeof(script),
		 "cd %s && trap 'echo > cleaned; exit 143' TERM && "
		 "{ sleep 1000 & echo $! > new && mv new pid && wait; }",
		 dir);
	snprintf(path, sizeof(path), "%s/pid", dir);
	assert_int_equal(pipe(cancel), 0);
	canceller = fork();
	if (!canceller) {
		int64_t deadline = kt_deadline_ms(HANG_MS);

		while (stat(path, &st) && kt_deadline_left_ms(deadline))
			usleep(10000);
		_exit(write(cancel[1], "x", 1) != 1);
	}
	err = kt_process_output(argv, kt_deadline_ms(10 * HANG_MS), cancel[0], &output, &status);
	assert_non_null(err);
	assert_int_equal(kt_error_code(err), KT_ERROR_CANCELLED);
	assert_string_equal(kt_error_message(err), "/bin/sh: cancelled");
	kt_error_destroy(err);
	assert_null(output);
	waitpid(canceller, &status, 0);
	assert_int_equal(status, 0);
	/* The shell has been waited for, and no child of this process is left. */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	file = fopen(path, "re");
	assert_non_null(file);
	assert_int_equal(fscanf(file, "%d", &child), 1);
	fclose(file);
	assert_true(ended_soon(child));
	snprintf(script, sizeof(script), "test -e %s/cleaned && rm -r %s", dir, dir);
	assert_int_equal(system(script), 0);
	close(cancel[0]);
	close(cancel[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_killed_tool),    cmocka_unit_test(test_killed_guard_and_tool),
		cmocka_unit_test(test_kept),           cmocka_unit_test(test_directory),
		cmocka_unit_test(test_long_tmpdir),    cmocka_unit_test(test_process_errors),
		cmocka_unit_test(test_process_output), cmocka_unit_test(test_cancel),
	};

	return cmocka_run_group_tests_name("vm/guard", tests, NULL, NULL);
}
