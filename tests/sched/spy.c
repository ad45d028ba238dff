// SPDX-License-Identifier: LGPL-2.1-or-later
/* What /proc says of the tasks of the workload: for tests, which ask what each kind really does. */
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/sched/scx_fix.h"

#define POLICY_SCHED_EXT 7
#define SEEN_MAX         1024

/* A task, as it was seen last. */
struct seen {
	int pid, parent;
	long nice, policy;
	char name[32], cpus[64], cgroup[128];
	char states[8]; /* each once */
	unsigned long voluntary, forced, ticks;
	unsigned pipes; /* descriptors of pipes */
};

static struct seen seen[SEEN_MAX];
static unsigned n_seen;

static char *read_text(int pid, const char *what, char *text, size_t size)
{
	char path[64];
	size_t len = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, what);
	f = fopen(path, "re");
	if (f) {
		len = fread(text, 1, size - 1, f);
		fclose(f);
	}
	text[len] = '\0';
	return len ? text : NULL;
}

/* The word behind a name at the beginning of a line. */
static void word(const char *text, const char *name, char *ret, size_t size)
{
	const char *at = strstr(text, name);

	at = at ? at + strlen(name) : "";
	at += strspn(at, " \t");
	snprintf(ret, size, "%.*s", (int)strcspn(at, "\n"), at);
}

static unsigned long number(const char *text, const char *name)
{
	char value[32];

	word(text, name, value, sizeof(value));
	return strtoul(value, NULL, 10);
}

static unsigned count_pipes(int pid)
{
	char path[64], link[64];
	struct dirent *entry;
	unsigned n = 0;
	DIR *fds;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	fds = opendir(path);
	while (fds && (entry = readdir(fds))) {
		ssize_t len = readlinkat(dirfd(fds), entry->d_name, link, sizeof(link) - 1);

		n += len > 5 && !strncmp(link, "pipe:", 5);
	}
	if (fds)
		closedir(fds);
	return n;
}

/* The fields behind the name: proc(5) counts from 1, and the state is the third. */
static void take_stat(const char *stat, struct seen *ret)
{
	const char *rest = strrchr(stat, ')') + 2;
	char state = *rest;
	size_t len = strlen(ret->states);

	if (!strchr(ret->states, state) && len + 1 < sizeof(ret->states)) {
		ret->states[len] = state;
		ret->states[len + 1] = '\0';
	}
	for (int i = 3; i <= 41 && rest; i++) {
		long value = strtol(rest, NULL, 10);

		if (i == 4)
			ret->parent = (int)value;
		if (i == 14 || i == 15)
			ret->ticks = (i == 14 ? 0 : ret->ticks) + (unsigned long)value;
		if (i == 19)
			ret->nice = value;
		if (i == 41)
			ret->policy = value;
		rest = strchr(rest, ' ');
		rest += rest != NULL;
	}
}

static struct seen *find(int pid)
{
	for (unsigned i = 0; i < n_seen; i++)
		if (seen[i].pid == pid)
			return &seen[i];
	if (n_seen == SEEN_MAX)
		return NULL;
	seen[n_seen].pid = pid;
	return &seen[n_seen++];
}

static void look_at(int pid)
{
	char stat[1024], status[4096], text[256], name[32];
	struct seen *task;

	if (!read_text(pid, "comm", name, sizeof(name)))
		return;
	name[strcspn(name, "\n")] = '\0';
	if (strncmp(name, "ktstr-", 6) != 0 && strcmp(name, "md5sum") != 0)
		return;
	if (!read_text(pid, "status", status, sizeof(status)) ||
	    !read_text(pid, "stat", stat, sizeof(stat)) || !strrchr(stat, ')'))
		return;
	task = find(pid);
	if (!task)
		return;
	strcpy(task->name, name);
	word(status, "\nCpus_allowed_list:", task->cpus, sizeof(task->cpus));
	task->voluntary = number(status, "\nvoluntary_ctxt_switches:");
	task->forced = number(status, "\nnonvoluntary_ctxt_switches:");
	take_stat(stat, task);
	if (read_text(pid, "cgroup", text, sizeof(text)))
		word(text, "0::", task->cgroup, sizeof(task->cgroup));
	task->pipes = count_pipes(pid);
}

/* The workload begins after this process has attached. */
void spy_look(void)
{
	struct dirent *entry;
	DIR *proc = opendir("/proc");

	while (proc && (entry = readdir(proc)))
		if (atoi(entry->d_name) > getpid())
			look_at(atoi(entry->d_name));
	if (proc)
		closedir(proc);
}

static long weight_of(const char *cgroup)
{
	char path[200], text[32] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/sys/fs/cgroup%s/cpu.weight", cgroup);
	f = fopen(path, "re");
	if (!f || !fgets(text, sizeof(text), f))
		strcpy(text, "0");
	if (f)
		fclose(f);
	return strtol(text, NULL, 10);
}

static bool is_child(const struct seen *task)
{
	for (unsigned i = 0; i < n_seen; i++)
		if (seen[i].pid == task->parent && !strcmp(seen[i].name, task->name))
			return true;
	return false;
}

void spy_print(void)
{
	for (unsigned i = 0; i < n_seen; i++) {
		const struct seen *task = &seen[i];

		printf("task {\"name\": \"%s\", \"ext\": %s, \"child\": %s, \"nice\": %ld, "
		       "\"cpus\": \"%s\", \"weight\": %ld, \"states\": \"%s\", \"voluntary\": %lu, "
		       "\"forced\": %lu, \"ticks\": %lu, \"pipes\": %u}\n",
		       task->name, task->policy == POLICY_SCHED_EXT ? "true" : "false",
		       is_child(task) ? "true" : "false", task->nice, task->cpus,
		       weight_of(task->cgroup), task->states, task->voluntary, task->forced,
		       task->ticks, task->pipes);
	}
}
