/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a person calls a file. Both borrow from the path. */
#ifndef KT_UTIL_PATH_H
#define KT_UTIL_PATH_H

#include <stddef.h>

/* The last part of a path. */
const char *kt_base_name(const char *path);

/*
 * The last part of paths[i], with as many of its folders as tell it from the other n - 1 paths; all
 * of it, if that does not, either. The same path twice has one name.
 */
const char *kt_path_apart(const char *const *paths, size_t n, size_t i);

#endif
