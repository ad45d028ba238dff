/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Compresses as the kernel's build does, and wraps the result into an x86 bzImage. */
#ifndef KT_TESTS_BTF_WRAP_H
#define KT_TESTS_BTF_WRAP_H

#include <bzlib.h>
#include <lz4.h>
#include <lzma.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "util/buf.h"

static const char *const wrap_formats[] = {"gzip", "xz", "lzma", "bzip2", "lz4", "zstd"};
#define WRAP_FORMATS (sizeof(wrap_formats) / sizeof(*wrap_formats))

static inline void wrap_le(struct kt_buf *out, uint64_t value, size_t size)
{
	for (size_t i = 0; i < size; i++)
		kt_buf_appendc(out, (char)(value >> (8 * i)));
}

static inline size_t wrap_gzip(const void *in, size_t len, uint8_t *out, size_t cap)
{
	z_stream z = {0};

	deflateInit2(&z, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
	z.next_in = (Bytef *)in;
	z.avail_in = (unsigned int)len;
	z.next_out = out;
	z.avail_out = (unsigned int)cap;
	deflate(&z, Z_FINISH);
	deflateEnd(&z);
	return cap - z.avail_out;
}

static inline size_t wrap_lzma(const char *format, const void *in, size_t len, uint8_t *out,
			       size_t cap)
{
	lzma_stream lz = LZMA_STREAM_INIT;
	lzma_options_lzma options;

	lzma_lzma_preset(&options, 1);
	if (!strcmp(format, "xz"))
		(void)!lzma_easy_encoder(&lz, 1, LZMA_CHECK_CRC32);
	else
		(void)!lzma_alone_encoder(&lz, &options);
	lz.next_in = in;
	lz.avail_in = len;
	lz.next_out = out;
	lz.avail_out = cap;
	(void)!lzma_code(&lz, LZMA_FINISH);
	lzma_end(&lz);
	return cap - lz.avail_out;
}

/* The legacy frame: a magic, then chunks of at most 8 MiB with their compressed size. */
static inline void wrap_lz4(struct kt_buf *out, const char *in, size_t len)
{
	wrap_le(out, 0x184c2102, 4);
	for (size_t pos = 0; pos < len;) {
		int n = len - pos < 8 << 20 ? (int)(len - pos) : 8 << 20;
		int cap = LZ4_compressBound(n);
		char *chunk = malloc((size_t)cap);
		int got = LZ4_compress_default(in + pos, chunk, n, cap);

		wrap_le(out, (uint64_t)got, 4);
		kt_buf_append(out, chunk, (size_t)got);
		free(chunk);
		pos += (size_t)n;
	}
}

static inline void wrap_compress(struct kt_buf *out, const char *format, const void *in, size_t len)
{
	size_t cap = len + len / 8 + 4096, n = 0;
	uint8_t *bytes = malloc(cap);

	if (!strcmp(format, "gzip")) {
		n = wrap_gzip(in, len, bytes, cap);
	} else if (!strcmp(format, "bzip2")) {
		unsigned int bz_n = (unsigned int)cap;

		BZ2_bzBuffToBuffCompress((char *)bytes, &bz_n, (char *)in, (unsigned int)len, 1, 0,
					 0);
		n = bz_n;
	} else if (!strcmp(format, "zstd")) {
		n = ZSTD_compress(bytes, cap, in, len, 3);
	} else if (!strcmp(format, "lz4")) {
		wrap_lz4(out, in, len);
	} else {
		n = wrap_lzma(format, in, len, bytes, cap);
	}
	kt_buf_append(out, bytes, n);
	free(bytes);
}

/* A bzImage of boot protocol 2.15 with two setup sectors, then 100 bytes, then the payload. */
#define WRAP_PAYLOAD ((2 + 1) * 512 + 100)

static inline void wrap_bzimage(struct kt_buf *out, const char *format, const void *in, size_t len)
{
	struct kt_buf payload = KT_BUF_INIT;
	char setup[WRAP_PAYLOAD] = {0};
	uint32_t n;

	wrap_compress(&payload, format, in, len);
	/* scripts/Makefile.lib appends the output's size, which gzip has anyway. */
	if (strcmp(format, "gzip"))
		wrap_le(&payload, len, 4);
	n = (uint32_t)payload.len;
	setup[0x1f1] = 2;
	setup[0x1fe] = 0x55;
	setup[0x1ff] = (char)0xaa;
	memcpy(setup + 0x202, "HdrS\x0f\x02", 6);
	setup[0x248] = 100;
	for (int i = 0; i < 4; i++)
		setup[0x24c + i] = (char)(n >> (8 * i));
	kt_buf_append(out, setup, sizeof(setup));
	kt_buf_append(out, payload.data, payload.len);
	kt_buf_deinit(&payload);
}

#endif
