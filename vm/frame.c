// SPDX-License-Identifier: LGPL-2.1-or-later
#include <string.h>
#include <zlib.h>

#include "util/cursor.h"
#include "vm/frame.h"

/*
 * How many headers are tried inside a damaged frame before all of it is given up. Without
 * a limit, a payload full of things that look like headers would cost a CRC of a megabyte
 * for each of them.
 */
#define SUSPECTS_MAX 256

static uint32_t checksum(const void *data, size_t len)
{
	return (uint32_t)crc32(crc32(0, NULL, 0), data, (uInt)len);
}

void kt_frame_encode(struct kt_buf *out, uint32_t type, const void *payload, size_t len)
{
	kt_buf_append_le(out, type, 4);
	kt_buf_append_le(out, (uint32_t)len, 4);
	kt_buf_append_le(out, checksum(payload, len), 4);
	kt_buf_append_le(out, 0, 4);
	kt_buf_append(out, payload, len);
}

void kt_frame_decoder_init(struct kt_frame_decoder *decoder)
{
	*decoder = (struct kt_frame_decoder){0};
}

void kt_frame_decoder_deinit(struct kt_frame_decoder *decoder)
{
	kt_buf_deinit(&decoder->buf);
}

bool kt_frame_decoder_push(struct kt_frame_decoder *decoder, const void *data, size_t len)
{
	struct kt_buf *buf = &decoder->buf;

	/* Frames that were given out are no longer valid: drop their bytes, all at once. */
	kt_buf_consume(buf, decoder->pos);
	decoder->bad_until -= decoder->bad_until < decoder->pos ? decoder->bad_until : decoder->pos;
	decoder->pos = 0;
	kt_buf_append(buf, data, len);
	if (!buf->failed)
		return true;
	buf->failed = false;
	return false;
}

struct header {
	uint32_t type, len, crc;
};

/* Types are four capital letters, so that those of a newer guest are headers too. */
static bool is_type(uint32_t type)
{
	for (unsigned shift = 0; shift < 32; shift += 8) {
		uint8_t c = (uint8_t)(type >> shift);

		if (c < 'A' || c > 'Z')
			return false;
	}
	return true;
}

static bool parse_header(const uint8_t *at, struct header *ret)
{
	struct kt_cursor c = kt_cursor(at, KT_FRAME_HEADER, false);

	ret->type = kt_cursor_u32(&c);
	ret->len = kt_cursor_u32(&c);
	ret->crc = kt_cursor_u32(&c);
	return kt_cursor_u32(&c) == 0 && ret->len <= KT_FRAME_MAX && is_type(ret->type);
}

/* The CRC is wrong. The next frame may begin inside: bytes may have been lost at this one's end. */
static void reject(struct kt_frame_decoder *decoder, size_t end)
{
	decoder->bad_frames++;
	if (decoder->pos >= decoder->bad_until) {
		decoder->bad_until = end;
		decoder->suspects = 0;
	}
	if (++decoder->suspects > SUSPECTS_MAX)
		decoder->pos = decoder->bad_until;
	else
		decoder->pos++;
}

/* At the end of the stream, less than a header is left. */
static void skip_rest(struct kt_frame_decoder *decoder)
{
	if (decoder->pos >= decoder->bad_until)
		decoder->skipped_bytes += decoder->buf.len - decoder->pos;
	decoder->pos = decoder->buf.len;
}

bool kt_frame_decoder_next(struct kt_frame_decoder *decoder, struct kt_frame *ret)
{
	const uint8_t *data = (const uint8_t *)decoder->buf.data;
	struct header header;

	while (decoder->buf.len - decoder->pos >= KT_FRAME_HEADER) {
		const uint8_t *at = data + decoder->pos;

		if (!parse_header(at, &header)) {
			decoder->skipped_bytes += decoder->pos >= decoder->bad_until;
			decoder->pos++;
			continue;
		}
		if (decoder->buf.len - decoder->pos - KT_FRAME_HEADER < header.len) {
			if (!decoder->ended)
				return false;
			reject(decoder, decoder->buf.len);
			continue;
		}
		if (checksum(at + KT_FRAME_HEADER, header.len) != header.crc) {
			reject(decoder, decoder->pos + KT_FRAME_HEADER + header.len);
			continue;
		}
		decoder->pos += KT_FRAME_HEADER + header.len;
		*ret = (struct kt_frame){header.type, at + KT_FRAME_HEADER, header.len};
		return true;
	}
	if (decoder->ended)
		skip_rest(decoder);
	return false;
}

void kt_work_encode(struct kt_buf *out, const struct kt_work *work)
{
	kt_buf_append_le(out, work->size, 8);
	kt_buf_append_le(out, work->realtime_ns, 8);
	kt_buf_append(out, work->entropy, sizeof(work->entropy));
}

bool kt_work_decode(const void *payload, size_t len, struct kt_work *ret)
{
	struct kt_cursor c = kt_cursor(payload, len, false);
	struct kt_work work;
	const uint8_t *entropy;

	work.size = kt_cursor_u64(&c);
	work.realtime_ns = kt_cursor_u64(&c);
	entropy = kt_cursor_bytes(&c, sizeof(work.entropy));
	if (c.failed || c.pos != len || work.size > KT_WORK_MAX)
		return false;
	memcpy(work.entropy, entropy, sizeof(work.entropy));
	*ret = work;
	return true;
}

static void put_string(struct kt_buf *out, const char *s)
{
	kt_buf_append(out, s, strlen(s) + 1);
}

void kt_prog_record_encode(struct kt_buf *out, const struct kt_prog_record *record)
{
	kt_buf_append_le(out, (uint32_t)record->error, 4);
	kt_buf_append_le(out, record->id, 4);
	kt_buf_append_le(out, record->object, 4);
	kt_buf_append_le(out, record->log_dropped, 4);
	put_string(out, record->section);
	put_string(out, record->name);
	put_string(out, record->type);
	kt_buf_append_le(out, record->attach, 1);
	kt_buf_append_le(out, record->ran, 1);
	kt_buf_append_le(out, record->retval, 4);
	put_string(out, record->place);
	kt_buf_append(out, record->log, record->log_len);
}

bool kt_prog_record_decode(const void *payload, size_t len, struct kt_prog_record *ret)
{
	struct kt_cursor c = kt_cursor(payload, len, false);
	struct kt_prog_record record;

	record.error = (int32_t)kt_cursor_u32(&c);
	record.id = kt_cursor_u32(&c);
	record.object = kt_cursor_u32(&c);
	record.log_dropped = kt_cursor_u32(&c);
	record.section = kt_cursor_string(&c);
	record.name = kt_cursor_string(&c);
	record.type = kt_cursor_string(&c);
	record.attach = kt_cursor_u8(&c);
	record.ran = kt_cursor_u8(&c);
	record.retval = kt_cursor_u32(&c);
	record.place = kt_cursor_string(&c);
	if (c.failed || record.attach >= KT_N_ATTACH || record.ran >= KT_N_TEST_RUN)
		return false;
	record.log = (const char *)c.data + c.pos;
	record.log_len = c.len - c.pos;
	*ret = record;
	return true;
}
