// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "kernels/archive.h"
#include "kernels/place.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/io.h"

/* A distribution's whole root has some 300,000 files, a kernel with its modules 400 MB. */
#define MAX_ENTRIES 2000000
#define MAX_BYTES   ((uint64_t)4 << 30)
#define CHUNK       65536

void kernels_reading_init(struct kernels_reading *reading, const struct kt_kernels_options *options)
{
	*reading = (struct kernels_reading){
		.options = options,
		.entries_left = MAX_ENTRIES,
		.bytes_left = MAX_BYTES,
	};
}

static struct kt_error *check_time(const struct kernels_reading *reading)
{
	struct pollfd cancel = {reading->options->cancel_fd, POLLIN, 0};

	if (poll(&cancel, 1, 0) > 0)
		return kt_error_new(KT_ERROR_CANCELLED, "cancelled");
	if (!kt_deadline_left_ms(reading->options->deadline_ns))
		return kt_error_new(KT_ERROR_TIMEOUT, "it took too long");
	return NULL;
}

static void freep(struct archive **archive)
{
	archive_read_free(*archive);
}

static struct kt_error *damaged(struct archive *archive)
{
	const char *why = archive_error_string(archive);

	return kt_error_new(KT_ERROR_FORMAT, "damaged, or cut off: %s",
			    why ? why : "no reason given");
}

/* Formats and filters that need no program: libarchive would start one for some others. */
static struct archive *new_archive(void)
{
	struct archive *a = archive_read_new();

	if (!a)
		return NULL;
	archive_read_support_filter_gzip(a);
	archive_read_support_filter_xz(a);
	archive_read_support_filter_lzma(a);
	archive_read_support_filter_bzip2(a);
	archive_read_support_filter_zstd(a);
	archive_read_support_filter_rpm(a);
	archive_read_support_format_ar(a);
	archive_read_support_format_tar(a);
	archive_read_support_format_cpio(a);
	/* An .apk is several tar files, one behind the other. */
	archive_read_set_format_option(a, "tar", "read_concatenated_archives", "1");
	return a;
}

static const char *path_of(struct archive_entry *entry)
{
	const char *path = archive_entry_pathname(entry);

	return path ? path : archive_entry_pathname_utf8(entry);
}

/* Each entry of an archive that was opened. */
static struct kt_error *walk(struct archive *archive, struct kernels_reading *reading,
			     kernels_entry_fn *fn, void *context)
{
	char clean[KERNELS_PATH_MAX];
	struct archive_entry *entry;
	struct kt_error *err = NULL;
	int status;

	for (bool first = true; !err && !reading->done; first = false) {
		const char *path;

		status = archive_read_next_header(archive, &entry);
		if (status == ARCHIVE_EOF)
			return NULL;
		if (status != ARCHIVE_OK && status != ARCHIVE_WARN)
			return first ? kt_error_new(KT_ERROR_NOT_FOUND, "not an archive")
				     : damaged(archive);
		if (!reading->entries_left--)
			return kt_error_new(KT_ERROR_FORMAT, "more than %u files: no package",
					    MAX_ENTRIES);
		err = check_time(reading);
		path = path_of(entry);
		if (!err && path && kernels_clean_path(path, clean))
			err = fn(context, archive, entry, clean);
	}
	return err;
}

struct kt_error *kernels_walk(int fd, struct kernels_reading *reading, kernels_entry_fn *fn,
			      void *context)
{
	_cleanup_(freep) struct archive *archive = new_archive();

	if (!archive)
		return kt_error_no_memory();
	if (lseek(fd, 0, SEEK_SET) < 0)
		return kt_error_os(errno, "cannot read it");
	if (archive_read_open_fd(archive, fd, CHUNK) != ARCHIVE_OK)
		return kt_error_new(KT_ERROR_NOT_FOUND, "not an archive");
	return walk(archive, reading, fn, context);
}

/* --- an archive in an archive --- */

struct inner {
	struct archive *outer;
	char chunk[CHUNK];
};

static la_ssize_t read_outer(struct archive *archive, void *context, const void **ret)
{
	struct inner *inner = context;
	la_ssize_t n = archive_read_data(inner->outer, inner->chunk, sizeof(inner->chunk));

	*ret = inner->chunk;
	if (n < 0) {
		archive_set_error(archive, EIO, "%s", archive_error_string(inner->outer));
		return -1;
	}
	return n;
}

struct kt_error *kernels_walk_inner(struct archive *outer, struct kernels_reading *reading,
				    kernels_entry_fn *fn, void *context)
{
	_cleanup_free_ struct inner *inner = malloc(sizeof(*inner));
	_cleanup_(freep) struct archive *archive = new_archive();

	if (!archive || !inner)
		return kt_error_no_memory();
	inner->outer = outer;
	if (archive_read_open(archive, inner, NULL, read_outer, NULL) != ARCHIVE_OK)
		return kt_error_new(KT_ERROR_NOT_FOUND, "not an archive");
	return walk(archive, reading, fn, context);
}

/* --- the content of an entry --- */

bool kernels_entry_is_file(struct archive_entry *entry)
{
	return archive_entry_filetype(entry) == AE_IFREG && !archive_entry_hardlink(entry);
}

/* *ret is 0 at the end. Counts what is taken out, also where a sparse file has no bytes. */
static struct kt_error *next_chunk(struct archive *archive, struct kernels_reading *reading,
				   char chunk[CHUNK], size_t *ret)
{
	struct kt_error *err = check_time(reading);
	la_ssize_t n;

	if (err)
		return err;
	n = archive_read_data(archive, chunk, CHUNK);
	if (n < 0)
		return damaged(archive);
	if ((uint64_t)n > reading->bytes_left)
		return kt_error_new(KT_ERROR_FORMAT, "a kernel of more than %u GB: no package",
				    (unsigned)(MAX_BYTES >> 30));
	reading->bytes_left -= (uint64_t)n;
	*ret = (size_t)n;
	return NULL;
}

struct kt_error *kernels_entry_write(struct archive *archive, struct kernels_reading *reading,
				     int fd)
{
	char chunk[CHUNK];
	struct kt_error *err;
	size_t n;

	do {
		err = next_chunk(archive, reading, chunk, &n);
		if (!err)
			err = kt_write_all(fd, chunk, n);
	} while (!err && n);
	return err;
}

struct kt_error *kernels_entry_read(struct archive *archive, struct kernels_reading *reading,
				    size_t max, struct kt_buf *ret)
{
	_cleanup_(kt_buf_deinit) struct kt_buf buf = KT_BUF_INIT;
	char chunk[CHUNK];
	struct kt_error *err;
	size_t n;

	do {
		err = next_chunk(archive, reading, chunk, &n);
		if (err)
			return err;
		kt_buf_append(&buf, chunk, n);
		if (buf.len > max)
			return kt_error_new(KT_ERROR_FORMAT, "a file in it has more than %zu bytes",
					    max);
	} while (n);
	kt_buf_appends(&buf, "");
	if (kt_buf_failed(&buf))
		return kt_error_no_memory();
	*ret = buf;
	buf = (struct kt_buf)KT_BUF_INIT;
	return NULL;
}
