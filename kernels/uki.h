/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The kernel of a unified kernel image (image/uki.h), taken out of it. Internal to kernels/. */
#ifndef KT_KERNELS_UKI_H
#define KT_KERNELS_UKI_H

#include "kernels/kernel.h"

/*
 * The path of a file with the kernel alone, in the cache, which the caller frees. Beside it is the
 * release that the image tells, as fetch-kernel has it. Errors do not name the image:
 * KT_ERROR_FORMAT, it is none; those of kernels_store().
 */
struct kt_error *kernels_uki_take(const char *path, const struct kt_kernels_options *options,
				  char **ret);

#endif
