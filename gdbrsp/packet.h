/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The packet layer of the GDB remote serial protocol: bytes in, events out, no I/O.
 *
 *	$PAYLOAD#SS   a packet; SS is the sum of PAYLOAD's bytes, modulo 256, in hex
 *	%PAYLOAD#SS   a notification, which is never acknowledged
 *	+ -           the other side's word on our last packet
 *
 * Inside of PAYLOAD, `}` escapes (the byte that follows, XOR 0x20) and `*` repeats the byte
 * before it (the byte that follows is the count + 29). GDB manual, appendix E "Overview".
 */
#ifndef KT_GDBRSP_PACKET_H
#define KT_GDBRSP_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/buf.h"

/* Appends PAYLOAD as a packet, escaped, with its checksum. */
void rsp_packet_append(struct kt_buf *out, const void *payload, size_t len);

enum rsp_event {
	RSP_EVENT_NONE, /* all bytes are eaten, and nothing is complete */
	RSP_EVENT_ACK,
	RSP_EVENT_NAK,
	RSP_EVENT_PACKET,       /* payload and len are good until the next push */
	RSP_EVENT_NOTIFICATION, /* the same */
	RSP_EVENT_GARBAGE,      /* a byte that nobody sends between packets */
	RSP_EVENT_MALFORMED,    /* a `$`, a repeat of nothing, a checksum that is not hex */
	RSP_EVENT_BAD_CHECKSUM,
	RSP_EVENT_TOO_LONG, /* more payload than there is room for */
};

/* After a fault (GARBAGE and later) the decoder looks for the start of the next packet. */
struct rsp_decoder {
	char *payload; /* the caller's, max bytes */
	size_t len, max;
	int state;
	uint8_t sum, given;
	bool notification;
};

/* payload stays the caller's, and must outlive the decoder. */
void rsp_decoder_init(struct rsp_decoder *d, char *payload, size_t max);

/* Eats bytes up to the first event; returns how many, at least 1 unless len is 0. */
size_t rsp_decoder_push(struct rsp_decoder *d, const uint8_t *data, size_t len,
			enum rsp_event *event_ret);

/* In the middle of a packet. */
bool rsp_decoder_busy(const struct rsp_decoder *d);

/* Decodes 2 * n hex digits to n bytes. False: not all are hex digits, dst is then undefined. */
bool rsp_hex_decode(void *dst, size_t n, const char *hex);

/* Appends n bytes as 2 * n lower-case hex digits. */
void rsp_hex_append(struct kt_buf *out, const void *data, size_t n);

/* Appends a number in hex, without leading zeros. */
void rsp_hex_append_number(struct kt_buf *out, uint64_t number);

#endif
