// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sweep/kernel.h"
#include "util/cleanup.h"

struct kt_error *sweep_kernel_find(const struct sweep_kernel *kernel,
				   const struct kt_kernels_options *options, struct kt_kernel *ret)
{
	_cleanup_(kt_kernels_deinit) struct kt_kernels found = {0};
	struct kt_error *err = kt_kernels_find(kernel->image, options, &found);

	if (!err)
		err = kt_kernels_join(&found, options);
	if (!err && found.v.len != 1)
		err = kt_error_hint(kt_error_new(KT_ERROR_USAGE, "%s: it names %zu kernels",
						 kernel->image, found.v.len),
				    "give each a line of its own in the sweep's file");
	if (err)
		return kt_error_wrap(err, "kernel %s", kernel->name);
	*ret = found.v.data[0];
	found.v.data[0] = (struct kt_kernel){0};
	return NULL;
}
