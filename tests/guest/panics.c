// SPDX-License-Identifier: LGPL-2.1-or-later
/* panics SCHEDULER ARG...: runs it, and once sched_ext is enabled, has the kernel panic. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int is_enabled(void)
{
	char state[16] = "";
	int fd = open("/sys/kernel/sched_ext/state", O_RDONLY);

	if (fd >= 0 && read(fd, state, sizeof(state) - 1) < 0)
		state[0] = '\0';
	close(fd);
	return !strncmp(state, "enabled", 7);
}

int main(int argc, char **argv)
{
	int fd;

	if (argc < 2)
		return 2;
	if (!fork()) {
		execv(argv[1], argv + 1);
		perror(argv[1]);
		_exit(1);
	}
	while (!is_enabled())
		usleep(10000);
	fd = open("/proc/sysrq-trigger", O_WRONLY);
	return fd < 0 || write(fd, "c", 1) != 1;
}
