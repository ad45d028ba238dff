// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>
#include <xxhash.h>

#include "kernels/store.h"
#include "kernels/tree.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/io.h"

#define LOCK_POLL_MS 100

char *kernels_store_name(const char *prefix, const char *text)
{
	XXH128_hash_t hash = XXH3_128bits(text, strlen(text));
	char *name;

	return asprintf(&name, "%s-%016llx%016llx", prefix, (unsigned long long)hash.high64,
			(unsigned long long)hash.low64) < 0
		       ? NULL
		       : name;
}

char *kernels_store_file_name(const char *prefix, const char *path, int fd)
{
	_cleanup_free_ char *real = realpath(path, NULL), *text = NULL;
	struct stat st;

	if (!real || fstat(fd, &st) ||
	    asprintf(&text, "%s %s %llu %llu %lld %lld.%09ld %lld.%09ld", KERNELS_STORE_VERSION,
		     real, (unsigned long long)st.st_dev, (unsigned long long)st.st_ino,
		     (long long)st.st_size, (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec,
		     (long long)st.st_ctim.tv_sec, st.st_ctim.tv_nsec) < 0) {
		text = NULL;
		return NULL;
	}
	return kernels_store_name(prefix, text);
}

/* $XDG_CACHE_HOME/ktstr-gdb/kernels, made if need be. */
static struct kt_error *store_dir(char **ret)
{
	_cleanup_free_ char *cache = kt_cache_dir();
	_cleanup_free_ char *dir = NULL;
	struct kt_error *err;

	if (!cache)
		return kt_error_hint(kt_error_new(KT_ERROR_NOT_FOUND,
						  "there is no cache to unpack a kernel into"),
				     "set HOME or XDG_CACHE_HOME to an absolute path");
	if (asprintf(&dir, "%s/kernels", cache) < 0) {
		dir = NULL;
		return kt_error_no_memory();
	}
	err = kt_mkdir_p(cache, 0700);
	if (!err)
		err = kt_mkdir_p(dir, 0755);
	if (!err)
		*ret = kt_take_ptr(dir);
	return err;
}

static char *path_in(const char *dir, const char *before, const char *name, const char *after)
{
	char *path;

	return asprintf(&path, "%s/%s%s%s", dir, before, name, after) < 0 ? NULL : path;
}

/* Waits for who makes the same directory now. *ret: its descriptor holds the lock. */
static struct kt_error *lock(const char *path, const struct kt_kernels_options *options, int *ret)
{
	_cleanup_close_ int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	struct pollfd cancel = {options->cancel_fd, POLLIN, 0};

	if (fd < 0)
		return kt_error_os(errno, "cannot write %s", path);
	while (flock(fd, LOCK_EX | LOCK_NB)) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return kt_error_os(errno, "cannot lock %s", path);
		if (!kt_deadline_left_ms(options->deadline_ns))
			return kt_error_new(KT_ERROR_TIMEOUT, "another process has %s for too long",
					    path);
		if (poll(&cancel, 1, LOCK_POLL_MS) > 0)
			return kt_error_new(KT_ERROR_CANCELLED, "cancelled");
	}
	*ret = kt_take_fd(&fd);
	return NULL;
}

/* With the lock, what a killed process left is nobody's. */
static void remove_leftovers(const char *temp)
{
	_cleanup_free_ char *pattern = NULL;
	_cleanup_(globfree) glob_t old = {0};

	if (asprintf(&pattern, "%.*s*", (int)(strlen(temp) - strlen("XXXXXX")), temp) < 0) {
		pattern = NULL;
		return;
	}
	if (glob(pattern, 0, NULL, &old))
		return;
	for (size_t i = 0; i < old.gl_pathc; i++)
		kernels_remove(old.gl_pathv[i]);
}

static struct kt_error *make(const char *temp, const char *path, kernels_fill_fn *fill,
			     void *context)
{
	_cleanup_free_ char *dir = strdup(temp);
	struct kt_error *err;

	if (!dir)
		return kt_error_no_memory();
	remove_leftovers(dir);
	if (!mkdtemp(dir))
		return kt_error_os(errno, "cannot make a directory %s", temp);
	err = fill(context, dir);
	if (!err && rename(dir, path))
		err = kt_error_os(errno, "cannot rename %s to %s", dir, path);
	if (err)
		kernels_remove(dir);
	return err;
}

struct kt_error *kernels_store(const char *name, const struct kt_kernels_options *options,
			       kernels_fill_fn *fill, void *context, char **ret)
{
	_cleanup_free_ char *dir = NULL, *path = NULL, *lock_path = NULL, *temp = NULL;
	_cleanup_close_ int fd = -1;
	struct kt_error *err = store_dir(&dir);

	if (err)
		return err;
	path = path_in(dir, "", name, "");
	lock_path = path_in(dir, ".", name, ".lock");
	temp = path_in(dir, ".", name, ".tmp.XXXXXX");
	if (!path || !lock_path || !temp)
		return kt_error_no_memory();
	if (access(path, F_OK)) {
		err = lock(lock_path, options, &fd);
		if (!err && access(path, F_OK))
			err = make(temp, path, fill, context);
	}
	if (!err)
		*ret = kt_take_ptr(path);
	return err;
}
