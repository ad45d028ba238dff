// SPDX-License-Identifier: LGPL-2.1-or-later
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <lzma.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "image/decompress.h"
#include "util/cleanup.h"
#include "util/cursor.h"

struct format {
	const char *name;
	uint8_t magic[6];
	size_t magic_len;
	int filter; /* libarchive's name of it */
	/*
	 * lz4's legacy frame has no end mark. It is cut into chunks of this size (of the output),
	 * so that the first smaller one is the last (lz4_Frame_format.md). 0: has an end mark.
	 */
	size_t chunk;
};

static const struct format formats[] = {
	{"gzip", {0x1f, 0x8b, 0x08}, 3, ARCHIVE_FILTER_GZIP, 0},
	{"xz", {0xfd, '7', 'z', 'X', 'Z', 0}, 6, ARCHIVE_FILTER_XZ, 0},
	{"bzip2", {'B', 'Z', 'h'}, 3, ARCHIVE_FILTER_BZIP2, 0},
	{"lz4", {0x02, 0x21, 0x4c, 0x18}, 4, ARCHIVE_FILTER_LZ4, 8 << 20},
	{"lz4", {0x04, 0x22, 0x4d, 0x18}, 4, ARCHIVE_FILTER_LZ4, 0},
	{"zstd", {0x28, 0xb5, 0x2f, 0xfd}, 4, ARCHIVE_FILTER_ZSTD, 0},
	/* lzma has no magic: lc/lp/pb as every encoder sets them, and a whole dictionary size. */
	{"lzma", {0x5d, 0, 0}, 3, ARCHIVE_FILTER_LZMA, 0},
};
#define N_FORMATS (sizeof(formats) / sizeof(*formats))

/*
 * Text may begin with "BZh", too. In bzip2, a digit and the first digits of pi follow, or, where
 * the content is empty, those of the square root of pi.
 */
static bool may_be_bzip2(const uint8_t *data, size_t len)
{
	return len < 10 || !memcmp(data + 4, "\x31\x41\x59\x26\x53\x59", 6) ||
	       !memcmp(data + 4, "\x17\x72\x45\x38\x50\x90", 6);
}

static const struct format *format_of(const void *data, size_t len)
{
	for (size_t i = 0; i < N_FORMATS; i++) {
		const struct format *f = &formats[i];

		if (len >= f->magic_len && !memcmp(data, f->magic, f->magic_len) &&
		    (f->filter != ARCHIVE_FILTER_BZIP2 || may_be_bzip2(data, len)))
			return f;
	}
	return NULL;
}

const char *decompress_format(const void *data, size_t len)
{
	const struct format *format = format_of(data, len);

	return format ? format->name : NULL;
}

/* --- piece by piece --- */

struct decompressor {
	struct archive *archive;
	const struct format *format;
	decompress_feed_fn *feed;
	void *context;
	bool begun, ended;
	bool exhausted; /* more input was asked for than there is */
	int errnum;     /* of feed */
};

static struct kt_error *create(const struct format *format, decompress_feed_fn *feed, void *context,
			       struct decompressor **ret)
{
	struct decompressor *d = calloc(1, sizeof(*d));
	struct archive *a = archive_read_new();
	int rc = ARCHIVE_FATAL;

	if (d && a && archive_read_support_format_raw(a) == ARCHIVE_OK &&
	    archive_read_support_format_empty(a) == ARCHIVE_OK) {
		/*
		 * libarchive looks at the first bytes itself, and at more than short files have,
		 * except where it is told the format. But only where it looks at them does it
		 * notice that a gzip trailer is missing.
		 */
		rc = format->filter == ARCHIVE_FILTER_GZIP
			     ? archive_read_support_filter_gzip(a)
			     : archive_read_append_filter(a, format->filter);
	}
	if (rc != ARCHIVE_OK) {
		archive_read_free(a);
		free(d);
		return kt_error_no_memory();
	}
	*d = (struct decompressor){
		.archive = a,
		.format = format,
		.feed = feed,
		.context = context,
	};
	*ret = d;
	return NULL;
}

struct kt_error *decompressor_create(const char *format, decompress_feed_fn *feed, void *context,
				     struct decompressor **ret)
{
	for (size_t i = 0; i < N_FORMATS; i++)
		if (!strcmp(formats[i].name, format))
			return create(&formats[i], feed, context, ret);
	return kt_error_new(KT_ERROR_FORMAT, "%s is no compression known here", format);
}

void decompressor_destroy(struct decompressor *d)
{
	if (!d)
		return;
	archive_read_free(d->archive);
	free(d);
}

void decompressor_destroyp(struct decompressor **d)
{
	decompressor_destroy(*d);
}

static la_ssize_t feed_archive(struct archive *archive, void *context, const void **ret)
{
	struct decompressor *d = context;
	ssize_t n = d->feed(d->context, ret);

	if (n < 0) {
		d->errnum = (int)-n;
		archive_set_error(archive, d->errnum, "read error");
		return ARCHIVE_FATAL;
	}
	d->exhausted |= n == 0;
	return n;
}

static struct kt_error *truncated(const char *name)
{
	return kt_error_hint(kt_error_new(KT_ERROR_FORMAT, "truncated: the %s data has no end",
					  name),
			     HINT_TRUNCATED_FILE);
}

static struct kt_error *broken(const struct decompressor *d)
{
	const char *name = d->format->name, *why = archive_error_string(d->archive);

	if (d->errnum)
		return kt_error_os(d->errnum, "cannot read the %s data", name);
	if (archive_errno(d->archive) == ENOMEM)
		return kt_error_no_memory();
	if (d->exhausted)
		return truncated(name);
	return kt_error_new(KT_ERROR_FORMAT, "corrupt: the %s data does not decompress%s%s", name,
			    why ? ": " : "", why ? why : "");
}

static bool begin(struct decompressor *d)
{
	struct archive_entry *entry;
	int rc = archive_read_open(d->archive, d, NULL, feed_archive, NULL);

	/*
	 * To libarchive, an archive whose first bytes do not decompress is an empty one, and what
	 * no filter takes is not compressed.
	 */
	if (rc != ARCHIVE_OK || archive_errno(d->archive) || archive_filter_count(d->archive) < 2)
		return false;
	rc = archive_read_next_header(d->archive, &entry);
	d->ended = rc == ARCHIVE_EOF;
	if (d->ended)
		return archive_filter_bytes(d->archive, -1) > 0;
	return rc == ARCHIVE_OK || rc == ARCHIVE_WARN;
}

struct kt_error *decompressor_next(struct decompressor *d, const void **ret, size_t *len_ret)
{
	size_t len = 0;

	*len_ret = 0;
	if (!d->begun && !begin(d))
		return broken(d);
	d->begun = true;
	while (!d->ended && !len) {
		la_int64_t offset;
		int rc = archive_read_data_block(d->archive, ret, &len, &offset);

		d->ended = rc == ARCHIVE_EOF;
		if (rc != ARCHIVE_OK && !d->ended)
			return broken(d);
	}
	*len_ret = d->ended ? 0 : len;
	return NULL;
}

/* --- in memory, the first stream --- */

struct memory {
	const uint8_t *data;
	size_t len;
	bool given;
};

static ssize_t feed_memory(void *context, const void **ret)
{
	struct memory *m = context;
	size_t n = m->given ? 0 : m->len;

	m->given = true;
	*ret = m->data;
	return (ssize_t)n;
}

/*
 * The length of the first xz stream (xz-file-format.txt): a header of 12 bytes, blocks, an index,
 * and a footer of 12 bytes (CRC32, backward size, the header's flags, "YZ"). Each part has a
 * multiple of 4 bytes; the backward size leads to the index, whose first byte is 0.
 */
static size_t xz_length(const uint8_t *data, size_t len)
{
	for (size_t at = 20; at + 12 <= len; at += 4) {
		const uint8_t *footer = data + at;
		uint64_t index;

		if (memcmp(footer + 10, "YZ", 2) || memcmp(footer + 8, data + 6, 2))
			continue;
		index = (kt_load_uint(footer + 4, 4, false) + 1) * 4;
		if (index <= at - 12 && !data[at - index])
			return at + 12;
	}
	return len;
}

/*
 * How far the first stream reaches, if that shows without decompressing it: libarchive would take
 * what is behind it for another stream. bzip2 does not show it, so its streams are joined.
 */
static size_t stream_length(const struct format *format, const uint8_t *data, size_t len)
{
	size_t n = len;

	if (format->filter == ARCHIVE_FILTER_XZ)
		n = xz_length(data, len);
	else if (format->filter == ARCHIVE_FILTER_ZSTD)
		n = ZSTD_findFrameCompressedSize(data, len);
	return ZSTD_isError(n) ? len : n;
}

/* The kernel's build has a dictionary of 64 MiB at most; liblzma would allocate 4 GiB. */
#define LZMA_DICTIONARY_MAX ((uint64_t)256 << 20)

/* The memory that xz's first block asks for, by its header; 0 if that is damaged. */
static uint64_t xz_memory(const uint8_t *data, size_t len)
{
	lzma_filter filters[LZMA_FILTERS_MAX + 1];
	lzma_block block = {.version = 0, .filters = filters};
	lzma_stream_flags flags;
	uint64_t usage;

	if (len <= LZMA_STREAM_HEADER_SIZE || lzma_stream_header_decode(&flags, data) != LZMA_OK)
		return 0;
	data += LZMA_STREAM_HEADER_SIZE;
	len -= LZMA_STREAM_HEADER_SIZE;
	block.check = flags.check;
	block.header_size = lzma_block_header_size_decode(*data);
	/* 0 is an index: a stream without blocks. */
	if (!*data || len < block.header_size ||
	    lzma_block_header_decode(&block, NULL, data) != LZMA_OK)
		return 0;
	usage = lzma_raw_decoder_memusage(filters);
	for (size_t i = 0; filters[i].id != LZMA_VLI_UNKNOWN; i++)
		free(filters[i].options);
	return usage;
}

static struct kt_error *open_memory(struct memory *m, struct decompressor **ret)
{
	const struct format *format = format_of(m->data, m->len);

	if (!format)
		return kt_error_new(KT_ERROR_FORMAT, "compressed in no format known here");
	if (format->filter == ARCHIVE_FILTER_LZMA && m->len >= 5 &&
	    kt_load_uint(m->data + 1, 4, false) > LZMA_DICTIONARY_MAX)
		return kt_error_new(KT_ERROR_FORMAT, "corrupt: no lzma dictionary is as large");
	/* Twice the dictionary is more than any decoder needs beside it. */
	if (format->filter == ARCHIVE_FILTER_XZ &&
	    xz_memory(m->data, m->len) > 2 * LZMA_DICTIONARY_MAX)
		return kt_error_new(KT_ERROR_FORMAT, "corrupt: no xz dictionary is as large");
	m->len = stream_length(format, m->data, m->len);
	return create(format, feed_memory, m, ret);
}

/* The output: grows by doubling, never beyond limit. */
struct sink {
	uint8_t *data;
	size_t len, cap, limit;
};

static void sink_deinit(struct sink *out)
{
	free(out->data);
}

static struct kt_error *sink_append(struct sink *out, const void *data, size_t len)
{
	size_t cap = out->cap ? out->cap : 1 << 20;
	uint8_t *larger;

	if (len > out->limit - out->len)
		return kt_error_new(KT_ERROR_FORMAT,
				    "decompresses to more than %zu bytes, which no kernel does",
				    out->limit);
	while (cap - out->len < len)
		cap *= 2;
	if (cap > out->limit)
		cap = out->limit;
	if (cap > out->cap) {
		larger = realloc(out->data, cap);
		if (!larger)
			return kt_error_no_memory();
		out->data = larger;
		out->cap = cap;
	}
	if (len)
		memcpy(out->data + out->len, data, len);
	out->len += len;
	return NULL;
}

/*
 * The size of the output, if the frame or the four bytes that the kernel's build appends to
 * it (scripts/Makefile.lib, size_append) tell; 0 if not. Only a hint: it may be a lie.
 */
static size_t zstd_size_hint(const uint8_t *data, size_t len)
{
	unsigned long long size = ZSTD_getFrameContentSize(data, len);
	size_t frame = ZSTD_findFrameCompressedSize(data, len);

	if (size == ZSTD_CONTENTSIZE_UNKNOWN && !ZSTD_isError(frame) && len - frame >= 4)
		size = kt_load_uint(data + frame, 4, false);
	return size > SIZE_MAX / 2 ? 0 : (size_t)size;
}

/*
 * Into one buffer of the right size, without the stream's window of up to 128 MiB, which would be
 * filled first and copied from. For Debian's kernels this takes three quarters of the time of the
 * stream. False: use the stream.
 */
static bool zstd_at_once(const uint8_t *data, size_t len, struct sink *out)
{
	size_t size = zstd_size_hint(data, len), frame = ZSTD_findFrameCompressedSize(data, len);

	if (!size || size > out->limit || ZSTD_isError(frame))
		return false;
	out->data = malloc(size);
	if (!out->data)
		return false;
	out->cap = size;
	out->len = ZSTD_decompress(out->data, size, data, frame);
	if (!ZSTD_isError(out->len))
		return true;
	out->len = 0;
	return false;
}

/*
 * By zlib itself: libarchive does not check the trailer, goes on with a second member, and unpacks
 * gzip in gzip in gzip, each of which may be a million empty members. Stops at max bytes or behind.
 */
static struct kt_error *gunzip(const uint8_t *data, size_t len, size_t max, struct sink *out)
{
	z_stream z = {.next_in = (Bytef *)data};
	struct kt_error *err = NULL;
	uint8_t piece[64 * 1024];
	int rc = inflateInit2(&z, 16 + MAX_WBITS);

	if (rc != Z_OK)
		return kt_error_no_memory();
	while (!err && rc == Z_OK && out->len < max) {
		size_t left = len - (size_t)(z.next_in - data);

		z.avail_in = left < UINT32_MAX ? (uInt)left : UINT32_MAX;
		z.next_out = piece;
		z.avail_out = sizeof(piece);
		rc = inflate(&z, Z_NO_FLUSH);
		if (rc == Z_OK || rc == Z_STREAM_END)
			err = sink_append(out, piece, sizeof(piece) - z.avail_out);
	}
	if (!err && rc == Z_BUF_ERROR)
		err = truncated("gzip");
	else if (!err && rc == Z_MEM_ERROR)
		err = kt_error_no_memory();
	else if (!err && rc != Z_OK && rc != Z_STREAM_END)
		err = kt_error_new(KT_ERROR_FORMAT,
				   "corrupt: the gzip data does not decompress%s%s",
				   z.msg ? ": " : "", z.msg ? z.msg : "");
	inflateEnd(&z);
	return err;
}

static struct kt_error *drain(struct decompressor *d, const struct memory *whole, struct sink *out)
{
	size_t n, chunk = d->format->chunk;
	const void *block = NULL;
	struct kt_error *err;

	do {
		err = decompressor_next(d, &block, &n);
		if (!err)
			err = sink_append(out, block, n);
	} while (!err && n && (!chunk || n == chunk));
	if (!chunk || !out->len || (!err && n))
		return err;
	/*
	 * The last chunk was full. What follows passes for the size of another chunk: the appended
	 * size, or damage, which libarchive takes for an end.
	 */
	if (kt_load_uint(whole->data + whole->len - 4, 4, false) == out->len) {
		kt_error_destroy(err);
		return NULL;
	}
	if (!err && archive_filter_bytes(d->archive, -1) < (la_int64_t)whole->len)
		err = kt_error_new(KT_ERROR_FORMAT,
				   "corrupt: the lz4 data does not decompress behind byte %zu",
				   out->len);
	return err;
}

static bool is_gzip(const void *data, size_t len)
{
	const struct format *format = format_of(data, len);

	return format && format->filter == ARCHIVE_FILTER_GZIP;
}

struct kt_error *decompress(const void *data, size_t len, size_t limit, uint8_t **ret,
			    size_t *len_ret)
{
	_cleanup_(decompressor_destroyp) struct decompressor *d = NULL;
	_cleanup_(sink_deinit) struct sink out = {.limit = limit};
	struct memory memory = {.data = data, .len = len};
	bool gzip = is_gzip(data, len);
	struct kt_error *err = gzip ? gunzip(data, len, SIZE_MAX, &out) : open_memory(&memory, &d);

	if (!err && !gzip &&
	    !(d->format->filter == ARCHIVE_FILTER_ZSTD && zstd_at_once(data, len, &out)))
		err = drain(d, &memory, &out);
	if (err)
		return err;
	*len_ret = out.len;
	*ret = kt_take_ptr(out.data);
	return NULL;
}

struct kt_error *decompress_head(const void *data, size_t len, uint8_t *head, size_t size,
				 size_t *len_ret)
{
	_cleanup_(decompressor_destroyp) struct decompressor *d = NULL;
	_cleanup_(sink_deinit) struct sink out = {.limit = SIZE_MAX};
	struct memory memory = {.data = data, .len = len};
	struct kt_error *err;
	size_t done = 0;

	if (is_gzip(data, len)) {
		err = gunzip(data, len, size, &out);
		if (err)
			return err;
		*len_ret = out.len < size ? out.len : size;
		if (*len_ret)
			memcpy(head, out.data, *len_ret);
		return NULL;
	}
	err = open_memory(&memory, &d);
	while (!err && done < size) {
		const void *block;
		size_t n;

		err = decompressor_next(d, &block, &n);
		if (err || !n)
			break;
		n = n < size - done ? n : size - done;
		memcpy(head + done, block, n);
		done += n;
	}
	if (!err)
		*len_ret = done;
	return err;
}
