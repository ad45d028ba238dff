// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * odd SCX_FIX: a scheduler that is good on an even number of last-level caches, and dispatches
 * nothing on an odd one. Linked with what SCX_FIX needs, so that the guest has that.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char seen[64][64];

/* Different lists of CPUs that share an L3. */
static int count_caches(void)
{
	int n = 0;

	for (int cpu = 0; cpu < 1024; cpu++) {
		char path[96], list[64] = "";
		int i = 0;
		FILE *f;

		snprintf(path, sizeof(path),
			 "/sys/devices/system/cpu/cpu%d/cache/index3/shared_cpu_list", cpu);
		f = fopen(path, "re");
		if (!f)
			break;
		if (!fgets(list, sizeof(list), f))
			list[0] = '\0';
		fclose(f);
		while (i < n && strcmp(seen[i], list))
			i++;
		if (i == n && n < 64)
			strcpy(seen[n++], list);
	}
	return n;
}

int main(int argc, char **argv)
{
	int caches = count_caches();

	if (argc != 2)
		return 2;
	printf("caches: %d\n", caches);
	fflush(stdout);
	execl(argv[1], argv[1], caches % 2 ? "stalls" : "good", NULL);
	perror(argv[1]);
	return 127;
}
