// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Any bytes as a guest's frames. How the bytes are cut must not matter, and frames are made of
 * bytes that came in.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "vm/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The result of a run of the decoder, as one number. */
struct outcome {
	uint64_t sum, frames, bytes, bad, skipped;
};

static void take_record(const struct kt_frame *frame)
{
	struct kt_prog_record record;

	if (!kt_prog_record_decode(frame->payload, frame->len, &record))
		return;
	if (strlen(record.section) + strlen(record.name) + strlen(record.type) + record.log_len >
	    frame->len)
		abort();
	for (size_t i = 0; i < record.log_len; i++)
		if ((const uint8_t *)record.log + i >= frame->payload + frame->len)
			abort();
}

static void take_frames(struct kt_frame_decoder *decoder, struct outcome *o)
{
	struct kt_frame frame;

	while (kt_frame_decoder_next(decoder, &frame)) {
		if (frame.len > KT_FRAME_MAX)
			abort();
		o->frames++;
		o->bytes += frame.len + KT_FRAME_HEADER;
		o->sum = o->sum * 31 + frame.type;
		for (size_t i = 0; i < frame.len; i++)
			o->sum = o->sum * 31 + frame.payload[i];
		take_record(&frame);
	}
}

static struct outcome decode(const uint8_t *data, size_t size, size_t step)
{
	struct kt_frame_decoder decoder;
	struct outcome o = {0};

	kt_frame_decoder_init(&decoder);
	for (size_t pos = 0; pos < size; pos += step) {
		size_t n = size - pos < step ? size - pos : step;

		if (!kt_frame_decoder_push(&decoder, data + pos, n))
			abort();
		take_frames(&decoder, &o);
	}
	decoder.ended = true;
	take_frames(&decoder, &o);
	o.bad = decoder.bad_frames;
	o.skipped = decoder.skipped_bytes;
	kt_frame_decoder_deinit(&decoder);
	return o;
}

/* The first byte says how the stream is cut, the second whether frames of ours go around it. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kt_buf stream = KT_BUF_INIT;
	struct outcome whole, cut;
	size_t step = size ? data[0] % 64 + 1 : 1;
	bool framed = size > 1 && data[1] & 1;

	if (framed)
		kt_frame_encode(&stream, KT_FRAME_PROG, data + 2, size - 2);
	if (size > 2)
		kt_buf_append(&stream, data + 2, size - 2);
	if (framed)
		kt_frame_encode(&stream, KT_FRAME_EXIT, "\0\0\0\0", 4);
	whole = decode((const uint8_t *)stream.data, stream.len, stream.len + 1);
	cut = decode((const uint8_t *)stream.data, stream.len, step);
	if (memcmp(&whole, &cut, sizeof(whole)) != 0 || whole.bytes > stream.len)
		abort();
	if (framed && !whole.frames)
		abort();
	kt_buf_deinit(&stream);
	return 0;
}
