// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "gdbrsp/packet.h"
#include "gdbrsp/rescue.h"
#include "util/clock.h"

/*
 * One flight of requests, whose replies come behind those to all that was asked before.
 *
 * `vAttach` first: the owner may have died between its `D` and the stub's word on it. QEMU then
 * has no process attached, and crashes on the next `D` or `?` (7.2 to 11.1: gdb_get_cpu_pid()
 * of a NULL c_cpu). To attach to what is attached changes nothing.
 *
 * `?` removes breakpoints, as `D` does. Nobody else asks for `qAttached`, so that its reply
 * ("1") marks the place of ours in the stream.
 */
#define MARK "qAttached"

struct flight {
	char bytes[256];
	size_t len, sent;
};

static void add(struct flight *f, const char *payload, const char *process)
{
	char *start = f->bytes + f->len;
	uint8_t sum = 0;

	f->len += (size_t)snprintf(start, sizeof(f->bytes) - f->len, "$%s%s", payload, process);
	for (const char *p = start + 1; *p; p++)
		sum = (uint8_t)(sum + (uint8_t)*p);
	f->len += (size_t)snprintf(f->bytes + f->len, sizeof(f->bytes) - f->len, "#%02x", sum);
}

static void prepare(struct flight *f, const struct rsp_rescue *rescue)
{
	/* The parser, whatever state it is in: see PREAMBLE in exchange.c. */
	f->len = (size_t)snprintf(f->bytes, sizeof(f->bytes), "#00#00$#00");
	add(f, "vAttach;", *rescue->process ? rescue->process : "1");
	add(f, "Qqemu.PhyMemMode:0", "");
	add(f, "?", "");
	add(f, MARK, "");
	if (!rescue->leave_stopped)
		add(f, *rescue->process ? "D;" : "D", rescue->process);
}

/* False: the connection is gone. */
static bool send_on(struct flight *f, int fd)
{
	while (f->sent < f->len) {
		ssize_t n = send(fd, f->bytes + f->sent, f->len - f->sent,
				 MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n >= 0)
			f->sent += (size_t)n;
		else if (errno != EINTR)
			return errno == EAGAIN;
	}
	return true;
}

struct listener {
	struct rsp_decoder decoder;
	char payload[128]; /* longer replies are not to us, and are passed over */
	bool marked, done;
};

static bool equals(const struct rsp_decoder *d, const char *text)
{
	return d->len == strlen(text) && !memcmp(d->payload, text, d->len);
}

static void take_bytes(struct listener *l, const uint8_t *data, size_t len, bool leave_stopped)
{
	while (len && !l->done) {
		enum rsp_event event;
		size_t n = rsp_decoder_push(&l->decoder, data, len, &event);

		if (event == RSP_EVENT_PACKET && !l->marked) {
			l->marked = equals(&l->decoder, "1");
			l->done = l->marked && leave_stopped;
		} else if (event == RSP_EVENT_PACKET) {
			l->done = equals(&l->decoder, "OK");
		}
		data += n;
		len -= n;
	}
}

/* False: the connection is gone. */
static bool receive_on(struct listener *l, int fd, bool leave_stopped)
{
	static uint8_t in[16 * 1024];
	ssize_t n = recv(fd, in, sizeof(in), MSG_DONTWAIT);

	if (n > 0)
		take_bytes(l, in, (size_t)n, leave_stopped);
	return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

/* A connect(2) that is still under way, too: poll(2) tells when it is through. */
bool rsp_rescue(const struct rsp_rescue *rescue)
{
	struct flight flight = {0};
	struct listener listener = {0};
	bool there = true;

	prepare(&flight, rescue);
	rsp_decoder_init(&listener.decoder, listener.payload, sizeof(listener.payload));
	while (there && !listener.done) {
		struct pollfd pfd = {.fd = rescue->fd, .events = POLLIN};
		int n;

		if (flight.sent < flight.len)
			pfd.events |= POLLOUT;
		n = poll(&pfd, 1, kt_deadline_left_ms(rescue->deadline_ns));
		if (n == 0 || (n < 0 && errno != EINTR) || (n > 0 && pfd.revents & POLLNVAL))
			return false;
		if (n > 0 && pfd.revents & POLLOUT)
			there = send_on(&flight, rescue->fd);
		if (n > 0 && pfd.revents & (POLLIN | POLLHUP | POLLERR))
			there = receive_on(&listener, rescue->fd, rescue->leave_stopped);
	}
	return listener.done;
}
