// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * damage LISTEN CONNECT EVERY COUNT: stands between QEMU and the tool, and flips a bit in the
 * payload of each EVERYth frame of a scheduler's log. How many that were is written to the file
 * COUNT at the end.
 */
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define SCHED_LOG 0x53434c47u

static uint8_t buf[4 << 20];
static size_t len;
static unsigned long every, logs, damaged;

static int open_socket(const char *path, int listens)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	if (listens && (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) || listen(fd, 1)))
		return -1;
	if (!listens && connect(fd, (struct sockaddr *)&addr, sizeof(addr)))
		return -1;
	return fd;
}

static uint32_t u32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void put(int fd, const uint8_t *p, size_t n)
{
	while (n) {
		ssize_t w = write(fd, p, n);

		if (w <= 0)
			exit(1);
		p += w;
		n -= (size_t)w;
	}
}

/* Whole frames out of buf, the first and the last of a log (its markers) as they are. */
static void forward(int fd)
{
	size_t pos = 0;

	while (len - pos >= 16 && len - pos - 16 >= u32(buf + pos + 4)) {
		size_t n = 16 + u32(buf + pos + 4);

		if (u32(buf + pos) == SCHED_LOG && n > 16 + 30 && ++logs % every == 0) {
			buf[pos + 16 + n / 3] ^= 4;
			damaged++;
		}
		put(fd, buf + pos, n);
		pos += n;
	}
	memmove(buf, buf + pos, len - pos);
	len -= pos;
}

int main(int argc, char **argv)
{
	int listener, guest, host;
	uint8_t chunk[4096];
	FILE *count;

	if (argc != 5)
		return 2;
	every = strtoul(argv[3], NULL, 10);
	listener = open_socket(argv[1], 1);
	host = open_socket(argv[2], 0);
	if (listener < 0 || host < 0 || (guest = accept(listener, NULL, NULL)) < 0)
		return 1;
	for (;;) {
		struct pollfd fds[2] = {{guest, POLLIN, 0}, {host, POLLIN, 0}};
		ssize_t n;

		poll(fds, 2, -1);
		if (fds[0].revents) {
			n = read(guest, buf + len, sizeof(buf) - len);
			if (n <= 0)
				break;
			len += (size_t)n;
			forward(host);
		}
		if (fds[1].revents) {
			n = read(host, chunk, sizeof(chunk));
			if (n <= 0)
				break;
			put(guest, chunk, (size_t)n);
		}
	}
	count = fopen(argv[4], "w");
	if (count)
		fprintf(count, "%lu\n", damaged);
	return count && !fclose(count) ? 0 : 1;
}
