// SPDX-License-Identifier: LGPL-2.1-or-later
#include "image/module_files.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/decompress.h"
#include "image/image.h"
#include "util/cleanup.h"

/* The largest directory tree: a distribution's modules are 5,000 files, a kernel's source 90,000.
 */
#define MAX_ENTRIES 500000

/* --- names --- */

char *module_canonical_name(const char *name, size_t len)
{
	char *copy = strndup(name, len);

	for (char *p = copy; p && *p; p++)
		*p = *p == '-' ? '_' : *p;
	return copy;
}

size_t module_name_in_path(const char *path, const char **ret)
{
	static const char *const suffixes[] = {".ko", ".ko.gz", ".ko.xz", ".ko.zst"};
	const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
	size_t len = strlen(base);

	*ret = base;
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(*suffixes); i++) {
		size_t n = strlen(suffixes[i]);

		if (len > n && !strcmp(base + len - n, suffixes[i]))
			return len - n;
	}
	return 0;
}

/* --- the list --- */

static void fts_endp(FTS **fts)
{
	if (*fts)
		fts_close(*fts);
}

void module_files_deinit(struct module_files *files)
{
	kt_vec_for_each (&files->v, file) {
		free(file->name);
		free(file->path);
	}
	kt_vec_free(&files->v);
}

static struct kt_error *add_file(struct module_files *files, const char *path)
{
	struct module_file file;
	const char *base;
	size_t len = module_name_in_path(path, &base);

	if (!len)
		return NULL;
	file.name = module_canonical_name(base, len);
	file.path = strdup(path);
	if (file.name && file.path && kt_vec_push(&files->v, file))
		return NULL;
	free(file.name);
	free(file.path);
	return kt_error_no_memory();
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

static struct kt_error *take_entry(struct module_files *files, const char *dir, const FTSENT *entry)
{
	switch (entry->fts_info) {
	case FTS_D:
	case FTS_DP: return NULL;
	case FTS_DNR:
	case FTS_ERR:
	case FTS_NS: return kt_error_os(entry->fts_errno, "cannot read %s", entry->fts_path);
	}
	if (entry->fts_level == FTS_ROOTLEVEL)
		return kt_error_os(ENOTDIR, "cannot read %s", dir);
	/* A file, or a link to one: map_file() checks that, when it is read. */
	return add_file(files, entry->fts_path);
}

struct kt_error *module_files_list(const char *dir, struct module_files *ret)
{
	char *const roots[] = {(char *)(uintptr_t)dir, NULL};
	_cleanup_(fts_endp) FTS *fts = NULL;
	struct kt_error *err = NULL;
	FTSENT *entry;

	fts = fts_open(roots, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, by_name);
	if (!fts)
		return kt_error_os(errno, "cannot read %s", dir);
	for (size_t n = 0; !err && (errno = 0, entry = fts_read(fts)); n++) {
		if (n == MAX_ENTRIES)
			return kt_error_new(KT_ERROR_UNSUPPORTED,
					    "%s: more than %u files: no directory of modules", dir,
					    MAX_ENTRIES);
		err = take_entry(ret, dir, entry);
	}
	if (!err && errno)
		err = kt_error_os(errno, "cannot read %s", dir);
	return err;
}

/* --- what is in one --- */

const char *module_info_value(struct kt_cursor info, const char *key)
{
	size_t len = strlen(key);
	const char *pair;

	while ((pair = kt_cursor_string(&info)))
		if (!strncmp(pair, key, len) && pair[len] == '=')
			return pair + len + 1;
	return NULL;
}

/* *ret stays empty for an empty file. */
static struct kt_error *map_file(const char *path, struct image_file *ret)
{
	/* O_NONBLOCK: a FIFO must not make us wait before we can say that it is no file. */
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		return kt_error_os(errno, "cannot read %s", path);
	if (!S_ISREG(st.st_mode))
		return kt_error_new(KT_ERROR_FORMAT, "%s: not a regular file", path);
	return st.st_size ? kt_error_wrap(image_file_map(fd, ret), "%s", path) : NULL;
}

static ssize_t feed_file(void *context, const void **ret)
{
	struct image_file *rest = context;
	size_t n = rest->len;

	*ret = rest->data;
	rest->len = 0;
	return (ssize_t)n;
}

/* Appends the content. Stops after the first piece that goes beyond limit. */
static struct kt_error *decompress_file(const struct image_file *file, size_t limit,
					struct kt_buf *out)
{
	_cleanup_(decompressor_destroyp) struct decompressor *d = NULL;
	const char *format = decompress_format(file->data, file->len);
	struct image_file rest = *file;
	const void *piece = file->data;
	size_t n = file->len;
	struct kt_error *err;

	if (!format) {
		kt_buf_append(out, piece, n <= limit ? n : limit + 1);
		return NULL;
	}
	err = decompressor_create(format, feed_file, &rest, &d);
	while (!err && out->len <= limit) {
		err = decompressor_next(d, &piece, &n);
		if (!err && !n)
			break;
		if (!err)
			kt_buf_append(out, piece, n);
	}
	return err;
}

struct kt_error *module_file_read(const char *path, size_t limit, struct kt_buf *out)
{
	struct image_file file = {0};
	struct kt_error *err = map_file(path, &file);

	if (err || !file.data)
		return err;
	err = decompress_file(&file, limit, out);
	image_file_close(&file);
	if (err)
		return kt_error_wrap(err, "%s: cannot read or decompress it", path);
	return kt_buf_failed(out) ? kt_error_no_memory() : NULL;
}
