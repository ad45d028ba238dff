/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A scratch directory for each test, and files in it. */
#ifndef KT_TESTS_VM_SCRATCH_H
#define KT_TESTS_VM_SCRATCH_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char scratch[] = "/tmp/ktstr-test.XXXXXX";

static inline int scratch_setup(void **state)
{
	strcpy(strrchr(scratch, '.'), ".XXXXXX");
	*state = mkdtemp(scratch);
	return *state ? 0 : -1;
}

static inline int scratch_teardown(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", scratch);
	return system(command);
}

/* The path of a name in the scratch directory; good until the eighth call after it. */
static inline const char *in_scratch(const char *name)
{
	static char paths[8][128];
	static unsigned next;
	char *path = paths[next++ % 8];

	snprintf(path, sizeof(paths[0]), "%s/%s", scratch, name);
	return path;
}

static inline const char *scratch_file(const char *name, const char *text, mode_t mode)
{
	const char *path = in_scratch(name);
	FILE *file = fopen(path, "w");

	if (!file)
		abort();
	fputs(text, file);
	fclose(file);
	chmod(path, mode);
	return path;
}

#endif
