/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A guest's memory as a file, of which most pages are zero, and most of those are holes. Internal
 * to vm/.
 */
#ifndef KT_VM_RAM_H
#define KT_VM_RAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/error.h"

#define VM_RAM_PAGE 4096u

/* A walk over the pages that are not zero, in order. Whether a zero page is a hole does not matter.
 */
struct vm_ram_walk {
	int fd;
	uint64_t size;       /* bytes from the file's beginning on; whole pages */
	uint64_t next, data; /* where to look next; and where what is no hole ends */
	char *chunk;         /* the file's bytes at `at` */
	uint64_t at;
	size_t len, done;     /* of the chunk, and of that looked at */
	struct kt_error *err; /* it ended too early */
};

/* The file's position changes. vm_ram_walk_deinit() hands out what went wrong. */
void vm_ram_walk_init(struct vm_ram_walk *walk, int fd, uint64_t size);
struct kt_error *vm_ram_walk_deinit(struct vm_ram_walk *walk);

/* Pages that follow each other. False: there are no more. They are good until the next call. */
bool vm_ram_walk_next(struct vm_ram_walk *walk, uint64_t *offset_ret, const char **data_ret,
		      size_t *len_ret);

/*
 * A file in memory of that size, which a guest can have for its own. KT_ERROR_OS: there is no room
 * for it. The caller closes it.
 */
struct kt_error *vm_ram_create(uint64_t size, int *fd_ret);

/*
 * Copies the pages that are not zero to the same places of another file, where there are holes.
 * KT_ERROR_UNSUPPORTED: they are more than max bytes; KT_ERROR_OS.
 */
struct kt_error *vm_ram_copy(int from, int to, uint64_t size, uint64_t max);

#endif
