// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * bare DIR QEMU ARG...: QEMU alone, with a guest of the tool's in DIR. This program only sends the
 * commands that the guest waits for. Prints the seconds until QEMU has ended.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/clock.h"
#include "vm/frame.h"

static int listen_on(const char *dir, const char *name)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/%s", dir, name);
	unlink(addr.sun_path);
	return bind(fd, (struct sockaddr *)&addr, sizeof(addr)) || listen(fd, 1) ? -1 : fd;
}

static void command(int fd, uint8_t byte)
{
	struct kt_buf frame = KT_BUF_INIT;

	kt_frame_encode(&frame, KT_FRAME_COMMAND, &byte, 1);
	if (write(fd, frame.data, frame.len) < 0)
		perror("bare");
	kt_buf_deinit(&frame);
}

/* False: the guest has hung up. */
static bool answer(int fd, struct kt_frame_decoder *decoder)
{
	static char chunk[65536];
	ssize_t n = read(fd, chunk, sizeof(chunk));
	struct kt_frame frame;

	if (n <= 0 || !kt_frame_decoder_push(decoder, chunk, (size_t)n))
		return false;
	while (kt_frame_decoder_next(decoder, &frame)) {
		if (frame.type == KT_FRAME_LIFECYCLE && frame.len &&
		    frame.payload[0] == KT_PHASE_READY)
			command(fd, KT_COMMAND_GO_ON);
		if (frame.type == KT_FRAME_EXIT)
			command(fd, KT_COMMAND_BYE);
	}
	return true;
}

int main(int argc, char **argv)
{
	static struct kt_frame_decoder decoders[2];
	int64_t began = kt_now_ns();
	int fds[2], status;
	pid_t pid;

	if (argc < 3)
		return 2;
	fds[0] = listen_on(argv[1], "bulk.sock");
	fds[1] = listen_on(argv[1], "frames.sock");
	pid = fork();
	if (!pid) {
		execvp(argv[2], argv + 2);
		perror(argv[2]);
		_exit(127);
	}
	for (int i = 0; i < 2; i++)
		fds[i] = accept(fds[i], NULL, NULL);
	while (fds[0] >= 0 || fds[1] >= 0) {
		struct pollfd pfds[2] = {{fds[0], POLLIN, 0}, {fds[1], POLLIN, 0}};

		poll(pfds, 2, -1);
		for (int i = 0; i < 2; i++)
			if (pfds[i].revents && !answer(fds[i], &decoders[i]))
				fds[i] = -1;
	}
	waitpid(pid, &status, 0);
	printf("%.3f\n", (double)(kt_now_ns() - began) / 1e9);
	return 0;
}
