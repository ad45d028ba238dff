// SPDX-License-Identifier: LGPL-2.1-or-later
/* Letting the guest run while attached, until it comes to a breakpoint. */
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "gdbrsp/client.h"
#include "gdbrsp/exchange.h"

/* One request. */
struct single {
	struct rsp_batch batch;
	struct kt_buf request;
	bool sent;
	bool unsupported;
};

static enum rsp_turn single_next(struct rsp_batch *batch, struct kt_buf *payload,
				 struct rsp_ticket *ticket)
{
	struct single *s = (struct single *)batch;

	if (s->sent)
		return RSP_TURN_DONE;
	s->sent = true;
	ticket->reply_len = 128;
	kt_buf_append(payload, s->request.data, s->request.len);
	return RSP_TURN_SEND;
}

static struct kt_error *breakpoint_reply(struct rsp_batch *batch, const struct rsp_ticket *ticket,
					 const struct rsp_reply *reply)
{
	struct single *s = (struct single *)batch;

	(void)ticket;
	s->unsupported = !rsp_reply_is(reply, "OK");
	return NULL;
}

/* kind: the protocol's, 1 a hardware breakpoint, 2 a write watchpoint. */
static struct kt_error *set_point(struct rsp_client *client, int kind, gaddr_t addr, size_t len,
				  bool set)
{
	struct single s = {
		.batch = {.next = single_next, .reply = breakpoint_reply},
	};
	struct kt_error *err;

	kt_buf_printf(&s.request, "%c%d,%" PRIx64 ",%zx", set ? 'Z' : 'z', kind, addr, len);
	err = kt_buf_failed(&s.request) ? kt_error_no_memory() : rsp_exchange(client, &s.batch);
	kt_buf_deinit(&s.request);
	if (!err && s.unsupported && set)
		err = kt_error_new(KT_ERROR_UNSUPPORTED, "the GDB stub refused it");
	return kt_error_wrap(err, "cannot %s a %s at %#" PRIx64, set ? "set" : "remove",
			     kind == 1 ? "breakpoint" : "watchpoint", addr);
}

struct kt_error *rsp_client_breakpoint(struct rsp_client *client, gaddr_t addr, size_t len,
				       bool set)
{
	return set_point(client, 1, addr, len, set);
}

struct kt_error *rsp_client_watchpoint(struct rsp_client *client, gaddr_t addr, size_t len,
				       bool set)
{
	return set_point(client, 2, addr, len, set);
}

/* "T05thread:p01.02;watch:ffffffff83000010;" (7.2 to 11.1) */
static void take_written(const struct rsp_reply *reply, struct rsp_stop *ret)
{
	const char *key = ";watch:";
	const char *end = reply->data + reply->len;
	const char *at = memmem(reply->data, reply->len, key, strlen(key));
	gaddr_t addr = 0;
	size_t n = 0;

	if (!at)
		return;
	for (at += strlen(key); at < end && n < 16; at++, n++) {
		const char *digits = "0123456789abcdef", *digit = *at ? strchr(digits, *at) : NULL;

		if (!digit)
			break;
		addr = addr << 4 | (gaddr_t)(digit - digits);
	}
	/* Whatever is no address is no write: then it is a stop that nothing is known of. */
	ret->is_write = n && (at == end || *at == ';');
	ret->written = ret->is_write ? addr : 0;
}

struct kt_error *rsp_stop_reply(struct rsp_client *client, const struct rsp_reply *reply,
				struct rsp_stop *ret)
{
	const char *key = "thread:";
	const char *end = reply->data + reply->len;
	const char *id = memmem(reply->data, reply->len, key, strlen(key));
	const char *id_end;
	uint8_t signal;

	client->stop_came = client->just_stopped = true;
	/* "W00" (7.2 to 11.1): QEMU itself ends, with this status. "X": by a signal. */
	if (reply->len && (reply->data[0] == 'W' || reply->data[0] == 'X'))
		return kt_error_new(KT_ERROR_CLOSED, "QEMU ended");
	if (reply->len < 3 || (reply->data[0] != 'T' && reply->data[0] != 'S') ||
	    !rsp_hex_decode(&signal, 1, reply->data + 1))
		return rsp_bad_reply(reply, "running on");
	*ret = (struct rsp_stop){.signal = signal};
	take_written(reply, ret);
	if (!id)
		return NULL;
	id += strlen(key);
	id_end = memchr(id, ';', (size_t)(end - id));
	if (!id_end)
		id_end = end;
	for (size_t i = 0; i < client->threads.len; i++) {
		const struct rsp_thread *t = &client->threads.data[i];

		if (strlen(t->id) == (size_t)(id_end - id) && !memcmp(t->id, id, strlen(t->id)))
			ret->thread = t;
	}
	/* "T05thread:p01.02;" (7.2 to 11.1): the stub has that vCPU selected from now on. */
	if (ret->thread)
		client->thread_now = *ret->thread;
	return NULL;
}

/* --- running --- */

enum run_kind {
	RUN_WRITE,
	RUN_STOP = RSP_KIND_STOP,
};

struct run {
	struct rsp_batch batch;
	struct rsp_client *client;
	const char *how, *id; /* the request that makes it run; NULL: it runs already */
	const char *raw;      /* what to send then */
	const struct rsp_thread *thread;
	const struct rsp_write *writes;
	size_t n_writes, next;
	bool sent;
};

static void append_write(struct run *run, struct kt_buf *payload)
{
	const struct rsp_write *write = &run->writes[run->next++];
	uint32_t number = 0, bits = 64;
	uint8_t bytes[8];

	kt_error_destroy(rsp_register_place(run->client, write->name, &number, &bits));
	rsp_register_bytes(run->client, write->value, bits, bytes);
	kt_buf_printf(payload, "P%x=", number);
	rsp_hex_append(payload, bytes, bits / 8);
}

static enum rsp_turn run_next(struct rsp_batch *batch, struct kt_buf *payload,
			      struct rsp_ticket *ticket)
{
	struct run *run = (struct run *)batch;
	struct rsp_client *client = run->client;

	if (run->sent)
		return RSP_TURN_DONE;
	ticket->reply_len = 128;
	if (run->next < run->n_writes) {
		if (rsp_prefix_registers(client, run->thread, payload, ticket))
			return RSP_TURN_SEND;
		ticket->kind = RUN_WRITE;
		append_write(run, payload);
		return RSP_TURN_SEND;
	}
	run->sent = true;
	ticket->kind = RUN_STOP;
	if (!run->how) {
		kt_buf_appends(payload, run->raw);
		return RSP_TURN_AWAIT;
	}
	rsp_forget_stop(client);
	client->running = true;
	kt_buf_printf(payload, "%s%s", run->how, run->id);
	return RSP_TURN_SEND;
}

static struct kt_error *run_reply(struct rsp_batch *batch, const struct rsp_ticket *ticket,
				  const struct rsp_reply *reply)
{
	struct run *run = (struct run *)batch;
	struct kt_error *err;

	if (rsp_prefix_reply(ticket, reply, &err))
		return err;
	if (ticket->kind == RUN_STOP)
		return rsp_stop_reply(run->client, reply, &run->client->stop);
	if (rsp_reply_is(reply, "OK"))
		return NULL;
	return rsp_bad_reply(reply, "the change of a register");
}

static struct kt_error *do_run(struct run *run)
{
	run->batch.next = run_next;
	run->batch.reply = run_reply;
	return rsp_exchange(run->client, &run->batch);
}

/* Hands out the stop that came. */
static struct kt_error *take_stop(struct rsp_client *client, struct kt_error *err,
				  struct rsp_stop *ret)
{
	if (err)
		return err;
	client->running = client->stop_came = false;
	*ret = client->stop;
	return NULL;
}

struct kt_error *rsp_client_resume(struct rsp_client *client, const struct rsp_thread *thread,
				   const struct rsp_write *writes, size_t n_writes)
{
	struct run run = {
		.batch = {.leaves_stop = true},
		.client = client,
		.how = "vCont;c",
		.id = "",
		.thread = thread,
		.writes = writes,
		.n_writes = n_writes,
	};

	for (size_t i = 0; i < n_writes; i++) {
		uint32_t number, bits;
		struct kt_error *err = rsp_register_place(client, writes[i].name, &number, &bits);

		if (err)
			return kt_error_wrap(err, "cannot write registers");
	}
	return do_run(&run);
}

struct kt_error *rsp_client_wait(struct rsp_client *client, int64_t wait_ns, struct rsp_stop *ret)
{
	struct run run = {
		.batch = {.wait_ns = wait_ns, .may_give_up = true},
		.client = client,
		.raw = "",
	};
	struct pollfd cancel = {.fd = client->wait_cancel_fd, .events = POLLIN};
	int cancel_fd = client->options.cancel_fd;
	struct kt_error *err;

	if (!client->running)
		return kt_error_new(KT_ERROR_PROTOCOL, "the guest does not run");
	/* Ctrl-C counts also when the guest stops again and again. */
	if (poll(&cancel, 1, 0) > 0)
		return kt_error_new(KT_ERROR_CANCELLED, "interrupted");
	client->options.cancel_fd = client->wait_cancel_fd;
	err = take_stop(client, client->stop_came ? NULL : do_run(&run), ret);
	client->options.cancel_fd = cancel_fd;
	return err;
}

bool rsp_client_runs(const struct rsp_client *client)
{
	return client->running;
}

struct kt_error *rsp_client_interrupt(struct rsp_client *client, struct rsp_stop *ret)
{
	struct run run = {.client = client, .raw = RSP_STOP_BYTE};
	int cancel_fd = client->options.cancel_fd;
	struct kt_error *err;

	if (!client->running)
		return kt_error_new(KT_ERROR_PROTOCOL, "the guest does not run");
	client->options.cancel_fd = -1;
	err = take_stop(client, client->stop_came ? NULL : do_run(&run), ret);
	client->options.cancel_fd = cancel_fd;
	return kt_error_wrap(err, "cannot stop the guest");
}

int rsp_client_cancel_only_waits(struct rsp_client *client)
{
	client->options.cancel_fd = -1;
	return client->wait_cancel_fd;
}

struct kt_error *rsp_client_step(struct rsp_client *client, const struct rsp_thread *thread,
				 struct rsp_stop *ret)
{
	struct run run = {.client = client, .how = "vCont;s:", .id = thread->id};

	return kt_error_wrap(take_stop(client, do_run(&run), ret), "cannot step vCPU %s",
			     thread->id);
}
