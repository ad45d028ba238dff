// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Something to schedule: tasks of policy SCHED_EXT, more than there are CPUs. Every second one
 * spins, so that the CPUs have to be shared; the others sleep and are woken up.
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "util/clock.h"
#include "vm/guest/guest.h"

#ifndef SCHED_EXT
#define SCHED_EXT 7 /* Linux 6.12 */
#endif

/* A worker that was on a CPU this often has made progress. */
#define TURNS_MIN   5
#define TURN_NS     1000000 /* of CPU time, or of sleep */
#define WORKERS_MIN 4

struct worker {
	_Atomic unsigned long turns;
	_Atomic int error; /* errno: the kernel refuses SCHED_EXT */
};

static struct worker *workers;

static int64_t cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static void spin(void)
{
	int64_t until = cpu_ns() + TURN_NS;

	while (cpu_ns() < until)
		;
	sched_yield();
}

static _Noreturn void work(struct worker *worker, bool spins)
{
	struct sched_param param = {0};

	if (sched_setscheduler(0, SCHED_EXT, &param)) {
		atomic_store(&worker->error, errno);
		_exit(1);
	}
	for (;;) {
		if (spins)
			spin();
		else
			nanosleep(&(struct timespec){.tv_nsec = TURN_NS}, NULL);
		atomic_fetch_add(&worker->turns, 1);
	}
}

static size_t number_of_workers(void)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	size_t n = cpus > 0 ? 2 * (size_t)cpus : WORKERS_MIN;

	return n < WORKERS_MIN ? WORKERS_MIN : n > WORKERS_MAX ? WORKERS_MAX : n;
}

void workload_start(struct workload *workload)
{
	size_t n = number_of_workers();

	workers = mmap(NULL, n * sizeof(*workers), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (workers == MAP_FAILED)
		die("no memory for the workload: %s", strerror(errno));
	workload->began_ns = kt_now_ns();
	for (workload->n = 0; workload->n < n; workload->n++) {
		pid_t pid = fork();

		if (pid < 0)
			die("cannot fork: %s", strerror(errno));
		if (!pid)
			work(&workers[workload->n], workload->n % 2 == 0);
		workload->pids[workload->n] = pid;
	}
}

void workload_look(struct workload *workload)
{
	workload->turns = workload->moved = 0;
	for (size_t i = 0; i < workload->n; i++) {
		unsigned long turns = atomic_load(&workers[i].turns);

		workload->turns += turns;
		workload->moved += turns >= TURNS_MIN;
		if (atomic_load(&workers[i].error))
			workload->error = atomic_load(&workers[i].error);
	}
}

bool workload_is_worker(const struct workload *workload, pid_t pid)
{
	for (size_t i = 0; i < workload->n; i++)
		if (workload->pids[i] == pid)
			return true;
	return false;
}

/* Does not wait for their end: a task that never gets a CPU cannot die. */
void workload_stop(struct workload *workload)
{
	for (size_t i = 0; i < workload->n; i++)
		kill(workload->pids[i], SIGKILL);
}
