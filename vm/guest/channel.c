// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The channel for frames between init and the host: a virtio port, or the second serial port if the
 * kernel has no virtio console.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "util/buf.h"
#include "util/clock.h"
#include "util/io.h"
#include "vm/frame.h"
#include "vm/guest/guest.h"

#define PORT_NAME   "org.ktstr.frames" /* in qemu-configs/ */
#define PORT_MAX_MS 3000
#define EMPTY_US    5000 /* until a port without a host is looked at again */

static int channel_fd = -1;
static struct kt_frame_decoder commands;

/* With a driver, built in or loaded, the port appears once QEMU has answered it. */
static bool has_virtio_console(void)
{
	return !access("/sys/bus/virtio/drivers/virtio_console", F_OK);
}

/* The device of our port, by the name that QEMU gives it. */
static bool find_port(char *path, size_t size)
{
	static const char class[] = "/sys/class/virtio-ports";
	DIR *dir = opendir(class);
	struct dirent *entry;
	bool found = false;

	while (dir && !found && (entry = readdir(dir))) {
		char name[sizeof(PORT_NAME) + 1];

		snprintf(path, size, "%s/%.32s/name", class, entry->d_name);
		if (!read_small(path, name, sizeof(name)))
			continue;
		name[strcspn(name, "\n")] = '\0';
		found = !strcmp(name, PORT_NAME);
		snprintf(path, size, "/dev/%.32s", entry->d_name);
	}
	if (dir)
		closedir(dir);
	return found;
}

static int open_port(void)
{
	int64_t deadline = kt_deadline_ms(PORT_MAX_MS);
	char path[128];

	while (has_virtio_console() && kt_deadline_left_ms(deadline)) {
		int fd = find_port(path, sizeof(path)) ? open(path, O_RDWR | O_CLOEXEC) : -1;

		if (fd >= 0)
			return fd;
		usleep(2000);
	}
	return -1;
}

static int open_serial(const char *tty)
{
	int fd = open(tty, O_RDWR | O_NOCTTY | O_CLOEXEC);
	struct termios termios;

	if (fd < 0 || tcgetattr(fd, &termios))
		die("no channel to the host: %s: %s", tty, strerror(errno));
	/* Raw: a newline in a payload must not become two bytes. */
	cfmakeraw(&termios);
	termios.c_cflag |= CLOCAL | CREAD;
	cfsetspeed(&termios, B115200);
	tcsetattr(fd, TCSANOW, &termios);
	return fd;
}

void channel_open(const char *tty)
{
	channel_fd = open_port();
	if (channel_fd < 0 && !tty)
		die("no channel to the host: this kernel lacks virtio's console (virtio_console)");
	if (channel_fd < 0)
		channel_fd = open_serial(tty);
	kt_frame_decoder_init(&commands);
}

void channel_send(uint32_t type, const void *payload, size_t len)
{
	struct kt_buf frame = KT_BUF_INIT;
	struct kt_error *err;

	kt_frame_encode(&frame, type, payload, len);
	if (frame.failed)
		die("out of memory");
	err = kt_write_all(channel_fd, frame.data, frame.len);
	if (err)
		die("the channel to the host: %s", kt_error_message(err));
	kt_buf_deinit(&frame);
}

void channel_lifecycle(uint8_t phase, const char *reason)
{
	struct kt_buf payload = KT_BUF_INIT;

	kt_buf_append(&payload, &phase, 1);
	kt_buf_appends(&payload, reason);
	if (payload.failed)
		die("out of memory");
	channel_send(KT_FRAME_LIFECYCLE, payload.data, payload.len);
	kt_buf_deinit(&payload);
}

void channel_send_number(uint32_t type, int32_t value)
{
	uint8_t payload[4];

	for (unsigned i = 0; i < 4; i++)
		payload[i] = (uint8_t)((uint32_t)value >> 8 * i);
	channel_send(type, payload, sizeof(payload));
}

int channel_poll_fd(void)
{
	return channel_fd;
}

/* False: nothing came in time. After the host has hung up, a virtio port is readable, and empty. */
static bool take_bytes(int timeout_ms)
{
	static char chunk[65536];
	struct pollfd pfd = {channel_fd, POLLIN, 0};
	ssize_t n = 0;

	if (poll(&pfd, 1, timeout_ms) > 0 && (pfd.revents & POLLIN))
		n = read(channel_fd, chunk, sizeof(chunk));
	if (n > 0 && !kt_frame_decoder_push(&commands, chunk, (size_t)n))
		die("out of memory");
	return n > 0;
}

void channel_receive(struct kt_frame *ret)
{
	while (!kt_frame_decoder_next(&commands, ret))
		if (!take_bytes(-1))
			usleep(EMPTY_US);
}

bool channel_command(uint8_t *ret)
{
	struct kt_frame frame;

	take_bytes(0);
	while (kt_frame_decoder_next(&commands, &frame)) {
		if (frame.type != KT_FRAME_COMMAND || frame.len != 1)
			continue;
		*ret = frame.payload[0];
		return true;
	}
	return false;
}
