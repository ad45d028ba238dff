// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The kinds of workloads. To add one: a line in the table at the end, and its name in
 * vm/workload.c. A fair scheduler has to bring each task onto a CPU several times within seconds:
 * so weights differ, but no task is worth a thousandth of another.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "vm/guest/guest.h"
#include "vm/guest/workload.h"

#define TURN_NS 1000000 /* of CPU time, or of sleep */

static int64_t cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static void burn(void)
{
	int64_t until = cpu_ns() + TURN_NS;

	while (cpu_ns() < until)
		;
}

/* --- mixed: every second one spins, so that CPUs have to be shared; the others sleep --- */

static bool mixed_turn(struct worker *worker, size_t i)
{
	(void)worker;
	if (i % 2) {
		nanosleep(&(struct timespec){.tv_nsec = TURN_NS}, NULL);
	} else {
		burn();
		sched_yield();
	}
	return true;
}

/* --- spin: nobody gives the CPU away --- */

static bool spin_turn(struct worker *worker, size_t i)
{
	(void)worker;
	(void)i;
	burn();
	return true;
}

/* --- yield: everybody does, all the time --- */

static bool yield_turn(struct worker *worker, size_t i)
{
	(void)worker;
	(void)i;
	sched_yield();
	return true;
}

/* --- pipe: two tasks wake each other, so that one of them runs at a time --- */

static int pipes[WORKERS_MAX][2];

/* Of each pair the first one writes to its own pipe, and reads from that of the second. */
static const char *pipe_prepare(size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (pipe2(pipes[i], O_CLOEXEC))
			return "make pipes";
	return NULL;
}

static bool pipe_turn(struct worker *worker, size_t i)
{
	bool second = i % 2;
	char byte = 0;

	(void)worker;
	if (!second && write(pipes[i][1], &byte, 1) != 1)
		return false;
	if (read(pipes[i ^ 1][0], &byte, 1) != 1)
		return false;
	return !second || write(pipes[i][1], &byte, 1) == 1;
}

/* --- fork: a storm of tasks that live for a moment --- */

static bool fork_turn(struct worker *worker, size_t i)
{
	pid_t self = getpid(), pid = fork();

	(void)i;
	if (pid < 0)
		return false;
	if (!pid) {
		/* Whoever ends the worker ends this one, too. */
		atomic_store(&worker->child, getpid());
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() == self)
			burn();
		_exit(0);
	}
	atomic_store(&worker->child, pid);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return true;
}

/* --- nice: weights of 110 to 9548 --- */

static const char *nice_enter(size_t i)
{
	static const int values[] = {0, 10, -10, 5, -5};

	return setpriority(PRIO_PROCESS, 0, values[i % (sizeof(values) / sizeof(*values))])
		       ? "set a nice value"
		       : NULL;
}

/* --- pinned: two tasks on each CPU, that may run nowhere else --- */

static const char *pinned_enter(size_t i)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(i / 2 % (size_t)(cpus > 0 ? cpus : 1), &set);
	return sched_setaffinity(0, sizeof(set), &set) ? "pin a task to a CPU" : NULL;
}

/* --- cgroups: groups of different weight --- */

#define CGROUPS "/sys/fs/cgroup"

static const unsigned weights[] = {100, 50, 200, 400};

#define N_WEIGHTS (sizeof(weights) / sizeof(*weights))

static bool write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), errnum;
	bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	errnum = errno;
	if (fd >= 0)
		close(fd);
	errno = errnum;
	return ok;
}

static const char *cgroups_prepare(size_t n)
{
	(void)n;
	if (!write_text(CGROUPS "/cgroup.subtree_control", "+cpu"))
		return "use the cgroup controller cpu";
	for (size_t i = 0; i < N_WEIGHTS; i++) {
		char path[80], weight[16];

		snprintf(path, sizeof(path), CGROUPS "/ktstr-weight-%u", weights[i]);
		if (mkdir(path, 0755) && errno != EEXIST)
			return "make a cgroup";
		snprintf(path, sizeof(path), CGROUPS "/ktstr-weight-%u/cpu.weight", weights[i]);
		snprintf(weight, sizeof(weight), "%u", weights[i]);
		if (!write_text(path, weight))
			return "give a cgroup its weight";
	}
	return NULL;
}

static const char *cgroups_enter(size_t i)
{
	char path[80];

	snprintf(path, sizeof(path), CGROUPS "/ktstr-weight-%u/cgroup.procs",
		 weights[i % N_WEIGHTS]);
	return write_text(path, "0") ? NULL : "enter a cgroup";
}

/* --- all of them --- */

static const struct workload_kind kinds[] = {
	{.name = "mixed", .turn = mixed_turn},
	{.name = "spin", .turn = spin_turn},
	{.name = "yield", .turn = yield_turn},
	{.name = "pipe", .prepare = pipe_prepare, .turn = pipe_turn},
	{.name = "fork", .turn = fork_turn},
	{.name = "nice", .enter = nice_enter, .turn = spin_turn},
	{.name = "pinned", .enter = pinned_enter, .turn = mixed_turn},
	{.name = "cgroups", .prepare = cgroups_prepare, .enter = cgroups_enter, .turn = spin_turn},
};

const struct workload_kind *workload_kind(const char *name)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (!strcmp(kinds[i].name, name))
			return &kinds[i];
	return NULL;
}
