/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Archives that others made, entry by entry, through libarchive: ar, tar and cpio, compressed or
 * not, and rpm, whose payload is a compressed cpio. Internal to kernels/.
 */
#ifndef KT_KERNELS_ARCHIVE_H
#define KT_KERNELS_ARCHIVE_H

#include <archive.h>
#include <archive_entry.h>
#include <stdbool.h>
#include <stdint.h>

#include "kernels/kernel.h"
#include "util/buf.h"

/* One reading of a file, with all archives that are in it. */
struct kernels_reading {
	const struct kt_kernels_options *options;
	size_t entries_left;
	uint64_t bytes_left; /* that may be taken out */
	bool done;           /* set by who has all it wants: the walk ends */
};

void kernels_reading_init(struct kernels_reading *reading,
			  const struct kt_kernels_options *options);

/* Gets each entry; path is clean (kernels/place.h), and those that are not are left out. */
typedef struct kt_error *kernels_entry_fn(void *context, struct archive *archive,
					  struct archive_entry *entry, const char *path);

/*
 * Walks the archive in fd, from its beginning; fd stays the caller's. Errors do not name the file:
 * KT_ERROR_FORMAT, damaged, or more entries than any package has; KT_ERROR_NOT_FOUND, no archive at
 * all; KT_ERROR_CANCELLED; KT_ERROR_TIMEOUT; those of fn.
 */
struct kt_error *kernels_walk(int fd, struct kernels_reading *reading, kernels_entry_fn *fn,
			      void *context);

/* Walks the archive that the current entry of another one is. */
struct kt_error *kernels_walk_inner(struct archive *outer, struct kernels_reading *reading,
				    kernels_entry_fn *fn, void *context);

/* Writes the current entry to fd. KT_ERROR_FORMAT: over the limit. */
struct kt_error *kernels_entry_write(struct archive *archive, struct kernels_reading *reading,
				     int fd);

/* The current entry in an empty *ret; KT_ERROR_FORMAT: more than max bytes. */
struct kt_error *kernels_entry_read(struct archive *archive, struct kernels_reading *reading,
				    size_t max, struct kt_buf *ret);

bool kernels_entry_is_file(struct archive_entry *entry);

#endif
