// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A command of the user's as the workload: a task of SCHED_EXT, and so are those that it makes. It
 * is done when it ends. Until then each of its tasks has to be on a CPU again and again, or sleep.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vm/guest/guest.h"

#ifndef SCHED_EXT
#define SCHED_EXT 7 /* Linux 6.12 */
#endif

bool workload_be_ext(void)
{
	return !sched_setscheduler(0, SCHED_EXT, &(struct sched_param){0});
}

/* What it prints goes to the console. */
pid_t workload_command(const struct orders *orders)
{
	pid_t pid = fork();

	if (pid < 0)
		die("cannot fork: %s", strerror(errno));
	if (pid)
		return pid;
	setsid();
	if (!workload_be_ext())
		printf("ktstr-init (goes on): the workload cannot be SCHED_EXT: %s\n",
		       strerror(errno));
	else
		execve(orders->command.data[0], orders->command.data, orders->command_env.data);
	printf("ktstr-init (goes on): cannot run the workload %s: %s\n", orders->command.data[0],
	       strerror(errno));
	fflush(stdout);
	_exit(127);
}

/* The number behind a name at the beginning of a line. */
static unsigned long field(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	return at ? strtoul(at + strlen(name), NULL, 10) : 0;
}

/* How often it left a CPU. A task that is alone on a CPU seldom does: its ticks there count, too.
 */
static unsigned long turns_of(const char *status, const char *stat)
{
	unsigned long turns = field(status, "\nvoluntary_ctxt_switches:") +
			      field(status, "\nnonvoluntary_ctxt_switches:");
	const char *rest = strrchr(stat, ')');
	char *end;

	/* Behind the name: state, 10 numbers, then utime and stime. */
	for (int i = 0; rest && i < 12; i++)
		rest = strchr(rest + 1, ' ');
	if (!rest)
		return turns;
	turns += strtoul(rest, &end, 10);
	return turns + strtoul(end, NULL, 10);
}

static void look_at_task(struct workload *workload, pid_t pid, const char *tid,
			 unsigned long turns_min)
{
	char path[96], stat[1024], status[4096];
	const char *state;
	unsigned long turns;

	snprintf(path, sizeof(path), "/proc/%d/task/%.16s/stat", pid, tid);
	if (!read_small(path, stat, sizeof(stat)))
		return;
	snprintf(path, sizeof(path), "/proc/%d/task/%.16s/status", pid, tid);
	if (!read_small(path, status, sizeof(status)))
		return;
	state = strrchr(stat, ')');
	if (!state || strlen(state) < 3 || strchr("ZX", state[2]))
		return;
	turns = turns_of(status, stat);
	workload->tasks++;
	workload->turns += turns;
	workload->moved += turns >= turns_min || state[2] != 'R';
}

static void look_at_process(struct workload *workload, pid_t pid, unsigned long turns_min)
{
	struct dirent *entry;
	char path[64];
	DIR *tasks;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	tasks = opendir(path);
	while (tasks && (entry = readdir(tasks)))
		if (isdigit((unsigned char)entry->d_name[0]))
			look_at_task(workload, pid, entry->d_name, turns_min);
	if (tasks)
		closedir(tasks);
}

void workload_command_look(struct workload *workload, unsigned long turns_min)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;

	while (proc && (entry = readdir(proc))) {
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);

		if (pid > 1 && (pid == workload->pids[0] || getsid(pid) == workload->pids[0]))
			look_at_process(workload, pid, turns_min);
	}
	if (proc)
		closedir(proc);
}
