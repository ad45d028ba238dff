/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Everything that is decompressed here: kernel images, kernel modules, verifier logs. libarchive
 * does the work; zlib and libzstd do where the whole is in memory.
 *
 * The formats are those of the kernel's own menu (init/Kconfig, KERNEL_GZIP to KERNEL_ZSTD) except
 * LZO, and lz4's newer frame, which lz4(1) writes.
 */
#ifndef KT_IMAGE_DECOMPRESS_H
#define KT_IMAGE_DECOMPRESS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "util/error.h"

/* No kernel image is larger; what claims to be is a decompression bomb. */
#define DECOMPRESS_LIMIT ((size_t)1 << 30)

#define HINT_TRUNCATED_FILE "copy or download the file again"

/* "gzip", "xz", "lzma", "bzip2", "lz4", "zstd" by the first bytes; NULL for anything else. */
const char *decompress_format(const void *data, size_t len);

/*
 * Decompresses the first stream in data; bytes behind it are ignored, because the kernel's
 * build appends the output's size. Only bzip2's streams are joined. Writes at most limit bytes. The
 * caller frees *ret.
 *
 * KT_ERROR_FORMAT: no known format, corrupt, truncated (named as such) or over the limit.
 */
struct kt_error *decompress(const void *data, size_t len, size_t limit, uint8_t **ret,
			    size_t *len_ret);

/* The first bytes of that, at most size. Damage behind them is not noticed. */
struct kt_error *decompress_head(const void *data, size_t len, uint8_t *head, size_t size,
				 size_t *len_ret);

/* Decompresses piece by piece, and one stream after the other, if the input has several. */
struct decompressor;

/* Gives the next bytes of the input, which stay until the next call. 0: its end; below: -errno. */
typedef ssize_t decompress_feed_fn(void *context, const void **ret);

/* format is what decompress_format() gave. Nothing is read yet; only memory can fail. */
struct kt_error *decompressor_create(const char *format, decompress_feed_fn *feed, void *context,
				     struct decompressor **ret);
void decompressor_destroy(struct decompressor *d);
void decompressor_destroyp(struct decompressor **d);

/*
 * The next bytes of the output, good until the next call; *len_ret is 0 at the end. After an error
 * there is no more. KT_ERROR_FORMAT: truncated or corrupt; KT_ERROR_OS: from feed.
 */
struct kt_error *decompressor_next(struct decompressor *d, const void **ret, size_t *len_ret);

#endif
