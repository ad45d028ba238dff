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
 * Two flights. The replies to the first come behind those to all that was asked before.
 *
 * `vAttach` first: the owner may have died between its `D` and the stub's word on it. QEMU then
 * has no process attached, and crashes on the next `D` or `?` (7.2 to 11.1: gdb_get_cpu_pid()
 * of a NULL c_cpu). To attach to what is attached changes nothing.
 *
 * `?` removes breakpoints, as `D` does. Nobody else asks for `qAttached`, so that its reply
 * ("1") marks the place of ours in the stream.
 *
 * `D` goes out behind that reply, alone. The first byte of the first flight stops a guest that
 * runs. If a vCPU comes to a breakpoint at that moment, it asks QEMU's main loop for a stop of its
 * own, which the main loop carries out once it has read the whole flight. A `D` in that flight
 * would come before that stop, and the guest would stand still with nobody attached (QEMU 7.2 to
 * 11.1: 26 of 120 times under KVM, 1 of 120 under TCG; with `D` behind the reply, none).
 *
 * An owner that was stopped may go on at any time, and then sends what it was about to send. Behind
 * our `D`, that would stop the guest again, and may crash QEMU. So nobody can write once the `D` is
 * out. If it was a `D` and came before ours, our second `vAttach` makes ours harmless.
 */
#define MARK "qAttached"

struct flight {
	char bytes[256];
	size_t len, sent;
	bool last; /* nobody writes behind it */
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

static void add_attach(struct flight *f, const struct rsp_rescue *rescue)
{
	add(f, "vAttach;", *rescue->process ? rescue->process : "1");
}

static void prepare_first(struct flight *f, const struct rsp_rescue *rescue)
{
	/* The parser, whatever state it is in: see PREAMBLE in exchange.c. */
	f->len = (size_t)snprintf(f->bytes, sizeof(f->bytes), "#00#00$#00");
	add_attach(f, rescue);
	add(f, "Qqemu.PhyMemMode:0", "");
	add(f, "?", "");
	add(f, MARK, "");
}

static void prepare_detach(struct flight *f, const struct rsp_rescue *rescue)
{
	*f = (struct flight){0};
	add_attach(f, rescue);
	add(f, *rescue->process ? "D;" : "D", rescue->process);
	f->last = true;
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
	/* QEMU reads what was sent before it sees the end: half a connection is no hang-up. */
	if (f->last)
		shutdown(fd, SHUT_WR);
	return true;
}

struct listener {
	struct rsp_decoder decoder;
	char payload[128]; /* longer replies are to others, and are passed over */
	bool marked, done;
	bool ended; /* by the stub */
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

	l->ended = n == 0;
	if (n > 0)
		take_bytes(l, in, (size_t)n, leave_stopped);
	return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

/* A connect(2) that is still under way, too: poll(2) tells when it is through. */
bool rsp_rescue(const struct rsp_rescue *rescue)
{
	struct flight flight = {0};
	struct listener listener = {0};
	bool there = true, detaching = false;

	prepare_first(&flight, rescue);
	rsp_decoder_init(&listener.decoder, listener.payload, sizeof(listener.payload));
	while (there && !listener.done) {
		struct pollfd pfd = {.fd = rescue->fd, .events = POLLIN};
		int n;

		if (flight.sent < flight.len)
			pfd.events |= POLLOUT;
		n = poll(&pfd, 1, kt_deadline_left_ms(rescue->deadline_ns));
		if (n == 0 || (n < 0 && errno != EINTR) || (n > 0 && pfd.revents & POLLNVAL))
			break;
		if (n > 0 && pfd.revents & POLLOUT)
			there = send_on(&flight, rescue->fd);
		if (n > 0 && pfd.revents & (POLLIN | POLLHUP | POLLERR))
			there = receive_on(&listener, rescue->fd, rescue->leave_stopped);
		if (listener.marked && !listener.done && !detaching) {
			prepare_detach(&flight, rescue);
			detaching = true;
		}
	}
	/* An owner that goes on may have read the reply to `D`. The stub saw the end behind the
	 * `D`. */
	if (detaching && flight.sent == flight.len && listener.ended)
		listener.done = true;
	/* QEMU may read this later; nobody waits for the reply then. */
	if (!listener.done && !detaching && !rescue->leave_stopped) {
		prepare_detach(&flight, rescue);
		send_on(&flight, rescue->fd);
	}
	return listener.done;
}
