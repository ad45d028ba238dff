// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdlib.h>

#include "kernels/kernel.h"

void kt_kernel_deinit(struct kt_kernel *kernel)
{
	free(kernel->name);
	free(kernel->release);
	free(kernel->image);
	free(kernel->modules);
	free(kernel->source);
	*kernel = (struct kt_kernel){0};
}

void kt_kernels_deinit(struct kt_kernels *kernels)
{
	kt_vec_for_each (&kernels->v, kernel)
		kt_kernel_deinit(kernel);
	kt_vec_free(&kernels->v);
}
