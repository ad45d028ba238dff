// SPDX-License-Identifier: LGPL-2.1-or-later
#define XXH_INLINE_ALL
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <xxhash.h>

#include "render/cell_json.h"
#include "sweep/records.h"
#include "util/cleanup.h"
#include "util/vec.h"

#define SUFFIX ".json"

/* --- names --- */

static bool stays(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr("._+-", c));
}

static void append_escaped(struct kt_buf *stem, const char *name)
{
	kt_buf_appendc(stem, '~');
	for (const char *p = name; *p; p++)
		if (stays((unsigned char)*p))
			kt_buf_appendc(stem, *p);
		else
			kt_buf_printf(stem, "%%%02X", (unsigned char)*p);
}

/* "%-" is in no name that was escaped, so none that is shortened is that of another cell. */
static void shorten(struct kt_buf *stem)
{
	XXH128_hash_t hash = XXH3_128bits(stem->data, stem->len);

	stem->len = KT_CELL_STEM_MAX - 2 - 32;
	kt_buf_printf(stem, "%%-%016" PRIx64 "%016" PRIx64, hash.high64, hash.low64);
}

struct kt_error *kt_cell_stem(const char *scheduler, const char *kernel, const char *topology,
			      char **ret)
{
	struct kt_buf stem = KT_BUF_INIT;

	kt_buf_appends(&stem, "verifier");
	append_escaped(&stem, scheduler);
	append_escaped(&stem, kernel);
	append_escaped(&stem, topology);
	if (!kt_buf_failed(&stem) && stem.len > KT_CELL_STEM_MAX)
		shorten(&stem);
	return kt_buf_finish(&stem, ret);
}

/* --- writing --- */

static struct kt_error *write_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return kt_error_os(errno, "write");
		data += n;
		len -= (size_t)n;
	}
	return NULL;
}

/* fsync(): what another machine sees under the new name is what was written. */
static struct kt_error *write_temp(int fd, const char *text)
{
	_cleanup_close_ int to_close = fd;
	struct kt_error *err = write_all(fd, text, strlen(text));

	if (!err && (fchmod(fd, 0644) || fsync(fd)))
		err = kt_error_os(errno, "fsync");
	if (close(kt_take_fd(&to_close)) && !err)
		err = kt_error_os(errno, "close");
	return err;
}

/* The temporary file is hidden, and does not end in ".json": no reader takes it for a record. */
static struct kt_error *replace(const char *dir, const char *stem, const char *text)
{
	struct kt_buf temp = KT_BUF_INIT, final = KT_BUF_INIT;
	struct kt_error *err = NULL;
	int fd = -1;

	kt_buf_printf(&temp, "%s/.%s.XXXXXX", dir, stem);
	kt_buf_printf(&final, "%s/%s" SUFFIX, dir, stem);
	if (kt_buf_failed(&temp) || kt_buf_failed(&final))
		err = kt_error_no_memory();
	if (!err) {
		fd = mkostemp(temp.data, O_CLOEXEC);
		err = fd < 0 ? kt_error_os(errno, "open") : write_temp(fd, text);
	}
	if (!err && rename(temp.data, final.data))
		err = kt_error_os(errno, "rename");
	if (err && fd >= 0)
		unlink(temp.data);
	kt_buf_deinit(&temp);
	kt_buf_deinit(&final);
	return err;
}

struct kt_error *kt_write_cell_record(const char *dir, const struct kt_cell_record *record)
{
	_cleanup_free_ char *text = NULL, *stem = NULL;
	struct kt_error *err = kt_cell_record_encode(record, &text);

	if (!err)
		err = kt_cell_stem(record->scheduler, record->kernel, record->topology, &stem);
	if (!err)
		err = replace(dir, stem, text);
	return kt_error_wrap(err, "cannot write the record of verifier/%s/%s/%s to %s",
			     record->scheduler ? record->scheduler : "",
			     record->kernel ? record->kernel : "",
			     record->topology ? record->topology : "", dir);
}

/* --- reading --- */

/*
 * Opens what is a regular file. A FIFO would be waited for without O_NONBLOCK, and a link may
 * lead anywhere.
 */
static struct kt_error *open_regular(int dir_fd, const char *name, int *fd_ret, off_t *size_ret)
{
	_cleanup_close_ int fd = openat(dir_fd, name,
					O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW);
	struct stat st;

	if (fd < 0 && errno == ENOENT)
		return kt_error_new(KT_ERROR_NOT_FOUND, "it is not there");
	if (fd < 0 && errno == ELOOP)
		return kt_error_new(KT_ERROR_UNSUPPORTED, "a symbolic link");
	if (fd < 0 || fstat(fd, &st))
		return kt_error_os(errno, "cannot open it");
	if (!S_ISREG(st.st_mode))
		return kt_error_new(KT_ERROR_UNSUPPORTED, "not a regular file");
	*size_ret = st.st_size;
	*fd_ret = kt_take_fd(&fd);
	return NULL;
}

/* Up to len bytes from offset; a file that became shorter gives less. */
static struct kt_error *read_piece(int fd, char *data, size_t len, off_t offset, size_t *ret)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = pread(fd, data + done, len - done, offset + (off_t)done);

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

/* What a directory's files are read with. */
struct reader {
	int dir_fd;
	char *buf; /* KT_CELL_RECORD_MAX + 1 bytes, of which only what is read is ever touched */
};

static void reader_deinit(struct reader *reader)
{
	if (reader->dir_fd >= 0)
		close(reader->dir_fd);
	free(reader->buf);
}

static struct kt_error *read_file(const struct reader *reader, const char *name,
				  struct kt_cell_record *ret)
{
	_cleanup_close_ int fd = -1;
	struct kt_error *err;
	size_t len = 0;
	off_t size;

	err = open_regular(reader->dir_fd, name, &fd, &size);
	if (err)
		return err;
	/* One byte more than there is or may be: a file that grows is not taken for whole. */
	len = (size_t)size < KT_CELL_RECORD_MAX ? (size_t)size : KT_CELL_RECORD_MAX;
	err = read_piece(fd, reader->buf, len + 1, 0, &len);
	return err ? err : kt_cell_record_decode((struct kt_text){reader->buf, len}, ret);
}

/* As a shell has "*.json". */
static bool is_record_name(const char *name)
{
	size_t len = strlen(name);

	return name[0] != '.' && len > strlen(SUFFIX) &&
	       strcmp(name + len - strlen(SUFFIX), SUFFIX) == 0;
}

struct records {
	KT_VEC(struct kt_cell_record) v;
};

static void records_deinit(struct records *records)
{
	kt_vec_for_each (&records->v, it)
		kt_cell_record_deinit(it);
	kt_vec_free(&records->v);
}

static struct kt_error *add_file(const struct reader *reader, const char *name,
				 kt_cell_warn_fn warn, void *arg, struct records *records)
{
	_cleanup_error_ struct kt_error *err = NULL;
	struct kt_cell_record record;

	err = read_file(reader, name, &record);
	if (err && kt_error_code(err) == KT_ERROR_NO_MEMORY)
		return kt_take_ptr(err);
	if (err) {
		/* One that a sweep which still runs has just taken away is none. */
		if (warn && kt_error_code(err) != KT_ERROR_NOT_FOUND)
			warn(arg, name, err);
		return NULL;
	}
	if (kt_vec_push(&records->v, record))
		return NULL;
	kt_cell_record_deinit(&record);
	return kt_error_no_memory();
}

static struct kt_error *read_all(DIR *dir, const struct reader *reader, kt_cell_warn_fn warn,
				 void *arg, struct records *records)
{
	struct kt_error *err = NULL;
	const struct dirent *entry;

	while (!err) {
		errno = 0;
		entry = readdir(dir);
		if (!entry)
			return errno ? kt_error_os(errno, "cannot read the directory") : NULL;
		if (is_record_name(entry->d_name))
			err = add_file(reader, entry->d_name, warn, arg, records);
	}
	return err;
}

static void closedirp(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

struct kt_error *kt_read_cell_records(const char *path, kt_cell_warn_fn warn, void *arg,
				      struct kt_cell_records *ret)
{
	_cleanup_(reader_deinit) struct reader reader = {-1, malloc(KT_CELL_RECORD_MAX + 1)};
	_cleanup_(closedirp) DIR *dir = opendir(path);
	struct records records = {0};
	struct kt_error *err;

	if (!reader.buf)
		return kt_error_no_memory();
	if (!dir && errno == ENOENT) {
		*ret = (struct kt_cell_records){0};
		return NULL;
	}
	if (!dir)
		return kt_error_os(errno, "cannot read %s", path);
	reader.dir_fd = fcntl(dirfd(dir), F_DUPFD_CLOEXEC, 0);
	if (reader.dir_fd < 0)
		return kt_error_os(errno, "cannot read %s", path);
	err = read_all(dir, &reader, warn, arg, &records);
	if (err) {
		records_deinit(&records);
		return kt_error_wrap(err, "%s", path);
	}
	*ret = (struct kt_cell_records){records.v.data, records.v.len};
	return NULL;
}

/* --- one cell --- */

static struct kt_error *open_dir(const char *path, int *ret)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT ? kt_error_new(KT_ERROR_NOT_FOUND, "no directory %s", path)
				       : kt_error_os(errno, "cannot open %s", path);
	*ret = fd;
	return NULL;
}

static bool is_cell(const struct kt_cell_record *record, const char *scheduler, const char *kernel,
		    const char *topology)
{
	return strcmp(record->scheduler, scheduler) == 0 && strcmp(record->kernel, kernel) == 0 &&
	       strcmp(record->topology, topology) == 0;
}

struct kt_error *kt_read_cell_record(const char *dir, const char *scheduler, const char *kernel,
				     const char *topology, struct kt_cell_record *ret)
{
	_cleanup_(reader_deinit) struct reader reader = {-1, malloc(KT_CELL_RECORD_MAX + 1)};
	struct kt_buf name = KT_BUF_INIT;
	struct kt_cell_record record;
	struct kt_error *err;
	char *stem = NULL;

	err = reader.buf ? kt_cell_stem(scheduler, kernel, topology, &stem) : kt_error_no_memory();
	if (!err)
		err = open_dir(dir, &reader.dir_fd);
	if (!err) {
		kt_buf_printf(&name, "%s" SUFFIX, stem);
		err = kt_buf_failed(&name) ? kt_error_no_memory()
					   : read_file(&reader, name.data, &record);
	}
	free(stem);
	kt_buf_deinit(&name);
	if (err)
		return err;
	if (!is_cell(&record, scheduler, kernel, topology)) {
		kt_cell_record_deinit(&record);
		return kt_error_new(KT_ERROR_FORMAT, "the record is that of another cell");
	}
	*ret = record;
	return NULL;
}

/* --- logs --- */

/* Reads len bytes from offset to the end of out. */
static struct kt_error *append_piece(int fd, size_t len, off_t offset, struct kt_buf *out)
{
	_cleanup_free_ char *data = malloc(len + 1);
	struct kt_error *err;
	size_t got;

	if (!data)
		return kt_error_no_memory();
	err = read_piece(fd, data, len, offset, &got);
	if (!err)
		kt_buf_append(out, data, got);
	return err;
}

/* The first third, and of the rest what is at its end, where errors and statistics are. */
static struct kt_error *append_ends(int fd, size_t size, size_t max, struct kt_buf *out)
{
	struct kt_buf tail = KT_BUF_INIT;
	size_t start = out->len, kept;
	const char *nl;
	struct kt_error *err = append_piece(fd, max / 3, 0, out);

	if (!err)
		err = append_piece(fd, max - max / 3, (off_t)(size - (max - max / 3)), &tail);
	if (err) {
		kt_buf_deinit(&tail);
		return err;
	}
	nl = out->len > start ? memrchr(out->data + start, '\n', out->len - start) : NULL;
	if (nl)
		out->len = (size_t)(nl - out->data) + 1;
	nl = tail.len ? memchr(tail.data, '\n', tail.len) : NULL;
	if (nl)
		kt_buf_consume(&tail, (size_t)(nl - tail.data) + 1);
	kept = out->len - start + tail.len;
	kt_buf_printf(out, "%s... %zu bytes left out ...\n",
		      out->len > start && out->data[out->len - 1] != '\n' ? "\n" : "",
		      size > kept ? size - kept : 0);
	kt_buf_append(out, tail.data, tail.len);
	kt_buf_deinit(&tail);
	return NULL;
}

struct kt_error *kt_read_cell_log(const char *dir, const struct kt_cell_record *record, size_t max,
				  struct kt_buf *out)
{
	_cleanup_close_ int dir_fd = -1, fd = -1;
	struct kt_error *err;
	off_t size;

	if (!record->log || !record->log[0])
		return kt_error_new(KT_ERROR_NOT_FOUND, "it has no log");
	if (strchr(record->log, '/'))
		return kt_error_new(KT_ERROR_UNSUPPORTED, "its log is not beside it");
	err = open_dir(dir, &dir_fd);
	if (!err)
		err = open_regular(dir_fd, record->log, &fd, &size);
	if (!err && (size_t)size > max)
		err = append_ends(fd, (size_t)size, max, out);
	else if (!err)
		err = append_piece(fd, (size_t)size, 0, out);
	if (!err && kt_buf_failed(out))
		err = kt_error_no_memory();
	return err;
}
