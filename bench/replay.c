// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * replay TARGET TRACE [RUNS]: sends the requests of a --trace file again, bare: all of them
 * pipelined, no reply looked at. Prints the microseconds from connect to the last reply, the
 * least and the median of RUNS. What a walk takes beyond this is its own round trips and
 * thinking.
 */
#include <errno.h>
#include <netdb.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "gdbrsp/target.h"
#include "util/buf.h"
#include "util/clock.h"
#include "util/vec.h"

#define WINDOW 256 /* requests under way: their replies fit a socket buffer */

struct request {
	size_t end; /* in the text of all packets */
};

struct requests {
	struct kt_buf text;
	KT_VEC(struct request) ends;
};

static void add_packet(struct requests *r, const char *payload, size_t len)
{
	unsigned int sum = 0;

	for (size_t i = 0; i < len; i++)
		sum += (unsigned char)payload[i];
	kt_buf_printf(&r->text, "$%.*s#%02x", (int)len, payload, sum & 0xff);
	kt_vec_push(&r->ends, (struct request){r->text.len});
}

static bool load(const char *path, struct requests *r)
{
	FILE *f = fopen(path, "re");
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;

	if (!f)
		return false;
	while ((n = getline(&line, &cap, f)) > 0) {
		size_t len = (size_t)n - (line[n - 1] == '\n');

		/* The first line is raw bytes that clear the parser; they have no reply. */
		if (len > 2 && line[0] == '>' && line[2] != '#')
			add_packet(r, line + 2, len - 2);
	}
	free(line);
	fclose(f);
	return r->ends.len > 0;
}

static int dial(const struct rsp_target *target)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list;
	int fd = -1;

	if (target->path) {
		fd = socket(AF_UNIX, SOCK_STREAM, 0);
		snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", target->path);
		return connect(fd, (struct sockaddr *)&addr, sizeof(addr)) ? -1 : fd;
	}
	if (getaddrinfo(target->host, target->port, &hints, &list))
		return -1;
	for (struct addrinfo *ai = list; ai; ai = ai->ai_next) {
		fd = socket(ai->ai_family, ai->ai_socktype, ai->ai_protocol);
		if (connect(fd, ai->ai_addr, ai->ai_addrlen) == 0)
			break;
		close(fd);
		fd = -1;
	}
	freeaddrinfo(list);
	return fd;
}

/* Counts the packets that end in data; *tail: checksum digits still to come. */
static size_t count_replies(const char *data, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += data[i] == '#';
	return n;
}

static int64_t replay(const struct rsp_target *target, const struct requests *r)
{
	static char in[1 << 17];
	int64_t start = kt_now_ns(), ns = -1;
	int fd = dial(target);
	/* A stop reply comes unasked from QEMU 7.2, so the last replies tell the end. */
	size_t sent = 0, replies = 0;

	if (fd < 0)
		return -1;
	while (replies < r->ends.len) {
		size_t until = replies + WINDOW < r->ends.len ? replies + WINDOW : r->ends.len;
		size_t end = r->ends.data[until - 1].end;
		ssize_t n;

		if (sent < end) {
			n = send(fd, r->text.data + sent, end - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
			sent += n > 0 ? (size_t)n : 0;
		}
		n = recv(fd, in, sizeof(in), MSG_DONTWAIT);
		if (n == 0 || (n < 0 && errno != EAGAIN))
			goto out;
		if (n > 0)
			replies += count_replies(in, (size_t)n);
		else
			sched_yield();
		if (kt_now_ns() - start > 20000000000)
			goto out;
	}
	ns = kt_now_ns() - start;
out:
	close(fd);
	return ns;
}

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	int runs = argc > 3 ? (int)strtol(argv[3], NULL, 10) : 11;
	struct requests requests = {.text = KT_BUF_INIT};
	struct rsp_target target;
	int64_t *ns;

	if (argc < 3 || runs < 1) {
		fputs("usage: replay TARGET TRACE [RUNS]\n", stderr);
		return 2;
	}
	if (rsp_target_parse(argv[1], &target) || !load(argv[2], &requests)) {
		fprintf(stderr, "replay: no requests in %s\n", argv[2]);
		return 3;
	}
	ns = calloc((size_t)runs, sizeof(*ns));
	for (int i = 0; i < runs; i++) {
		ns[i] = replay(&target, &requests);
		if (ns[i] < 0) {
			fprintf(stderr, "replay: %s: the stub went away\n", argv[1]);
			return 3;
		}
		usleep(100000);
	}
	qsort(ns, (size_t)runs, sizeof(*ns), by_value);
	printf("%.0f %.0f\n", (double)ns[0] / 1e3, (double)ns[runs / 2] / 1e3);
	free(ns);
	return 0;
}
