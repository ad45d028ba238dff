/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The compressions a kernel image comes in: those of the kernel's own menu
 * (init/Kconfig, KERNEL_GZIP to KERNEL_ZSTD) except LZO.
 */
#ifndef KT_IMAGE_DECOMPRESS_H
#define KT_IMAGE_DECOMPRESS_H

#include <stddef.h>
#include <stdint.h>

#include "util/error.h"

/* No kernel image is larger; what claims to be is a decompression bomb. */
#define DECOMPRESS_LIMIT ((size_t)1 << 30)

/* "gzip", "xz", "lzma", "bzip2", "lz4", "zstd": what the bytes begin like; NULL for anything else.
 */
const char *decompress_format(const void *data, size_t len);

/*
 * Decompresses the first stream in data; bytes behind it are ignored, because the kernel's
 * build appends the output's size. Writes at most limit bytes. The caller frees *ret.
 *
 * KT_ERROR_FORMAT: no known format, corrupt, truncated (named as such) or over the limit.
 */
struct kt_error *decompress(const void *data, size_t len, size_t limit, uint8_t **ret,
			    size_t *len_ret);

#endif
