// SPDX-License-Identifier: LGPL-2.1-or-later
/* A survivor tells what it is like once its parent is gone. */
#include <dirent.h>
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
#include "util/survivor.h"

#define HANG_MS 60000

static char dir[] = "/tmp/ktstr-test.XXXXXX";
static char report_path[64], new_path[64];

/* Descriptors that are open, as text, without that of the look itself. */
static void list_fds(FILE *report)
{
	DIR *fds = opendir("/proc/self/fd");
	struct dirent *entry;

	while ((entry = readdir(fds))) {
		int fd = atoi(entry->d_name);
		char path[64], target[64] = "";

		if (entry->d_name[0] == '.' || fd == dirfd(fds) || fd == fileno(report))
			continue;
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		if (readlink(path, target, sizeof(target) - 1) < 0)
			target[0] = '\0';
		target[strcspn(target, "[")] = '\0'; /* "socket:[1234]" */
		fprintf(report, "%d is %s\n", fd, target);
	}
	closedir(fds);
}

static void survive(void *arg)
{
	char byte, cwd[64], name[32] = "";
	FILE *report, *comm;

	while (read(KT_SURVIVOR_SOCK, &byte, 1) > 0)
		;
	report = fopen(new_path, "we");
	comm = fopen("/proc/self/comm", "re");
	if (!report || !comm || !fgets(name, sizeof(name), comm))
		_exit(1);
	fclose(comm);
	fprintf(report, "%s: %s", (const char *)arg, name);
	fprintf(report, "in %s, %s\n", getcwd(cwd, sizeof(cwd)),
		getsid(0) == getpid() ? "a session of its own" : "no session of its own");
	list_fds(report);
	fclose(report);
	rename(new_path, report_path);
}

/* Starts one, and tells its number. */
static pid_t start_parent(pid_t *survivor_ret)
{
	int fds[2];
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (!pid) {
		struct kt_survivor survivor;

		if (kt_survivor_start("a-survivor", survive, "argument", &survivor) ||
		    write(fds[1], &survivor.pid, sizeof(survivor.pid)) < 0)
			_exit(1);
		for (;;)
			pause();
	}
	close(fds[1]);
	assert_int_equal(read(fds[0], survivor_ret, sizeof(*survivor_ret)), sizeof(*survivor_ret));
	close(fds[0]);
	return pid;
}

static void test_killed_parent(void **state)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1};
	int64_t deadline = kt_deadline_ms(HANG_MS);
	pid_t survivor, parent = start_parent(&survivor);
	char text[512];
	struct stat st;
	FILE *file;
	size_t n;

	(void)state;
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		assert_int_equal(kill(survivor, signals[i]), 0);
	assert_int_equal(stat(report_path, &st), -1);
	kill(parent, SIGKILL);
	waitpid(parent, NULL, 0);
	while (stat(report_path, &st) && kt_deadline_left_ms(deadline))
		usleep(10000);
	file = fopen(report_path, "re");
	assert_non_null(file);
	n = fread(text, 1, sizeof(text) - 1, file);
	text[n] = '\0';
	fclose(file);
	assert_string_equal(text, "argument: a-survivor\n"
				  "in /, a session of its own\n"
				  "0 is /dev/null\n1 is /dev/null\n2 is /dev/null\n3 is socket:\n");
}

static void done(void *arg)
{
	(void)arg;
}

static void test_status(void **state)
{
	struct kt_survivor survivor;
	int status = -1;
	char byte;

	(void)state;
	assert_null(kt_survivor_start("a-survivor", done, NULL, &survivor));
	assert_int_equal(read(survivor.sock, &byte, 1), 0);
	assert_int_equal(waitpid(survivor.pid, &status, 0), survivor.pid);
	assert_int_equal(status, 0);
	close(survivor.sock);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_killed_parent),
		cmocka_unit_test(test_status),
	};
	int status;

	if (!mkdtemp(dir))
		return 1;
	snprintf(new_path, sizeof(new_path), "%s/new", dir);
	snprintf(report_path, sizeof(report_path), "%s/report", dir);
	status = cmocka_run_group_tests_name("util/survivor", tests, NULL, NULL);
	unlink(report_path);
	rmdir(dir);
	return status;
}
