// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/clock.h"
#include "vm/channel.h"

#define SEND_MAX_MS 1000

struct kt_error *vm_channel_listen(struct vm_channel *channel, const char *dir, const char *name)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct sockaddr_un addr = {.sun_family = AF_UNIX};

	/* vm/guard.c made sure that it fits. */
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/%s", dir, name);
	unlink(addr.sun_path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)) || listen(fd, 1))
		return kt_error_os(errno, "cannot listen on %s", addr.sun_path);
	channel->listen_fd = kt_take_fd(&fd);
	return NULL;
}

void vm_channel_close(struct vm_channel *channel)
{
	uint64_t bad_frames = channel->decoder.bad_frames;
	uint64_t skipped_bytes = channel->decoder.skipped_bytes;

	if (channel->listen_fd >= 0)
		close(channel->listen_fd);
	if (channel->fd >= 0)
		close(channel->fd);
	kt_frame_decoder_deinit(&channel->decoder);
	*channel = (struct vm_channel)VM_CHANNEL_INIT;
	channel->decoder.bad_frames = bad_frames;
	channel->decoder.skipped_bytes = skipped_bytes;
}

int vm_channel_poll_fd(const struct vm_channel *channel)
{
	return channel->listen_fd >= 0 ? channel->listen_fd : channel->fd;
}

struct kt_error *vm_channel_receive(struct vm_channel *channel)
{
	char chunk[65536];
	ssize_t n;

	if (channel->listen_fd >= 0) {
		channel->fd = accept4(channel->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (channel->fd < 0)
			return NULL;
		close(channel->listen_fd);
		channel->listen_fd = -1;
	}
	n = channel->fd < 0 ? -1 : read(channel->fd, chunk, sizeof(chunk));
	if (n > 0)
		return kt_frame_decoder_push(&channel->decoder, chunk, (size_t)n)
			       ? NULL
			       : kt_error_no_memory();
	if (channel->fd >= 0 && (n == 0 || (errno != EAGAIN && errno != EINTR))) {
		close(channel->fd);
		channel->fd = -1;
		channel->decoder.ended = true;
	}
	return NULL;
}

static struct kt_error *send_bytes(int fd, const char *data, size_t len, int64_t deadline)
{
	while (len) {
		struct pollfd pfd = {fd, POLLOUT, 0};
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n >= 0) {
			data += n;
			len -= (size_t)n;
			continue;
		}
		if (errno != EAGAIN && errno != EINTR)
			return kt_error_new(KT_ERROR_CLOSED, "QEMU has closed the guest's channel");
		if (!kt_deadline_left_ms(deadline))
			return kt_error_new(KT_ERROR_TIMEOUT, "the guest does not listen");
		poll(&pfd, 1, kt_deadline_left_ms(deadline));
	}
	return NULL;
}

struct kt_error *vm_channel_send(struct vm_channel *channel, uint32_t type, const void *payload,
				 size_t len)
{
	return vm_channel_send_by(channel, type, payload, len, kt_deadline_ms(SEND_MAX_MS));
}

struct kt_error *vm_channel_send_by(struct vm_channel *channel, uint32_t type, const void *payload,
				    size_t len, int64_t deadline_ns)
{
	_cleanup_(kt_buf_deinit) struct kt_buf frame = KT_BUF_INIT;

	if (channel->fd < 0)
		return kt_error_new(KT_ERROR_CLOSED, "QEMU has closed the guest's channel");
	kt_frame_encode(&frame, type, payload, len);
	if (frame.failed)
		return kt_error_no_memory();
	return send_bytes(channel->fd, frame.data, frame.len, deadline_ns);
}
