// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * repeat [-c COMMAND] RUNS COMMAND [ARG...]: runs a command, its output thrown away, and prints
 * the least and the median of its wall time in milliseconds, and the largest of its peak
 * memory in KiB. -c: a shell command before each run, not counted (to empty a cache, say).
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/clock.h"

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* Nanoseconds of one run; -1 when it failed. */
static int64_t run(char **argv, long *peak_kib)
{
	int64_t start = kt_now_ns();
	struct rusage usage;
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		int null = open("/dev/null", O_RDWR);

		dup2(null, STDOUT_FILENO);
		dup2(null, STDIN_FILENO);
		execvp(argv[0], argv);
		_exit(127);
	}
	if (pid < 0 || wait4(pid, &status, 0, &usage) != pid || status)
		return -1;
	if (usage.ru_maxrss > *peak_kib)
		*peak_kib = usage.ru_maxrss;
	return kt_now_ns() - start;
}

int main(int argc, char **argv)
{
	const char *before = NULL;
	long runs, peak_kib = 0;
	int64_t *ns;

	if (argc > 2 && strcmp(argv[1], "-c") == 0) {
		before = argv[2];
		argv += 2;
		argc -= 2;
	}
	runs = argc > 2 ? strtol(argv[1], NULL, 10) : 0;
	if (runs < 1) {
		fputs("usage: repeat [-c COMMAND] RUNS COMMAND [ARG...]\n", stderr);
		return 2;
	}
	ns = calloc((size_t)runs, sizeof(*ns));
	for (long i = 0; i < runs; i++) {
		if (before && system(before))
			return 3;
		ns[i] = run(argv + 2, &peak_kib);
		if (ns[i] < 0) {
			fprintf(stderr, "repeat: %s failed\n", argv[2]);
			return 3;
		}
	}
	qsort(ns, (size_t)runs, sizeof(*ns), by_value);
	printf("%.1f %.1f %ld\n", (double)ns[0] / 1e6, (double)ns[runs / 2] / 1e6, peak_kib);
	free(ns);
	return 0;
}
