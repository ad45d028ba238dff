/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Snapshots of guests in the tool's cache: files KEY.snap in its folder snapshots/, which is ours
 * alone (mode 0700). A file is the guest's memory, if that is not in QEMU's migration stream; that
 * stream; and a trailer of 4096 bytes with a hash (XXH3-128) of all the rest. The memory has holes
 * where it is zero. Whatever is not exactly right counts as absent.
 *
 * A file gets its name only when it is whole. What a run that was killed leaves goes away by
 * itself, or (on file systems without O_TMPFILE) with the next snapshot that is made.
 */
#ifndef KT_VM_SNAPSHOT_H
#define KT_VM_SNAPSHOT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "util/error.h"
#include "util/vec.h"

#define VM_SNAPSHOT_MAX      (INT64_C(512) << 20)  /* bytes of one */
#define VM_SNAPSHOTS_MAX     (INT64_C(2048) << 20) /* of all: those not used for longest go first */
#define VM_SNAPSHOT_KEY_SIZE 33                    /* hexadecimal digits, and a NUL */

struct vm_snapshots {
	int dir_fd; /* -1: none */
};

/* clang-format off */
#define VM_SNAPSHOTS_INIT {.dir_fd = -1}
/* clang-format on */

/*
 * Opens the folder, and makes it if need be. KT_ERROR_OS: it cannot be made or opened;
 * KT_ERROR_UNSUPPORTED: it is somebody else's, or open to others.
 */
struct kt_error *vm_snapshots_open(const char *cache_dir, struct vm_snapshots *ret);
void vm_snapshots_close(struct vm_snapshots *snapshots);

/* What was kept: words for people, in the trailer. */
struct vm_snapshot_of {
	char kernel[512]; /* the image's path */
	char qemu[64];    /* QEMU's version */
};

/*
 * An open file that may be restored; -1: there is none. Its content is not checked yet. Marks it as
 * used now.
 */
int vm_snapshot_find(const struct vm_snapshots *snapshots, const char *key);

/* Reads all of it. True: it is as it was written, *of is set, and fd stands at QEMU's stream. */
bool vm_snapshot_check(int fd, const char *key, struct vm_snapshot_of *of);

/* Removes one; also when there is none. */
void vm_snapshot_remove(const struct vm_snapshots *snapshots, const char *key);

/* Guests of this key cannot be kept: a file KEY.never says so. */
void vm_snapshot_never(const struct vm_snapshots *snapshots, const char *key);
bool vm_snapshot_is_never(const struct vm_snapshots *snapshots, const char *key);

/* A file that is being written. */
struct vm_snapshot_file {
	int fd;        /* -1: none. Stands where QEMU's stream has to begin */
	uint64_t ram;  /* bytes before that, for the guest's memory: holes so far */
	char name[64]; /* a temporary one; "": it has no name */
};

/* ram: whole pages. KT_ERROR_OS: it cannot be made. */
struct kt_error *vm_snapshot_create(const struct vm_snapshots *snapshots, uint64_t ram,
				    struct vm_snapshot_file *ret);

/*
 * Writes the trailer, gives the file its name, and removes old snapshots until all fit in max
 * bytes. Closes it.
 */
struct kt_error *vm_snapshot_commit(const struct vm_snapshots *snapshots,
				    struct vm_snapshot_file *file, const char *key,
				    const struct vm_snapshot_of *of, int64_t max);

/* Closes it, and drops it if it was not committed. */
void vm_snapshot_abandon(const struct vm_snapshots *snapshots, struct vm_snapshot_file *file);

/* A file of the folder. */
struct vm_snapshot_entry {
	char name[64];
	int64_t size;             /* bytes, without holes */
	struct timespec used;     /* last */
	struct vm_snapshot_of of; /* "" where the trailer is not right */
};

struct vm_snapshot_list {
	KT_VEC(struct vm_snapshot_entry) v; /* the last used first */
};

/* The caller frees ret->v. KT_ERROR_NO_MEMORY, KT_ERROR_OS. */
struct kt_error *vm_snapshot_list(const struct vm_snapshots *snapshots,
				  struct vm_snapshot_list *ret);

/* Removes a file of the list. False: it is not there, or cannot be removed. */
bool vm_snapshot_remove_entry(const struct vm_snapshots *snapshots,
			      const struct vm_snapshot_entry *entry);

#endif
