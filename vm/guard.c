// SPDX-License-Identifier: LGPL-2.1-or-later
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "vm/guard.h"

#define DIR_LEN_MAX 80 /* sun_path has 108 bytes; names of files in the directory are short */

/* What the tool tells the guard: one byte, the first with a pidfd. */
enum { MSG_WATCH = 'w', MSG_RELEASE = 'r' };

/* The directory is flat: only sockets and files that we and QEMU made. */
static void remove_dir(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		unlinkat(dirfd(dir), entry->d_name, 0);
	if (dir)
		closedir(dir);
	rmdir(path);
}

/* Takes the message's pidfd, if it brought one, into *pidfd. 0: the tool is gone. */
static ssize_t receive(int fd, char *byte, int *pidfd)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {0};
	struct iovec iov = {byte, 1};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control.bytes,
			     .msg_controllen = sizeof(control.bytes)};
	ssize_t n = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);
	struct cmsghdr *cmsg = n > 0 ? CMSG_FIRSTHDR(&msg) : NULL;

	if (cmsg && cmsg->cmsg_type == SCM_RIGHTS) {
		if (*pidfd >= 0)
			close(*pidfd);
		memcpy(pidfd, CMSG_DATA(cmsg), sizeof(*pidfd));
	}
	return n;
}

static _Noreturn void guard_main(int fd, const char *dir)
{
	int pidfd = -1, null = open("/dev/null", O_RDWR);
	bool released = false;
	char byte = 0;
	ssize_t n;

	prctl(PR_SET_NAME, "ktstr-guard");
	setsid();
	if (chdir("/"))
		_exit(1);
	/* Whoever waits for the tool's output to end must not wait for us. */
	for (int i = 0; i < 3; i++)
		dup2(null, i);
	dup2(fd, 3);
	close_range(4, ~0U, 0);
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	while ((n = receive(3, &byte, &pidfd)) > 0 || (n < 0 && errno == EINTR))
		released |= n > 0 && byte == MSG_RELEASE;
	if (pidfd >= 0) {
		struct pollfd pollfd = {pidfd, POLLIN, 0};

		if (!released)
			pidfd_send_signal(pidfd, SIGKILL, NULL, 0);
		while (poll(&pollfd, 1, -1) < 0 && errno == EINTR)
			;
	}
	remove_dir(dir);
	_exit(0);
}

/* QEMU's configuration file quotes values with '"' and has no escape for it. */
static bool usable_parent(const char *dir)
{
	return dir && dir[0] == '/' && strlen(dir) < DIR_LEN_MAX - sizeof("/ktstr-gdb.XXXXXX") &&
	       !strpbrk(dir, "\"\n") && !access(dir, W_OK | X_OK);
}

static struct kt_error *make_dir(char **ret)
{
	const char *parents[] = {getenv("XDG_RUNTIME_DIR"), getenv("TMPDIR"), "/tmp"};
	const char *parent = "/tmp";
	char *dir;

	for (size_t i = 0; i < sizeof(parents) / sizeof(*parents); i++) {
		if (usable_parent(parents[i])) {
			parent = parents[i];
			break;
		}
	}
	if (asprintf(&dir, "%s/ktstr-gdb.XXXXXX", parent) < 0)
		return kt_error_no_memory();
	if (!mkdtemp(dir)) {
		struct kt_error *err = kt_error_os(errno, "cannot make a private directory in %s",
						   parent);

		free(dir);
		return kt_error_hint(err, "set TMPDIR to a directory that can be written");
	}
	*ret = dir;
	return NULL;
}

struct kt_error *vm_guard_init(struct vm_guard *guard)
{
	_cleanup_free_ char *dir = NULL;
	struct kt_error *err;
	int fds[2];
	pid_t pid;

	err = make_dir(&dir);
	if (err)
		return err;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds)) {
		err = kt_error_os(errno, "cannot make a socket pair");
		rmdir(dir);
		return err;
	}
	pid = fork();
	if (!pid)
		guard_main(fds[1], dir);
	close(fds[1]);
	if (pid < 0) {
		err = kt_error_os(errno, "cannot fork");
		close(fds[0]);
		rmdir(dir);
		return err;
	}
	*guard = (struct vm_guard){kt_take_ptr(dir), pid, fds[0]};
	return NULL;
}

void vm_guard_deinit(struct vm_guard *guard)
{
	if (guard->fd >= 0)
		close(guard->fd);
	if (guard->pid > 0)
		while (waitpid(guard->pid, NULL, 0) < 0 && errno == EINTR)
			;
	/* Done already, unless somebody killed the guard. */
	if (guard->dir)
		remove_dir(guard->dir);
	free(guard->dir);
	*guard = (struct vm_guard)VM_GUARD_INIT;
}

static struct kt_error *tell(struct vm_guard *guard, char byte, int pidfd)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {0};
	struct iovec iov = {&byte, 1};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	ssize_t n;

	if (pidfd >= 0) {
		msg.msg_control = control.bytes;
		msg.msg_controllen = sizeof(control.bytes);
		*CMSG_FIRSTHDR(&msg) = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(int)),
							.cmsg_level = SOL_SOCKET,
							.cmsg_type = SCM_RIGHTS};
		memcpy(CMSG_DATA(CMSG_FIRSTHDR(&msg)), &pidfd, sizeof(pidfd));
	}
	do
		n = sendmsg(guard->fd, &msg, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n == 1 ? NULL : kt_error_os(errno, "the guard process of %s is gone", guard->dir);
}

/* A message that was sent is read before the end of the stream: no reply is needed. */
struct kt_error *vm_guard_watch(struct vm_guard *guard, int pidfd)
{
	return tell(guard, MSG_WATCH, pidfd);
}

struct kt_error *vm_guard_release(struct vm_guard *guard)
{
	struct kt_error *err = tell(guard, MSG_RELEASE, -1);

	if (err)
		return err;
	close(guard->fd);
	free(guard->dir);
	*guard = (struct vm_guard)VM_GUARD_INIT;
	return NULL;
}

char *vm_guard_path(const struct vm_guard *guard, const char *name)
{
	char *path;

	return asprintf(&path, "%s/%s", guard->dir, name) < 0 ? NULL : path;
}
