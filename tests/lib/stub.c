// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gdbrsp/packet.h"
#include "tests/lib/stub.h"
#include "util/buf.h"

struct stub {
	pthread_t thread;
	int fd;
	const struct stub_step *script;
	uint8_t in[4096];
	size_t in_pos, in_len;
	char payload[4096];
	size_t payload_len;
	bool put_back; /* payload is still to be looked at */
	char failure[512];
	sem_t go;
};

static bool fail(struct stub *s, const char *what, const char *wanted, const char *got)
{
	if (!*s->failure)
		snprintf(s->failure, sizeof(s->failure), "%.80s: wanted '%.200s', got '%.200s'",
			 what, wanted, got);
	return false;
}

/* False at the end of the stream. */
static bool next_byte(struct stub *s, uint8_t *ret)
{
	if (s->in_pos == s->in_len) {
		ssize_t n = recv(s->fd, s->in, sizeof(s->in), 0);

		if (n <= 0)
			return false;
		s->in_pos = 0;
		s->in_len = (size_t)n;
	}
	*ret = s->in[s->in_pos++];
	return true;
}

/* Escapes are undone by hand: the codec is among what is tested. */
static bool next_packet(struct stub *s)
{
	unsigned int sum = 0, given;
	char digits[3] = "";
	uint8_t c;

	if (s->put_back) {
		s->put_back = false;
		return true;
	}
	if (!next_byte(s, &c))
		return fail(s, "the client hung up", "$", "");
	if (c != '$')
		return fail(s, "between packets", "$", (char[]){(char)c, '\0'});
	s->payload_len = 0;
	for (;;) {
		if (!next_byte(s, &c))
			return fail(s, "the client hung up", "#", "");
		if (c == '#')
			break;
		sum += c;
		if (s->payload_len == sizeof(s->payload) - 1)
			return fail(s, "a packet", "less than 4096 bytes", "more");
		s->payload[s->payload_len++] = (char)c;
	}
	s->payload[s->payload_len] = '\0';
	for (int i = 0; i < 2; i++) {
		if (!next_byte(s, &c))
			return fail(s, "the client hung up", "checksum", "");
		digits[i] = (char)c;
	}
	given = (unsigned int)strtoul(digits, NULL, 16);
	return given == (sum & 0xff) || fail(s, "checksum", "a right one", s->payload);
}

static bool send_all(struct stub *s, const void *data, size_t len)
{
	const char *p = data;

	while (len) {
		ssize_t n = send(s->fd, p, len, MSG_NOSIGNAL);

		if (n < 0)
			return fail(s, "the client hung up", "a reader", "none");
		p += n;
		len -= (size_t)n;
	}
	return true;
}

static bool send_packet(struct stub *s, const char *payload, size_t len)
{
	struct kt_buf out = KT_BUF_INIT;
	bool ok;

	kt_buf_appendc(&out, '+');
	rsp_packet_append(&out, payload, len);
	ok = send_all(s, out.data, out.len);
	kt_buf_deinit(&out);
	return ok;
}

static bool send_huge(struct stub *s, const char *text, int n)
{
	struct kt_buf payload = KT_BUF_INIT;

	for (int i = 0; i < n; i++)
		kt_buf_appends(&payload, text);
	/* The client may well hang up in the middle of it. */
	(void)send_packet(s, payload.data, payload.len);
	kt_buf_deinit(&payload);
	s->failure[0] = '\0';
	return true;
}

static bool send_drip(struct stub *s, const char *text, int ms)
{
	for (; *text; text++) {
		if (send(s->fd, text, 1, MSG_NOSIGNAL) != 1)
			return true;
		usleep((useconds_t)ms * 1000);
	}
	return true;
}

static bool expect_interrupt(struct stub *s)
{
	uint8_t c = 0;

	return (next_byte(s, &c) && c == 3) || fail(s, "a byte 0x03", "it", "something else");
}

static bool expect_resync(struct stub *s)
{
	const char *preamble = "#00#00$#00";

	for (const char *p = preamble; *p; p++) {
		uint8_t c;

		if (!next_byte(s, &c))
			return fail(s, "the client hung up", preamble, "");
		if (c != (uint8_t)*p)
			return fail(s, "resync", preamble, (char[]){(char)c, '\0'});
	}
	return true;
}

static bool serve_memory(struct stub *s, int n)
{
	while (n--) {
		struct kt_buf hex = KT_BUF_INIT;
		uint64_t addr;
		size_t len;
		bool ok;

		if (!next_packet(s))
			return false;
		if (sscanf(s->payload, "m%" SCNx64 ",%zx", &addr, &len) != 2 || len > 0x10010)
			return fail(s, "memory", "m", s->payload);
		for (size_t i = 0; i < len; i++) {
			uint8_t byte = (uint8_t)(addr + i);

			rsp_hex_append(&hex, &byte, 1);
		}
		ok = send_packet(s, hex.data, hex.len);
		kt_buf_deinit(&hex);
		if (!ok)
			return false;
	}
	return true;
}

static bool serve(struct stub *s, const char *(*answer)(const char *request))
{
	while (next_packet(s)) {
		const char *reply = answer(s->payload);

		if (!reply) {
			s->put_back = true;
			return true;
		}
		if (!send_packet(s, reply, strlen(reply)))
			return false;
	}
	return false;
}

static bool is_quiet(struct stub *s)
{
	char c;

	if (s->put_back || s->in_pos != s->in_len ||
	    recv(s->fd, &c, 1, MSG_PEEK | MSG_DONTWAIT) == 1)
		return fail(s, "a client that waits", "silence", "more requests");
	return true;
}

static bool until_hang_up(struct stub *s)
{
	uint8_t c;

	while (next_byte(s, &c))
		;
	return true;
}

static bool do_step(struct stub *s, const struct stub_step *step)
{
	switch (step->op) {
	case STUB_EXPECT:
		if (!next_packet(s))
			return fail(s, "script", step->text, "nothing");
		return !strcmp(s->payload, step->text) ||
		       fail(s, "request", step->text, s->payload);
	case STUB_EXPECT_ANY: return next_packet(s);
	case STUB_RESYNC: return expect_resync(s);
	case STUB_INTERRUPTED: return expect_interrupt(s);
	case STUB_REPLY: return send_packet(s, step->text, strlen(step->text));
	case STUB_HUGE: return send_huge(s, step->text, step->n);
	case STUB_RAW: return send_all(s, step->text, strlen(step->text));
	case STUB_DRIP: return send_drip(s, step->text, step->n);
	case STUB_SLEEP: usleep((useconds_t)step->n * 1000); return true;
	case STUB_WAIT:
		while (sem_wait(&s->go) && errno == EINTR)
			;
		return true;
	case STUB_QUIET: return is_quiet(s);
	case STUB_DRAIN: return until_hang_up(s);
	case STUB_SERVE: return serve(s, step->serve);
	case STUB_MEMORY: return serve_memory(s, step->n);
	default: return false;
	}
}

static void *run(void *arg)
{
	struct stub *s = arg;
	uint8_t c;

	for (const struct stub_step *step = s->script; step->op != STUB_END; step++) {
		if (step->op == STUB_CLOSE) {
			shutdown(s->fd, SHUT_RDWR);
			return NULL;
		}
		if (!do_step(s, step)) {
			shutdown(s->fd, SHUT_RDWR);
			return NULL;
		}
	}
	/* The client's further bytes were not expected. */
	if (next_byte(s, &c)) {
		s->in_pos--;
		if (next_packet(s))
			fail(s, "at the end of the script", "nothing", s->payload);
	}
	return NULL;
}

struct stub *stub_start(const struct stub_step *script, int send_buf, int *fd_ret)
{
	struct stub *s = calloc(1, sizeof(*s));
	int fds[2];

	if (!s || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		abort();
	if (send_buf) {
		setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &send_buf, sizeof(send_buf));
		setsockopt(fds[1], SOL_SOCKET, SO_SNDBUF, &send_buf, sizeof(send_buf));
	}
	s->fd = fds[1];
	s->script = script;
	sem_init(&s->go, 0, 0);
	if (pthread_create(&s->thread, NULL, run, s))
		abort();
	*fd_ret = fds[0];
	return s;
}

void stub_go(struct stub *s)
{
	sem_post(&s->go);
}

const char *stub_join(struct stub *s)
{
	static char failure[sizeof(s->failure)];

	pthread_join(s->thread, NULL);
	close(s->fd);
	sem_destroy(&s->go);
	memcpy(failure, s->failure, sizeof(failure));
	free(s);
	return *failure ? failure : NULL;
}
