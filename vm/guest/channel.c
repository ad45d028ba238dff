// SPDX-License-Identifier: LGPL-2.1-or-later
/* The second serial port, as a pipe of frames to the host. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "util/buf.h"
#include "vm/frame.h"
#include "vm/guest/guest.h"

static int channel_fd = -1;

void channel_open(const char *tty)
{
	struct termios termios;

	channel_fd = open(tty, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (channel_fd < 0 || tcgetattr(channel_fd, &termios))
		die("no channel to the host: %s: %s", tty, strerror(errno));
	/* Raw: a newline in a payload must not become two bytes. */
	cfmakeraw(&termios);
	termios.c_cflag |= CLOCAL | CREAD;
	cfsetspeed(&termios, B115200);
	tcsetattr(channel_fd, TCSANOW, &termios);
}

void channel_send(uint32_t type, const void *payload, size_t len)
{
	struct kt_buf frame = KT_BUF_INIT;

	kt_frame_encode(&frame, type, payload, len);
	if (frame.failed)
		die("out of memory");
	for (size_t done = 0; done < frame.len;) {
		ssize_t n = write(channel_fd, frame.data + done, frame.len - done);

		if (n < 0 && errno != EINTR)
			die("cannot write to the host: %s", strerror(errno));
		done += n > 0 ? (size_t)n : 0;
	}
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
