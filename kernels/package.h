/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Kernels in an archive: a distribution's package, a container image, the tar of a root. Internal
 * to kernels/. */
#ifndef KT_KERNELS_PACKAGE_H
#define KT_KERNELS_PACKAGE_H

#include "kernels/kernel.h"

/*
 * Appends the kernels in the archive at path. Image and modules are taken out into the cache, where
 * the same file finds them again; nothing is installed, no script of it runs. One that has modules
 * only is a kernel without an image. Errors name the file: KT_ERROR_NOT_FOUND, there is no kernel
 * in it; KT_ERROR_FORMAT, damaged, or, with `what`, no archive.
 */
struct kt_error *kernels_package_add(const char *path, const char *what,
				     const struct kt_kernels_options *options,
				     struct kt_kernels *out);

/* The same of an OCI image layout that is a directory. */
struct kt_error *kernels_oci_add(const char *dir, const struct kt_kernels_options *options,
				 struct kt_kernels *out);

#endif
