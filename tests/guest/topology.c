// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What a guest's kernel tells of its CPUs, caches and nodes in /sys, a line each; in C, since a
 * shell's read takes single bytes, and files such as thread_siblings_list come in one piece or not
 * at all.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *value(const char *fmt, int i, const char *name)
{
	static char lines[16][256];
	static unsigned next;
	char *line = lines[next++ % 16], path[160];
	FILE *file;

	snprintf(path, sizeof(path), fmt, i, name);
	file = fopen(path, "r");
	if (!file || !fgets(line, sizeof(lines[0]), file))
		strcpy(line, "none");
	if (file)
		fclose(file);
	line[strcspn(line, "\n")] = '\0';
	return line;
}

#define CPU "/sys/devices/system/cpu/cpu%d/%s"

static const char *level_3(int cpu)
{
	char name[64];

	for (int i = 0; i < 8; i++) {
		snprintf(name, sizeof(name), "cache/index%d/level", i);
		if (strcmp(value(CPU, cpu, name), "3") != 0)
			continue;
		snprintf(name, sizeof(name), "cache/index%d/shared_cpu_list", i);
		return value(CPU, cpu, name);
	}
	return "none";
}

static int node_of(int cpu)
{
	char path[64];

	for (int i = 0; i < 64; i++) {
		snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%d/node%d", cpu, i);
		if (!access(path, F_OK))
			return i;
	}
	return -1;
}

int main(void)
{
	char path[64];

	for (int i = 0; i < 4096; i++) {
		snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%d", i);
		if (access(path, F_OK))
			break;
		printf("cpu %d llc %s smt %s node %d package %s die %s core %s\n", i, level_3(i),
		       value(CPU, i, "topology/thread_siblings_list"), node_of(i),
		       value(CPU, i, "topology/physical_package_id"),
		       value(CPU, i, "topology/die_id"), value(CPU, i, "topology/core_id"));
	}
	for (int i = 0; i < 64; i++) {
		snprintf(path, sizeof(path), "/sys/devices/system/node/node%d", i);
		if (access(path, F_OK))
			break;
		printf("node %d cpus %s\n", i,
		       value("/sys/devices/system/node/node%d/%s", i, "cpulist"));
		printf("memory %s\n", value("/sys/devices/system/node/node%d/%s", i, "meminfo"));
	}
	printf("online %s\n", value("/sys/devices/system/cpu/online%.0d%s", 0, ""));
	return 0;
}
