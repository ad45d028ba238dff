/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Paths of files, as the kernel's d_path() makes them of a struct path: the names of the dentries
 * up to the root of the mount, and on from the mount's place, up to the first mount. So a process
 * with a root directory of its own (a container's) sees a shorter path.
 */
#ifndef KT_INTROSPECT_DPATH_H
#define KT_INTROSPECT_DPATH_H

#include "memory/guest.h"

struct dpath {
	gaddr_t mnt, dentry; /* of the struct path */
	char *text;          /* NULL: it cannot be read, or is longer than a path may be */
};

bool dpaths_wants(struct wants *wants);

/* Fills the texts, which are the caller's to free, after an error, too. */
struct kt_error *dpaths_read(struct guest *guest, struct dpath *paths, size_t n);

#endif
