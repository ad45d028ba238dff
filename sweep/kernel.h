/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finds the image of a kernel of a sweep. */
#ifndef KT_SWEEP_KERNEL_H
#define KT_SWEEP_KERNEL_H

#include "sweep/plan.h"

/*
 * The path of the kernel's image, which the caller frees. For "debian:..." it runs fetch-kernel,
 * which downloads what is not in the cache; that can take minutes, up to deadline_ns. fetch-kernel
 * is in vm/ of the source tree, in libexec/ktstr-gdb/ of an installed tool, or where
 * KTSTR_FETCH_KERNEL says. Errors: KT_ERROR_NOT_FOUND if there is no fetch-kernel, or with its
 * words if it fails; KT_ERROR_CANCELLED if cancel_fd (-1: none) is readable: then fetch-kernel has
 * been ended; KT_ERROR_OS if the image cannot be read.
 */
struct kt_error *sweep_kernel_image(const struct sweep_kernel *kernel, int64_t deadline_ns,
				    int cancel_fd, char **ret);

#endif
