// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The packet decoder and the target description's parser, on whatever bytes.
 *
 *	clang -g -O1 -fsanitize=fuzzer,address,undefined -I. -D_GNU_SOURCE fuzz/fuzz_packet.c \
 *		gdbrsp/packet.c gdbrsp/target_xml.c util/buf.c
 */
#include <stdlib.h>
#include <string.h>

#include "gdbrsp/packet.h"
#include "gdbrsp/target_xml.h"

#define PAYLOAD_MAX 128

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool good)
{
	if (!good)
		abort();
}

/* A decoded payload must survive a trip through our own encoder. */
static void check_round_trip(const struct rsp_decoder *d)
{
	struct kt_buf out = KT_BUF_INIT;
	struct rsp_decoder again;
	enum rsp_event event;
	char room[PAYLOAD_MAX];

	rsp_decoder_init(&again, room, sizeof(room));
	rsp_packet_append(&out, d->payload, d->len);
	check(rsp_decoder_push(&again, (const uint8_t *)out.data, out.len, &event) == out.len);
	check(event == RSP_EVENT_PACKET);
	check(again.len == d->len && !memcmp(again.payload, d->payload, d->len));
	kt_buf_deinit(&out);
}

/* One number for all events and payloads, in order. */
static uint64_t decode(const uint8_t *data, size_t size, size_t chunk)
{
	struct rsp_decoder d;
	char *payload = malloc(PAYLOAD_MAX);
	uint8_t bytes[PAYLOAD_MAX];
	uint64_t hash = 1;

	rsp_decoder_init(&d, payload, PAYLOAD_MAX);
	for (size_t pos = 0; pos < size;) {
		enum rsp_event event;
		size_t n = size - pos < chunk ? size - pos : chunk;

		n = rsp_decoder_push(&d, data + pos, n, &event);
		check(n > 0 && d.len <= PAYLOAD_MAX);
		pos += n;
		if (event != RSP_EVENT_NONE)
			hash = hash * 31 + event;
		if (event != RSP_EVENT_PACKET)
			continue;
		for (size_t i = 0; i < d.len; i++)
			hash = hash * 31 + (uint8_t)d.payload[i];
		rsp_hex_decode(bytes, d.len / 2, d.payload);
		check_round_trip(&d);
	}
	free(payload);
	return hash;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rsp_xml_item item;
	size_t pos = 0, before = 0;

	if (size == 0)
		return 0;
	/* How the stream is cut must make no difference. */
	check(decode(data, size, size) == decode(data, size, 1));
	check(decode(data, size, size) == decode(data, size, 1 + data[0] % 16));
	while (rsp_xml_next((const char *)data, size, &pos, &item)) {
		check(pos > before && pos <= size);
		before = pos;
	}
	return 0;
}
