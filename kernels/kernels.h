/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where a kernel to boot comes from. A person names it in one of several forms; what comes out is
 *an image for QEMU, and the directory of its modules.
 *
 *	FILE                              an image: vmlinuz, bzImage, Image, vmlinux
 *	debian:SUITE[/SERIES][:FLAVOUR]   fetched by vm/fetch-kernel
 *	GLOB                              all files that match
 */
#ifndef KT_KERNELS_KERNELS_H
#define KT_KERNELS_KERNELS_H

#include "kernels/kernel.h"

/*
 * Appends the kernels of spec to *out, those of a glob by release; each at least once. On an error
 * nothing is appended. Errors name spec or the file: KT_ERROR_NOT_FOUND, there is no such file,
 * suite, or fetch-kernel; KT_ERROR_FORMAT, not a kernel, and what it is instead;
 * KT_ERROR_UNSUPPORTED; KT_ERROR_OS; KT_ERROR_CANCELLED; KT_ERROR_TIMEOUT.
 */
struct kt_error *kt_kernels_find(const char *spec, const struct kt_kernels_options *options,
				 struct kt_kernels *out);

/* True: spec is one of the forms with a word and ":" in front, not a path. */
bool kt_kernels_is_remote(const char *spec);

#endif
