// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * hog [SCHEDULER ARG...]: a guest that hangs. Runs the scheduler, if there is one, waits until it
 * has attached and was seen so, and then takes every CPU with the highest real-time priority: not
 * even the guest's init gets one any more.
 */
#include <dirent.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

static int parent_of(const char *pid)
{
	char path[300];
	int parent = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%s/stat", pid);
	f = fopen(path, "r");
	if (f && fscanf(f, "%*d (%*[^)]) %*c %d", &parent) != 1)
		parent = 0;
	if (f)
		fclose(f);
	return parent;
}

/* Once init has told the host that the scheduler has attached, it has more children than us. */
static int workload_runs(void)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	int found = 0;

	while (proc && !found && (entry = readdir(proc)))
		found = atoi(entry->d_name) > 0 && atoi(entry->d_name) != getpid() &&
			parent_of(entry->d_name) == 1;
	if (proc)
		closedir(proc);
	return found;
}

/* Has init read what we wrote? */
static int is_heard(void)
{
	int n = 0;

	return ioctl(1, FIONREAD, &n) || !n;
}

int main(int argc, char **argv)
{
	struct sched_param param = {.sched_priority = 99};
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	if (argc > 1 && !fork()) {
		execv(argv[1], argv + 1);
		perror(argv[1]);
		_exit(127);
	}
	while (argc > 1 && !workload_runs())
		usleep(10000);
	printf("hog: taking %ld CPUs\n", cpus);
	fflush(stdout);
	while (!is_heard())
		usleep(1000);
	usleep(100000); /* init sends it on */
	if (sched_setscheduler(0, SCHED_FIFO, &param))
		perror("hog: SCHED_FIFO");
	for (long i = 1; i < cpus; i++)
		if (!fork())
			break;
	for (;;)
		;
}
