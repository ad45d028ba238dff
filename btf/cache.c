// SPDX-License-Identifier: LGPL-2.1-or-later
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <xxhash.h>

#include "btf/cache.h"
#include "util/cleanup.h"
#include "util/cursor.h"
#include "util/io.h"

/* To be raised whenever the format changes, or the meaning of an answer. */
#define CACHE_VERSION 4
#define CACHE_MAGIC   "ktfacts"
/* Bytes. Facts have a few thousand; a kernel that was gathered in part has the most. */
#define CACHE_MAX (40 << 20)
/* Entries of the directory that are looked at. */
#define ENTRIES_MAX 4096

static void hex(char *to, const uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		sprintf(to + 2 * i, "%02x", bytes[i]);
}

static void hash_hex(char *to, XXH128_hash_t hash)
{
	XXH128_canonical_t canonical;

	XXH128_canonicalFromHash(&canonical, hash);
	hex(to, canonical.digest, sizeof(canonical.digest));
}

struct cache_name cache_content_hash(const void *data, size_t len)
{
	struct cache_name name = {0};

	hash_hex(name.s, XXH3_128bits(data, len));
	return name;
}

struct cache_name cache_key(const uint8_t *id, size_t id_len, const void *data, size_t len)
{
	struct cache_name key = {"id"};

	if (!id_len || id_len > 64) {
		key = cache_content_hash(data, len);
		memmove(key.s + 1, key.s, 32);
		key.s[0] = 'x';
	} else {
		hex(key.s + 2, id, id_len);
	}
	return key;
}

struct cache_name cache_facts_name(const struct cache_name *key, const struct kfacts_want *wants,
				   size_t n)
{
	struct cache_name name = {0};
	struct kt_buf all = KT_BUF_INIT;
	char hash[33] = "";

	for (size_t i = 0; i < n; i++) {
		const char *path = wants[i].path ? wants[i].path : "";

		kt_buf_printf(&all, "%d %d %s %s\n", wants[i].kind, wants[i].optional,
			      wants[i].name, path);
	}
	/* Without memory the name stays empty, which no file in the cache has. */
	if (!kt_buf_failed(&all)) {
		hash_hex(hash, XXH3_128bits(all.data, all.len));
		snprintf(name.s, sizeof(name.s), "facts-%.140s-%s", key->s, hash);
	}
	kt_buf_deinit(&all);
	return name;
}

struct cache_name cache_place_name(const struct cache_name *key, const char *place)
{
	struct cache_name name = {0};
	struct kt_buf both = KT_BUF_INIT;
	char hash[33];

	kt_buf_printf(&both, "%s %s", key->s, place);
	if (!kt_buf_failed(&both)) {
		hash_hex(hash, XXH3_128bits(both.data, both.len));
		snprintf(name.s, sizeof(name.s), "place-%s", hash);
	}
	kt_buf_deinit(&both);
	return name;
}

struct cache_name cache_image_name(const struct cache_name *content_hash)
{
	struct cache_name name;

	snprintf(name.s, sizeof(name.s), "image-%.32s", content_hash->s);
	return name;
}

/* The file's name is hashed, too, so that a renamed file counts as absent. */
static void put_header(struct kt_buf *buf, const struct cache_name *name, const void *payload,
		       size_t len)
{
	XXH128_canonical_t canonical;
	struct kt_buf hashed = KT_BUF_INIT;

	kt_buf_append_le(&hashed, CACHE_VERSION, 4);
	kt_buf_append_le(&hashed, len, 8);
	kt_buf_append(&hashed, name->s, strlen(name->s) + 1);
	kt_buf_append(&hashed, payload, len);
	XXH128_canonicalFromHash(&canonical, XXH3_128bits(hashed.data, hashed.len));
	kt_buf_append(buf, CACHE_MAGIC, sizeof(CACHE_MAGIC));
	kt_buf_append(buf, canonical.digest, sizeof(canonical.digest));
	if (kt_buf_failed(&hashed))
		buf->failed = true;
	kt_buf_append(buf, hashed.data, hashed.len);
	kt_buf_deinit(&hashed);
}

static bool check_file(const struct kt_buf *file, const struct cache_name *name,
		       struct kt_buf *payload)
{
	struct kt_cursor c = kt_cursor(file->data, file->len, false);
	const char *magic = kt_cursor_string(&c);
	const uint8_t *digest = kt_cursor_bytes(&c, sizeof(XXH128_canonical_t));
	XXH128_canonical_t canonical;
	const char *own_name;
	uint32_t version;
	uint64_t len;

	if (c.failed || strcmp(magic, CACHE_MAGIC))
		return false;
	XXH128_canonicalFromHash(&canonical, XXH3_128bits(file->data + c.pos, file->len - c.pos));
	if (memcmp(digest, canonical.digest, sizeof(canonical.digest)))
		return false;
	version = kt_cursor_u32(&c);
	len = kt_cursor_u64(&c);
	own_name = kt_cursor_string(&c);
	if (c.failed || version != CACHE_VERSION || len != c.len - c.pos ||
	    strcmp(own_name, name->s))
		return false;
	kt_buf_append(payload, c.data + c.pos, (size_t)len);
	return !kt_buf_failed(payload);
}

bool cache_read(const char *dir, const struct cache_name *name, struct kt_buf *payload)
{
	_cleanup_close_ int dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_(kt_buf_deinit) struct kt_buf file = KT_BUF_INIT;
	_cleanup_close_ int fd = -1;
	struct kt_error *err;

	if (dir_fd < 0)
		return false;
	err = kt_open_file(dir_fd, name->s, O_NOFOLLOW, &fd, NULL);
	if (!err)
		err = kt_read_all(fd, CACHE_MAX, &file);
	if (!err)
		return check_file(&file, name, payload);
	kt_error_destroy(err);
	return false;
}

/* Not synced: after a power cut, the checksum shows that a file is not whole. */
static void write_file(const char *dir, const struct cache_name *name, const struct kt_buf *file)
{
	_cleanup_free_ char *path = NULL;
	struct kt_error *err;

	if (asprintf(&path, "%s/%s", dir, name->s) < 0) {
		path = NULL;
		return;
	}
	err = kt_mkdir_p(dir, 0700);
	if (!err)
		err = kt_replace_file(path, file->data, file->len, 0600, false);
	kt_error_destroy(err);
}

void cache_write(const char *dir, const struct cache_name *name, const void *payload, size_t len)
{
	struct kt_buf file = KT_BUF_INIT;

	put_header(&file, name, payload, len);
	if (!kt_buf_failed(&file) && file.len <= CACHE_MAX)
		write_file(dir, name, &file);
	kt_buf_deinit(&file);
}

void cache_write_plain(const char *dir, const struct cache_name *name, const struct kt_buf *file)
{
	write_file(dir, name, file);
}

void cache_remove(const char *dir, const struct cache_name *name)
{
	_cleanup_close_ int dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir_fd >= 0)
		(void)unlinkat(dir_fd, name->s, 0);
}

struct dated {
	struct cache_name name;
	struct timespec time;
};

static bool is_newer(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec != b->tv_sec ? a->tv_sec > b->tv_sec : a->tv_nsec > b->tv_nsec;
}

/* Puts a file into the list, which stays sorted and has at most max entries. */
static void put_dated(struct dated *list, size_t *n, size_t max, const struct dated *file)
{
	size_t at = *n;

	while (at && is_newer(&file->time, &list[at - 1].time))
		at--;
	if (at == max)
		return;
	*n += *n < max;
	memmove(&list[at + 1], &list[at], (*n - at - 1) * sizeof(*list));
	list[at] = *file;
}

size_t cache_newest(const char *dir, const char *prefix, struct cache_name *ret, size_t max)
{
	_cleanup_free_ struct dated *list = calloc(max, sizeof(*list));
	DIR *d = list ? opendir(dir) : NULL;
	const struct dirent *entry;
	size_t n = 0;

	for (size_t seen = 0; d && seen < ENTRIES_MAX && (entry = readdir(d)); seen++) {
		struct dated file = {0};
		struct stat st;

		if (strncmp(entry->d_name, prefix, strlen(prefix)) ||
		    strlen(entry->d_name) >= sizeof(file.name.s) ||
		    fstatat(dirfd(d), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) ||
		    !S_ISREG(st.st_mode))
			continue;
		strcpy(file.name.s, entry->d_name);
		file.time = st.st_mtim;
		put_dated(list, &n, max, &file);
	}
	if (d)
		closedir(d);
	for (size_t i = 0; i < n; i++)
		ret[i] = list[i].name;
	return n;
}
