// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gdbrsp/guardian.h"
#include "gdbrsp/packet.h"
#include "gdbrsp/rescue.h"
#include "util/clock.h"

/* How often to look whether the parent is stopped. The guest has to run again within 200 ms. */
#define LOOK_MS 25
/* How long a rescue may take: a busy stub reads our bytes late, and its reply needs a reader. */
#define RESCUE_MS 10000
/* How long the parent, once it goes on, waits for a rescue to end. */
#define WAIT_MS 2000
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

/* Fixed numbers for the guardian's few files. */
enum { FD_CHANNEL = 3, FD_PARENT, FD_STAT, FD_STUB };

static void move_fd(int from, int to)
{
	if (from >= 0)
		dup3(from, to, O_CLOEXEC);
	else
		close(to);
}

/*
 * Closes all inherited files, too: an open stdout would keep a reader of the tool's output waiting.
 */
static void keep_files(int channel, pid_t parent)
{
	char path[64];
	int fds[3], null = open("/dev/null", O_RDWR | O_CLOEXEC);

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)parent);
	/* Above the numbers that they get in the end. */
	fds[0] = fcntl(channel, F_DUPFD_CLOEXEC, 16);
	fds[1] = pidfd_open(parent, 0);
	fds[2] = open(path, O_RDONLY | O_CLOEXEC);
	for (int i = 1; i < 3; i++)
		fds[i] = fds[i] >= 0 ? fcntl(fds[i], F_DUPFD_CLOEXEC, 16) : -1;
	for (int i = 0; i < 3; i++)
		move_fd(null, i);
	for (int i = 0; i < 3; i++)
		move_fd(fds[i], FD_CHANNEL + i);
	close_range(FD_STUB, ~0U, 0);
}

/* The stub's connection, as FD_STUB. False: the parent has closed its end. */
static bool take_stub(void)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {0};
	char byte;
	struct iovec iov = {&byte, 1};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control.bytes,
			     .msg_controllen = sizeof(control.bytes)};
	ssize_t n = recvmsg(FD_CHANNEL, &msg, MSG_CMSG_CLOEXEC);
	struct cmsghdr *cmsg = n > 0 ? CMSG_FIRSTHDR(&msg) : NULL;
	int fd;

	if (cmsg && cmsg->cmsg_type == SCM_RIGHTS) {
		memcpy(&fd, CMSG_DATA(cmsg), sizeof(fd));
		if (fd != FD_STUB) {
			dup3(fd, FD_STUB, O_CLOEXEC);
			close(fd);
		}
	}
	if (n > 0)
		(void)send(FD_CHANNEL, &byte, 1, MSG_NOSIGNAL);
	return n > 0 || (n < 0 && errno == EINTR);
}

/* "1234 (name) T ...": stopped by a signal. Not "t": somebody debugs the tool. */
static bool parent_is_stopped(void)
{
	char stat[128];
	ssize_t n = pread(FD_STAT, stat, sizeof(stat) - 1, 0);
	char *end;

	if (n <= 0)
		return false;
	stat[n] = '\0';
	end = strrchr(stat, ')');
	return end && !strncmp(end, ") T", 3);
}

/* Before it is connected the guest is not stopped, and a parent that goes on may still connect. */
static bool is_connected(void)
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);

	return getpeername(FD_STUB, (struct sockaddr *)&addr, &len) == 0;
}

/* Returns when the parent is gone, or is stopped while it has the guest. */
static void watch_parent(void)
{
	struct pollfd fds[] = {{.fd = FD_CHANNEL, .events = POLLIN},
			       {.fd = FD_PARENT, .events = POLLIN}};

	for (;;) {
		int n = poll(fds, 2, LOOK_MS);

		if (n < 0 && errno != EINTR)
			return;
		if (n > 0 && fds[0].revents) {
			if (!take_stub())
				return;
		} else if (n > 0 && fds[1].revents & POLLIN) {
			return;
		} else if (n > 0) {
			fds[1].fd = -1; /* there is no pidfd: the channel's end tells, too */
		} else if (n == 0 && parent_is_stopped() && is_connected()) {
			return;
		}
	}
}

static _Noreturn void guardian_main(struct page *page, int channel, pid_t parent)
{
	int guarding = GUARDING;
	struct rsp_rescue rescue = {.fd = FD_STUB};

	/*
	 * Not by the C library's prctl(): a sanitizer takes a lock there that another thread may
	 * hold.
	 */
	syscall(SYS_prctl, PR_SET_NAME, "ktstr-guardian", 0, 0, 0);
	setsid();
	keep_files(channel, parent);
	watch_parent();
	if (!atomic_compare_exchange_strong(&page->state, &guarding, ACTING))
		_exit(0);
	rescue.process = page->process;
	rescue.leave_stopped = atomic_load(&page->leave_stopped);
	rescue.deadline_ns = kt_deadline_ms(RESCUE_MS);
	if (rsp_rescue(&rescue))
		atomic_store(&page->state, RESCUED);
	/* Bytes of a parent that goes on must not stop the guest again. */
	shutdown(FD_STUB, SHUT_RDWR);
	_exit(0);
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
	pid_t parent = getpid();
	const struct timeval patience = {.tv_sec = ANSWER_MS / 1000};
	sigset_t all, before;
	int fds[2], errnum;

	guardian->page = mmap(NULL, sizeof(*guardian->page), PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (guardian->page == MAP_FAILED)
		return kt_error_os(errno, "cannot share memory");
	strcpy(guardian->page->process, "1");
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds))
		return kt_error_os(errno, "cannot make a socket pair");
	guardian->channel = fds[0];
	setsockopt(guardian->channel, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	/* The guardian keeps all signals blocked: nothing but SIGKILL ends it. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	guardian->pid = fork();
	errnum = errno;
	if (!guardian->pid)
		guardian_main(guardian->page, fds[1], parent);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	close(fds[1]);
	if (guardian->pid < 0)
		return kt_error_os(errnum, "cannot fork");
	guardian->pidfd = pidfd_open(guardian->pid, 0);
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
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {0};
	char byte = 0;
	struct iovec iov = {&byte, 1};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control.bytes,
			     .msg_controllen = sizeof(control.bytes)};
	ssize_t n;

	*CMSG_FIRSTHDR(&msg) = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(int)),
						.cmsg_level = SOL_SOCKET,
						.cmsg_type = SCM_RIGHTS};
	memcpy(CMSG_DATA(CMSG_FIRSTHDR(&msg)), &fd, sizeof(fd));
	do
		n = sendmsg(guardian->channel, &msg, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
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
