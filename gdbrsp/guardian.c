// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gdbrsp/guardian.h"
#include "gdbrsp/packet.h"
#include "gdbrsp/rescue.h"
#include "util/clock.h"
#include "util/fdpass.h"
#include "util/survivor.h"

/* How often to look whether the parent is stopped. The guest has to run again within 200 ms. */
#define LOOK_MS 25
/* How long a rescue may take: a busy stub reads our bytes late, and its reply needs a reader. */
#define RESCUE_MS 10000
/* How long the parent, once it goes on, waits for a rescue to end. */
#define WAIT_MS RESCUE_MS
/* How long to wait for a guardian's answer, which takes some milliseconds on an idle machine. */
#define ANSWER_MS 10000

enum state {
	GUARDING,
	DISMISSED, /* by the parent: there is nothing to do any more */
	ACTING,    /* by the guardian: the connection is its own */
	RESCUED,   /* the stub said that it has detached */
};

/* The page that parent and guardian share. */
struct page {
	_Atomic int state;
	_Atomic bool leave_stopped;
	char process[16]; /* written once, before leave_stopped or state say anything else */
};

struct rsp_guardian {
	struct page *page;
	pid_t pid;
	int pidfd;
	int channel;
	int64_t held_ns;
};

/* --- the guardian itself --- */

/* What the guardian has open, beside the channel to its parent. -1: it has not. */
struct guardian_files {
	int parent; /* a pidfd */
	int stat;   /* /proc/PID/stat of the parent */
	int stub;   /* the connection */
};

/* False: the parent has closed its end. */
static bool take_stub(struct guardian_files *files)
{
	char byte;
	int fd;
	ssize_t n = kt_fd_receive(KT_SURVIVOR_SOCK, &byte, 1, &fd);

	if (fd >= 0) {
		if (files->stub >= 0)
			close(files->stub);
		files->stub = fd;
	}
	if (n > 0)
		(void)send(KT_SURVIVOR_SOCK, &byte, 1, MSG_NOSIGNAL);
	return n > 0;
}

/* "1234 (name) T ...": stopped by a signal. Not "t": somebody debugs the tool. */
static bool parent_is_stopped(int stat_fd)
{
	char stat[128];
	ssize_t n = pread(stat_fd, stat, sizeof(stat) - 1, 0);
	char *end;

	if (n <= 0)
		return false;
	stat[n] = '\0';
	end = strrchr(stat, ')');
	return end && !strncmp(end, ") T", 3);
}

/* Before it is connected the guest is not stopped, and a parent that goes on may still connect. */
static bool is_connected(int fd)
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);

	return getpeername(fd, (struct sockaddr *)&addr, &len) == 0;
}

/* Returns when the parent is gone, or is stopped while it has the guest. */
static void watch_parent(struct guardian_files *files)
{
	struct pollfd fds[] = {{.fd = KT_SURVIVOR_SOCK, .events = POLLIN},
			       {.fd = files->parent, .events = POLLIN}};

	for (;;) {
		int n = poll(fds, 2, LOOK_MS);

		if (n < 0 && errno != EINTR)
			return;
		if (n > 0 && fds[0].revents) {
			if (!take_stub(files))
				return;
		} else if (n > 0 && fds[1].revents & POLLIN) {
			return;
		} else if (n > 0) {
			fds[1].fd = -1; /* not readable, but an error: the channel tells, too */
		} else if (n == 0 && parent_is_stopped(files->stat) && is_connected(files->stub)) {
			return;
		}
	}
}

/* What the child starts with. */
struct guardian_start {
	struct page *page;
	pid_t parent;
};

static void guardian_main(void *arg)
{
	const struct guardian_start *start = arg;
	struct page *page = start->page;
	struct guardian_files files = {.stub = -1};
	struct rsp_rescue rescue = {.process = page->process};
	int guarding = GUARDING;
	char path[64];

	files.parent = pidfd_open(start->parent, 0);
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)start->parent);
	files.stat = open(path, O_RDONLY | O_CLOEXEC);
	watch_parent(&files);
	if (!atomic_compare_exchange_strong(&page->state, &guarding, ACTING))
		return;
	rescue.fd = files.stub;
	rescue.leave_stopped = atomic_load(&page->leave_stopped);
	rescue.deadline_ns = kt_deadline_ms(RESCUE_MS);
	if (files.stub >= 0 && rsp_rescue(&rescue))
		atomic_store(&page->state, RESCUED);
	/* Bytes of a parent that goes on must not stop the guest again. */
	shutdown(files.stub, SHUT_RDWR);
}

/* --- the parent's side --- */

static void guardian_free(struct rsp_guardian *guardian)
{
	if (guardian->page != MAP_FAILED)
		munmap(guardian->page, sizeof(*guardian->page));
	if (guardian->channel >= 0)
		close(guardian->channel);
	if (guardian->pidfd >= 0)
		close(guardian->pidfd);
	free(guardian);
}

static struct kt_error *start(struct rsp_guardian *guardian)
{
	const struct timeval patience = {.tv_sec = ANSWER_MS / 1000};
	struct guardian_start start = {.parent = getpid()};
	struct kt_survivor survivor;
	struct kt_error *err;

	guardian->page = mmap(NULL, sizeof(*guardian->page), PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (guardian->page == MAP_FAILED)
		return kt_error_os(errno, "cannot share memory");
	strcpy(guardian->page->process, "1");
	start.page = guardian->page;
	err = kt_survivor_start("ktstr-guardian", guardian_main, &start, &survivor);
	if (err)
		return err;
	guardian->pid = survivor.pid;
	guardian->channel = survivor.sock;
	guardian->pidfd = pidfd_open(guardian->pid, 0);
	setsockopt(guardian->channel, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return NULL;
}

struct kt_error *rsp_guardian_create(struct rsp_guardian **ret)
{
	struct rsp_guardian *guardian = malloc(sizeof(*guardian));
	struct kt_error *err;

	if (!guardian)
		return kt_error_no_memory();
	*guardian = (struct rsp_guardian){.page = MAP_FAILED, .pidfd = -1, .channel = -1};
	err = start(guardian);
	if (err) {
		guardian_free(guardian);
		return kt_error_wrap(err, "cannot have the guest guarded");
	}
	*ret = guardian;
	return NULL;
}

struct kt_error *rsp_guardian_hold(struct rsp_guardian *guardian, int fd)
{
	char byte = 0;
	ssize_t n = kt_fd_send(guardian->channel, &byte, 1, fd);

	if (n == 1) {
		do
			n = recv(guardian->channel, &byte, 1, 0);
		while (n < 0 && errno == EINTR);
	}
	guardian->held_ns = kt_now_ns();
	if (n == 1)
		return NULL;
	return kt_error_os(n < 0 ? errno : EPIPE,
			   "the process that guards the guest does not answer");
}

int64_t rsp_guardian_held_ns(const struct rsp_guardian *guardian)
{
	return guardian->held_ns;
}

void rsp_guardian_set_process(struct rsp_guardian *guardian, const char *process)
{
	snprintf(guardian->page->process, sizeof(guardian->page->process), "%s", process);
}

void rsp_guardian_set_leave_stopped(struct rsp_guardian *guardian, bool leave_stopped)
{
	atomic_store(&guardian->page->leave_stopped, leave_stopped);
}

bool rsp_guardian_acted(const struct rsp_guardian *guardian)
{
	return atomic_load_explicit(&guardian->page->state, memory_order_relaxed) >= ACTING;
}

bool rsp_guardian_wait(const struct rsp_guardian *guardian)
{
	struct pollfd pfd = {.fd = guardian->pidfd, .events = POLLIN};
	int64_t deadline = kt_deadline_ms(WAIT_MS);

	while (poll(&pfd, 1, kt_deadline_left_ms(deadline)) < 0 && errno == EINTR)
		;
	return atomic_load(&guardian->page->state) == RESCUED;
}

void rsp_guardian_dismiss(struct rsp_guardian *guardian)
{
	int guarding = GUARDING;

	if (!atomic_compare_exchange_strong(&guardian->page->state, &guarding, DISMISSED))
		return;
	/* This ends the guardian. */
	close(guardian->channel);
	guardian->channel = -1;
}

void rsp_guardian_destroy(struct rsp_guardian *guardian)
{
	bool ended;

	if (!guardian)
		return;
	rsp_guardian_dismiss(guardian);
	/* Do not kill a guardian that acts: nothing else may get the guest running. */
	if (!rsp_guardian_acted(guardian) && guardian->pidfd >= 0)
		pidfd_send_signal(guardian->pidfd, SIGKILL, NULL, 0);
	ended = !rsp_guardian_acted(guardian) || rsp_guardian_wait(guardian);
	while (waitpid(guardian->pid, NULL, ended ? 0 : WNOHANG) < 0 && errno == EINTR)
		;
	guardian_free(guardian);
}
