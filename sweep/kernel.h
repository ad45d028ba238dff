/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The image of a kernel that a sweep names. */
#ifndef KT_SWEEP_KERNEL_H
#define KT_SWEEP_KERNEL_H

#include "sweep/plan.h"

/*
 * The path of its image, which the caller frees. "debian:..." is resolved by fetch-kernel, which
 * downloads what is not cached yet and takes minutes then, until deadline_ns. It is found beside
 * the tool: in vm/ of the source tree, in libexec/ktstr-gdb/ where that is installed; or where
 * KTSTR_FETCH_KERNEL says. Errors: NOT_FOUND, no fetcher; OS, no such image; what the fetcher says.
 */
struct kt_error *sweep_kernel_image(const struct sweep_kernel *kernel, int64_t deadline_ns,
				    char **ret);

#endif
