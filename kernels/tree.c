// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernels/tree.h"
#include "util/cleanup.h"
#include "util/io.h"

static void fts_endp(FTS **fts)
{
	if (*fts)
		fts_close(*fts);
}

static FTS *walk(const char *path)
{
	char *const roots[] = {(char *)(uintptr_t)path, NULL};

	return fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
}

void kernels_remove(const char *path)
{
	_cleanup_(fts_endp) FTS *fts = walk(path);
	FTSENT *entry;

	while (fts && (entry = fts_read(fts)))
		if (entry->fts_info == FTS_DP)
			rmdir(entry->fts_path);
		else if (entry->fts_info != FTS_D && entry->fts_info != FTS_NS)
			unlink(entry->fts_path);
}

static struct kt_error *make_parent(const char *path)
{
	const char *slash = strrchr(path, '/');
	_cleanup_free_ char *dir = strndup(path, slash ? (size_t)(slash - path) : 0);

	return dir ? kt_mkdir_p(dir, 0700) : kt_error_no_memory();
}

struct kt_error *kernels_tree_put(const char *dir, const char *path, struct archive *archive,
				  struct kernels_reading *reading)
{
	_cleanup_free_ char *to = NULL;
	_cleanup_close_ int fd = -1;
	struct kt_error *err;

	if (asprintf(&to, "%s/%s", dir, path) < 0) {
		to = NULL;
		return kt_error_no_memory();
	}
	err = make_parent(to);
	if (err)
		return err;
	unlink(to);
	fd = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return kt_error_os(errno, "cannot write %s", to);
	return kt_error_wrap(kernels_entry_write(archive, reading, fd), "%s", path);
}

struct kt_error *kernels_tree_link(const char *dir, const char *file, const char *name)
{
	_cleanup_free_ char *from = NULL, *to = NULL;
	struct kt_error *err;

	if (asprintf(&from, "%s/%s", dir, file) < 0)
		from = NULL;
	if (asprintf(&to, "%s/%s", dir, name) < 0)
		to = NULL;
	if (!from || !to)
		return kt_error_no_memory();
	if (access(from, F_OK) || !strcmp(file, name))
		return NULL;
	err = make_parent(to);
	if (err)
		return err;
	unlink(to);
	return link(from, to) ? kt_error_os(errno, "cannot write %s", to) : NULL;
}

static struct kt_error *rename_file(const char *from, const char *to, bool keep)
{
	struct kt_error *err = make_parent(to);

	if (err)
		return err;
	if (!keep)
		return rename(from, to) ? kt_error_os(errno, "cannot write %s", to) : NULL;
	unlink(to);
	return link(from, to) ? kt_error_os(errno, "cannot write %s", to) : NULL;
}

struct kt_error *kernels_tree_merge(const char *from, const char *to, bool keep)
{
	_cleanup_(fts_endp) FTS *fts = walk(from);
	struct kt_error *err = NULL;
	FTSENT *entry;

	while (!err && fts && (entry = fts_read(fts))) {
		_cleanup_free_ char *path = NULL;

		if (entry->fts_info != FTS_F)
			continue;
		if (asprintf(&path, "%s/%s", to, entry->fts_path + strlen(from) + 1) < 0) {
			path = NULL;
			return kt_error_no_memory();
		}
		err = rename_file(entry->fts_path, path, keep);
	}
	return err;
}
