// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The /init of a guest in which schedulers end, as they are told to on ttyS2, a line each:
 *
 *	start MODE [NUMBER]   runs FIX, the fixture scheduler, in the background
 *	end                   interrupts it, and waits for it
 *	wait                  waits until it ends by itself
 *	sysrq LETTER          as if it was typed
 *	cpu N 0|1             takes a CPU away, or gives it back
 *	spin N                N tasks more that use a CPU, each on one of its own
 *
 * "ends: ok LINE" on the console answers each. FIX=PATH is in the kernel's command line.
 */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static pid_t fix;

static void start(char *mode, char *number)
{
	char *path = getenv("FIX");
	char *argv[] = {path, mode, number, NULL};
	struct sched_param param = {0};

	fix = fork();
	if (fix) {
		printf("ends: pid %d\n", fix);
		return;
	}
	sched_setscheduler(0, SCHED_OTHER, &param);
	execv(path ? path : "/fix", argv);
	perror("ends: cannot run the scheduler");
	_exit(127);
}

static void await(void)
{
	int status;

	if (fix > 0 && waitpid(fix, &status, 0) == fix)
		printf("ends: status %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : -1);
	fix = 0;
}

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		perror(path);
	close(fd);
}

static void spin(int n)
{
	for (int i = 0; i < n; i++) {
		struct sched_param param = {0};
		char name[16];
		cpu_set_t set;

		if (fork())
			continue;
		snprintf(name, sizeof(name), "spin-%d", i);
		prctl(PR_SET_NAME, name);
		CPU_ZERO(&set);
		CPU_SET(i % (int)sysconf(_SC_NPROCESSORS_ONLN), &set);
		sched_setaffinity(0, sizeof(set), &set);
		sched_setscheduler(0, SCHED_OTHER, &param);
		for (volatile unsigned turns = 0;; turns++)
			if (turns % 1000000 == 0)
				usleep(1000);
	}
}

static void obey(char *line)
{
	char path[64];
	char *word[3] = {strtok(line, " "), strtok(NULL, " "), strtok(NULL, " ")};

	if (!word[0])
		return;
	if (!strcmp(word[0], "start") && word[1])
		start(word[1], word[2]);
	if (!strcmp(word[0], "end") && fix > 0)
		kill(fix, SIGINT);
	if (!strcmp(word[0], "end") || !strcmp(word[0], "wait"))
		await();
	if (!strcmp(word[0], "sysrq") && word[1])
		put("/proc/sysrq-trigger", word[1]);
	if (!strcmp(word[0], "spin") && word[1])
		spin(atoi(word[1]));
	if (!strcmp(word[0], "cpu") && word[1] && word[2]) {
		snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%d/online", atoi(word[1]));
		put(path, word[2]);
	}
}

int main(void)
{
	struct sched_param param = {.sched_priority = 2};
	char line[128], said[128];
	struct termios raw;
	FILE *orders;
	int fd;

	mount("proc", "/proc", "proc", 0, NULL);
	mount("sys", "/sys", "sysfs", 0, NULL);
	mount("dev", "/dev", "devtmpfs", 0, NULL);
	fd = open("/dev/console", O_RDWR);
	for (int i = 0; i <= 2; i++)
		dup2(fd, i);
	setvbuf(stdout, NULL, _IOLBF, 0);
	put("/proc/sys/kernel/sysrq", "1");
	/* It goes on under a scheduler that lets nobody run. */
	sched_setscheduler(0, SCHED_FIFO, &param);
	fd = open("/dev/ttyS2", O_RDONLY | O_NOCTTY);
	if (fd < 0 || tcgetattr(fd, &raw)) {
		perror("ends: /dev/ttyS2");
		return 1;
	}
	cfmakeraw(&raw);
	raw.c_iflag |= IGNBRK;
	tcsetattr(fd, TCSANOW, &raw);
	orders = fdopen(fd, "r");
	printf("ends: ready\n");
	while (orders && fgets(line, sizeof(line), orders)) {
		line[strcspn(line, "\r\n")] = '\0';
		snprintf(said, sizeof(said), "%s", line);
		obey(line);
		printf("ends: ok %s\n", said);
	}
	for (;;)
		pause();
}
