/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What was taken out of packages, in the tool's cache: kernels/NAME/ beside what fetch-kernel has
 * there. Each may be removed at any time. Internal to kernels/.
 */
#ifndef KT_KERNELS_STORE_H
#define KT_KERNELS_STORE_H

#include <sys/stat.h>

#include "kernels/kernel.h"

/* Fills an empty directory. */
typedef struct kt_error *kernels_fill_fn(void *context, const char *dir);

/*
 * The path of the directory of that name, which the caller frees. If it is not there, `fill` makes
 * it: under another name, while others that want the same one wait, and only if it succeeds it is
 * kept. KT_ERROR_OS: the cache cannot be written; KT_ERROR_CANCELLED, KT_ERROR_TIMEOUT while
 * waiting; those of fill.
 */
struct kt_error *kernels_store(const char *name, const struct kt_kernels_options *options,
			       kernels_fill_fn *fill, void *context, char **ret);

/* Changes with what is taken out of files, and where it is put. */
#define KERNELS_STORE_VERSION "1"

/* A name for what is made of texts, "package-HASH". The caller frees it; NULL: no memory. */
char *kernels_store_name(const char *prefix, const char *text);

/* A name for what is taken out of the file at path, open as fd: another one when that has changed.
 */
char *kernels_store_file_name(const char *prefix, const char *path, int fd);

#endif
