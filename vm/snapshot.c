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
#include "vm/ram.h"
#include "vm/snapshot.h"

/* To be raised whenever the trailer changes, or what init expects of the host. */
#define VERSION   2
#define MAGIC     "ktsnap\n"
#define SUFFIX    ".snap"
#define NEVER     ".never"
#define UNDER_WAY ".new-"

#define TRAILER_SIZE 4096
#define ENTRIES_MAX  4096 /* of the folder that are looked at */

/* Padded to TRAILER_SIZE with zeros. Files are this machine's own: numbers are as they are here. */
struct trailer {
	char magic[8];
	uint32_t version, size; /* of this trailer */
	uint64_t ram, stream;   /* bytes of each; whole pages of ram */
	uint64_t used;          /* bytes of all that is not zero in ram, and of the rest */
	char key[40];
	struct vm_snapshot_of of;
	XXH128_canonical_t hash; /* of the trailer before it, of ram, and of the stream */
};

static bool is_ours(int fd, mode_t type)
{
	struct stat st;

	return !fstat(fd, &st) && (st.st_mode & S_IFMT) == type && st.st_uid == geteuid() &&
	       !(st.st_mode & 077);
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
	if (!is_ours(fd, S_IFDIR))
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
	if (fd < 0 || !is_ours(fd, S_IFREG))
		return -1;
	(void)futimens(fd, NULL);
	return kt_take_fd(&fd);
}

static bool is_kept(struct kt_error *err)
{
	kt_error_destroy(err);
	return !err;
}

/* Each page that is not zero, with its place. */
static bool hash_ram(int fd, uint64_t ram, XXH3_state_t *state, uint64_t *used_ret)
{
	struct vm_ram_walk walk;
	uint64_t offset;
	const char *data;
	size_t len;

	vm_ram_walk_init(&walk, fd, ram);
	while (vm_ram_walk_next(&walk, &offset, &data, &len)) {
		*used_ret += len;
		for (; len; len -= VM_RAM_PAGE, data += VM_RAM_PAGE, offset += VM_RAM_PAGE) {
			XXH3_128bits_update(state, &offset, sizeof(offset));
			XXH3_128bits_update(state, data, VM_RAM_PAGE);
		}
	}
	return is_kept(vm_ram_walk_deinit(&walk));
}

/* In pieces that fit in a cache. */
static bool hash_stream(int fd, uint64_t at, uint64_t end, XXH3_state_t *state)
{
	static const size_t chunk_size = 256 << 10;
	_cleanup_free_ char *chunk = malloc(chunk_size);
	size_t n = 1;

	while (chunk && at < end && n) {
		uint64_t left = end - at;

		if (!is_kept(kt_read_at(fd, chunk, left < chunk_size ? (size_t)left : chunk_size,
					(off_t)at, &n)))
			return false;
		XXH3_128bits_update(state, chunk, n);
		at += n;
	}
	return at == end;
}

/* Of the trailer up to the hash, but for `used`, and of all before it; sets trailer->used. */
static bool hash_all(int fd, struct trailer *trailer, XXH128_canonical_t *ret)
{
	XXH3_state_t *state = XXH3_createState();
	bool ok = state;

	if (!state)
		return false;
	XXH3_128bits_reset(state);
	trailer->used = 0;
	XXH3_128bits_update(state, trailer, offsetof(struct trailer, hash));
	ok = hash_ram(fd, trailer->ram, state, &trailer->used) &&
	     hash_stream(fd, trailer->ram, trailer->ram + trailer->stream, state);
	trailer->used += trailer->stream + TRAILER_SIZE;
	XXH128_canonicalFromHash(ret, XXH3_128bits_digest(state));
	XXH3_freeState(state);
	return ok;
}

/* The sizes are right, and so is the form of what is for people; the hash is not looked at. */
static bool read_trailer(int fd, struct trailer *ret)
{
	struct stat st;
	size_t n = 0;

	if (fstat(fd, &st) || st.st_size < TRAILER_SIZE ||
	    !is_kept(kt_read_at(fd, ret, sizeof(*ret), st.st_size - TRAILER_SIZE, &n)))
		return false;
	return n == sizeof(*ret) && !memcmp(ret->magic, MAGIC, sizeof(MAGIC)) &&
	       ret->version == VERSION && ret->size == sizeof(*ret) && ret->ram <= INT64_MAX &&
	       !(ret->ram % VM_RAM_PAGE) && ret->stream <= INT64_MAX &&
	       ret->ram + ret->stream == (uint64_t)st.st_size - TRAILER_SIZE &&
	       memchr(ret->of.kernel, '\0', sizeof(ret->of.kernel)) &&
	       memchr(ret->of.qemu, '\0', sizeof(ret->of.qemu));
}

bool vm_snapshot_check(int fd, const char *key, struct vm_snapshot_of *of)
{
	XXH128_canonical_t hash;
	struct trailer trailer;
	uint64_t used;

	if (!is_ours(fd, S_IFREG) || !read_trailer(fd, &trailer) ||
	    strncmp(trailer.key, key, sizeof(trailer.key)))
		return false;
	used = trailer.used;
	if (!hash_all(fd, &trailer, &hash) || memcmp(&hash, &trailer.hash, sizeof(hash)) ||
	    used != trailer.used || lseek(fd, (off_t)trailer.ram, SEEK_SET) < 0)
		return false;
	*of = trailer.of;
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

struct kt_error *vm_snapshot_create(const struct vm_snapshots *snapshots, uint64_t ram,
				    struct vm_snapshot_file *ret)
{
	struct kt_error *err = NULL;

	*ret = (struct vm_snapshot_file){
		.fd = openat(snapshots->dir_fd, ".", O_RDWR | O_TMPFILE | O_CLOEXEC, 0600)};
	if (ret->fd < 0)
		err = create_named(snapshots, ret);
	ret->ram = ram;
	if (!err && lseek(ret->fd, (off_t)ram, SEEK_SET) != (off_t)ram)
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

static struct kt_error *write_trailer(const struct vm_snapshot_file *file, const char *key,
				      const struct vm_snapshot_of *of)
{
	char padded[TRAILER_SIZE] = {0};
	struct trailer trailer = {.magic = MAGIC,
				  .version = VERSION,
				  .size = sizeof(trailer),
				  .ram = file->ram,
				  .of = *of};
	struct stat st;

	if (fstat(file->fd, &st) || (uint64_t)st.st_size <= file->ram)
		return kt_error_new(KT_ERROR_FORMAT, "QEMU wrote nothing");
	snprintf(trailer.key, sizeof(trailer.key), "%s", key);
	trailer.stream = (uint64_t)st.st_size - file->ram;
	if (!hash_all(file->fd, &trailer, &trailer.hash))
		return kt_error_new(KT_ERROR_FORMAT, "it cannot be read back");
	memcpy(padded, &trailer, sizeof(trailer));
	if (pwrite(file->fd, padded, sizeof(padded), st.st_size) != sizeof(padded))
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
	struct kt_error *err = write_trailer(file, key, of);
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
	struct trailer trailer;
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
	if (read_trailer(fd, &trailer)) {
		ret->of = trailer.of;
		ret->size = trailer.used < (uint64_t)st.st_size ? (int64_t)trailer.used
								: st.st_size;
	}
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
