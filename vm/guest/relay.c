// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Merges a scheduler's stdout and stderr into one log of SCHED_LOG frames. Every byte comes once,
 * in the order of its stream. Lines are not mixed, so that a verifier log on stderr stays readable
 * beside statistics on stdout. The rest of an unfinished line is waited for, but not for long: the
 * last bytes before a crash matter most.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "util/buf.h"
#include "util/clock.h"
#include "vm/frame.h"
#include "vm/guest/guest.h"

#define CHUNK         65536
#define LINE_MAX_LEN  65536
#define HELD_MAX      (2 * LINE_MAX_LEN)
#define LINE_MAX_WAIT (200 * INT64_C(1000000)) /* ns */

void relay_init(struct relay *relay, int out, int err)
{
	*relay = (struct relay){.streams = {{.fd = out}, {.fd = err}}, .open = -1};
}

bool relay_closed(const struct relay *relay)
{
	return relay->streams[0].fd < 0 && relay->streams[1].fd < 0;
}

static bool waited_long(const struct relay_stream *stream)
{
	return stream->fd < 0 || kt_now_ns() - stream->since_ns >= LINE_MAX_WAIT;
}

/* Whether a stream must wait, because the log is in the middle of a line of the other stream. */
static bool has_to_wait(const struct relay *relay, int nth)
{
	const struct relay_stream *stream = &relay->streams[nth];

	/* A line that grows dot by dot must not hold up the other stream for ever. */
	return relay->open == 1 - nth && !waited_long(&relay->streams[1 - nth]) &&
	       kt_now_ns() - stream->since_ns < 2 * LINE_MAX_WAIT;
}

/* How many of the held bytes are sent now. */
static size_t due(const struct relay *relay, int nth)
{
	const struct relay_stream *stream = &relay->streams[nth];
	const char *nl;

	if (!stream->held.len || has_to_wait(relay, nth))
		return 0;
	nl = memrchr(stream->held.data, '\n', stream->held.len);
	if (nl)
		return (size_t)(nl + 1 - stream->held.data);
	return stream->held.len >= LINE_MAX_LEN || waited_long(stream) ? stream->held.len : 0;
}

static void flush_stream(struct relay *relay, int nth)
{
	struct relay_stream *stream = &relay->streams[nth];
	size_t len = due(relay, nth);

	if (!len)
		return;
	channel_send(KT_FRAME_SCHED_LOG, stream->held.data, len);
	relay->open = stream->held.data[len - 1] == '\n' ? -1 : nth;
	kt_buf_consume(&stream->held, len);
	stream->since_ns = kt_now_ns();
}

static bool take(struct relay_stream *stream)
{
	static char chunk[CHUNK];
	ssize_t n = read(stream->fd, chunk, sizeof(chunk));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return false;
	if (n <= 0) {
		close(stream->fd);
		stream->fd = -1;
		return false;
	}
	if (!stream->held.len)
		stream->since_ns = kt_now_ns();
	kt_buf_append(&stream->held, chunk, (size_t)n);
	if (stream->held.failed)
		die("out of memory");
	return true;
}

/* It is not read then, and its pipe fills, until the line of the other stream has ended. */
static bool is_full(const struct relay_stream *stream)
{
	return stream->fd >= 0 && stream->held.len >= HELD_MAX;
}

bool relay_pump(struct relay *relay, int timeout_ms)
{
	struct pollfd fds[2];
	bool moved = false;

	for (int i = 0; i < 2; i++)
		fds[i] = (struct pollfd){is_full(&relay->streams[i]) ? -1 : relay->streams[i].fd,
					 POLLIN, 0};
	if (poll(fds, 2, timeout_ms) > 0)
		for (int i = 0; i < 2; i++)
			if (fds[i].revents)
				moved |= take(&relay->streams[i]);
	for (int i = 0; i < 2; i++)
		flush_stream(relay, i);
	return moved;
}

void relay_finish(struct relay *relay)
{
	bool more = true;

	/* Until the pipes are empty. Not until they end: a daemon may hold them open for ever. */
	while (more && !relay_closed(relay)) {
		/* A full stream is read once its held bytes are sent, in LINE_MAX_WAIT. */
		more = is_full(&relay->streams[0]) || is_full(&relay->streams[1]);
		more |= relay_pump(relay, more ? 5 : 0);
	}
	for (int i = 0; i < 2; i++) {
		if (relay->streams[i].fd >= 0)
			close(relay->streams[i].fd);
		relay->streams[i].fd = -1;
		flush_stream(relay, i);
	}
	for (int i = 0; i < 2; i++) /* the first may have waited for the second */
		flush_stream(relay, i);
}
