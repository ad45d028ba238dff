/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Directories of ours in which a kernel is put together: made under a name of their own, and
 * renamed when all is there. Internal to kernels/.
 */
#ifndef KT_KERNELS_TREE_H
#define KT_KERNELS_TREE_H

#include "kernels/archive.h"

/* Removes a directory with all that is in it, or a file. Symbolic links are not followed. */
void kernels_remove(const char *path);

/* Writes the current entry to dir/path, whose parents it makes. An older file is replaced. */
struct kt_error *kernels_tree_put(const char *dir, const char *path, struct archive *archive,
				  struct kernels_reading *reading);

/* Gives dir/file, if it is there, the name dir/name, too. An older file of that name is replaced.
 */
struct kt_error *kernels_tree_link(const char *dir, const char *file, const char *name);

/*
 * Gives all files below `from` another name, at the same place below `to`: moved, or, if keep, with
 * both names. One that is there is replaced.
 */
struct kt_error *kernels_tree_merge(const char *from, const char *to, bool keep);

#endif
