// SPDX-License-Identifier: LGPL-2.1-or-later
/* Letting the guest run while attached, until it comes to a breakpoint. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "gdbrsp/exchange.h"

/* One request. */
struct single {
	struct rsp_batch batch;
	struct rsp_client *client;
	struct kt_buf request;
	size_t kind;
	bool sent;
	struct rsp_stop *stop;
	bool unsupported;
};

static enum rsp_turn single_next(struct rsp_batch *batch, struct kt_buf *payload,
				 struct rsp_ticket *ticket)
{
	struct single *s = (struct single *)batch;

	if (s->sent)
		return RSP_TURN_DONE;
	s->sent = true;
	ticket->kind = s->kind;
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

struct kt_error *rsp_client_breakpoint(struct rsp_client *client, gaddr_t addr, size_t len,
				       bool set)
{
	struct single s = {
		.batch = {.next = single_next, .reply = breakpoint_reply},
		.client = client,
	};
	struct kt_error *err;

	kt_buf_printf(&s.request, "%c1,%" PRIx64 ",%zx", set ? 'Z' : 'z', addr, len);
	err = kt_buf_failed(&s.request) ? kt_error_no_memory() : rsp_exchange(client, &s.batch);
	kt_buf_deinit(&s.request);
	if (!err && s.unsupported && set)
		err = kt_error_new(KT_ERROR_UNSUPPORTED, "the GDB stub refused it");
	return kt_error_wrap(err, "cannot %s a breakpoint at %#" PRIx64, set ? "set" : "remove",
			     addr);
}

/* "T05thread:p01.02;" (7.2 to 11.1): the stub's chosen vCPU is from now on this one. */
static struct kt_error *stop_reply(struct rsp_batch *batch, const struct rsp_ticket *ticket,
				   const struct rsp_reply *reply)
{
	struct single *s = (struct single *)batch;
	const char *key = "thread:";
	const char *end = reply->data + reply->len;
	const char *id = memmem(reply->data, reply->len, key, strlen(key));
	const char *id_end;
	uint8_t signal;

	(void)ticket;
	if (reply->len < 3 || (reply->data[0] != 'T' && reply->data[0] != 'S') ||
	    !rsp_hex_decode(&signal, 1, reply->data + 1))
		return rsp_bad_reply(reply, "running on");
	*s->stop = (struct rsp_stop){.signal = signal};
	if (!id)
		return NULL;
	id += strlen(key);
	id_end = memchr(id, ';', (size_t)(end - id));
	if (!id_end)
		id_end = end;
	for (size_t i = 0; i < s->client->threads.len; i++) {
		const struct rsp_thread *t = &s->client->threads.data[i];

		if (strlen(t->id) == (size_t)(id_end - id) && !memcmp(t->id, id, strlen(t->id)))
			s->stop->thread = t;
	}
	if (s->stop->thread)
		s->client->thread_now = *s->stop->thread;
	return NULL;
}

static struct kt_error *run(struct rsp_client *client, const char *how, const char *id,
			    int64_t wait_ms, struct rsp_stop *ret)
{
	struct rsp_stop stop = {0};
	struct single s = {
		.batch = {.next = single_next, .reply = stop_reply, .wait_ms = wait_ms},
		.client = client,
		.kind = RSP_KIND_STOP,
		.stop = &stop,
	};
	struct kt_error *err;

	/* Which vCPU the stub has selected after a stop is its own choice. */
	client->thread_now = (struct rsp_thread){0};
	kt_buf_printf(&s.request, "%s%s", how, id);
	err = kt_buf_failed(&s.request) ? kt_error_no_memory() : rsp_exchange(client, &s.batch);
	kt_buf_deinit(&s.request);
	if (err)
		return err;
	*ret = stop;
	return NULL;
}

struct kt_error *rsp_client_continue(struct rsp_client *client, int64_t wait_ms,
				     struct rsp_stop *ret)
{
	return run(client, "vCont;c", "", wait_ms, ret);
}

struct kt_error *rsp_client_step(struct rsp_client *client, const struct rsp_thread *thread,
				 struct rsp_stop *ret)
{
	return kt_error_wrap(run(client, "vCont;s:", thread->id, 0, ret), "cannot step vCPU %s",
			     thread->id);
}
