/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where a file system of kernfs is mounted, in the mount namespace that the kernel began with. */
#ifndef KT_INTROSPECT_CGROUP_MOUNT_H
#define KT_INTROSPECT_CGROUP_MOUNT_H

#include "memory/guest.h"

bool kernfs_mount_wants(struct wants *wants);

/*
 * root: of a struct kernfs_root. The caller frees *ret, which is NULL if it is mounted nowhere, or
 * that cannot be told. Of several mounts it is the first one.
 */
struct kt_error *kernfs_mount_read(struct guest *guest, gaddr_t root, char **ret);

#endif
