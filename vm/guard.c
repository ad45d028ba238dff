// SPDX-License-Identifier: LGPL-2.1-or-later
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/fdpass.h"
#include "util/survivor.h"
#include "vm/guard.h"

#define DIR_LEN_MAX 80 /* sun_path has 108 bytes; names of files in the directory are short */

/* One byte from the tool to the guard. A pidfd comes with MSG_WATCH. */
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

/* In the guard: dir is the directory's path. */
static void guard_main(void *dir)
{
	int pidfd = -1, fd;
	bool released = false;
	char byte;

	while (kt_fd_receive(KT_SURVIVOR_SOCK, &byte, 1, &fd) > 0) {
		released |= byte == MSG_RELEASE;
		if (fd < 0)
			continue;
		if (pidfd >= 0)
			close(pidfd);
		pidfd = fd;
	}
	if (pidfd >= 0) {
		struct pollfd pollfd = {pidfd, POLLIN, 0};

		if (!released)
			pidfd_send_signal(pidfd, SIGKILL, NULL, 0);
		while (poll(&pollfd, 1, -1) < 0 && errno == EINTR)
			;
	}
	remove_dir(dir);
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
	struct kt_survivor survivor;
	struct kt_error *err;

	err = make_dir(&dir);
	if (err)
		return err;
	err = kt_survivor_start("ktstr-guard", guard_main, dir, &survivor);
	if (err) {
		rmdir(dir);
		return err;
	}
	*guard = (struct vm_guard){kt_take_ptr(dir), survivor.pid, survivor.sock};
	return NULL;
}

void vm_guard_deinit(struct vm_guard *guard)
{
	if (guard->fd >= 0)
		close(guard->fd);
	if (guard->pid > 0)
		while (waitpid(guard->pid, NULL, 0) < 0 && errno == EINTR)
			;
	/* The guard has done it, unless somebody killed it. */
	if (guard->dir)
		remove_dir(guard->dir);
	free(guard->dir);
	*guard = (struct vm_guard)VM_GUARD_INIT;
}

static struct kt_error *tell(struct vm_guard *guard, char byte, int pidfd)
{
	if (kt_fd_send(guard->fd, &byte, 1, pidfd) == 1)
		return NULL;
	return kt_error_os(errno, "the guard process of %s is gone", guard->dir);
}

/* No reply is needed: the guard reads all messages before it sees the end of the stream. */
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
