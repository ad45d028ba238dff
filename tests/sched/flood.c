// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "tests/sched/flood.h"
#include "tests/sched/scx_fix.h"

#define CHUNK_MAX 16384

struct stream {
	const char *name;
	int fd;
	uint32_t line;
	size_t len; /* of what waits in data: always more than the next chunk */
	char data[CHUNK_MAX + FLOOD_LINE_MAX + 1];
};

static void fill(struct stream *s)
{
	while (s->len < CHUNK_MAX) {
		s->len += flood_line(s->name, s->line++, s->data + s->len);
		s->data[s->len++] = '\n';
	}
}

static bool write_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		data += n;
		len -= (size_t)n;
	}
	return true;
}

/* The first n bytes, wherever in a line that is. */
static bool write_chunk(struct stream *s, size_t n)
{
	bool ok = write_all(s->fd, s->data, n);

	s->len -= n;
	memmove(s->data, s->data + n, s->len);
	return ok;
}

static bool end(struct stream *s)
{
	char line[64];
	int len = snprintf(line, sizeof(line), "%s end %u\n", s->name, s->line);

	return write_chunk(s, s->len) && write_all(s->fd, line, (size_t)len);
}

bool flood(size_t bytes)
{
	static struct stream streams[2] = {{.name = "out", .fd = 1}, {.name = "err", .fd = 2}};
	size_t written = 0;

	for (uint32_t i = 0; written < bytes; i++) {
		size_t n = 1 + flood_hash(i) % CHUNK_MAX;

		fill(&streams[i % 2]);
		if (!write_chunk(&streams[i % 2], n))
			return false;
		written += n;
	}
	return end(&streams[0]) && end(&streams[1]);
}
