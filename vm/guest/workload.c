// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Something to schedule: tasks of policy SCHED_EXT, more than there are CPUs
 * (vm/guest/workload_kinds.c), or a command (vm/guest/workload_command.c).
 *
 * Beside them a probe on each CPU, which is a real-time task: no scheduler of sched_ext has a say
 * in when it runs. It sleeps a little, again and again. Where it wakes up late, the CPU itself did
 * not run: the host had other things to do. A CPU that a scheduler leaves idle wakes it up in time.
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "util/clock.h"
#include "vm/guest/guest.h"
#include "vm/guest/workload.h"

/* A worker that was on a CPU this often has made progress. */
#define TURNS_MIN   5
#define WORKERS_MIN 4

#define PROBE_NS 20000000 /* that a probe sleeps */
#define LATE_NS  20000000 /* by which a CPU that runs may be late: ticks, and slices of the host */

static struct worker *workers;

struct probe {
	_Atomic int64_t slept_ns; /* when it last went to sleep; 0: it has not run yet */
	_Atomic int64_t late_ns;  /* how much too late it woke up, in sum */
};

static struct probe *probes;

static _Noreturn void give_up(struct worker *worker, const char *what)
{
	atomic_store(&worker->failed, what);
	atomic_store(&worker->error, errno);
	_exit(1);
}

/* In a session of its own, by which its children are known. */
static _Noreturn void work(const struct workload *workload, struct worker *worker, size_t i)
{
	const struct workload_kind *kind = workload->kind;
	const char *failed;
	char name[16];

	setsid();
	snprintf(name, sizeof(name), "ktstr-%s", kind->name);
	prctl(PR_SET_NAME, name);
	if (!workload_be_ext())
		give_up(worker, "be SCHED_EXT");
	failed = kind->enter ? kind->enter(i) : NULL;
	if (failed)
		give_up(worker, failed);
	for (;;)
		if (kind->turn(worker, i))
			atomic_fetch_add(&worker->turns, 1);
}

/* How much too late it is now for who went to sleep then. */
static int64_t late_since(int64_t slept_ns)
{
	int64_t late = kt_now_ns() - slept_ns - PROBE_NS;

	return late > LATE_NS ? late : 0;
}

/* It has init's policy, SCHED_FIFO. */
static _Noreturn void watch_cpu(struct probe *probe)
{
	for (;;) {
		int64_t slept_ns = kt_now_ns();

		atomic_store(&probe->slept_ns, slept_ns);
		nanosleep(&(struct timespec){.tv_nsec = PROBE_NS}, NULL);
		atomic_fetch_add(&probe->late_ns, late_since(slept_ns));
	}
}

static void *shared(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		die("no memory for the workload: %s", strerror(errno));
	return memory;
}

static pid_t fork_or_die(void)
{
	pid_t pid = fork();

	if (pid < 0)
		die("cannot fork: %s", strerror(errno));
	return pid;
}

/* Of more CPUs than there are probes, each second or third one has one. */
static void start_probes(struct workload *workload)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	size_t n = cpus < 1 ? 1 : cpus > PROBES_MAX ? PROBES_MAX : (size_t)cpus;

	probes = shared(n * sizeof(*probes));
	for (size_t i = 0; i < n; i++) {
		size_t cpu = cpus > 0 ? i * (size_t)cpus / n : 0;
		cpu_set_t set;
		pid_t pid = fork_or_die();

		if (!pid) {
			CPU_ZERO(&set);
			CPU_SET(cpu, &set);
			sched_setaffinity(0, sizeof(set), &set);
			watch_cpu(&probes[i]);
		}
		workload->probes[workload->n_probes++] = pid;
	}
}

/* Percent of the time so far in which CPUs did not run, over all of them. */
static unsigned time_withheld(const struct workload *workload)
{
	int64_t took = kt_now_ns() - workload->began_ns, late = 0;

	for (size_t i = 0; i < workload->n_probes; i++) {
		int64_t slept_ns = atomic_load(&probes[i].slept_ns);

		late += atomic_load(&probes[i].late_ns);
		late += late_since(slept_ns ? slept_ns : workload->began_ns);
	}
	if (!workload->n_probes || took <= 0)
		return 0;
	late = late / (int64_t)workload->n_probes * 100 / took;
	return late > 100 ? 100 : (unsigned)late;
}

static size_t number_of_workers(void)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	size_t n = cpus > 0 ? 2 * (size_t)cpus : WORKERS_MIN;

	return n < WORKERS_MIN ? WORKERS_MIN : n > WORKERS_MAX ? WORKERS_MAX : n;
}

static void start_workers(struct workload *workload)
{
	size_t n = number_of_workers();

	workers = shared(n * sizeof(*workers));
	workload->failed = workload->kind->prepare ? workload->kind->prepare(n) : NULL;
	if (workload->failed)
		workload->error = errno;
	while (!workload->failed && workload->n < n) {
		pid_t pid = fork_or_die();

		if (!pid)
			work(workload, &workers[workload->n], workload->n);
		workload->pids[workload->n++] = pid;
	}
}

void workload_start(struct workload *workload, const struct orders *orders)
{
	const char *name = orders->workload ? orders->workload : "mixed";

	workload->command = orders->command.len > 1;
	workload->kind = workload_kind(name);
	if (!workload->kind && !workload->command)
		die("its orders have the workload '%s', which this init does not know", name);
	workload->began_ns = kt_now_ns();
	start_probes(workload);
	if (workload->command)
		workload->pids[workload->n++] = workload_command(orders);
	else
		start_workers(workload);
}

static void look_at_workers(struct workload *workload)
{
	for (size_t i = 0; i < workload->n; i++) {
		unsigned long turns = atomic_load(&workers[i].turns);

		workload->turns += turns;
		workload->moved += turns >= TURNS_MIN;
		if (atomic_load(&workers[i].error)) {
			workload->error = atomic_load(&workers[i].error);
			workload->failed = atomic_load(&workers[i].failed);
		}
	}
	workload->tasks = workload->n;
}

void workload_look(struct workload *workload)
{
	workload->turns = workload->moved = workload->tasks = 0;
	if (workload->command)
		workload_command_look(workload, TURNS_MIN);
	else
		look_at_workers(workload);
	workload->withheld = time_withheld(workload);
}

static bool is_one(const struct workload *workload, pid_t pid)
{
	for (size_t i = 0; i < workload->n; i++)
		if (workload->pids[i] == pid || (workers && atomic_load(&workers[i].child) == pid))
			return true;
	for (size_t i = 0; i < workload->n_probes; i++)
		if (workload->probes[i] == pid)
			return true;
	return false;
}

bool workload_owns(const struct workload *workload, pid_t pid)
{
	pid_t session = getsid(pid);

	return is_one(workload, pid) || (session > 0 && is_one(workload, session));
}

bool workload_reaped(struct workload *workload, pid_t pid, int status)
{
	if (workload->command && workload->n && pid == workload->pids[0]) {
		workload->ended = true;
		workload->status = status;
	}
	return is_one(workload, pid);
}

/* Does not wait for their end: a task that never gets a CPU cannot die. */
void workload_stop(struct workload *workload)
{
	for (size_t i = 0; i < workload->n; i++) {
		if (workload->command)
			kill(-workload->pids[i], SIGKILL);
		kill(workload->pids[i], SIGKILL);
	}
	for (size_t i = 0; i < workload->n_probes; i++)
		kill(workload->probes[i], SIGKILL);
}
