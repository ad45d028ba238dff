// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Is a program being loaded now? Under TCG the verifier may take minutes, in which no new program
 * appears. The task that loads is in bpf(2) and runs, in the kernel. A task that spins in user
 * mode, or sleeps, does not load.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "util/clock.h"
#include "vm/guest/guest.h"

/* How often the share of time in the kernel is computed, and from which share on it is busy. */
#define WINDOW_NS    500000000
#define BUSY_PERCENT 25

/* Clock ticks that all CPUs spent in system calls: "cpu  USER NICE SYSTEM IDLE ...". */
static long long system_ticks(void)
{
	char text[256];
	long long user, nice, system;

	if (!read_small("/proc/stat", text, sizeof(text)) ||
	    sscanf(text, "cpu %lld %lld %lld", &user, &nice, &system) != 3)
		return 0;
	return system;
}

static bool kernel_is_busy(struct load_watch *watch)
{
	int64_t now = kt_now_ns(), elapsed = now - watch->window_ns;

	if (elapsed >= WINDOW_NS) {
		long long ticks = system_ticks();
		int64_t ns = (ticks - watch->ticks) * (1000000000 / sysconf(_SC_CLK_TCK));

		watch->busy = watch->window_ns && ns * 100 >= elapsed * BUSY_PERCENT;
		watch->window_ns = now;
		watch->ticks = ticks;
	}
	return watch->busy;
}

/* "running", or the number of the system call that it sleeps in (since Linux 2.6.28). */
static void look_at_task(const char *path, bool *in_bpf, bool *running)
{
	char text[64];

	if (!read_small(path, text, sizeof(text)))
		return;
	*running |= !strncmp(text, "running", strlen("running"));
	*in_bpf |= strtol(text, NULL, 10) == SYS_bpf;
}

static void look_at_process(const char *pid, bool *in_bpf, bool *running)
{
	char path[320];
	struct dirent *task;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%.32s/exe", pid);
	if (readlink(path, (char[1]){0}, 1) < 0) /* a kernel thread has none */
		return;
	snprintf(path, sizeof(path), "/proc/%.32s/task", pid);
	dir = opendir(path);
	while (dir && (task = readdir(dir))) {
		if (task->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/proc/%.32s/task/%.32s/syscall", pid, task->d_name);
		look_at_task(path, in_bpf, running);
	}
	if (dir)
		closedir(dir);
}

bool load_in_progress(struct load_watch *watch)
{
	bool in_bpf = false, running = false, busy = kernel_is_busy(watch);
	struct dirent *entry;
	DIR *proc = opendir("/proc");

	while (proc && (entry = readdir(proc)))
		if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' &&
		    strcmp(entry->d_name, "1") != 0)
			look_at_process(entry->d_name, &in_bpf, &running);
	if (proc)
		closedir(proc);
	return in_bpf || (running && busy);
}
