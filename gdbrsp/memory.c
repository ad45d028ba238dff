// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gdbrsp/client.h"
#include "gdbrsp/exchange.h"
#include "util/clock.h"

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

static struct kt_error *prepare(struct memory_batch *m, const struct rsp_client *client)
{
	if (m->space == RSP_PHYSICAL && !client->has_physical)
		return kt_error_new(KT_ERROR_UNSUPPORTED, "%s has no physical-memory mode",
				    client->name);
	m->piece_max = piece_max(client);
	for (size_t i = 0; i < m->count; i++) {
		m->reads[i].fault = false;
		m->batch.expected_bytes += 2 * m->reads[i].len;
	}
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
	};
	struct kt_error *err = prepare(&m, client);

	if (err)
		return err;
	return kt_error_wrap(rsp_exchange(client, &m.batch), "cannot read memory from %s",
			     client->name);
}

/* --- in a stop of its own --- */

enum glance_step { GLANCE_STOP, GLANCE_READ, GLANCE_RESUMED };

struct glance {
	struct memory_batch memory; /* the batch is in it */
	enum glance_step step;
	int64_t stopped_ns;
};

static enum rsp_turn glance_next(struct rsp_batch *batch, struct kt_buf *payload,
				 struct rsp_ticket *ticket)
{
	struct glance *g = (struct glance *)batch;

	if (g->step == GLANCE_RESUMED)
		return RSP_TURN_DONE;
	if (g->step == GLANCE_READ && memory_next(batch, payload, ticket) == RSP_TURN_SEND)
		return RSP_TURN_SEND;
	*ticket = (struct rsp_ticket){.kind = RSP_KIND_STOP, .index = g->step, .reply_len = 128};
	if (g->step == GLANCE_STOP) {
		g->step = GLANCE_READ;
		kt_buf_appends(payload, RSP_STOP_BYTE);
		return RSP_TURN_AWAIT;
	}
	g->step = GLANCE_RESUMED;
	kt_buf_appends(payload, "vCont;c");
	return RSP_TURN_SEND;
}

static struct kt_error *glance_reply(struct rsp_batch *batch, const struct rsp_ticket *ticket,
				     const struct rsp_reply *reply)
{
	struct glance *g = (struct glance *)batch;
	struct rsp_client *client = g->memory.client;
	struct kt_error *err;

	if (ticket->kind != RSP_KIND_STOP)
		return memory_reply(batch, ticket, reply);
	err = rsp_stop_reply(client, reply, &client->stop);
	/* Of the stop that was asked for, nothing is left but when it came. */
	if (!err && ticket->index == GLANCE_STOP) {
		g->stopped_ns = kt_now_ns();
		client->stop_came = client->just_stopped = false;
	}
	return err;
}

struct kt_error *rsp_client_glance(struct rsp_client *client, enum rsp_space space,
				   struct rsp_read *reads, size_t count, int64_t *stopped_ns_ret)
{
	struct glance g = {
		.memory =
			{
				.batch = {.next = glance_next,
					  .reply = glance_reply,
					  .leaves_stop = true,
					  .flight_max = SIZE_MAX},
				.client = client,
				.space = space,
				.reads = reads,
				.count = count,
			},
	};
	int cancel_fd = client->options.cancel_fd;
	struct kt_error *err = prepare(&g.memory, client);

	if (!err && !client->running)
		err = kt_error_new(KT_ERROR_PROTOCOL, "the guest does not run");
	if (err)
		return err;
	if (client->stop_came) {
		client->stop_came = false;
		g.step = GLANCE_READ;
		g.stopped_ns = kt_now_ns();
	}
	client->options.cancel_fd = -1;
	err = rsp_exchange(client, &g.memory.batch);
	client->options.cancel_fd = cancel_fd;
	if (err)
		return kt_error_wrap(err, "cannot read memory from %s", client->name);
	if (!client->stop_came)
		rsp_forget_stop(client);
	*stopped_ns_ret = g.stopped_ns;
	return NULL;
}
