// SPDX-License-Identifier: LGPL-2.1-or-later
#include "util/resources.h"

#include <sched.h>
#include <stdio.h>
#include <unistd.h>

#include "util/cleanup.h"

int64_t kt_online_cpus(void)
{
	cpu_set_t set;
	long n = sched_getaffinity(0, sizeof(set), &set) ? sysconf(_SC_NPROCESSORS_ONLN)
							 : CPU_COUNT(&set);

	return n > 0 ? n : 1;
}

int64_t kt_available_memory_mib(void)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/meminfo", "re");
	unsigned long long kib;
	char line[256];

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "MemAvailable: %llu kB", &kib) == 1)
			return (int64_t)(kib / 1024);
	return INT64_MAX;
}
