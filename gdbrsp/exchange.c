// SPDX-License-Identifier: LGPL-2.1-or-later
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "gdbrsp/exchange.h"
#include "util/cleanup.h"
#include "util/clock.h"

/*
 * Reply bytes in flight at most, so that they fit into the socket's buffer (208 KiB on stock
 * Linux) even if we are not scheduled for a while. A small packet occupies far more of it
 * than its length: the stub sends the ack and the packet on their own.
 */
#define FLIGHT_MAX      (64 * 1024)
#define FLIGHT_OVERHEAD 256
#define TICKETS_MAX     (FLIGHT_MAX / FLIGHT_OVERHEAD)

#define DEFAULT_TIMEOUT_MS 5000
/* The slowest link on which a long batch still ends in time. */
#define BYTES_PER_MS 1000

/*
 * Whatever a client before us left in the stub's parser (QEMU's gdb_read_byte(), 7.2 to
 * 11.1), after these bytes it is between packets. It drops everything before a `$` when its
 * last reply was not acknowledged, which one `#00` would not survive: so `#00` twice for a
 * parser within a packet (twice because it may be within the checksum), then an empty packet
 * for one that waits for an ack, too. The answers are naks and empty replies.
 */
#define PREAMBLE "#00#00$#00"

struct flight {
	struct rsp_client *client;
	struct rsp_batch *batch;
	struct rsp_ticket tickets[TICKETS_MAX]; /* a ring */
	size_t first, count;
	size_t bytes; /* of the replies in flight */
	bool done;    /* the batch has no more requests */
	bool syncing, lenient;
	bool interrupted; /* while syncing: ends as soon as that is done */
};

static void trace(struct rsp_client *client, char direction, const char *data, size_t len)
{
	FILE *f = client->options.trace;

	if (!f)
		return;
	fprintf(f, "%c ", direction);
	for (size_t i = 0; i < len; i++) {
		if (isprint((unsigned char)data[i]) && data[i] != '\\')
			fputc(data[i], f);
		else
			fprintf(f, "\\x%02x", (unsigned char)data[i]);
	}
	fputc('\n', f);
}

struct rsp_patience rsp_patience(const struct rsp_client *client, const struct rsp_batch *batch)
{
	struct rsp_patience p = {INT64_MAX, client->options.cancel_fd};
	int64_t ms = client->options.timeout_ms ? client->options.timeout_ms : DEFAULT_TIMEOUT_MS;
	int64_t ns = batch->wait_ns > 0 ? batch->wait_ns : ms * 1000000;

	if (batch->wait_ns >= 0)
		p.deadline_ns = kt_deadline_ms((int64_t)(batch->expected_bytes / BYTES_PER_MS)) +
				ns;
	return p;
}

void rsp_send(struct rsp_client *client, const char *payload, size_t len)
{
	trace(client, '>', payload, len);
	rsp_packet_append(rsp_connection_output(client->conn), payload, len);
	client->stats.requests++;
}

bool rsp_reply_is(const struct rsp_reply *reply, const char *text)
{
	return reply->len == strlen(text) && !memcmp(reply->data, text, reply->len);
}

bool rsp_reply_is_error(const struct rsp_reply *reply, unsigned int *code_ret)
{
	uint8_t code;

	if (reply->len != 3 || reply->data[0] != 'E' || !rsp_hex_decode(&code, 1, reply->data + 1))
		return false;
	*code_ret = code;
	return true;
}

struct kt_error *rsp_bad_reply(const struct rsp_reply *reply, const char *to)
{
	char quote[40];
	size_t n = 0;

	for (; n < reply->len && n < sizeof(quote) - 1; n++)
		quote[n] = isprint((unsigned char)reply->data[n]) ? reply->data[n] : '?';
	quote[n] = '\0';
	return kt_error_new(KT_ERROR_PROTOCOL, "the GDB stub replied '%s'%s to %s", quote,
			    n < reply->len ? "..." : "", to);
}

static bool is_stop_reply(const struct rsp_reply *reply)
{
	return reply->len >= 3 && (reply->data[0] == 'T' || reply->data[0] == 'S');
}

/* "W00" (7.2 to 11.1): QEMU itself ends, with this status. "X": by a signal. */
static bool is_exit_reply(const struct rsp_reply *reply)
{
	return reply->len >= 3 && (reply->data[0] == 'W' || reply->data[0] == 'X');
}

/* The guardian let the guest go, since this process was stopped. */
static struct kt_error *let_go(struct rsp_client *client)
{
	struct kt_error *err;

	client->dead = true;
	err = kt_error_new(KT_ERROR_CLOSED, "this process was stopped (by Ctrl-Z?) while the guest "
					    "stood still, so that the guest was let go");
	return kt_error_hint(err, "do it again");
}

/* Queues requests as far as the flight has room for their replies. */
static struct kt_error *take_off(struct flight *f)
{
	struct rsp_client *client = f->client;
	const size_t max = f->batch->flight_max ? f->batch->flight_max : FLIGHT_MAX;
	_cleanup_(kt_buf_deinit) struct kt_buf payload = KT_BUF_INIT;

	if (rsp_guardian_acted(client->guardian))
		return let_go(client);
	while (!f->done && f->count < TICKETS_MAX && f->bytes < max) {
		struct rsp_ticket *ticket = &f->tickets[(f->first + f->count) % TICKETS_MAX];
		enum rsp_turn turn;

		payload.len = 0;
		*ticket = (struct rsp_ticket){0};
		turn = f->batch->next(f->batch, &payload, ticket);
		if (turn == RSP_TURN_WAIT && f->count > 0)
			break;
		if (turn != RSP_TURN_SEND && turn != RSP_TURN_AWAIT) {
			f->done = true;
			break;
		}
		if (kt_buf_failed(&payload))
			return kt_error_no_memory();
		if (f->count == 0)
			client->stats.round_trips++;
		if (turn == RSP_TURN_SEND)
			rsp_send(client, payload.data, payload.len);
		else
			kt_buf_append(rsp_connection_output(client->conn), payload.data,
				      payload.len);
		f->count++;
		f->bytes += ticket->reply_len + FLIGHT_OVERHEAD;
	}
	return NULL;
}

static struct kt_error *take_reply(struct flight *f, const struct rsp_reply *reply)
{
	struct rsp_ticket ticket = f->tickets[f->first];

	f->first = (f->first + 1) % TICKETS_MAX;
	f->count--;
	f->bytes -= ticket.reply_len + FLIGHT_OVERHEAD;
	f->client->just_stopped = false;
	return f->batch->reply(f->batch, &ticket, reply);
}

/* A packet: the oldest request's reply, or one of those that a stub sends by itself. */
static struct kt_error *take_packet(struct flight *f)
{
	struct rsp_client *client = f->client;
	struct rsp_reply reply = {client->decoder.payload, client->decoder.len};
	size_t kind;

	trace(client, '<', reply.data, reply.len);
	client->heard = true;
	if (f->syncing) {
		if (is_stop_reply(&reply) && !client->synced)
			client->told_running = true;
		if (!memmem(reply.data, reply.len, "PacketSize=", strlen("PacketSize=")))
			return NULL;
		f->syncing = false;
		client->synced = true;
		return take_reply(f, &reply);
	}
	kind = f->count ? f->tickets[f->first].kind : 0;
	if (is_stop_reply(&reply) && kind != RSP_KIND_STOP)
		return NULL;
	if (is_exit_reply(&reply) && kind != RSP_KIND_STOP)
		return kt_error_new(KT_ERROR_CLOSED, "QEMU ended");
	if (f->count == 0)
		return rsp_bad_reply(&reply, "no request");
	if (kind == RSP_KIND_CONSOLE && reply.len && reply.data[0] == 'O' &&
	    !rsp_reply_is(&reply, "OK"))
		return f->batch->reply(f->batch, &f->tickets[f->first], &reply);
	return take_reply(f, &reply);
}

/* Bytes that no GDB stub sends. The message quotes the first ones, which often tell what it is. */
static struct kt_error *not_a_stub(const struct rsp_client *client, const uint8_t *data, size_t len)
{
	struct rsp_reply reply = {(const char *)data, len};
	struct kt_error *err;

	for (size_t i = 0; i < reply.len; i++) {
		if (!isprint(data[i]))
			reply.len = i;
	}
	if (client->synced)
		return kt_error_new(KT_ERROR_PROTOCOL,
				    "bytes from the GDB stub that are no packet");
	err = reply.len ? kt_error_new(KT_ERROR_PROTOCOL, "this is not a GDB stub: it says '%.*s'",
				       (int)(reply.len < 40 ? reply.len : 40), reply.data)
			: kt_error_new(KT_ERROR_PROTOCOL,
				       "this is not a GDB stub: what it sends is no text");
	return kt_error_hint(err, "is it the right port? QEMU's -s listens on :1234");
}

static struct kt_error *take_event(struct flight *f, enum rsp_event event, const uint8_t *at,
				   size_t len)
{
	switch (event) {
	case RSP_EVENT_PACKET: return take_packet(f);
	case RSP_EVENT_NONE:
	case RSP_EVENT_NOTIFICATION: return NULL;
	case RSP_EVENT_ACK: f->client->heard = true; return NULL;
	default: break;
	}
	if (f->lenient && f->syncing)
		return NULL;
	switch (event) {
	case RSP_EVENT_NAK:
		if (f->syncing)
			return NULL;
		return kt_error_new(KT_ERROR_PROTOCOL, "the GDB stub refused a packet");
	case RSP_EVENT_BAD_CHECKSUM:
		return kt_error_new(KT_ERROR_PROTOCOL, "a reply's checksum is wrong");
	case RSP_EVENT_TOO_LONG:
		return kt_error_new(KT_ERROR_PROTOCOL, "a reply of more than %d bytes",
				    RSP_PAYLOAD_MAX);
	default: return not_a_stub(f->client, at, len);
	}
}

static struct kt_error *take_bytes(struct flight *f, const uint8_t *data, size_t len)
{
	while (len) {
		enum rsp_event event;
		size_t n = rsp_decoder_push(&f->client->decoder, data, len, &event);
		struct kt_error *err = take_event(f, event, data + n - 1, len - n + 1);

		if (err)
			return err;
		data += n;
		len -= n;
	}
	return NULL;
}

/*
 * Until the first reply is there, no reply can be matched to a request, and the guest may be
 * stopped already. So an interrupted exchange goes on a little longer, to detach properly.
 */
#define GRACE_MS 2000

static bool may_linger(struct flight *f, struct rsp_patience *patience, struct kt_error *err)
{
	if (kt_error_code(err) != KT_ERROR_CANCELLED || !f->syncing || f->interrupted)
		return false;
	f->interrupted = true;
	patience->cancel_fd = -1;
	patience->deadline_ns = kt_deadline_ms(GRACE_MS);
	kt_error_destroy(err);
	return true;
}

/* Only a stop reply is missing, which may come later. */
static bool only_stop_missing(const struct flight *f)
{
	return f->done && f->count == 1 && f->tickets[f->first].kind == RSP_KIND_STOP;
}

static struct kt_error *fly_on(struct flight *f, struct rsp_patience *patience)
{
	while (!f->interrupted || f->syncing) {
		struct kt_error *err = take_off(f);
		const uint8_t *data;
		size_t len;

		if (err)
			return err;
		if (f->done && f->count == 0)
			return NULL;
		if (f->batch->leaves_stop && only_stop_missing(f))
			return rsp_connection_flush(f->client->conn);
		err = rsp_connection_receive(f->client->conn, patience, &data, &len);
		if (err && may_linger(f, patience, err))
			continue;
		if (!err && !f->client->stats.greeting_ns)
			f->client->stats.greeting_ns = kt_now_ns() - f->client->stats.connected_ns;
		if (!err)
			err = take_bytes(f, data, len);
		if (err)
			return err;
	}
	return NULL;
}

static struct kt_error *fly(struct flight *f, const struct rsp_patience *patience)
{
	struct rsp_patience mine = *patience;
	struct kt_error *err = fly_on(f, &mine);

	if (!f->interrupted)
		return err;
	if (err && (kt_error_code(err) == KT_ERROR_CLOSED || kt_error_code(err) == KT_ERROR_OS))
		f->client->dead = true;
	kt_error_destroy(err);
	return kt_error_new(KT_ERROR_CANCELLED, "interrupted");
}

/* Notes the client's state after an error, and explains a timeout. */
static struct kt_error *landed(struct rsp_client *client, struct kt_error *err)
{
	if (!err)
		return NULL;
	client->dirty = true;
	if (rsp_guardian_acted(client->guardian) && !client->dead) {
		kt_error_destroy(err);
		return let_go(client);
	}
	switch (kt_error_code(err)) {
	case KT_ERROR_CLOSED:
	case KT_ERROR_OS: client->dead = true; break;
	case KT_ERROR_TIMEOUT: err = kt_error_wrap(err, "the GDB stub went silent"); break;
	default: break;
	}
	return err;
}

static bool gave_up(const struct flight *f, const struct kt_error *err)
{
	return err && f->batch->may_give_up && only_stop_missing(f) &&
	       (kt_error_code(err) == KT_ERROR_TIMEOUT || kt_error_code(err) == KT_ERROR_CANCELLED);
}

struct kt_error *rsp_exchange(struct rsp_client *client, struct rsp_batch *batch)
{
	struct flight f = {.client = client, .batch = batch};
	struct rsp_patience patience = rsp_patience(client, batch);
	struct kt_error *err;

	if (client->detached)
		return kt_error_new(KT_ERROR_CLOSED, "the GDB stub was detached from");
	if (client->dead || client->dirty)
		return kt_error_new(KT_ERROR_CLOSED,
				    "the exchange with the GDB stub was broken off");
	err = fly(&f, &patience);
	return gave_up(&f, err) ? err : landed(client, err);
}

struct kt_error *rsp_exchange_sync(struct rsp_client *client, struct rsp_batch *batch,
				   const struct rsp_patience *patience, bool lenient)
{
	struct flight f = {
		.client = client,
		.batch = batch,
		.syncing = true,
		.lenient = lenient,
	};

	rsp_connection_drop_output(client->conn);
	trace(client, '>', PREAMBLE, strlen(PREAMBLE));
	kt_buf_appends(rsp_connection_output(client->conn), PREAMBLE);
	return landed(client, fly(&f, patience));
}

static bool select_next(struct rsp_client *client, const struct rsp_thread *thread,
			struct kt_buf *payload, struct rsp_ticket *ticket)
{
	if (!strcmp(client->thread_now.id, thread->id))
		return false;
	client->thread_now = *thread;
	ticket->kind = RSP_PREFIX_THREAD;
	ticket->reply_len = 2;
	kt_buf_printf(payload, "Hg%s", thread->id);
	return true;
}

bool rsp_prefix_next(struct rsp_client *client, enum rsp_space space, struct kt_buf *payload,
		     struct rsp_ticket *ticket)
{
	bool physical = space == RSP_PHYSICAL;

	ticket->reply_len = 2;
	if (client->physical_now != physical) {
		kt_buf_printf(payload, "Qqemu.PhyMemMode:%d", physical);
		ticket->kind = RSP_PREFIX_MODE;
		client->physical_now = physical;
		return true;
	}
	return !physical && select_next(client, &client->thread, payload, ticket);
}

/* NULL: the stub did not name this vCPU in its list. */
static bool *fetched_of(const struct rsp_client *client, const struct rsp_thread *thread)
{
	for (size_t i = 0; i < client->threads.len; i++)
		if (!strcmp(client->threads.data[i].id, thread->id))
			return &client->fetched[i];
	return NULL;
}

/*
 * `qThreadExtraInfo` fetches (handle_query_thread_extra(), QEMU 7.2 to 11.1), and its reply is
 * short. QEMU never replies to it for a vCPU that does not exist. For such a one `Hg`, which is
 * ahead of it, gets an error, and that ends the exchange.
 */
bool rsp_prefix_registers(struct rsp_client *client, const struct rsp_thread *thread,
			  struct kt_buf *payload, struct rsp_ticket *ticket)
{
	bool *fetched;

	if (select_next(client, thread, payload, ticket))
		return true;
	fetched = fetched_of(client, thread);
	if (!fetched || *fetched)
		return false;
	*fetched = true;
	ticket->kind = RSP_PREFIX_FETCH;
	ticket->reply_len = 128;
	kt_buf_printf(payload, "qThreadExtraInfo,%s", thread->id);
	return true;
}

void rsp_forget_stop(struct rsp_client *client)
{
	client->thread_now = (struct rsp_thread){0};
	if (client->threads.len)
		memset(client->fetched, 0, client->threads.len * sizeof(*client->fetched));
}

bool rsp_prefix_reply(const struct rsp_ticket *ticket, const struct rsp_reply *reply,
		      struct kt_error **err_ret)
{
	if (ticket->kind < RSP_PREFIX_MODE || ticket->kind > RSP_PREFIX_FETCH)
		return false;
	*err_ret = NULL;
	/* The reply to a fetch, a vCPU's name, does not matter, nor that another stub has none. */
	if (ticket->kind != RSP_PREFIX_FETCH && !rsp_reply_is(reply, "OK"))
		*err_ret = rsp_bad_reply(reply, ticket->kind == RSP_PREFIX_MODE
							? "a change of the memory mode"
							: "the choice of a vCPU");
	return true;
}
