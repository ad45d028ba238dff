// SPDX-License-Identifier: LGPL-2.1-or-later
#include <bzlib.h>
#include <limits.h>
#include <lz4.h>
#include <lzma.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "image/decompress.h"
#include "util/cleanup.h"
#include "util/cursor.h"

/* The compressed bytes and how much of them was used. */
struct source {
	const uint8_t *data;
	size_t len, pos;
};

/* The output: grows by doubling, never beyond limit. */
struct sink {
	uint8_t *data;
	size_t len, cap, limit;
};

enum step {
	STEP_MORE,    /* the stream goes on */
	STEP_END,     /* its end mark was read */
	STEP_CORRUPT, /* it does not decode */
	STEP_NO_MEMORY,
};

struct codec {
	const char *name;
	uint8_t magic[6];
	size_t magic_len;
	struct kt_error *(*run)(const struct codec *codec, struct source *in, struct sink *out);
};

static struct kt_error *sink_reserve(struct sink *out, size_t room)
{
	size_t cap = out->cap ? out->cap : 1 << 20;
	uint8_t *data;

	if (out->cap - out->len >= room)
		return NULL;
	if (room > out->limit - out->len)
		return kt_error_new(KT_ERROR_FORMAT,
				    "decompresses to more than %zu bytes, which no kernel does",
				    out->limit);
	while (cap - out->len < room)
		cap *= 2;
	if (cap > out->limit)
		cap = out->limit;
	data = realloc(out->data, cap);
	if (!data)
		return kt_error_no_memory();
	out->data = data;
	out->cap = cap;
	return NULL;
}

static struct kt_error *truncated(const struct codec *codec, const struct source *in)
{
	return kt_error_new(KT_ERROR_FORMAT,
			    "truncated: the %s data goes on after its %zu bytes there", codec->name,
			    in->len);
}

static struct kt_error *corrupt(const struct codec *codec, const struct source *in)
{
	return kt_error_new(KT_ERROR_FORMAT,
			    "corrupt: the %s data does not decompress (at byte %zu)", codec->name,
			    in->pos);
}

typedef enum step (*step_fn)(void *state, struct source *in, struct sink *out);

/*
 * The loop of all streaming libraries: make room, step, see what happened. A step that moves
 * neither input nor output, with room for both, waits for input that is not there.
 */
static struct kt_error *pump(const struct codec *codec, step_fn step, void *state,
			     struct source *in, struct sink *out)
{
	for (;;) {
		size_t in_before = in->pos, out_before = out->len;
		struct kt_error *err = out->len == out->cap ? sink_reserve(out, 1) : NULL;

		if (err)
			return err;
		switch (step(state, in, out)) {
		case STEP_END: return NULL;
		case STEP_CORRUPT: return corrupt(codec, in);
		case STEP_NO_MEMORY: return kt_error_no_memory();
		case STEP_MORE: break;
		}
		if (in->pos == in_before && out->len == out_before)
			return in->pos == in->len ? truncated(codec, in) : corrupt(codec, in);
	}
}

static unsigned int clamp_uint(size_t n)
{
	return n > INT_MAX ? INT_MAX : (unsigned int)n;
}

static enum step gzip_step(void *state, struct source *in, struct sink *out)
{
	z_stream *z = state;
	unsigned int in_n = clamp_uint(in->len - in->pos), out_n = clamp_uint(out->cap - out->len);
	int rc;

	z->next_in = (Bytef *)in->data + in->pos;
	z->avail_in = in_n;
	z->next_out = out->data + out->len;
	z->avail_out = out_n;
	rc = inflate(z, Z_NO_FLUSH);
	in->pos += in_n - z->avail_in;
	out->len += out_n - z->avail_out;
	if (rc == Z_MEM_ERROR)
		return STEP_NO_MEMORY;
	if (rc == Z_STREAM_END)
		return STEP_END;
	return rc == Z_OK || rc == Z_BUF_ERROR ? STEP_MORE : STEP_CORRUPT;
}

static struct kt_error *gzip_run(const struct codec *codec, struct source *in, struct sink *out)
{
	z_stream z = {0};
	struct kt_error *err;

	if (inflateInit2(&z, 16 + MAX_WBITS) != Z_OK)
		return kt_error_no_memory();
	err = pump(codec, gzip_step, &z, in, out);
	inflateEnd(&z);
	return err;
}

static enum step bzip2_step(void *state, struct source *in, struct sink *out)
{
	bz_stream *bz = state;
	unsigned int in_n = clamp_uint(in->len - in->pos), out_n = clamp_uint(out->cap - out->len);
	int rc;

	bz->next_in = (char *)in->data + in->pos;
	bz->avail_in = in_n;
	bz->next_out = (char *)out->data + out->len;
	bz->avail_out = out_n;
	rc = BZ2_bzDecompress(bz);
	in->pos += in_n - bz->avail_in;
	out->len += out_n - bz->avail_out;
	if (rc == BZ_MEM_ERROR)
		return STEP_NO_MEMORY;
	if (rc == BZ_STREAM_END)
		return STEP_END;
	return rc == BZ_OK ? STEP_MORE : STEP_CORRUPT;
}

static struct kt_error *bzip2_run(const struct codec *codec, struct source *in, struct sink *out)
{
	bz_stream bz = {0};
	struct kt_error *err;

	if (BZ2_bzDecompressInit(&bz, 0, 0) != BZ_OK)
		return kt_error_no_memory();
	err = pump(codec, bzip2_step, &bz, in, out);
	BZ2_bzDecompressEnd(&bz);
	return err;
}

static enum step lzma_step(void *state, struct source *in, struct sink *out)
{
	lzma_stream *lz = state;
	lzma_ret rc;

	lz->next_in = in->data + in->pos;
	lz->avail_in = in->len - in->pos;
	lz->next_out = out->data + out->len;
	lz->avail_out = out->cap - out->len;
	rc = lzma_code(lz, LZMA_RUN);
	in->pos = in->len - lz->avail_in;
	out->len = out->cap - lz->avail_out;
	if (rc == LZMA_MEM_ERROR)
		return STEP_NO_MEMORY;
	if (rc == LZMA_STREAM_END)
		return STEP_END;
	return rc == LZMA_OK || rc == LZMA_BUF_ERROR ? STEP_MORE : STEP_CORRUPT;
}

/* xz and lzma. The kernel's dictionary is 32 MiB; 256 MiB of memory is room for any of them. */
static struct kt_error *lzma_run(const struct codec *codec, struct source *in, struct sink *out)
{
	lzma_stream lz = LZMA_STREAM_INIT;
	struct kt_error *err;
	lzma_ret rc;

	if (codec->magic[0] == 0xfd)
		rc = lzma_stream_decoder(&lz, 256 << 20, 0);
	else
		rc = lzma_alone_decoder(&lz, 256 << 20);
	if (rc != LZMA_OK)
		return kt_error_no_memory();
	err = pump(codec, lzma_step, &lz, in, out);
	lzma_end(&lz);
	return err;
}

static enum step zstd_step(void *state, struct source *in, struct sink *out)
{
	ZSTD_inBuffer src = {in->data, in->len, in->pos};
	ZSTD_outBuffer dst = {out->data, out->cap, out->len};
	size_t rc = ZSTD_decompressStream(state, &dst, &src);

	in->pos = src.pos;
	out->len = dst.pos;
	if (ZSTD_isError(rc))
		return STEP_CORRUPT;
	return rc == 0 ? STEP_END : STEP_MORE;
}

/*
 * The size of the output, if the frame or the four bytes that the kernel's build appends to
 * it tell; 0 if not. Only a hint: it may be a lie.
 */
static size_t zstd_size_hint(const struct source *in)
{
	unsigned long long size = ZSTD_getFrameContentSize(in->data, in->len);
	size_t frame = ZSTD_findFrameCompressedSize(in->data, in->len);

	if (size == ZSTD_CONTENTSIZE_UNKNOWN && !ZSTD_isError(frame) && in->len - frame >= 4)
		size = kt_load_uint(in->data + frame, 4, false);
	return size > SIZE_MAX / 2 ? 0 : (size_t)size;
}

/*
 * Into one buffer of the right size: without the stream's window of up to 128 MiB, which
 * would be filled first and copied from, this takes half the time. False: use the stream.
 */
static bool zstd_at_once(ZSTD_DCtx *dctx, const struct source *in, struct sink *out)
{
	size_t hint = zstd_size_hint(in), frame, n;

	if (!hint || hint > out->limit)
		return false;
	frame = ZSTD_findFrameCompressedSize(in->data, in->len);
	if (ZSTD_isError(frame))
		return false;
	out->data = malloc(hint);
	if (!out->data)
		return false;
	out->cap = hint;
	n = ZSTD_decompressDCtx(dctx, out->data, out->cap, in->data, frame);
	if (ZSTD_isError(n)) {
		ZSTD_DCtx_reset(dctx, ZSTD_reset_session_only);
		return false;
	}
	out->len = n;
	return true;
}

static struct kt_error *zstd_run(const struct codec *codec, struct source *in, struct sink *out)
{
	ZSTD_DCtx *dctx = ZSTD_createDCtx();
	struct kt_error *err;

	if (!dctx)
		return kt_error_no_memory();
	err = zstd_at_once(dctx, in, out) ? NULL : pump(codec, zstd_step, dctx, in, out);
	ZSTD_freeDCtx(dctx);
	return err;
}

/* Each chunk of lz4's legacy frame is 8 MiB of output, the last one less (lz4_Frame_format.md). */
#define LZ4_CHUNK (8 << 20)

/*
 * The legacy frame has no end mark: it ends with the data, or with the four bytes of output
 * size that the kernel's build appends (scripts/Makefile.lib, size_append).
 */
static struct kt_error *lz4_run(const struct codec *codec, struct source *in, struct sink *out)
{
	in->pos = codec->magic_len;
	while (in->len - in->pos > 4) {
		size_t size = (size_t)kt_load_uint(in->data + in->pos, 4, false);
		struct kt_error *err;
		size_t room;
		int n;

		if (!size || size > (size_t)LZ4_compressBound(LZ4_CHUNK))
			return corrupt(codec, in);
		if (size > in->len - in->pos - 4)
			return truncated(codec, in);
		room = out->limit - out->len < LZ4_CHUNK ? out->limit - out->len : LZ4_CHUNK;
		err = sink_reserve(out, room ? room : 1);
		if (err)
			return err;
		in->pos += 4;
		n = LZ4_decompress_safe((const char *)in->data + in->pos,
					(char *)out->data + out->len, (int)size, (int)room);
		if (n < 0)
			return room < LZ4_CHUNK ? sink_reserve(out, LZ4_CHUNK) : corrupt(codec, in);
		in->pos += size;
		out->len += (size_t)n;
		/* The last chunk, as a rule the only one that is not full; nothing marks the end.
		 */
		if (n < LZ4_CHUNK)
			break;
	}
	return out->len ? NULL : truncated(codec, in);
}

static const struct codec codecs[] = {
	{"gzip", {0x1f, 0x8b, 0x08}, 3, gzip_run},
	{"xz", {0xfd, '7', 'z', 'X', 'Z', 0}, 6, lzma_run},
	{"bzip2", {'B', 'Z', 'h'}, 3, bzip2_run},
	{"lz4", {0x02, 0x21, 0x4c, 0x18}, 4, lz4_run},
	{"zstd", {0x28, 0xb5, 0x2f, 0xfd}, 4, zstd_run},
	/* lzma has no magic: lc/lp/pb as every encoder sets them, and a whole dictionary size. */
	{"lzma", {0x5d, 0, 0}, 3, lzma_run},
};

static const struct codec *codec_of(const void *data, size_t len)
{
	for (size_t i = 0; i < sizeof(codecs) / sizeof(*codecs); i++) {
		const struct codec *codec = &codecs[i];

		if (len >= codec->magic_len && !memcmp(data, codec->magic, codec->magic_len))
			return codec;
	}
	return NULL;
}

const char *decompress_format(const void *data, size_t len)
{
	const struct codec *codec = codec_of(data, len);

	return codec ? codec->name : NULL;
}

struct kt_error *decompress(const void *data, size_t len, size_t limit, uint8_t **ret,
			    size_t *len_ret)
{
	const struct codec *codec = codec_of(data, len);
	struct source in = {.data = data, .len = len};
	struct sink out = {.limit = limit};
	struct kt_error *err;

	if (!codec)
		return kt_error_new(KT_ERROR_FORMAT, "compressed in no format known here");
	err = codec->run(codec, &in, &out);
	if (err) {
		free(out.data);
		return err;
	}
	*ret = out.data;
	*len_ret = out.len;
	return NULL;
}
