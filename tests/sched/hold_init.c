// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The init of a guest with a scheduler that keeps every task (scx_fix holds). Kernel command line:
 *
 *	hold.tasks=N     as many tasks of policy SCHED_EXT, "held-0" and so on, with nice values
 *	hold.mode=MODE   of scx_fix, in place of "holds": tasks then spin and sleep
 *
 * On the console, several times a second: "hold: NAME VALUE" for what sysfs says of sched_ext, with
 * the event counters, and "hold: tick N" behind that.
 */
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define POLICY_SCHED_EXT 7
#define SYSFS            "/sys/kernel/sched_ext/"

static void msleep(long ms)
{
	struct timespec ts = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

	nanosleep(&ts, NULL);
}

static const char *read_file(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, text, size - 1);

	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
	return text;
}

/* The value of "NAME=..." on the command line; otherwise is what it is without. */
static const char *word(const char *name, const char *otherwise)
{
	static char line[4096], value[64];
	const char *at = strstr(read_file("/proc/cmdline", line, sizeof(line)), name);

	if (!at)
		return otherwise;
	snprintf(value, sizeof(value), "%s", at + strlen(name));
	value[strcspn(value, " \n")] = '\0';
	return value;
}

/* Each non-empty line of a file, with a name before it. */
static void print_file(const char *name, const char *path)
{
	static char text[8192];

	read_file(path, text, sizeof(text));
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		printf("hold: %s%s\n", name, line);
}

/* When the thread that the kernel starts for a scheduler began, in 1/100 s since the boot. */
static void print_helper(void)
{
	static char path[300], text[1024];
	DIR *proc = opendir("/proc");
	struct dirent *entry;

	while (proc && (entry = readdir(proc))) {
		unsigned long long start;
		const char *rest;

		snprintf(path, sizeof(path), "/proc/%s/stat", entry->d_name);
		rest = strstr(read_file(path, text, sizeof(text)), "(sched_ext_help");
		rest = rest ? strrchr(rest, ')') : NULL;
		if (rest && sscanf(rest,
				   ") %*c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s "
				   "%*s %*s %*s %*s %*s %llu",
				   &start) == 1)
			printf("hold: helper %llu\n", start);
	}
	if (proc)
		closedir(proc);
}

static void print_btime(void)
{
	static char text[65536];
	const char *at = strstr(read_file("/proc/stat", text, sizeof(text)), "btime ");

	if (at)
		printf("hold: btime %lld\n", atoll(at + 6));
}

/*
 * All tasks of a queue (pid % 4, scx_fix) on one CPU: the lock of its runqueue is held from where
 * the scheduler counts a task to where the kernel puts it into the queue, so the two orders are
 * equal.
 */
static void pin(void)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(getpid() % 4 % sysconf(_SC_NPROCESSORS_ONLN), &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus))
		perror("hold: affinity");
}

static void held(int n, int spin)
{
	struct sched_param param = {};
	char name[16];

	if (!spin)
		pin();

	snprintf(name, sizeof(name), "held-%d", n);
	prctl(PR_SET_NAME, name);
	setpriority(PRIO_PROCESS, 0, n % 4 * 5 - 5);
	if (sched_setscheduler(0, POLICY_SCHED_EXT, &param))
		perror("hold: SCHED_EXT");
	for (;;) {
		for (volatile int i = 0; spin && i < 3000000; i++)
			;
		msleep(1);
	}
}

static void start(const char *mode, const char *tasks)
{
	if (!fork()) {
		execl("/bpf/scx_fix", "scx_fix", mode, tasks, NULL);
		perror("hold: no scx_fix");
		_exit(1);
	}
}

int main(void)
{
	char tasks[32], mode[32], text[64];
	int n;

	mkdir("/proc", 0755);
	mount("proc", "/proc", "proc", 0, NULL);
	mount("sys", "/sys", "sysfs", 0, NULL);
	mount("dev", "/dev", "devtmpfs", 0, NULL);
	for (int fd = 0; fd <= 2; fd++) {
		close(fd);
		open("/dev/console", O_RDWR);
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	snprintf(tasks, sizeof(tasks), "%s", word("hold.tasks=", "20"));
	snprintf(mode, sizeof(mode), "%s", word("hold.mode=", "holds"));
	n = open("/proc/sys/kernel/bpf_stats_enabled", O_WRONLY | O_CLOEXEC);
	if (n < 0 || write(n, "1", 1) != 1)
		perror("hold: bpf_stats_enabled");
	close(n);
	start(mode, tasks);
	while (strcmp(read_file(SYSFS "state", text, sizeof(text)), "enabled\n"))
		msleep(20);
	for (int i = 0; i < atoi(tasks); i++)
		if (!fork())
			held(i, strcmp(mode, "holds"));
	for (unsigned long tick = 0;; tick++) {
		print_file("state ", SYSFS "state");
		print_file("switch_all ", SYSFS "switch_all");
		print_file("nr_rejected ", SYSFS "nr_rejected");
		print_file("hotplug_seq ", SYSFS "hotplug_seq");
		print_file("enable_seq ", SYSFS "enable_seq");
		print_file("ops ", SYSFS "root/ops");
		print_file("", SYSFS "root/events");
		print_helper();
		print_btime();
		printf("hold: tick %lu\n", tick);
		msleep(200);
	}
}
