/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where a kernel to boot comes from. A person names it in one of several forms; what comes out is
 * an image for QEMU, and the directory of its modules.
 *
 *	FILE      an image: vmlinuz, bzImage, Image, vmlinux; a unified kernel image (UKI); a
 *	          package: .deb, .rpm, .pkg.tar.zst, .apk; a container image: an OCI layout in a
 *	          tar, or what `docker save` writes; the tar of a root
 *	DIR       a root with boot/ or lib/modules/, a kernel's build tree, an OCI image layout
 *	GLOB      all files that match
 *	debian:SUITE[/SERIES][:FLAVOUR], ubuntu:..., fedora:...   fetched by vm/fetch-kernel
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

/*
 * To be called once, with the kernels of all specs: packages that have modules and no image
 * (kernel-modules-core, Ubuntu's linux-modules) go to the image of the same release, and leave the
 * list. Kernels of one name from several files are then named by these, as kt_path_apart()
 * does. KT_ERROR_NOT_FOUND: there
 * is none; KT_ERROR_OS, and those of waiting: the cache.
 */
struct kt_error *kt_kernels_join(struct kt_kernels *kernels,
				 const struct kt_kernels_options *options);
#endif
