// SPDX-License-Identifier: LGPL-2.1-or-later
#define XXH_INLINE_ALL
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <string.h>
#include <xxhash.h>

#include "model/cell_json.h"
#include "sweep/records.h"
#include "util/cleanup.h"
#include "util/io.h"
#include "util/vec.h"

#define SUFFIX      ".json"
#define DUMP_SUFFIX ".dump"

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

/* An escaped name never has "%-", so a shortened name is never that of another cell. */
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

/* Synced, so that other machines do not see the new name before the contents. */
static struct kt_error *replace(const char *dir, const char *stem, const char *text)
{
	_cleanup_(kt_buf_deinit) struct kt_buf path = KT_BUF_INIT;

	kt_buf_printf(&path, "%s/%s" SUFFIX, dir, stem);
	if (kt_buf_failed(&path))
		return kt_error_no_memory();
	return kt_replace_file(path.data, text, strlen(text), 0644, true);
}

/* --- cells that are to be run again --- */

/* The files of a cell: the record, the log and the dump that are written beside it, and the mark
 * that it is due. */
struct cell_files {
	char *record, *log, *dump, *due;
};

static void cell_files_deinit(struct cell_files *files)
{
	free(files->record);
	free(files->log);
	free(files->dump);
	free(files->due);
}

/* cell_files_deinit() frees *ret, also after an error. */
static struct kt_error *cell_files_init(const char *dir, const char *stem, struct cell_files *ret)
{
	if (asprintf(&ret->record, "%s/%s" SUFFIX, dir, stem) < 0)
		ret->record = NULL;
	if (asprintf(&ret->log, "%s/%s.log", dir, stem) < 0)
		ret->log = NULL;
	if (asprintf(&ret->dump, "%s/%s" DUMP_SUFFIX, dir, stem) < 0)
		ret->dump = NULL;
	if (asprintf(&ret->due, "%s/.%s.due", dir, stem) < 0)
		ret->due = NULL;
	return ret->record && ret->log && ret->dump && ret->due ? NULL : kt_error_no_memory();
}

static struct kt_error *find_files(const char *dir, const char *scheduler, const char *kernel,
				   const char *topology, struct cell_files *ret)
{
	_cleanup_free_ char *stem = NULL;
	struct kt_error *err = kt_cell_stem(scheduler, kernel, topology, &stem);

	return err ? err : cell_files_init(dir, stem, ret);
}

/* open(), not access(): over NFS only that asks the server whether the file is still there. */
static struct kt_error *exists(const char *path, bool *ret)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	*ret = fd >= 0;
	return fd >= 0 || errno == ENOENT ? NULL : kt_error_os(errno, "cannot open %s", path);
}

static struct kt_error *remove_file(const char *path)
{
	return unlink(path) && errno != ENOENT ? kt_error_os(errno, "cannot remove %s", path)
					       : NULL;
}

/* What is there of a cell: a record, and the mark that it is from before. */
static struct kt_error *look(const struct cell_files *files, bool *has_record, bool *is_due)
{
	struct kt_error *err = exists(files->record, has_record);

	return err ? err : exists(files->due, is_due);
}

struct kt_error *kt_cell_set_due(const char *dir, const char *scheduler, const char *kernel,
				 const char *topology)
{
	_cleanup_(cell_files_deinit) struct cell_files files = {0};
	_cleanup_close_ int fd = -1;
	struct kt_error *err = find_files(dir, scheduler, kernel, topology, &files);
	bool has_record = false;

	if (!err)
		err = exists(files.record, &has_record);
	if (err)
		return err;
	/* The mark of a record that somebody removed by hand. */
	if (!has_record)
		return remove_file(files.due);
	fd = open(files.due, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	return fd < 0 ? kt_error_os(errno, "cannot create %s", files.due) : NULL;
}

struct kt_error *kt_cell_is_due(const char *dir, const char *scheduler, const char *kernel,
				const char *topology, bool *ret)
{
	_cleanup_(cell_files_deinit) struct cell_files files = {0};
	struct kt_error *err = find_files(dir, scheduler, kernel, topology, &files);
	bool is_due = false, has_record = false;

	if (!err)
		err = look(&files, &has_record, &is_due);
	if (!err)
		*ret = has_record && is_due;
	return err;
}

struct kt_error *kt_cell_start(const char *dir, const char *scheduler, const char *kernel,
			       const char *topology)
{
	_cleanup_(cell_files_deinit) struct cell_files files = {0};
	struct kt_error *err = find_files(dir, scheduler, kernel, topology, &files);
	bool is_due = false, has_record = false;

	if (!err)
		err = look(&files, &has_record, &is_due);
	if (err || (has_record && !is_due))
		return err;
	/* The mark last: cut off anywhere, no old record is taken for a new one. */
	err = remove_file(files.log);
	if (!err)
		err = remove_file(files.dump);
	if (!err)
		err = remove_file(files.record);
	return err ? err : remove_file(files.due);
}

struct kt_error *kt_write_cell_record(const char *dir, const struct kt_cell_record *record)
{
	_cleanup_(cell_files_deinit) struct cell_files files = {0};
	_cleanup_free_ char *text = NULL, *stem = NULL;
	struct kt_error *err = kt_cell_record_encode(record, &text);

	if (!err)
		err = kt_cell_stem(record->scheduler, record->kernel, record->topology, &stem);
	if (!err)
		err = cell_files_init(dir, stem, &files);
	if (!err)
		err = replace(dir, stem, text);
	if (!err && !record->dump)
		err = remove_file(files.dump);
	if (!err)
		err = remove_file(files.due);
	return kt_error_wrap(err, "cannot write the record of verifier/%s/%s/%s to %s",
			     record->scheduler ? record->scheduler : "",
			     record->kernel ? record->kernel : "",
			     record->topology ? record->topology : "", dir);
}

/* --- reading --- */

/* Per thread: the directory, and a buffer for one file after the other. */
struct reader {
	int dir_fd;
	char *buf; /* KT_CELL_RECORD_MAX + 1 bytes; pages without contents cost nothing */
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

	err = kt_open_file(reader->dir_fd, name, 0, &fd, &size);
	if (err)
		return err;
	/* Asks for one byte more than the size, so that a file that grows is noticed. */
	len = (size_t)size < KT_CELL_RECORD_MAX ? (size_t)size : KT_CELL_RECORD_MAX;
	err = kt_read_at(fd, reader->buf, len + 1, 0, &len);
	return err ? err : kt_cell_record_decode((struct kt_text){reader->buf, len}, ret);
}

/* Matches like the shell's *.json: not hidden files. */
static bool is_record_name(const char *name)
{
	size_t len = strlen(name);

	return name[0] != '.' && len > strlen(SUFFIX) &&
	       strcmp(name + len - strlen(SUFFIX), SUFFIX) == 0;
}

/* A file of the directory: its record, or why it is none. */
struct file {
	char *name;
	struct kt_cell_record record;
	struct kt_error *error; /* NULL: record is valid */
};

struct files {
	KT_VEC(struct file) v;
	int dir_fd;
};

static void files_deinit(struct files *files)
{
	kt_vec_for_each (&files->v, it) {
		free(it->name);
		kt_cell_record_deinit(&it->record);
		kt_error_destroy(it->error);
	}
	kt_vec_free(&files->v);
	if (files->dir_fd >= 0)
		close(files->dir_fd);
}

static void closedirp(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

/* KT_ERROR_NOT_FOUND if there is no such directory. */
static struct kt_error *list_files(const char *path, struct files *files)
{
	_cleanup_(closedirp) DIR *dir = opendir(path);
	const struct dirent *entry;

	if (!dir && errno == ENOENT)
		return kt_error_new(KT_ERROR_NOT_FOUND, "no directory %s", path);
	if (!dir)
		return kt_error_os(errno, "cannot read %s", path);
	files->dir_fd = fcntl(dirfd(dir), F_DUPFD_CLOEXEC, 0);
	if (files->dir_fd < 0)
		return kt_error_os(errno, "cannot read %s", path);
	for (errno = 0; (entry = readdir(dir)); errno = 0) {
		struct file file = {0};

		if (!is_record_name(entry->d_name))
			continue;
		file.name = strdup(entry->d_name);
		if (!file.name || !kt_vec_push(&files->v, file)) {
			free(file.name);
			return kt_error_no_memory();
		}
	}
	return errno ? kt_error_os(errno, "cannot read %s", path) : NULL;
}

/* A thread's part of the work: every step-th file from `first` on. */
struct share {
	struct files *files;
	size_t first, step;
	struct kt_error *error;
	pthread_t thread;
	bool started;
};

static void *read_share(void *arg)
{
	struct share *share = arg;
	struct reader reader = {share->files->dir_fd, malloc(KT_CELL_RECORD_MAX + 1)};

	if (!reader.buf) {
		share->error = kt_error_no_memory();
		return NULL;
	}
	for (size_t i = share->first; i < share->files->v.len; i += share->step) {
		struct file *file = &share->files->v.data[i];

		file->error = read_file(&reader, file->name, &file->record);
	}
	free(reader.buf);
	return NULL;
}

/* For fewer files a thread is not worth its start. */
#define FILES_A_THREAD 500
#define MAX_THREADS    8

/* One thread per CPU. If a thread cannot be started, its share is read here. */
static struct kt_error *read_files(struct files *files)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	size_t n = files->v.len / FILES_A_THREAD + 1;
	struct share shares[MAX_THREADS] = {0};
	struct kt_error *err = NULL;

	n = n > MAX_THREADS ? MAX_THREADS : n;
	n = cpus > 0 && n > (size_t)cpus ? (size_t)cpus : n;
	for (size_t i = n; i--;) {
		shares[i] = (struct share){.files = files, .first = i, .step = n};
		shares[i].started = i && pthread_create(&shares[i].thread, NULL, read_share,
							&shares[i]) == 0;
		if (!shares[i].started)
			read_share(&shares[i]);
	}
	for (size_t i = 0; i < n; i++) {
		if (shares[i].started)
			pthread_join(shares[i].thread, NULL);
		if (!err)
			err = kt_take_ptr(shares[i].error);
		kt_error_destroy(shares[i].error);
	}
	return err;
}

/* Hands over the records, and warns about files that are none. */
static struct kt_error *take_records(struct files *files, kt_cell_warn_fn warn, void *arg,
				     struct kt_cell_records *ret)
{
	struct kt_cell_record *all = calloc(files->v.len + 1, sizeof(*all));
	size_t n = 0;

	if (!all)
		return kt_error_no_memory();
	for (size_t i = 0; i < files->v.len; i++)
		if (files->v.data[i].error &&
		    kt_error_code(files->v.data[i].error) == KT_ERROR_NO_MEMORY) {
			free(all);
			return kt_error_no_memory();
		}
	for (size_t i = 0; i < files->v.len; i++) {
		struct file *file = &files->v.data[i];

		if (!file->error) {
			all[n++] = file->record;
			file->record = (struct kt_cell_record){0};
		} else if (warn && kt_error_code(file->error) != KT_ERROR_NOT_FOUND) {
			/* NOT_FOUND: a running sweep has just removed it, which needs no warning.
			 */
			warn(arg, file->name, file->error);
		}
	}
	if (!n)
		free(all);
	*ret = (struct kt_cell_records){n ? all : NULL, n};
	return NULL;
}

struct kt_error *kt_read_cell_records(const char *dir, kt_cell_warn_fn warn, void *arg,
				      struct kt_cell_records *ret)
{
	_cleanup_(files_deinit) struct files files = {.dir_fd = -1};
	struct kt_error *err = list_files(dir, &files);

	if (err && kt_error_code(err) == KT_ERROR_NOT_FOUND) {
		kt_error_destroy(err);
		*ret = (struct kt_cell_records){0};
		return NULL;
	}
	if (!err)
		err = read_files(&files);
	return err ? err : take_records(&files, warn, arg, ret);
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

/* --- logs and dumps --- */

/* Appends len bytes of the file from offset on. */
static struct kt_error *append_piece(int fd, size_t len, off_t offset, struct kt_buf *out)
{
	_cleanup_free_ char *data = malloc(len + 1);
	struct kt_error *err;
	size_t got;

	if (!data)
		return kt_error_no_memory();
	err = kt_read_at(fd, data, len, offset, &got);
	if (!err)
		kt_buf_append(out, data, got);
	return err;
}

/* Appends max bytes: a third from the start, the rest from the end, where errors are. */
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

/* Opens what a record names as `what`. */
static struct kt_error *open_beside(const char *dir, const char *name, const char *what, int *fd,
				    off_t *size)
{
	_cleanup_close_ int dir_fd = -1;
	struct kt_error *err;

	if (!name || !name[0])
		return kt_error_new(KT_ERROR_NOT_FOUND, "it has no %s", what);
	if (strchr(name, '/'))
		return kt_error_new(KT_ERROR_UNSUPPORTED, "its %s is not beside it", what);
	err = open_dir(dir, &dir_fd);
	if (!err)
		err = kt_open_file(dir_fd, name, O_NOFOLLOW, fd, size);
	if (err && kt_error_code(err) == KT_ERROR_NOT_FOUND) {
		kt_error_destroy(err);
		return kt_error_new(KT_ERROR_NOT_FOUND, "it is not there");
	}
	return err;
}

struct kt_error *kt_read_cell_log(const char *dir, const struct kt_cell_record *record, size_t max,
				  struct kt_buf *out)
{
	_cleanup_close_ int fd = -1;
	off_t size;
	struct kt_error *err = open_beside(dir, record->log, "log", &fd, &size);

	if (!err && (size_t)size > max)
		err = append_ends(fd, (size_t)size, max, out);
	else if (!err)
		err = append_piece(fd, (size_t)size, 0, out);
	if (!err && kt_buf_failed(out))
		err = kt_error_no_memory();
	return err;
}

struct kt_error *kt_write_cell_dump(const char *dir, const struct kt_cell_record *record,
				    const char *text, char **name_ret)
{
	_cleanup_free_ char *stem = NULL, *name = NULL, *path = NULL;
	struct kt_error *err = kt_cell_stem(record->scheduler, record->kernel, record->topology,
					    &stem);

	if (err)
		return err;
	if (asprintf(&name, "%s" DUMP_SUFFIX, stem) < 0) {
		name = NULL;
		return kt_error_no_memory();
	}
	if (asprintf(&path, "%s/%s", dir, name) < 0) {
		path = NULL;
		return kt_error_no_memory();
	}
	err = kt_replace_file(path, text, strlen(text), 0644, true);
	if (!err)
		*name_ret = kt_take_ptr(name);
	return err;
}

struct kt_error *kt_read_cell_dump(const char *dir, const struct kt_cell_record *record, size_t max,
				   struct kt_buf *out)
{
	_cleanup_close_ int fd = -1;
	off_t size;
	struct kt_error *err = open_beside(dir, record->dump, "dump", &fd, &size);

	if (!err && (size_t)size > max)
		err = kt_error_new(KT_ERROR_UNSUPPORTED, "it has %lld bytes, and %zu are shown",
				   (long long)size, max);
	if (!err)
		err = append_piece(fd, (size_t)size, 0, out);
	if (!err && kt_buf_failed(out))
		err = kt_error_no_memory();
	return err;
}
