/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The kernels of a root directory: boot/ and lib/modules/. Internal to kernels/. */
#ifndef KT_KERNELS_ROOT_H
#define KT_KERNELS_ROOT_H

#include "kernels/kernel.h"
#include "kernels/recognise.h"

/*
 * Appends the kernel images in dir, each release once, with their modules. With `lone`, a directory
 * of modules without an image is a kernel without an image. What leads out of dir by a symbolic
 * link, or is no kernel, is left out. Nothing found is no error. Only memory can fail.
 */
struct kt_error *kernels_root_list(const char *dir, const char *source, bool lone,
				   struct kt_kernels *out);

/* Appends one kernel; modules may be NULL. All strings are copied. */
struct kt_error *kernels_push(const char *release, const char *image, const char *modules,
			      const char *source, struct kt_kernels *out);

/* "SOURCE: not a kernel: WHAT", and what to do; remedy NULL: what to give. */
struct kt_error *kernels_not_a_kernel(const char *source, const char *what, const char *remedy);

#endif
