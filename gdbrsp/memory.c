// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gdbrsp/client.h"
#include "gdbrsp/exchange.h"

/* E22 (EINVAL) is what QEMU says to a request that is longer than it can answer. */
#define ERROR_TOO_LONG 0x22

struct memory_batch {
	struct rsp_batch batch;
	struct rsp_client *client;
	enum rsp_space space;
	struct rsp_read *reads;
	size_t count;
	size_t index, offset; /* the next piece to ask for */
	size_t piece_max;
};

/* Two hex digits a byte. QEMU 7.2 to 11.1 answer up to half of PacketSize, including it. */
static size_t piece_max(const struct rsp_client *client)
{
	size_t max = client->packet_size / 2;

	return max < RSP_PIECE_MAX ? max : RSP_PIECE_MAX;
}

/* Moves to the next read that has something left to ask for. */
static bool find_piece(struct memory_batch *m)
{
	for (; m->index < m->count; m->index++, m->offset = 0) {
		struct rsp_read *r = &m->reads[m->index];

		if (r->len && r->addr > UINT64_MAX - (r->len - 1))
			r->fault = true; /* it would wrap around */
		if (!r->fault && m->offset < r->len)
			return true;
	}
	return false;
}

static enum rsp_turn memory_next(struct rsp_batch *batch, struct kt_buf *payload,
				 struct rsp_ticket *ticket)
{
	struct memory_batch *m = (struct memory_batch *)batch;
	const struct rsp_read *r;
	size_t len;

	if (!find_piece(m))
		return RSP_TURN_DONE;
	if (rsp_prefix_next(m->client, m->space, payload, ticket))
		return RSP_TURN_SEND;
	r = &m->reads[m->index];
	len = r->len - m->offset < m->piece_max ? r->len - m->offset : m->piece_max;
	*ticket = (struct rsp_ticket){
		.index = m->index,
		.offset = m->offset,
		.len = len,
		.reply_len = 2 * len,
	};
	kt_buf_appendc(payload, 'm');
	rsp_hex_append_number(payload, r->addr + m->offset);
	kt_buf_appendc(payload, ',');
	rsp_hex_append_number(payload, len);
	m->offset += len;
	return RSP_TURN_SEND;
}

static struct kt_error *memory_reply(struct rsp_batch *batch, const struct rsp_ticket *ticket,
				     const struct rsp_reply *reply)
{
	struct memory_batch *m = (struct memory_batch *)batch;
	struct rsp_read *r;
	struct kt_error *err;
	unsigned int code;

	if (rsp_prefix_reply(ticket, reply, &err))
		return err;
	r = &m->reads[ticket->index];
	if (rsp_reply_is_error(reply, &code) && code != ERROR_TOO_LONG) {
		r->fault = true;
		return NULL;
	}
	if (reply->len == 0 || reply->len % 2 || reply->len > 2 * ticket->len ||
	    !rsp_hex_decode((char *)r->buf + ticket->offset, reply->len / 2, reply->data))
		return rsp_bad_reply(reply, "a memory read");
	/* The protocol lets a stub stop where memory ends. QEMU does not do so. */
	if (reply->len < 2 * ticket->len)
		r->fault = true;
	m->client->stats.bytes_read += reply->len / 2;
	return NULL;
}

struct kt_error *rsp_client_read(struct rsp_client *client, enum rsp_space space,
				 struct rsp_read *reads, size_t count)
{
	struct memory_batch m = {
		.batch = {.next = memory_next, .reply = memory_reply},
		.client = client,
		.space = space,
		.reads = reads,
		.count = count,
		.piece_max = piece_max(client),
	};

	if (space == RSP_PHYSICAL && !client->has_physical)
		return kt_error_new(KT_ERROR_UNSUPPORTED, "%s has no physical-memory mode",
				    client->name);
	for (size_t i = 0; i < count; i++) {
		reads[i].fault = false;
		m.batch.expected_bytes += 2 * reads[i].len;
	}
	return kt_error_wrap(rsp_exchange(client, &m.batch), "cannot read memory from %s",
			     client->name);
}
