// SPDX-License-Identifier: LGPL-2.1-or-later
/* Work that comes from the host, to a guest that was booted before it, or restored. */
#include <errno.h>
#include <fcntl.h>
#include <linux/random.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "util/buf.h"
#include "vm/frame.h"
#include "vm/guest/guest.h"
#include "vm/guest/objects.h"

/* A guest that was restored has the clock of the moment at which it was kept. */
static void set_clock(uint64_t realtime_ns)
{
	struct timespec now = {.tv_sec = (time_t)(realtime_ns / 1000000000),
			       .tv_nsec = (long)(realtime_ns % 1000000000)};

	if (clock_settime(CLOCK_REALTIME, &now))
		printf("ktstr-init (goes on): cannot set the clock: %s\n", strerror(errno));
}

/* And its random numbers would be those of every other guest that was restored from the same. */
static void stir(const uint8_t *entropy)
{
	/* A struct rand_pool_info, which ends in the bytes: bits, then bytes. */
	int pool[2 + KT_WORK_ENTROPY / sizeof(int)] = {8 * KT_WORK_ENTROPY, KT_WORK_ENTROPY};
	int fd = open("/dev/urandom", O_RDWR | O_CLOEXEC);

	memcpy(&pool[2], entropy, KT_WORK_ENTROPY);
	if (fd < 0 || ioctl(fd, RNDADDENTROPY, pool) || ioctl(fd, RNDRESEEDCRNG))
		printf("ktstr-init (goes on): cannot stir the random numbers: %s\n",
		       strerror(errno));
	if (fd >= 0)
		close(fd);
}

static void receive_work(struct kt_work *work)
{
	struct kt_frame frame;

	do
		channel_receive(&frame);
	while (frame.type != KT_FRAME_WORK || !kt_work_decode(frame.payload, frame.len, work));
}

static void receive_data(uint64_t size, struct kt_buf *data)
{
	struct kt_frame frame;

	while (data->len < size) {
		channel_receive(&frame);
		if (frame.type == KT_FRAME_WORK_DATA)
			kt_buf_append(data, frame.payload, frame.len);
		if (data->failed)
			die("out of memory");
	}
}

void wait_for_work(void)
{
	struct kt_buf data = KT_BUF_INIT;
	struct kt_work work;
	const char *why;

	/* Kept along with the guest. */
	load_log_init();
	kernel_btf_read();
	channel_lifecycle(KT_PHASE_WAITING, "");
	receive_work(&work);
	set_clock(work.realtime_ns);
	stir(work.entropy);
	receive_data(work.size, &data);
	if (!unpack(data.data, data.len, "", &why))
		die("the work from the host: %s", why);
	kt_buf_deinit(&data);
}
