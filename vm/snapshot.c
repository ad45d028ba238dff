// SPDX-License-Identifier: LGPL-2.1-or-later
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "util/cleanup.h"
#include "util/io.h"
#include "vm/snapshot.h"

/* To be raised whenever the header changes, or what init expects of the host. */
#define VERSION   1
#define MAGIC     "ktsnap\n"
#define SUFFIX    ".snap"
#define NEVER     ".never"
#define UNDER_WAY ".new-"

#define HEADER_SIZE 4096
#define ENTRIES_MAX 4096 /* of the folder that are looked at */

/* Padded to HEADER_SIZE with zeros. Files are this machine's own: numbers are as they are here. */
struct header {
	char magic[8];
	uint32_t version, size; /* of this header */
	uint64_t stream;        /* bytes behind it */
	char key[40];
	struct vm_snapshot_of of;
	XXH128_canonical_t hash; /* of the header before it, and of the stream */
};

static bool is_ours(int fd, mode_t type, off_t *size_ret)
{
	struct stat st;

	if (fstat(fd, &st) || (st.st_mode & S_IFMT) != type || st.st_uid != geteuid() ||
	    st.st_mode & 077)
		return false;
	if (size_ret)
		*size_ret = st.st_size;
	return true;
}

struct kt_error *vm_snapshots_open(const char *cache_dir, struct vm_snapshots *ret)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_close_ int fd = -1;
	struct kt_error *err;

	if (asprintf(&path, "%s/snapshots", cache_dir) < 0)
		return kt_error_no_memory();
	err = kt_mkdir_p(path, 0700);
	if (err)
		return err;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return kt_error_os(errno, "cannot open %s", path);
	if (!is_ours(fd, S_IFDIR, NULL))
		return kt_error_hint(kt_error_new(KT_ERROR_UNSUPPORTED,
						  "%s is not this user's alone, so no snapshots "
						  "are kept there",
						  path),
				     "remove it, or `chmod 700` it");
	ret->dir_fd = kt_take_fd(&fd);
	return NULL;
}

void vm_snapshots_close(struct vm_snapshots *snapshots)
{
	if (snapshots->dir_fd >= 0)
		close(snapshots->dir_fd);
	snapshots->dir_fd = -1;
}

static void file_name(char *name, size_t size, const char *key)
{
	snprintf(name, size, "%.32s" SUFFIX, key);
}

int vm_snapshot_find(const struct vm_snapshots *snapshots, const char *key)
{
	_cleanup_close_ int fd = -1;
	char name[64];

	file_name(name, sizeof(name), key);
	fd = openat(snapshots->dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || !is_ours(fd, S_IFREG, NULL))
		return -1;
	(void)futimens(fd, NULL);
	return kt_take_fd(&fd);
}

/* Over all of the stream, in pieces that fit in a cache. */
static bool hash_stream(int fd, uint64_t stream, const struct header *header,
			XXH128_canonical_t *ret)
{
	static const size_t chunk_size = 256 << 10;
	_cleanup_free_ char *chunk = malloc(chunk_size);
	XXH3_state_t *state = XXH3_createState();
	uint64_t done = 0;
	size_t n = 1;

	if (!chunk || !state) {
		XXH3_freeState(state);
		return false;
	}
	XXH3_128bits_reset(state);
	XXH3_128bits_update(state, header, offsetof(struct header, hash));
	while (done < stream && n) {
		uint64_t left = stream - done;
		struct kt_error *err = kt_read_at(fd, chunk,
						  left < chunk_size ? (size_t)left : chunk_size,
						  (off_t)(HEADER_SIZE + done), &n);

		if (err) {
			kt_error_destroy(err);
			break;
		}
		XXH3_128bits_update(state, chunk, n);
		done += n;
	}
	XXH128_canonicalFromHash(ret, XXH3_128bits_digest(state));
	XXH3_freeState(state);
	return done == stream;
}

static bool read_header(int fd, struct header *ret)
{
	struct kt_error *err;
	size_t n = 0;

	err = kt_read_at(fd, ret, sizeof(*ret), 0, &n);
	if (err) {
		kt_error_destroy(err);
		return false;
	}
	return n == sizeof(*ret) && !memcmp(ret->magic, MAGIC, sizeof(MAGIC)) &&
	       ret->version == VERSION && ret->size == sizeof(*ret) &&
	       memchr(ret->of.kernel, '\0', sizeof(ret->of.kernel)) &&
	       memchr(ret->of.qemu, '\0', sizeof(ret->of.qemu));
}

bool vm_snapshot_check(int fd, const char *key, struct vm_snapshot_of *of)
{
	XXH128_canonical_t hash;
	struct header header;
	off_t size;

	if (!is_ours(fd, S_IFREG, &size) || !read_header(fd, &header) ||
	    strncmp(header.key, key, sizeof(header.key)) ||
	    header.stream != (uint64_t)size - HEADER_SIZE ||
	    !hash_stream(fd, header.stream, &header, &hash) ||
	    memcmp(&hash, &header.hash, sizeof(hash)) ||
	    lseek(fd, HEADER_SIZE, SEEK_SET) != HEADER_SIZE)
		return false;
	*of = header.of;
	return true;
}

void vm_snapshot_remove(const struct vm_snapshots *snapshots, const char *key)
{
	char name[64];

	file_name(name, sizeof(name), key);
	(void)unlinkat(snapshots->dir_fd, name, 0);
}

void vm_snapshot_never(const struct vm_snapshots *snapshots, const char *key)
{
	char name[64];
	int fd;

	snprintf(name, sizeof(name), "%.32s" NEVER, key);
	fd = openat(snapshots->dir_fd, name, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd >= 0)
		close(fd);
}

bool vm_snapshot_is_never(const struct vm_snapshots *snapshots, const char *key)
{
	char name[64];

	snprintf(name, sizeof(name), "%.32s" NEVER, key);
	return !faccessat(snapshots->dir_fd, name, F_OK, AT_SYMLINK_NOFOLLOW);
}

/* --- a new one --- */

/* Whoever writes it holds a lock on it: without that, it was left behind. */
static struct kt_error *create_named(const struct vm_snapshots *snapshots,
				     struct vm_snapshot_file *ret)
{
	snprintf(ret->name, sizeof(ret->name), UNDER_WAY "%ld", (long)getpid());
	ret->fd = openat(snapshots->dir_fd, ret->name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (ret->fd >= 0 && !flock(ret->fd, LOCK_EX | LOCK_NB))
		return NULL;
	return kt_error_os(errno, "cannot make a file for a snapshot");
}

struct kt_error *vm_snapshot_create(const struct vm_snapshots *snapshots,
				    struct vm_snapshot_file *ret)
{
	struct kt_error *err = NULL;

	*ret = (struct vm_snapshot_file){
		.fd = openat(snapshots->dir_fd, ".", O_RDWR | O_TMPFILE | O_CLOEXEC, 0600)};
	if (ret->fd < 0)
		err = create_named(snapshots, ret);
	if (!err && lseek(ret->fd, HEADER_SIZE, SEEK_SET) != HEADER_SIZE)
		err = kt_error_os(errno, "cannot write a snapshot");
	if (err)
		vm_snapshot_abandon(snapshots, ret);
	return err;
}

void vm_snapshot_abandon(const struct vm_snapshots *snapshots, struct vm_snapshot_file *file)
{
	if (file->fd >= 0 && file->name[0])
		(void)unlinkat(snapshots->dir_fd, file->name, 0);
	if (file->fd >= 0)
		close(file->fd);
	*file = (struct vm_snapshot_file){.fd = -1};
}

static struct kt_error *write_header(int fd, const char *key, const struct vm_snapshot_of *of)
{
	struct header header = {
		.magic = MAGIC, .version = VERSION, .size = sizeof(header), .of = *of};
	struct stat st;

	if (fstat(fd, &st) || st.st_size <= HEADER_SIZE)
		return kt_error_new(KT_ERROR_FORMAT, "QEMU wrote nothing");
	snprintf(header.key, sizeof(header.key), "%s", key);
	header.stream = (uint64_t)st.st_size - HEADER_SIZE;
	if (!hash_stream(fd, header.stream, &header, &header.hash))
		return kt_error_new(KT_ERROR_FORMAT, "it cannot be read back");
	if (pwrite(fd, &header, sizeof(header), 0) != sizeof(header))
		return kt_error_os(errno, "cannot write a snapshot");
	return NULL;
}

/* In place of an older one. */
static struct kt_error *give_name(const struct vm_snapshots *snapshots,
				  const struct vm_snapshot_file *file, const char *name)
{
	char path[64];

	if (file->name[0])
		return renameat(snapshots->dir_fd, file->name, snapshots->dir_fd, name)
			       ? kt_error_os(errno, "cannot name a snapshot")
			       : NULL;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file->fd);
	(void)unlinkat(snapshots->dir_fd, name, 0);
	/* Another run that made the same snapshot may have been first: its file is as good. */
	if (linkat(AT_FDCWD, path, snapshots->dir_fd, name, AT_SYMLINK_FOLLOW) && errno != EEXIST)
		return kt_error_os(errno, "cannot name a snapshot");
	return NULL;
}

static bool is_abandoned(const struct vm_snapshots *snapshots, const char *name)
{
	_cleanup_close_ int fd = -1;

	if (strncmp(name, UNDER_WAY, strlen(UNDER_WAY)))
		return false;
	fd = openat(snapshots->dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	return fd >= 0 && !flock(fd, LOCK_EX | LOCK_NB);
}

/* Removes those that were used longest ago, but never the newest. */
static void make_room(const struct vm_snapshots *snapshots, int64_t max)
{
	struct vm_snapshot_list list = {0};
	int64_t sum = 0;

	kt_error_destroy(vm_snapshot_list(snapshots, &list));
	kt_vec_for_each (&list.v, entry) {
		bool first = entry == list.v.data;

		sum += entry->size;
		if (is_abandoned(snapshots, entry->name) || (sum > max && !first)) {
			sum -= entry->size;
			vm_snapshot_remove_entry(snapshots, entry);
		}
	}
	kt_vec_free(&list.v);
}

struct kt_error *vm_snapshot_commit(const struct vm_snapshots *snapshots,
				    struct vm_snapshot_file *file, const char *key,
				    const struct vm_snapshot_of *of, int64_t max)
{
	struct kt_error *err = write_header(file->fd, key, of);
	char name[64];

	file_name(name, sizeof(name), key);
	if (!err)
		err = give_name(snapshots, file, name);
	if (err) {
		vm_snapshot_abandon(snapshots, file);
		return err;
	}
	close(file->fd);
	*file = (struct vm_snapshot_file){.fd = -1};
	make_room(snapshots, max);
	return NULL;
}

/* --- all of them --- */

static bool read_entry(const struct vm_snapshots *snapshots, const char *name,
		       struct vm_snapshot_entry *ret)
{
	_cleanup_close_ int fd = -1;
	struct header header;
	struct stat st;

	*ret = (struct vm_snapshot_entry){0};
	if (strlen(name) >= sizeof(ret->name))
		return false;
	strcpy(ret->name, name);
	fd = openat(snapshots->dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode))
		return false;
	ret->size = st.st_size;
	ret->used = st.st_mtim;
	if (read_header(fd, &header))
		ret->of = header.of;
	return true;
}

static int by_use(const void *a, const void *b)
{
	const struct timespec *x = &((const struct vm_snapshot_entry *)a)->used;
	const struct timespec *y = &((const struct vm_snapshot_entry *)b)->used;

	if (x->tv_sec != y->tv_sec)
		return x->tv_sec < y->tv_sec ? 1 : -1;
	return x->tv_nsec < y->tv_nsec ? 1 : x->tv_nsec > y->tv_nsec ? -1 : 0;
}

struct kt_error *vm_snapshot_list(const struct vm_snapshots *snapshots,
				  struct vm_snapshot_list *ret)
{
	int fd = openat(snapshots->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct vm_snapshot_list list = {0};
	const struct dirent *entry;
	bool ok = true;
	DIR *dir;

	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir)
		return kt_error_os(errno, "cannot read the folder of snapshots");
	for (int n = 0; ok && n < ENTRIES_MAX && (entry = readdir(dir)); n++) {
		struct vm_snapshot_entry one;

		if (read_entry(snapshots, entry->d_name, &one))
			ok = kt_vec_push(&list.v, one);
	}
	closedir(dir);
	if (!ok) {
		kt_vec_free(&list.v);
		return kt_error_no_memory();
	}
	if (list.v.len)
		qsort(list.v.data, list.v.len, sizeof(*list.v.data), by_use);
	*ret = list;
	return NULL;
}

bool vm_snapshot_remove_entry(const struct vm_snapshots *snapshots,
			      const struct vm_snapshot_entry *entry)
{
	return !unlinkat(snapshots->dir_fd, entry->name, 0);
}
