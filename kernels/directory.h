/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Kernels in a directory of the user's. Internal to kernels/. */
#ifndef KT_KERNELS_DIRECTORY_H
#define KT_KERNELS_DIRECTORY_H

#include "kernels/kernel.h"

/*
 * Appends the kernels in dir: a kernel's build tree, a root with boot/ or lib/modules/, an OCI
 * image layout, or a directory that has vmlinuz* in it (/boot, one of fetch-kernel's,
 * lib/modules/V). Errors name it: KT_ERROR_NOT_FOUND: it is none of these.
 */
struct kt_error *kernels_directory_add(const char *dir, const struct kt_kernels_options *options,
				       struct kt_kernels *out);

#endif
