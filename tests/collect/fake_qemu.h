/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A program in QEMU's place, which plays a guest: it reads where its sockets and its console are
 * from -readconfig, as QEMU does, connects, and says what the test wants a guest to say. It is the
 * test's own binary, started by a script that is given as vm_config.qemu.
 */
#ifndef KT_TESTS_COLLECT_FAKE_QEMU_H
#define KT_TESTS_COLLECT_FAKE_QEMU_H

#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "logparse/sched_output.h"
#include "tests/vm/scratch.h"
#include "util/clock.h"
#include "vm/frame.h"

#define FAKE_OPTION "--play-a-guest"

/* What the fake knows of the machine that it is; only in its own process. */
static struct fake {
	char bulk[108], frames[108], gdb[108], console[108]; /* paths, as sun_path has room for */
	int fd;                                              /* where frames go */
} fake = {.fd = -1};

/* What it does, until it returns, which is QEMU's orderly end. */
struct fake_play {
	const char *name;
	void (*play)(void);
};

/* A fake that does not know what to do must not look like one that does. */
static inline void fake_check(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "fake: %s\n", what);
	_exit(99);
}

/*
 * [chardev "frames"]
 *   backend = "socket"
 *   path = "/tmp/ktstr-gdb.aB3dEf/frames.sock"
 */
static inline void fake_read_config(const char *path)
{
	static const char *const ids[] = {"bulk", "frames", "gdb0", "console"};
	char *const paths[] = {fake.bulk, fake.frames, fake.gdb, fake.console};
	FILE *file = fopen(path, "re");
	char line[512], id[64] = "";

	fake_check(file, "no configuration");
	while (fgets(line, sizeof(line), file)) {
		char value[108];

		if (sscanf(line, "[%*s \"%63[^\"]\"]", id) == 1 ||
		    sscanf(line, " path = \"%107[^\"]\"", value) != 1)
			continue;
		for (size_t i = 0; i < 4; i++)
			if (!strcmp(id, ids[i]))
				strcpy(paths[i], value);
	}
	fclose(file);
}

static inline int fake_connect(const char path[108])
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	fake_check(!connect(fd, (struct sockaddr *)&addr, sizeof(addr)), "nobody listens");
	return fd;
}

static inline void fake_put(int fd, const void *data, size_t len)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = write(fd, (const char *)data + done, len - done);

		fake_check(n > 0, "nobody reads");
		done += (size_t)n;
	}
}

static inline void fake_frame(uint32_t type, const void *payload, size_t len)
{
	struct kt_buf frame = KT_BUF_INIT;

	kt_frame_encode(&frame, type, payload, len);
	fake_put(fake.fd, frame.data, frame.len);
	kt_buf_deinit(&frame);
}

/* Its payload is hit on the way, or from a bit of its header on: at is the byte. */
static inline void fake_damaged_frame(uint32_t type, const void *payload, size_t len, size_t at)
{
	struct kt_buf frame = KT_BUF_INIT;

	kt_frame_encode(&frame, type, payload, len);
	frame.data[at] ^= 1;
	fake_put(fake.fd, frame.data, frame.len);
	kt_buf_deinit(&frame);
}

static inline void fake_phase(uint8_t phase, const char *reason)
{
	char payload[256];
	int len = snprintf(payload, sizeof(payload), "%c%s", phase, reason);

	fake_frame(KT_FRAME_LIFECYCLE, payload, (size_t)len);
}

static inline void fake_log(const char *text)
{
	fake_frame(KT_FRAME_SCHED_LOG, text, strlen(text));
}

static inline void fake_exit_frame(uint32_t type, int status)
{
	const uint8_t payload[] = {(uint8_t)status, (uint8_t)(status >> 8), 0, 0};

	fake_frame(type, payload, sizeof(payload));
}

static inline void fake_say(const char *console)
{
	FILE *file = fopen(fake.console, "ae");

	fake_check(file, "no console");
	fputs(console, file);
	fclose(file);
}

/* Tells the test, in kt_now_ns() time, that from here on nothing new happens. */
static inline void fake_comes_to_nothing(void)
{
	char text[32];

	snprintf(text, sizeof(text), "%lld\n", (long long)kt_now_ns());
	scratch_file("came-to-nothing", text, 0600);
}

static inline void fake_hang(void)
{
	fake_comes_to_nothing();
	for (;;)
		pause();
}

/* What every guest says until its scheduler runs. */
static inline void fake_start(void)
{
	fake_phase(KT_PHASE_INIT_STARTED, "");
	fake_phase(KT_PHASE_PAYLOAD_STARTED, "");
	fake_log(SCHED_OUTPUT_START "\n");
}

/* The main() of a fake; argv as the script below gives it. */
static inline int fake_main(int argc, char **argv, const struct fake_play *plays)
{
	/* The test has set it. */
	snprintf(scratch, sizeof(scratch), "%s", getenv("TMPDIR"));
	for (int i = 3; i < argc - 1; i++)
		if (!strcmp(argv[i], "-readconfig"))
			fake_read_config(argv[i + 1]);
	fake.fd = fake_connect(fake.bulk);
	fake_say("[    0.000000] Linux version 6.12\r\n");
	for (; plays->name; plays++)
		if (!strcmp(plays->name, argv[2])) {
			plays->play();
			_exit(0);
		}
	fake_check(false, "no such play");
	return 99;
}

/* The path of a script that plays it. */
static inline const char *fake_qemu(const char *play)
{
	char self[256] = "", script[512];

	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		abort();
	snprintf(script, sizeof(script),
		 "#!/bin/sh\necho started >>%s/started\nexec %s " FAKE_OPTION " %s \"$@\"\n",
		 scratch, self, play);
	return scratch_file("qemu", script, 0755);
}

#endif
