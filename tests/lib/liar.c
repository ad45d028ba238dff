// SPDX-License-Identifier: LGPL-2.1-or-later
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/lib/liar.h"

const char liar_target_xml[] =
	"<?xml version=\"1.0\"?><!DOCTYPE target SYSTEM \"gdb-target.dtd\"><target>"
	"<architecture>i386:x86-64</architecture><xi:include href=\"i386-64bit.xml\"/></target>";
const char liar_registers_xml[] =
	"<feature name=\"org.gnu.gdb.i386.core\"><reg name=\"rip\" bitsize=\"64\" regnum=\"0\"/>"
	"<!--reg name=\"cs_base\" bitsize=\"64\"/-->"
	"<reg name=\"cr0\" bitsize=\"64\"/><reg name=\"cr3\" bitsize=\"64\"/>"
	"<reg name=\"efer\" bitsize=\"64\"/></feature>";

enum way {
	BAD_SUM,
	NO_HASH,
	NO_SUM,
	SUM_NOT_HEX,
	EMPTY,
	HALF,
	ONE_SHORT,
	ONE_LONG,
	LONGER,
	TWICE,
	SKIPPED,
	EXTRA_OK,
	EXTRA_ERROR,
	EXTRA_STOP,
	STOP_INSTEAD,
	STOP_INSIDE,
	CONSOLE,
	NOTIFICATION,
	NAK,
	GARBAGE,
	NULS,
	HIGH_BYTES,
	NOT_HEX,
	DOLLAR_INSIDE,
	RUN_BOMB,
	RUN_OF_NOTHING,
	RUN_ODD_COUNT,
	ESCAPE_AT_END,
	HUGE_PACKET,
	ERROR_14,
	ERROR_22,
	ERROR_TEXT,
	CLOSE_BEFORE,
	CLOSE_IN_PACKET,
	CLOSE_BEFORE_SUM,
	CLOSE_AFTER,
	SILENCE,
	DRIP,
	FLOOD_ACKS,
	FLOOD_PACKET,
	FLOOD_RUN,
	FLOOD_STOPS,
	FLOOD_NOTIFICATIONS,
	FLOOD_OKS,
	N_WAYS,
};

const struct liar_way liar_ways[] = {
	[BAD_SUM] = {.name = "a wrong checksum", .fatal = true},
	[NO_HASH] = {.name = "no #", .fatal = true},
	[NO_SUM] = {.name = "no checksum", .fatal = true},
	[SUM_NOT_HEX] = {.name = "a checksum that is no hex", .fatal = true},
	[EMPTY] = {.name = "an empty reply"},
	[HALF] = {.name = "half of the reply"},
	[ONE_SHORT] = {.name = "one byte less"},
	[ONE_LONG] = {.name = "one byte more"},
	[LONGER] = {.name = "more than was asked for"},
	[TWICE] = {.name = "the reply twice"},
	[SKIPPED] = {.name = "no reply to this one"},
	[EXTRA_OK] = {.name = "an OK that nobody asked for"},
	[EXTRA_ERROR] = {.name = "an error that nobody asked for"},
	[EXTRA_STOP] = {.name = "a stop reply before it"},
	[STOP_INSTEAD] = {.name = "a stop reply in its place"},
	[STOP_INSIDE] = {.name = "a stop reply in its middle", .fatal = true},
	[CONSOLE] = {.name = "console output"},
	[NOTIFICATION] = {.name = "a notification"},
	[NAK] = {.name = "a nak"},
	[GARBAGE] = {.name = "garbage before it", .fatal = true},
	[NULS] = {.name = "NULs in its place"},
	[HIGH_BYTES] = {.name = "bytes that are no text"},
	[NOT_HEX] = {.name = "hex that is none"},
	[DOLLAR_INSIDE] = {.name = "a $ in its middle", .fatal = true},
	[RUN_BOMB] = {.name = "a run-length bomb", .fatal = true},
	[RUN_OF_NOTHING] = {.name = "a run of nothing", .fatal = true},
	[RUN_ODD_COUNT] = {.name = "a run of a count that is none", .fatal = true},
	[ESCAPE_AT_END] = {.name = "an escape of nothing", .fatal = true},
	[HUGE_PACKET] = {.name = "a megabyte", .fatal = true},
	[ERROR_14] = {.name = "E14"},
	[ERROR_22] = {.name = "E22"},
	[ERROR_TEXT] = {.name = "an error in words"},
	[CLOSE_BEFORE] = {.name = "EOF before it", .fatal = true},
	[CLOSE_IN_PACKET] = {.name = "EOF in its middle", .fatal = true},
	[CLOSE_BEFORE_SUM] = {.name = "EOF before its checksum", .fatal = true},
	[CLOSE_AFTER] = {.name = "EOF after it"},
	[SILENCE] = {.name = "nothing", .fatal = true, .slowly = true},
	[DRIP] = {.name = "a byte a second", .fatal = true, .slowly = true},
	[FLOOD_ACKS] = {.name = "acks without end", .fatal = true, .slowly = true},
	[FLOOD_PACKET] = {.name = "a packet without end", .fatal = true, .slowly = true},
	[FLOOD_RUN] = {.name = "a run-length bomb without end", .fatal = true, .slowly = true},
	[FLOOD_STOPS] = {.name = "stop replies without end", .slowly = true},
	[FLOOD_NOTIFICATIONS] = {.name = "notifications without end",
				 .fatal = true,
				 .slowly = true},
	[FLOOD_OKS] = {.name = "OKs without end", .slowly = true},
};
const size_t liar_n_ways = N_WAYS;

struct liar {
	pthread_t thread;
	int fd;
	size_t way, at, replies;
	liar_describe_fn *describe;
	void *arg;
	int threads_told;
	uint8_t in[4096];
	size_t in_pos, in_len;
	char request[4096], reply[2 * LIAR_REPLY_MAX];
	size_t reply_len;
};

/* False once the client has hung up. */
static bool send_all(struct liar *l, const void *data, size_t len)
{
	const char *p = data;

	while (len) {
		ssize_t n = send(l->fd, p, len, MSG_NOSIGNAL);

		if (n <= 0)
			return false;
		p += n;
		len -= (size_t)n;
	}
	return true;
}

static bool say(struct liar *l, const char *text)
{
	return send_all(l, text, strlen(text));
}

/* By hand, as in tests/lib/stub.c: nothing that is sent here has to be escaped. */
static bool send_packet(struct liar *l, const char *payload, size_t len)
{
	unsigned int sum = 0;
	char end[4];

	for (size_t i = 0; i < len; i++)
		sum += (unsigned char)payload[i];
	snprintf(end, sizeof(end), "#%02x", sum & 0xff);
	return say(l, "+$") && send_all(l, payload, len) && send_all(l, end, 3);
}

static bool send_repeated(struct liar *l, const char *start, const char *text, size_t n)
{
	if (!say(l, start))
		return false;
	while (n--)
		if (!say(l, text))
			return false;
	return true;
}

/* Sends until the client hangs up. Its bytes are read meanwhile, else it would wait for us. */
static bool flood(struct liar *l, const char *start, const char *text)
{
	size_t len = strlen(text), n = 0;
	char block[4096], drop[4096];

	for (; n + len <= sizeof(block); n += len)
		memcpy(block + n, text, len);
	if (!say(l, start))
		return false;
	/* 20 MB a second: faster than any stub, and other tests run beside it. */
	while (send_all(l, block, n) && !usleep(200))
		while (recv(l->fd, drop, sizeof(drop), MSG_DONTWAIT) > 0)
			;
	return false;
}

static bool drip(struct liar *l)
{
	char drop[4096];

	for (size_t i = 0; i <= l->reply_len; i++) {
		struct pollfd pfd = {.fd = l->fd};

		if (send(l->fd, i ? l->reply + i - 1 : "$", 1, MSG_NOSIGNAL) != 1)
			return false;
		if (poll(&pfd, 1, 1000) > 0 && pfd.revents & POLLHUP)
			return false;
		while (recv(l->fd, drop, sizeof(drop), MSG_DONTWAIT) > 0)
			;
	}
	return false;
}

static bool silence(struct liar *l)
{
	char drop[4096];

	while (recv(l->fd, drop, sizeof(drop), 0) > 0)
		;
	return false;
}

static bool honest(struct liar *l)
{
	return send_packet(l, l->reply, l->reply_len);
}

static bool send_part(struct liar *l, size_t len)
{
	return say(l, "+$") && send_all(l, l->reply, len);
}

static bool replace_reply(struct liar *l, char with)
{
	memset(l->reply, with, l->reply_len);
	return honest(l);
}

static bool append_reply(struct liar *l, size_t n)
{
	memset(l->reply + l->reply_len, '0', n);
	l->reply_len += n;
	return honest(l);
}

static bool send_huge(struct liar *l)
{
	static char huge[1 << 20];

	memset(huge, '0', sizeof(huge));
	return send_packet(l, huge, sizeof(huge));
}

/* Off by one, whatever it is. */
static bool spoil_sum(struct liar *l)
{
	unsigned int sum = 1;
	char end[4];

	for (size_t i = 0; i < l->reply_len; i++)
		sum += (unsigned char)l->reply[i];
	snprintf(end, sizeof(end), "#%02x", sum & 0xff);
	return send_part(l, l->reply_len) && send_all(l, end, 3);
}

/* Packets that are framed wrong. */
static bool spoil_frame(struct liar *l)
{
	size_t half = l->reply_len / 2;

	switch ((enum way)l->way) {
	case BAD_SUM: return spoil_sum(l);
	case NO_HASH: return send_part(l, l->reply_len);
	case NO_SUM: return send_part(l, l->reply_len) && say(l, "#");
	case SUM_NOT_HEX: return send_part(l, l->reply_len) && say(l, "#xy");
	case STOP_INSIDE:
		return send_part(l, half) && say(l, "$T05thread:p01.01;#06") &&
		       send_all(l, l->reply + half, l->reply_len - half) && say(l, "#00");
	case DOLLAR_INSIDE:
		return send_part(l, half) && say(l, "$") &&
		       send_all(l, l->reply + half, l->reply_len - half) && say(l, "#00");
	case RUN_BOMB: return send_repeated(l, "+$0", "*~", 1 << 14) && say(l, "#00");
	case RUN_OF_NOTHING: return say(l, "+$*~#00");
	case RUN_ODD_COUNT: return say(l, "+$0*\x01#00");
	case ESCAPE_AT_END: return send_part(l, l->reply_len) && say(l, "}#00");
	case CLOSE_IN_PACKET: send_part(l, half); return false;
	case CLOSE_BEFORE_SUM: return send_part(l, l->reply_len) && say(l, "#") && false;
	case CLOSE_AFTER: honest(l); return false;
	case NAK: return say(l, "-") && honest(l);
	case GARBAGE: return say(l, "\x1b[2J\n") && honest(l);
	case NULS: return send_all(l, "\0\0\0\0\0\0\0\0", 8);
	case NOTIFICATION: return say(l, "%Stop:T05#99") && honest(l);
	default: return false;
	}
}

/* Well framed packets with the wrong content, or at the wrong time. */
static bool spoil_content(struct liar *l)
{
	const char stop[] = "T05thread:p01.02;";

	switch ((enum way)l->way) {
	case EMPTY: return send_packet(l, "", 0);
	case HALF: return send_packet(l, l->reply, l->reply_len / 2);
	case ONE_SHORT: return send_packet(l, l->reply, l->reply_len - !!l->reply_len);
	case ONE_LONG: return append_reply(l, 1);
	case LONGER: return append_reply(l, 400);
	case TWICE: return honest(l) && honest(l);
	case SKIPPED: return say(l, "+");
	case EXTRA_OK: return send_packet(l, "OK", 2) && honest(l);
	case EXTRA_ERROR: return send_packet(l, "E01", 3) && honest(l);
	case EXTRA_STOP: return send_packet(l, stop, strlen(stop)) && honest(l);
	case STOP_INSTEAD: return send_packet(l, stop, strlen(stop));
	case CONSOLE: return send_packet(l, "O68690a", 7) && honest(l);
	case HIGH_BYTES: return replace_reply(l, '\xfe');
	case NOT_HEX: return replace_reply(l, 'z');
	case HUGE_PACKET: return send_huge(l);
	case ERROR_14: return send_packet(l, "E14", 3);
	case ERROR_22: return send_packet(l, "E22", 3);
	case ERROR_TEXT: return send_packet(l, "E.\x1b[31mno\n", 9);
	case SILENCE: return silence(l);
	case DRIP: return drip(l);
	case FLOOD_ACKS: return flood(l, "+", "+");
	case FLOOD_PACKET: return flood(l, "+$", "a");
	case FLOOD_RUN: return flood(l, "+$a", "*~");
	case FLOOD_STOPS: return flood(l, "+", "$T05thread:p01.01;#06");
	case FLOOD_NOTIFICATIONS: return flood(l, "+", "%Stop#dd");
	case FLOOD_OKS: return flood(l, "+", "$OK#9a");
	default: return spoil_frame(l);
	}
}

/* --- what an honest stub says --- */

static void take_text(struct liar *l, const char *text)
{
	l->reply_len = strlen(text);
	memcpy(l->reply, text, l->reply_len);
}

static void take_memory(struct liar *l, uint64_t addr, size_t len)
{
	for (size_t i = 0; i < len && i < LIAR_REPLY_MAX / 2; i++)
		l->reply_len += (size_t)sprintf(l->reply + l->reply_len, "%02x",
						(uint8_t)(addr + i));
}

static void take_register(struct liar *l, unsigned int number)
{
	static const uint64_t values[] = {LIAR_RIP, LIAR_CR0, LIAR_CR3, LIAR_EFER};

	if (number >= sizeof(values) / sizeof(values[0])) {
		take_text(l, "E14");
		return;
	}
	for (int i = 0; i < 8; i++)
		l->reply_len += (size_t)sprintf(l->reply + l->reply_len, "%02x",
						(uint8_t)(values[number] >> 8 * i));
}

static void describe_well(void *arg, const char *name, size_t offset, size_t len, char *reply,
			  size_t *reply_len)
{
	const char *doc = strcmp(name, "target.xml") ? liar_registers_xml : liar_target_xml;
	size_t size = strlen(doc), rest = offset < size ? size - offset : 0;

	(void)arg;
	reply[0] = rest > len ? 'm' : 'l';
	*reply_len = 1 + (rest > len ? len : rest);
	memcpy(reply + 1, doc + (offset < size ? offset : size), *reply_len - 1);
}

static void take_answer(struct liar *l)
{
	const char *r = l->request;
	unsigned int number;
	char name[128];
	size_t offset, len;
	uint64_t addr;

	l->reply_len = 0;
	if (!strncmp(r, "qSupported", 10))
		take_text(l, "PacketSize=1000;qXfer:features:read+;multiprocess+");
	else if (!strcmp(r, "?") || !strncmp(r, "vCont;", 6))
		take_text(l, "T05thread:p01.02;");
	else if (!strcmp(r, "qfThreadInfo"))
		take_text(l, "mp01.01");
	else if (!strcmp(r, "qsThreadInfo"))
		take_text(l, l->threads_told++ ? "l" : "mp01.02");
	else if (sscanf(r, "qXfer:features:read:%127[^:]:%zx,%zx", name, &offset, &len) == 3)
		l->describe(l->arg, name, offset, len < LIAR_REPLY_MAX ? len : LIAR_REPLY_MAX,
			    l->reply, &l->reply_len);
	else if (sscanf(r, "p%x", &number) == 1)
		take_register(l, number);
	else if (sscanf(r, "m%" SCNx64 ",%zx", &addr, &len) == 2)
		take_memory(l, addr, len);
	else if (strchr("QHZzD", r[0]) && r[0])
		take_text(l, "OK");
}

/* False at the end of the stream. */
static bool next_byte(struct liar *l, char *ret)
{
	if (l->in_pos == l->in_len) {
		ssize_t n = recv(l->fd, l->in, sizeof(l->in), 0);

		if (n <= 0)
			return false;
		l->in_pos = 0;
		l->in_len = (size_t)n;
	}
	*ret = (char)l->in[l->in_pos++];
	return true;
}

/* What is between packets is passed over, as QEMU does. */
static bool next_request(struct liar *l)
{
	size_t len = 0;
	char c = 0;

	while (c != '$')
		if (!next_byte(l, &c))
			return false;
	while (next_byte(l, &c) && c != '#')
		if (len < sizeof(l->request) - 1)
			l->request[len++] = c;
	l->request[len] = '\0';
	return next_byte(l, &c) && next_byte(l, &c);
}

static void *run(void *arg)
{
	struct liar *l = arg;
	bool going_on = say(l, "$T02thread:01;#04");

	while (going_on && next_request(l)) {
		take_answer(l);
		going_on = l->replies++ == l->at && l->way < N_WAYS ? spoil_content(l) : honest(l);
	}
	shutdown(l->fd, SHUT_RDWR);
	return NULL;
}

struct liar *liar_start(size_t way, size_t at, liar_describe_fn *describe, void *arg, int *fd_ret)
{
	struct liar *l = calloc(1, sizeof(*l));
	int fds[2];

	if (!l || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		abort();
	l->fd = fds[1];
	l->way = way;
	l->at = at;
	l->describe = describe ? describe : describe_well;
	l->arg = arg;
	if (pthread_create(&l->thread, NULL, run, l))
		abort();
	*fd_ret = fds[0];
	return l;
}

size_t liar_join(struct liar *l)
{
	size_t replies;

	pthread_join(l->thread, NULL);
	replies = l->replies;
	close(l->fd);
	free(l);
	return replies;
}
