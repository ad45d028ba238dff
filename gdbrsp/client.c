// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdlib.h>
#include <string.h>

#include "gdbrsp/client.h"
#include "gdbrsp/exchange.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/heap.h"
#include "util/vec.h"

#define THREADS_MAX 4096
/* `qsThreadInfo` names one vCPU at a time (7.2 to 11.1): ask that often, then twice that. */
#define THREADS_AHEAD 4
/* After Ctrl-C the user waits for the detach. */
#define DETACH_TIMEOUT_MS 2000
/* The smallest PacketSize that is accepted, and that of QEMU 7.2. */
#define PACKET_SIZE_MIN  256
#define PACKET_SIZE_QEMU 0x1000

#define QUERY_SUPPORTED "qSupported:multiprocess+"

static struct rsp_client *client_new(const struct rsp_options *options, const char *name)
{
	struct rsp_client *client = malloc(sizeof(*client));

	if (!client)
		return NULL;
	/* All but the payload, which is large and need not be touched. */
	memset(client, 0, offsetof(struct rsp_client, payload));
	client->options = *options;
	client->wait_cancel_fd = options->cancel_fd;
	rsp_decoder_init(&client->decoder, client->payload, sizeof(client->payload));
	/*
	 * QEMU's only process, mostly. It counts if the connection ends before the stub names one.
	 */
	client->process[0] = '1';
	client->name = strdup(name);
	if (!client->name) {
		free(client);
		return NULL;
	}
	return client;
}

/* Closes, whatever state the stub is in. */
static void client_free(struct rsp_client *client)
{
	const struct rsp_dialer *dialer = client->dialer;

	rsp_guardian_destroy(client->guardian);
	rsp_connection_destroy(client->conn);
	if (dialer)
		dialer->hang_up(dialer->context, client->let_go || client->options.leave_stopped);
	rsp_registers_destroy(client->registers);
	kt_vec_free(&client->threads);
	free(client->fetched);
	free(client->name);
	free(client);
}

/* --- the handshake --- */

enum hello_kind {
	HELLO_SUPPORTED,
	HELLO_MODE,
	HELLO_THREADS,
	HELLO_STOP = RSP_KIND_STOP,
	HELLO_VERSION = RSP_KIND_CONSOLE,
};

struct hello {
	struct rsp_batch batch;
	struct rsp_client *client;
	size_t step;
	size_t threads_asked, threads_answered, threads_goal; /* qsThreadInfo */
	bool threads_done, version_asked;
};

static const struct {
	size_t kind;
	const char *payload;
} hello_steps[] = {
	{HELLO_SUPPORTED, QUERY_SUPPORTED},
	{HELLO_STOP, "?"}, /* removes all breakpoints (QEMU's handle_target_halt()) */
	{HELLO_MODE, "Qqemu.PhyMemMode:0"},
	{HELLO_THREADS, "qfThreadInfo"},
};

/*
 * QEMU up to 8.0 sends a stop reply, unasked, if the guest was running. Without that reply the
 * guest was paused, or QEMU is newer: only its version tells. "info version", in hex.
 */
static bool must_ask_version(const struct hello *hello)
{
	const struct rsp_client *client = hello->client;

	return hello->threads_done && !hello->version_asked && !client->told_running &&
	       !client->dialer && client->packet_size == PACKET_SIZE_QEMU;
}

static enum rsp_turn hello_next(struct rsp_batch *batch, struct kt_buf *payload,
				struct rsp_ticket *ticket)
{
	struct hello *hello = (struct hello *)batch;

	ticket->reply_len = 128;
	if (hello->step < sizeof(hello_steps) / sizeof(hello_steps[0])) {
		ticket->kind = hello_steps[hello->step].kind;
		kt_buf_appends(payload, hello_steps[hello->step++].payload);
		hello->threads_asked += ticket->kind == HELLO_THREADS;
		return RSP_TURN_SEND;
	}
	ticket->kind = HELLO_THREADS;
	if (!hello->threads_done) {
		if (hello->threads_answered == hello->threads_goal)
			hello->threads_goal += hello->threads_asked + THREADS_AHEAD;
		if (hello->threads_asked == hello->threads_goal)
			return RSP_TURN_WAIT;
		hello->threads_asked++;
		kt_buf_appends(payload, "qsThreadInfo");
		return RSP_TURN_SEND;
	}
	if (!must_ask_version(hello))
		return RSP_TURN_WAIT;
	hello->version_asked = true;
	ticket->kind = HELLO_VERSION;
	kt_buf_appends(payload, "qRcmd,");
	rsp_hex_append(payload, "info version", strlen("info version"));
	return RSP_TURN_SEND;
}

/* "PacketSize=1000;qXfer:features:read+;vContSupported+;multiprocess+" (7.2) */
static struct kt_error *take_supported(struct rsp_client *client, const struct rsp_reply *reply)
{
	const char *key = "PacketSize=";
	const char *p = memmem(reply->data, reply->len, key, strlen(key));
	const char *end = reply->data + reply->len;
	size_t size = 0;

	for (p += strlen(key); p < end && *p != ';'; p++) {
		const char padded[2] = {'0', *p};
		uint8_t digit;

		if (!rsp_hex_decode(&digit, 1, padded) || size > UINT32_MAX)
			return rsp_bad_reply(reply, "qSupported");
		size = size << 4 | digit;
	}
	if (size < PACKET_SIZE_MIN)
		return rsp_bad_reply(reply, "qSupported");
	client->packet_size = size;
	return NULL;
}

static bool thread_id_is_valid(const char *id, size_t len)
{
	if (len == 0 || len >= sizeof(((struct rsp_thread *)0)->id))
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!memchr("p.0123456789abcdefABCDEF", id[i], 24))
			return false;
	}
	return true;
}

/* "mp01.01", "mp01.01,p01.02" or "l" */
static struct kt_error *take_threads(struct hello *hello, const struct rsp_reply *reply)
{
	struct rsp_client *client = hello->client;
	const char *p = reply->data, *end = p + reply->len;

	if (hello->threads_done) /* one of those that were asked ahead */
		return NULL;
	if (rsp_reply_is(reply, "l")) {
		hello->threads_done = true;
		return NULL;
	}
	if (p == end || *p++ != 'm')
		return rsp_bad_reply(reply, "the question for its threads");
	for (; p <= end; p++) {
		const char *comma = memchr(p, ',', (size_t)(end - p));
		size_t len = (size_t)((comma ? comma : end) - p);
		struct rsp_thread thread = {0};

		if (!thread_id_is_valid(p, len) || client->threads.len == THREADS_MAX)
			return rsp_bad_reply(reply, "the question for its threads");
		memcpy(thread.id, p, len);
		if (!kt_vec_push(&client->threads, thread))
			return kt_error_no_memory();
		p += len;
	}
	return NULL;
}

/* Output of the monitor's "info version": "7.2.22Debian 1:7.2+dfsg-7+deb12u18\r\n", in hex. */
static void take_version(struct rsp_client *client, const struct rsp_reply *reply)
{
	char text[8] = "";
	unsigned int major, minor;
	size_t n = (reply->len - 1) / 2;

	if (reply->len < 2 || reply->data[0] != 'O')
		return;
	n = n < sizeof(text) - 1 ? n : sizeof(text) - 1;
	if (rsp_hex_decode(text, n, reply->data + 1) &&
	    sscanf(text, "%2u.%2u", &major, &minor) == 2)
		client->tells_running = major < 8 || (major == 8 && minor == 0);
}

static struct kt_error *hello_reply(struct rsp_batch *batch, const struct rsp_ticket *ticket,
				    const struct rsp_reply *reply)
{
	struct hello *hello = (struct hello *)batch;

	switch (ticket->kind) {
	case HELLO_SUPPORTED: return take_supported(hello->client, reply);
	case HELLO_THREADS: hello->threads_answered++; return take_threads(hello, reply);
	case HELLO_MODE: hello->client->has_physical = rsp_reply_is(reply, "OK"); return NULL;
	case HELLO_VERSION: take_version(hello->client, reply); return NULL;
	default: return NULL;
	}
}

/* The first vCPU is the one that the stub starts with; its process is the one to detach from. */
static struct kt_error *use_first_thread(struct rsp_client *client)
{
	const char *id, *dot;

	if (client->threads.len == 0)
		return kt_error_new(KT_ERROR_PROTOCOL, "the GDB stub has no threads");
	client->fetched = calloc(client->threads.len, sizeof(*client->fetched));
	if (!client->fetched)
		return kt_error_no_memory();
	client->thread = client->thread_now = client->threads.data[0];
	id = client->thread.id;
	dot = strchr(id, '.');
	memset(client->process, 0, sizeof(client->process));
	if (id[0] == 'p' && dot && (size_t)(dot - id) <= sizeof(client->process))
		memcpy(client->process, id + 1, (size_t)(dot - id) - 1);
	rsp_guardian_set_process(client->guardian, client->process);
	return NULL;
}

static struct kt_error *say_hello(struct rsp_client *client)
{
	struct hello hello = {
		.batch = {.next = hello_next, .reply = hello_reply},
		.client = client,
	};
	struct rsp_patience patience = rsp_patience(client, &hello.batch);
	struct kt_error *err = rsp_exchange_sync(client, &hello.batch, &patience, false);

	return err ? err : use_first_thread(client);
}

/* --- the end --- */

struct goodbye {
	struct rsp_batch batch;
	struct rsp_client *client;
	bool sync, mode, stop_query, detach; /* what is still to be sent */
	/*
	 * `D` is sent alone, after the replies to all else. A stop that a vCPU has asked for
	 * meanwhile is over by then. See gdbrsp/rescue.c.
	 */
	bool detach_alone;
	unsigned int unanswered;
};

enum goodbye_kind {
	GOODBYE_SYNC,
	GOODBYE_MODE,
	GOODBYE_DETACH,
};

static enum rsp_turn goodbye_next(struct rsp_batch *batch, struct kt_buf *payload,
				  struct rsp_ticket *ticket)
{
	struct goodbye *bye = (struct goodbye *)batch;
	const char *process = bye->client->process;

	ticket->reply_len = 128;
	if (bye->sync) {
		bye->sync = false;
		ticket->kind = GOODBYE_SYNC;
		kt_buf_appends(payload, QUERY_SUPPORTED);
	} else if (bye->mode) {
		bye->mode = false;
		ticket->kind = GOODBYE_MODE;
		kt_buf_appends(payload, "Qqemu.PhyMemMode:0");
	} else if (bye->stop_query) {
		bye->stop_query = false;
		ticket->kind = RSP_KIND_STOP;
		kt_buf_appends(payload, "?");
	} else if (bye->detach && bye->detach_alone && bye->unanswered) {
		return RSP_TURN_WAIT;
	} else if (bye->detach) {
		bye->detach = false;
		bye->client->detach_sent = true;
		ticket->kind = GOODBYE_DETACH;
		kt_buf_printf(payload, *process ? "D;%s" : "D", process);
	} else {
		return RSP_TURN_DONE;
	}
	bye->unanswered++;
	return RSP_TURN_SEND;
}

static struct kt_error *goodbye_reply(struct rsp_batch *batch, const struct rsp_ticket *ticket,
				      const struct rsp_reply *reply)
{
	struct goodbye *bye = (struct goodbye *)batch;

	bye->unanswered--;
	if (ticket->kind == GOODBYE_DETACH && !rsp_reply_is(reply, "OK"))
		return rsp_bad_reply(reply, "the detach");
	return NULL;
}

static struct kt_error *say_goodbye(struct rsp_client *client)
{
	/* The first byte of a sync is what stops a guest that runs. */
	bool sync = client->dirty || (client->running && !client->stop_came);
	struct goodbye bye = {
		.batch = {.next = goodbye_next, .reply = goodbye_reply},
		.client = client,
		.sync = sync || client->just_stopped,
		.detach_alone = sync || client->just_stopped,
		.mode = sync ? client->has_physical : client->physical_now,
		.stop_query = client->options.leave_stopped, /* `D` removes breakpoints itself */
		.detach = !client->options.leave_stopped,
	};
	/* Without cancel_fd: Ctrl-C may be why we detach. */
	struct rsp_patience patience = {kt_deadline_ms(DETACH_TIMEOUT_MS), -1};

	if (rsp_guardian_acted(client->guardian) && rsp_guardian_wait(client->guardian))
		return NULL;
	if (client->dead)
		return kt_error_new(KT_ERROR_CLOSED, "the connection is gone");
	if (sync)
		return rsp_exchange_sync(client, &bye.batch, &patience, true);
	bye.batch.wait_ns = DETACH_TIMEOUT_MS * INT64_C(1000000);
	client->options.cancel_fd = -1;
	return rsp_exchange(client, &bye.batch);
}

bool rsp_client_was_let_go(const struct rsp_client *client)
{
	return rsp_guardian_acted(client->guardian);
}

/*
 * For a stub that does not answer. QEMU may be busy, also with another debugger, and read our bytes
 * later. They stop the guest then, so a `D` has to be among them; but only one, since a second one
 * crashes QEMU (gdbrsp/rescue.c).
 */
static void leave_note(struct rsp_client *client)
{
	_cleanup_(kt_buf_deinit) struct kt_buf detach = KT_BUF_INIT;

	if (client->options.leave_stopped || client->dead || client->detach_sent)
		return;
	kt_buf_printf(&detach, *client->process ? "D;%s" : "D", client->process);
	rsp_send(client, detach.data, detach.len);
	kt_error_destroy(rsp_connection_flush(client->conn));
}

struct kt_error *rsp_client_detach(struct rsp_client *client)
{
	struct kt_error *err;

	if (client->detached)
		return NULL;
	err = say_goodbye(client);
	if (err && kt_error_code(err) == KT_ERROR_TIMEOUT)
		leave_note(client);
	client->stats.pause_ns = kt_now_ns() - client->stats.connected_ns;
	client->detached = true;
	client->let_go = !err;
	rsp_guardian_dismiss(client->guardian);
	if (!err)
		return NULL;
	err = kt_error_wrap(err, "cannot detach from %s", client->name);
	return kt_error_hint(err, "the guest may be left stopped: `cont` in QEMU's monitor, or "
				  "another attach, gets it running");
}

void rsp_client_destroy(struct rsp_client *client)
{
	if (!client)
		return;
	if (!client->detached)
		kt_error_destroy(rsp_client_detach(client));
	client_free(client);
}

/* --- connecting --- */

static struct kt_error *explain(const struct rsp_client *client, struct kt_error *err)
{
	enum kt_error_code code = kt_error_code(err);

	if (code == KT_ERROR_TIMEOUT && !client->heard) {
		err = kt_error_hint(err, "QEMU serves one debugger at a time: is another one "
					 "attached? If not, this is not a GDB stub, or QEMU hangs");
	} else if (code == KT_ERROR_CLOSED) {
		err = kt_error_hint(err, "did QEMU end, or is this not a GDB stub?");
	}
	return kt_error_wrap(err, "cannot attach to %s", client->name);
}

static struct kt_error *client_start(struct rsp_client *client, struct rsp_client **ret)
{
	struct kt_error *err = say_hello(client);

	if (!err) {
		*ret = client;
		return NULL;
	}
	err = explain(client, err);
	if (client->heard)
		kt_error_destroy(rsp_client_detach(client));
	else
		leave_note(client);
	client_free(client);
	return err;
}

/* Creates the guardian, too, before the connection stops the guest. */
static struct kt_error *client_create(const struct rsp_options *options, const char *name,
				      struct rsp_client **ret)
{
	static const struct rsp_options defaults = {.cancel_fd = -1};
	struct rsp_client *client = client_new(options ? options : &defaults, name);
	struct kt_error *err;

	if (!client)
		return kt_error_no_memory();
	err = rsp_guardian_create(&client->guardian);
	if (err) {
		client_free(client);
		return err;
	}
	rsp_guardian_set_leave_stopped(client->guardian, client->options.leave_stopped);
	/* Not before: the guardian is a fork, and each page that it has, too, would be copied. */
	if (client->options.heap_bytes)
		kt_heap_warm(client->options.heap_bytes);
	*ret = client;
	return NULL;
}

/* What a dialer knows counts, and not what the stub tells or does not tell. */
static void take_dialed(struct rsp_client *client, const struct rsp_dialed *dialed)
{
	if (dialed->stopped_ns)
		client->stats.connected_ns = dialed->stopped_ns;
	client->tells_running = true;
	client->told_running = !dialed->was_paused;
	rsp_client_set_leave_stopped(client, client->options.leave_stopped || dialed->was_paused);
}

static struct kt_error *client_open(struct rsp_client *client, const struct rsp_target *target)
{
	static const struct rsp_batch no_batch;
	struct rsp_patience patience = rsp_patience(client, &no_batch);
	struct rsp_dialed dialed = {0};
	struct kt_error *err;

	client->dialer = target->dialer;
	if (client->dialer && client->dialer->paused)
		rsp_guardian_set_leave_stopped(client->guardian, true);
	err = rsp_connection_open(target, &patience, client->guardian, &dialed, &client->conn);
	/* The guest may be stopped from connect(2) on, but not while the guardian is created. */
	client->stats.connected_ns = rsp_guardian_held_ns(client->guardian);
	if (!err && client->dialer)
		take_dialed(client, &dialed);
	if (!err)
		return NULL;
	if (client->dialer)
		return kt_error_wrap(err, "cannot attach to %s", client->name);
	if (kt_error_code(err) == KT_ERROR_OS)
		err = kt_error_hint(err,
				    "QEMU needs -s, or -gdb with this address, to have a GDB stub; "
				    "`ktstr-gdb list` shows the VMs of this host");
	return explain(client, err);
}

struct kt_error *rsp_client_connect(const struct rsp_target *target,
				    const struct rsp_options *options, struct rsp_client **ret)
{
	struct rsp_client *client;
	struct kt_error *err = client_create(options, target->text, &client);

	if (err)
		return err;
	err = client_open(client, target);
	if (!err)
		return client_start(client, ret);
	client_free(client);
	return err;
}

struct kt_error *rsp_client_from_fd(int fd, const struct rsp_options *options,
				    struct rsp_client **ret)
{
	struct rsp_client *client;
	struct kt_error *err = client_create(options, "the GDB stub", &client);

	if (err) {
		close(fd);
		return err;
	}
	err = rsp_guardian_hold(client->guardian, fd);
	if (err)
		close(fd);
	else
		err = rsp_connection_from_fd(fd, &client->conn);
	client->stats.connected_ns = rsp_guardian_held_ns(client->guardian);
	if (!err)
		return client_start(client, ret);
	client_free(client);
	return err;
}

/* --- what is known --- */

struct kt_error *rsp_client_threads(struct rsp_client *client, const struct rsp_thread **ret,
				    size_t *count_ret)
{
	*ret = client->threads.data;
	*count_ret = client->threads.len;
	return NULL;
}

/* The stub is told with the next virtual read, in the same round trip. */
struct kt_error *rsp_client_select(struct rsp_client *client, const struct rsp_thread *thread)
{
	kt_vec_for_each (&client->threads, t) {
		if (!strcmp(t->id, thread->id)) {
			client->thread = *t;
			return NULL;
		}
	}
	return kt_error_new(KT_ERROR_NOT_FOUND, "the GDB stub has no vCPU '%s'", thread->id);
}

void rsp_client_set_leave_stopped(struct rsp_client *client, bool leave_stopped)
{
	client->options.leave_stopped = leave_stopped;
	rsp_guardian_set_leave_stopped(client->guardian, leave_stopped);
}

bool rsp_client_leaves_stopped(const struct rsp_client *client)
{
	return client->options.leave_stopped;
}

bool rsp_client_has_physical(const struct rsp_client *client)
{
	return client->has_physical;
}

bool rsp_client_was_running(const struct rsp_client *client)
{
	return client->told_running || !client->tells_running;
}

const struct rsp_stats *rsp_client_stats(const struct rsp_client *client)
{
	/* pause_ns grows until the detach, and is all that changes here. */
	struct rsp_client *c = (struct rsp_client *)client;

	if (!c->detached)
		c->stats.pause_ns = kt_now_ns() - c->stats.connected_ns;
	return &c->stats;
}
