/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A kernel to boot, a list of them, and how they are looked for (kernels/kernels.h). */
#ifndef KT_KERNELS_KERNEL_H
#define KT_KERNELS_KERNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "util/error.h"
#include "util/vec.h"

struct kt_kernel {
	char *name;    /* for a column's head: the release, else what was asked for */
	char *release; /* `uname -r`, in words that are safe to print; NULL: not known */
	char *image;   /* path for QEMU; NULL only before kt_kernels_join() */
	char *modules; /* directory of its modules (that with kernel/ or *.ko*); NULL: not known */
	char *source;  /* the file or the spec that it comes from, for messages */
};

struct kt_kernels {
	KT_VEC(struct kt_kernel) v;
};

struct kt_kernels_options {
	int64_t deadline_ns;                            /* of kt_now_ns(): fetching takes minutes */
	int cancel_fd;                                  /* readable: give up; -1: none */
	void (*progress)(void *arg, const char *stage); /* NULL: none */
	void *progress_arg;
};

void kt_kernel_deinit(struct kt_kernel *kernel);
void kt_kernels_deinit(struct kt_kernels *kernels);

#endif
