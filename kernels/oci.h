/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Container images: an OCI image layout, as a directory or a tar, and what `docker save` writes.
 * Layers are applied from the lowest to the uppermost, with their whiteouts
 * (https://github.com/opencontainers/image-spec, layer.md). Internal to kernels/.
 */
#ifndef KT_KERNELS_OCI_H
#define KT_KERNELS_OCI_H

#include "kernels/archive.h"

/*
 * Puts what is wanted (kernels/place.h) of each image into dir/0, dir/1, ... fd is the directory,
 * or the tar. An image of which a part is not there is left out, as long as there is another one.
 * Errors do not name the file: KT_ERROR_FORMAT, not as they have to be; KT_ERROR_NOT_FOUND, a part
 * is missing.
 */
struct kt_error *kernels_oci_unpack(int fd, bool is_dir, struct kernels_reading *reading,
				    const char *dir);

#endif
