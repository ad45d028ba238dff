// SPDX-License-Identifier: LGPL-2.1-or-later
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "util/heap.h"

#define PAGE_SIZE 4096u

void kt_heap_warm(size_t bytes)
{
#ifdef __GLIBC__
	/* The largest threshold that glibc takes: nothing smaller gets a mapping of its own. */
	const int keep = 32 << 20;
	volatile char *all;

	mallopt(M_MMAP_THRESHOLD, keep);
	mallopt(M_TRIM_THRESHOLD, keep);
	all = malloc(bytes);
	for (size_t i = 0; all && i < bytes; i += PAGE_SIZE)
		all[i] = 0;
	free((void *)all);
#else
	(void)bytes;
#endif
}
