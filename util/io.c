// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/io.h"

#define CHUNK_SIZE 65536

struct kt_error *kt_write_all(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return kt_error_os(n ? errno : EIO, "cannot write it");
		p += n;
		len -= (size_t)n;
	}
	return NULL;
}

struct kt_error *kt_open_file(int dir_fd, const char *path, int flags, int *fd_ret, off_t *size_ret)
{
	_cleanup_close_ int fd = openat(dir_fd, path,
					O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | flags);
	struct stat st;

	if (fd < 0 && errno == ENOENT)
		return kt_error_new(KT_ERROR_NOT_FOUND, "no such file");
	if (fd < 0 && errno == ELOOP && flags & O_NOFOLLOW)
		return kt_error_new(KT_ERROR_UNSUPPORTED, "a symbolic link");
	if (fd < 0 || fstat(fd, &st))
		return kt_error_os(errno, "cannot open it");
	if (!S_ISREG(st.st_mode))
		return kt_error_new(KT_ERROR_UNSUPPORTED, "not a regular file");
	if (size_ret)
		*size_ret = st.st_size;
	*fd_ret = kt_take_fd(&fd);
	return NULL;
}

struct kt_error *kt_read_at(int fd, void *data, size_t len, off_t offset, size_t *ret)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = pread(fd, (char *)data + done, len - done, offset + (off_t)done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return kt_error_os(errno, "cannot read it");
		if (!n)
			break;
		done += (size_t)n;
	}
	*ret = done;
	return NULL;
}

static struct kt_error *too_large(size_t max)
{
	bool mib = max >= 1u << 20;

	return kt_error_new(KT_ERROR_FORMAT, "it has more than %zu %s", mib ? max >> 20 : max,
			    mib ? "MiB" : "bytes");
}

struct kt_error *kt_read_all(int fd, size_t max, struct kt_buf *ret)
{
	_cleanup_(kt_buf_deinit) struct kt_buf buf = KT_BUF_INIT;
	char chunk[CHUNK_SIZE];
	struct stat st;
	size_t n;

	/* Only to save the time: below, bytes are counted as they are read. */
	if (!fstat(fd, &st) && st.st_size > 0 && (uintmax_t)st.st_size > max)
		return too_large(max);
	do {
		struct kt_error *err = kt_read_at(fd, chunk, sizeof(chunk), (off_t)buf.len, &n);

		if (err)
			return err;
		kt_buf_append(&buf, chunk, n);
		if (kt_buf_failed(&buf))
			return kt_error_no_memory();
		if (buf.len > max)
			return too_large(max);
	} while (n == sizeof(chunk));
	*ret = buf;
	buf = (struct kt_buf)KT_BUF_INIT;
	return NULL;
}

struct kt_error *kt_read_file(const char *path, size_t max, struct kt_buf *ret)
{
	_cleanup_close_ int fd = -1;
	struct kt_error *err = kt_open_file(AT_FDCWD, path, 0, &fd, NULL);

	if (!err)
		err = kt_read_all(fd, max, ret);
	return kt_error_wrap(err, "%s", path);
}

/* The name is short, so that it fits wherever a name of the longest size does. */
static char *temp_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	int dir_len = slash ? (int)(slash + 1 - path) : 0;
	char *temp;

	return asprintf(&temp, "%.*s.new-XXXXXX", dir_len, path) < 0 ? NULL : temp;
}

struct kt_error *kt_replace_file(const char *path, const void *data, size_t len, mode_t mode,
				 bool sync)
{
	_cleanup_free_ char *temp = temp_name(path);
	_cleanup_close_ int fd = -1;
	struct kt_error *err;

	if (!temp)
		return kt_error_no_memory();
	fd = mkostemp(temp, O_CLOEXEC);
	if (fd < 0)
		return kt_error_os(errno, "cannot create a file in its directory");
	err = kt_write_all(fd, data, len);
	if (!err && mode != 0600 && fchmod(fd, mode))
		err = kt_error_os(errno, "cannot set its mode");
	if (!err && sync && fsync(fd))
		err = kt_error_os(errno, "cannot sync it");
	/* Some file systems report a failed write only here. */
	if (close(kt_take_fd(&fd)) && !err)
		err = kt_error_os(errno, "cannot close it");
	if (!err && rename(temp, path))
		err = kt_error_os(errno, "cannot rename a new file to it");
	if (err)
		unlink(temp);
	return err;
}

static struct kt_error *make_dir(const char *path, mode_t mode)
{
	struct stat st;
	int errnum;

	if (!mkdir(path, mode))
		return NULL;
	errnum = errno;
	/* For a directory that is there, an automounter may have another errno than EEXIST. */
	if (!stat(path, &st) && S_ISDIR(st.st_mode))
		return NULL;
	return kt_error_os(errnum == EEXIST ? ENOTDIR : errnum, "cannot make the directory %s",
			   path);
}

struct kt_error *kt_append_file(const char *path, const char *from)
{
	_cleanup_close_ int to = open(path, O_WRONLY | O_APPEND | O_CLOEXEC), fd = -1;
	_cleanup_free_ char *chunk = malloc(CHUNK_SIZE);
	off_t done = 0;
	size_t n = 1;
	struct kt_error *err;

	if (!chunk)
		return kt_error_no_memory();
	if (to < 0)
		return kt_error_os(errno, "cannot write %s", path);
	err = kt_open_file(AT_FDCWD, from, 0, &fd, NULL);
	while (!err && n) {
		err = kt_read_at(fd, chunk, CHUNK_SIZE, done, &n);
		if (!err && n)
			err = kt_write_all(to, chunk, n);
		done += (off_t)n;
	}
	return kt_error_wrap(err, "cannot add %s to %s", from, path);
}

struct kt_error *kt_mkdir_p(const char *path, mode_t mode)
{
	_cleanup_free_ char *dir = strdup(path);
	struct kt_error *err = NULL;
	char *slash = dir;

	if (!dir)
		return kt_error_no_memory();
	while (!err && (slash = strchr(slash + strspn(slash, "/"), '/'))) {
		*slash = '\0';
		err = make_dir(dir, mode);
		*slash = '/';
	}
	return err ? err : make_dir(dir, mode);
}

char *kt_cache_dir(void)
{
	const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	char *dir;
	int n;

	if (xdg && xdg[0] == '/')
		n = asprintf(&dir, "%s/ktstr-gdb", xdg);
	else if (home && home[0] == '/')
		n = asprintf(&dir, "%s/.cache/ktstr-gdb", home);
	else
		return NULL;
	return n < 0 ? NULL : dir;
}
