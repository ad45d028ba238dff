// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * hog [SCHEDULER ARG...]: a guest that hangs. Runs the scheduler, if there is one, waits until it
 * has attached and was seen so, and then takes every CPU with the highest real-time priority: not
 * even the guest's init gets one any more.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int is_enabled(void)
{
	char state[16] = "";
	int fd = open("/sys/kernel/sched_ext/state", O_RDONLY);

	if (fd < 0 || read(fd, state, sizeof(state) - 1) < 0)
		state[0] = '\0';
	close(fd);
	return !strncmp(state, "enabled", 7);
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
	while (argc > 1 && !is_enabled())
		usleep(10000);
	usleep(200000);
	printf("hog: taking %ld CPUs\n", cpus);
	fflush(stdout);
	usleep(100000);
	if (sched_setscheduler(0, SCHED_FIFO, &param))
		perror("hog: SCHED_FIFO");
	for (long i = 1; i < cpus; i++)
		if (!fork())
			break;
	for (;;)
		;
}
