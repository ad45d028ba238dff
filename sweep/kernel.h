/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finds the image and the modules of a kernel of a sweep. */
#ifndef KT_SWEEP_KERNEL_H
#define KT_SWEEP_KERNEL_H

#include "kernels/kernels.h"
#include "sweep/plan.h"

/*
 * Finds the one kernel that kernel->image names (kt_kernels_find(), whose errors it has; "kernel
 * NAME" stands in front). kt_kernel_deinit() frees *ret. KT_ERROR_USAGE: it names several.
 */
struct kt_error *sweep_kernel_find(const struct sweep_kernel *kernel,
				   const struct kt_kernels_options *options, struct kt_kernel *ret);

#endif
