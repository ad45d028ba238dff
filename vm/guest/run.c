// SPDX-License-Identifier: LGPL-2.1-or-later
/* Runs the user's own loader, and tells when it has loaded its programs. */
#include <bpf/bpf.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/clock.h"
#include "vm/frame.h"
#include "vm/guest/guest.h"

#define TICK_MS      50
#define OUTPUT_CHUNK 4096

/*
 * Number of looks in a row that have to find nothing new. The guest's clock goes on while a busy
 * host does not run the guest: by time alone, a loader that did not run would seem to be done.
 */
#define QUIET_LOOKS 7

struct payload {
	const struct orders *orders;
	int pid; /* -1 once it has ended and been reaped */
	int wait_status;
	int pipes[2];         /* its stdout and stderr, -1 once closed */
	unsigned baseline;    /* BPF programs before it started */
	unsigned programs;    /* and when last counted */
	unsigned quiet_looks; /* since programs changed, or a load was seen */
	int64_t changed_ns, give_up_ns, last_ns, next_count_ns;
	struct load_watch watch;
	bool ready; /* the host was told */
};

/* All BPF programs in the kernel. */
static unsigned count_programs(void)
{
	uint32_t id = 0;
	unsigned n = 0;

	while (!bpf_prog_get_next_id(id, &id))
		n++;
	return n;
}

static void start(struct payload *p)
{
	p->baseline = p->programs = count_programs();
	p->pid = spawn(p->orders, p->pipes);
	channel_lifecycle(KT_PHASE_PAYLOAD_STARTED, "");
	p->changed_ns = kt_now_ns();
	p->give_up_ns = kt_deadline_ms(p->orders->max_ms);
	p->last_ns = kt_deadline_ms(p->orders->loading_ms);
}

/* Only one chunk, so that the other stream and the count of programs get their turn. */
static void forward(struct payload *p, int stream)
{
	char frame[1 + OUTPUT_CHUNK];
	ssize_t n = read(p->pipes[stream], frame + 1, OUTPUT_CHUNK);

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) {
		close(p->pipes[stream]);
		p->pipes[stream] = -1;
		return;
	}
	frame[0] = (char)(stream + 1);
	channel_send(KT_FRAME_OUTPUT, frame, 1 + (size_t)n);
}

/* False: there was nothing to forward within timeout_ms. */
static bool pump(struct payload *p, int timeout_ms)
{
	struct pollfd fds[2] = {{p->pipes[0], POLLIN, 0}, {p->pipes[1], POLLIN, 0}};

	if (poll(fds, 2, timeout_ms) <= 0)
		return false;
	for (int i = 0; i < 2; i++)
		if (fds[i].revents)
			forward(p, i);
	return true;
}

static void ready(struct payload *p, const char *reason)
{
	if (!p->ready)
		channel_lifecycle(KT_PHASE_READY, reason);
	p->ready = true;
}

/* Counting 10,000 programs takes long: it gets a fifth of the time at most. */
static void watch_programs(struct payload *p)
{
	int64_t begin = kt_now_ns(), end;
	bool loading, settled;
	unsigned n;

	if (p->ready || begin < p->next_count_ns)
		return;
	n = count_programs();
	loading = load_in_progress(&p->watch);
	end = kt_now_ns();
	p->next_count_ns = end + 4 * (end - begin);
	p->quiet_looks++;
	if (n != p->programs || loading) {
		p->programs = n;
		p->changed_ns = end;
		p->quiet_looks = 0;
	}
	settled = p->quiet_looks >= QUIET_LOOKS &&
		  end - p->changed_ns >= (int64_t)p->orders->settle_ms * 1000000;
	if (!loading && settled && n > p->baseline)
		ready(p, "settled");
	else if (!loading && settled && end >= p->give_up_ns)
		ready(p, "no programs appeared");
	else if (end >= p->last_ns)
		ready(p, "still loading");
}

static void check_exit(struct payload *p)
{
	int status, pid;

	while ((pid = reap(&status)) > 0) {
		if (pid != p->pid)
			continue;
		p->pid = -1;
		p->wait_status = status;
	}
}

static void report_exit(struct payload *p)
{
	/* Until the pipes are empty. Not until they end: its daemon may hold them open for ever. */
	while ((p->pipes[0] >= 0 || p->pipes[1] >= 0) && pump(p, 0))
		;
	channel_send_number(KT_FRAME_EXIT, p->wait_status);
}

void run_payload(const struct orders *orders)
{
	struct payload p = {.orders = orders};

	start(&p);
	while (p.pid > 0) {
		pump(&p, TICK_MS);
		watch_programs(&p);
		check_exit(&p);
	}
	report_exit(&p);
	/* Its programs may still be there: pinned, attached, or held by a daemon. */
	ready(&p, count_programs() > p.baseline ? "exited" : "exited, no programs");
	for (;;) {
		if ((p.pipes[0] < 0 && p.pipes[1] < 0) || !pump(&p, -1))
			return;
	}
}
